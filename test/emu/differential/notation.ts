import { bytesOf, type Instruction } from './encoder.js';
import { type Effect, NONE } from './flags.js';
import type { Layout } from './layout.js';
import { type Form, RSP, type Shape, withOperands } from './operand.js';
import type { Step } from './step.js';

/** The size of an operand: byte, word, doubleword, quadword, and quadword by nature, which needs no REX.W. */
export type Size = 'b' | 'w' | 'd' | 'q' | 'n';

export const BITS: Readonly<Record<Size, number>> = { b: 8, w: 16, d: 32, q: 64, n: 64 };
const OPERAND_SIZE = 0x66;
const LOCK = 0xf0;

/** An opcode byte as {@link encoding} reads it. */
export const hex = (value: number): string => value.toString(16).padStart(2, '0');

/** What the Intel SDM's way to write an encoding says. */
export interface Encoding {
  readonly prefixes: readonly number[];
  readonly opcode: readonly number[];
  /** `/r`: two operands; `/0` to `/7`: one, and a digit; `+r`: a register in the opcode. */
  readonly operands: 'two' | number | 'opcode' | undefined;
  /** `ib`, `iw`: 1 and 2 bytes; `iz`: as large as the operand, but 4 at most; `iv`: as large as the operand. */
  readonly immediate: 'ib' | 'iw' | 'iz' | 'iv' | undefined;
}

/** Reads an encoding as the Intel SDM, volume 2, writes it. Mandatory prefixes come first. */
export function encoding(text: string): Encoding {
  const prefixes: number[] = [];
  const opcode: number[] = [];
  let operands: Encoding['operands'];
  let immediate: Encoding['immediate'];
  for (const token of text.split(' ')) {
    if (token === '/r') operands = 'two';
    else if (token === '+r') operands = 'opcode';
    else if (token.startsWith('/')) operands = Number(token[1]);
    else if (token === 'ib' || token === 'iw' || token === 'iz' || token === 'iv') immediate = token;
    else if (opcode.length === 0 && /^(66|F2|F3)$/.test(token)) prefixes.push(Number.parseInt(token, 16));
    else opcode.push(Number.parseInt(token, 16));
  }
  return { prefixes, opcode, operands, immediate };
}

/** The immediate that a step's value makes. */
export function immediateOf(kind: Encoding['immediate'], bits: number, value: bigint): Uint8Array | undefined {
  if (kind === undefined) return undefined;
  const bytes = kind === 'ib' ? 1 : kind === 'iw' ? 2 : kind === 'iz' ? Math.min(bits, 32) / 8 : bits / 8;
  return bytesOf(value, bytes);
}

/** The size that a step has chosen. */
export function sizeOf(sizes: string, step: Step): Size {
  return sizes[step.size % sizes.length] as Size;
}

/** An instruction with the prefixes of the size that a step has chosen; its opcode is that of this size already. */
export function sized(sizes: string, step: Step, instruction: Instruction): Instruction {
  const size = sizeOf(sizes, step);
  const own = instruction.prefixes ?? [];
  return { ...instruction, prefixes: size === 'w' ? [...own, OPERAND_SIZE] : own, wide: size === 'q' };
}

/** What is special about an instruction. */
export interface Special extends Pick<Shape, 'only' | 'bytes' | 'reserved' | 'alignment'> {
  /** A memory operand may be locked. */
  readonly lock?: boolean;
  /** Comes before the instruction itself, which then has the effect returned. */
  prepare?(layout: Layout, step: Step, size: Size): Effect;
  /** Changes what comes out of chance. */
  adapt?(step: Step, size: Size, layout: Layout): Step;
}

/**
 * An instruction on general registers and memory.
 * @param sizes of the operand; the opcode is that of the byte if there is one, and the next one of the others
 */
export function integer(name: string, sizes: string, text: string, effect: Effect = NONE, special: Special = {}): Form {
  const { prefixes, opcode, operands, immediate } = encoding(text);
  const all = [...sizes] as Size[];
  const opcodeOf = (size: Size): number[] =>
    size !== 'b' && all.includes('b') ? [...opcode.slice(0, -1), (opcode.at(-1) ?? 0) | 1] : [...opcode];
  return {
    name,
    add(layout, given) {
      const size = all[given.size % all.length];
      const step = special.adapt?.(given, size, layout) ?? given;
      const isMemory = special.only === 'memory' || (special.only === undefined && step.inMemory);
      const locked = special.lock === true && isMemory && step.high;
      const instruction: Instruction = {
        prefixes: [...(locked ? [LOCK] : []), ...(size === 'w' ? [OPERAND_SIZE] : []), ...prefixes],
        wide: size === 'q',
        opcode: opcodeOf(size),
        ...immediatePart(immediateOf(immediate, BITS[size], step.value)),
      };
      const bytes = special.bytes ?? [size === 'b', size === 'b'];
      if (operands === 'opcode') {
        const plus = step.reg === RSP ? RSP + 1 : step.reg;
        layout.add({ ...instruction, plus }, special.prepare?.(layout, step, size) ?? effect);
      } else if (operands === undefined) {
        layout.add(instruction, special.prepare?.(layout, step, size) ?? effect);
      } else {
        const digit = operands === 'two' ? {} : { digit: operands };
        const made = withOperands(layout, step, instruction, { ...special, bytes, ...digit });
        layout.add(made, special.prepare?.(layout, step, size) ?? effect);
      }
    },
  };
}

/** For spreading: optional properties are left out rather than undefined. */
export function immediatePart(immediate: Uint8Array | undefined): Pick<Instruction, 'immediate'> {
  return immediate === undefined ? {} : { immediate };
}
