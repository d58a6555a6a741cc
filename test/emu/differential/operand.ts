import { type Address, bytesOf, hasRex, type Instruction } from './encoder.js';
import { type Effect, NONE } from './flags.js';
import type { Layout } from './layout.js';
import { TARGETS, TARGETS_SIZE } from './state.js';
import type { Step } from './step.js';

export const RSP = 4;
/** Of the modes of a step, that which counts from the next instruction. */
export const RIP_MODE = 6;
const RBP = 5;
/** The first address that no pointer can have. */
export const NOT_CANONICAL = 2 ** 47;
/** Above the largest operand: none reaches out of what instructions aim at. */
const LARGEST = 16;

/** `mov $value, register`, which touches no flags. */
export function load(layout: Layout, register: number, value: bigint): void {
  layout.add({ wide: true, opcode: [0xb8], plus: register, immediate: bytesOf(value, 8) });
}

/** An address for an operand, a multiple of `alignment`: among the data, unless the layout is looking for a fault. */
export function targetOf(layout: Layout, step: Step, alignment = 1): number {
  if (layout.target !== undefined) return layout.target - (layout.target % alignment);
  return TARGETS + Math.floor((step.target % (TARGETS_SIZE - LARGEST)) / alignment) * alignment;
}

/** Gives registers the values with which one of the addressing modes leads to `target`. */
export function aim(layout: Layout, step: Step, target: number, reserved: readonly number[] = []): Address {
  const { mode, scale } = step;
  if (mode === RIP_MODE) return { kind: 'rip', target };
  const free = (register: number, ...others: readonly number[]): number => {
    let found = register;
    while (reserved.includes(found) || others.includes(found)) found = (found + 1) % 16;
    return found;
  };
  if (mode === 7) {
    const index = free(step.index, RSP);
    const multiple = step.displacement & 0xff;
    load(layout, index, BigInt(multiple));
    return { kind: 'sum', base: undefined, index, scale, displacement: target - (multiple << scale) };
  }
  if (mode === 5) return { kind: 'sum', base: undefined, index: undefined, scale: 0, displacement: target };
  const offStack = target >= NOT_CANONICAL && layout.avoids('stack fault') ? [RSP, RBP] : [];
  const base = free(step.base, ...offStack);
  // rsp stays among the data.
  const displacement = base === RSP ? (step.displacement << 24) >> 24 : step.displacement;
  const index = mode < 2 ? undefined : free(step.index, RSP, base);
  const value = base === RSP ? BigInt(mode) : step.value;
  if (index !== undefined) load(layout, index, value);
  const rest = BigInt(target - displacement) - (index === undefined ? 0n : value << BigInt(scale));
  load(layout, base, BigInt.asUintN(64, rest));
  return { kind: 'sum', base, index, scale: index === undefined ? 0 : scale, displacement };
}

/** How an instruction uses its ModRM byte. */
export interface Shape {
  /** One of the two is not possible. */
  readonly only?: 'register' | 'memory';
  /** The digit that extends the opcode, in place of a register. */
  readonly digit?: number;
  /** Of a memory operand. */
  readonly alignment?: number;
  /** General registers of 8 bits: as `reg`, as `rm`. */
  readonly bytes?: readonly [reg: boolean, rm: boolean];
  /** Vector registers, in which 4 is nothing special: as `reg`, as `rm`. */
  readonly vectors?: readonly [reg: boolean, rm: boolean];
  /** Registers that the instruction needs otherwise. */
  readonly reserved?: readonly number[];
}

/** The operands of an instruction, with all that must come in front of it laid out. */
export function withOperands(layout: Layout, step: Step, instruction: Instruction, shape: Shape): Instruction {
  const { only, digit, alignment = 1, bytes = [false, false], vectors = [false, false], reserved = [] } = shape;
  const isMemory = only === undefined ? step.inMemory : only === 'memory';
  const pick = (register: number, isByte: boolean, isVector: boolean): number =>
    isVector || register !== RSP || isByte ? register : RBP;
  const general = (register: number): number => {
    let found = register;
    while (reserved.includes(found)) found = (found + 1) % 16;
    return found;
  };
  const reg = digit ?? pick(vectors[0] ? step.reg : general(step.reg), bytes[0], vectors[0]);
  const rm = isMemory
    ? aim(layout, step, targetOf(layout, step, alignment), reserved)
    : pick(vectors[1] ? step.rm : general(step.rm), bytes[1], vectors[1]);
  const named = (register: number | Address): boolean => typeof register === 'number' && register >= 4 && register < 8;
  const wantsRex = !step.high && ((bytes[0] && digit === undefined && named(reg)) || (bytes[1] && named(rm)));
  const made = { ...instruction, rex: wantsRex, operands: { reg, rm } };
  if (!hasRex(made)) return made;
  // 4 is spl then, which only the stack changes.
  const low = <T>(register: T, isByte: boolean): T | number => (isByte && register === RSP ? RBP : register);
  return {
    ...made,
    operands: { reg: digit ?? (low(reg, bytes[0]) as number), rm: low(rm, bytes[1]) as number | Address },
  };
}

/** Ends a block of translated code, and nothing else. */
export const JUMP_TO_NEXT: Instruction = { opcode: [0xeb], immediate: new Uint8Array(1) };

/** An instruction of the table. */
export interface Form {
  /** What it is called, in Intel's words. */
  readonly name: string;
  /** Lays it out with all that must come in front of it. */
  add(layout: Layout, step: Step): void;
}

export function plain(name: string, instruction: Instruction, effect: Effect = NONE): Form {
  return { name, add: (layout) => layout.add(instruction, effect) };
}
