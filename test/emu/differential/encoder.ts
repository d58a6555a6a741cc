/** Where a memory operand is, in the ways that a ModRM byte can say it. */
export type Address =
  | { readonly kind: 'rip'; readonly target: number }
  | {
      readonly kind: 'sum';
      /** Undefined if there is none, as `index`. */
      readonly base: number | undefined;
      /** Any but 4, which cannot be one. */
      readonly index: number | undefined;
      /** Logarithm of the factor, 0 to 3. */
      readonly scale: number;
      /** Fits into 32 bits with a sign. */
      readonly displacement: number;
    };

/** What stands in the ModRM byte. */
export interface Operands {
  /** A register, or the digit that extends an opcode. */
  readonly reg: number;
  readonly rm: number | Address;
}

/** An instruction to be encoded (Intel SDM, volume 2, chapter 2). */
export interface Instruction {
  /** Those of one byte, in front of REX: lock, operand size, repeat. */
  readonly prefixes?: readonly number[];
  /** REX.W: 64 bits. */
  readonly wide?: boolean;
  /** An empty REX, which makes spl to dil out of ah to bh. */
  readonly rex?: boolean;
  readonly opcode: readonly number[];
  readonly operands?: Operands;
  /** The register in the opcode's last three bits. */
  readonly plus?: number;
  readonly immediate?: Uint8Array;
}

/** `size` bytes of a number, lowest first. */
export function bytesOf(value: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => Number((value >> BigInt(index * 8)) & 0xffn));
}

const fitsByte = (value: number): boolean => value >= -128 && value <= 127;

/** Whether the instruction has a REX prefix. */
export function hasRex(instruction: Instruction): boolean {
  return rexOf(instruction) !== 0;
}

function rexOf({ wide, rex, operands, plus }: Instruction): number {
  let bits = wide === true ? 8 : 0;
  if (plus !== undefined) bits |= plus >> 3;
  if (operands !== undefined) {
    bits |= (operands.reg >> 3) << 2;
    const { rm } = operands;
    if (typeof rm === 'number') bits |= rm >> 3;
    else if (rm.kind === 'sum') bits |= (((rm.index ?? 0) >> 3) << 1) | ((rm.base ?? 0) >> 3);
  }
  return bits !== 0 || rex === true ? 0x40 | bits : 0;
}

/** ModRM, SIB and displacement; that of a rip-relative operand is counted from `next`. */
function operandBytes({ reg, rm }: Operands, next: number): number[] {
  const middle = (reg & 7) << 3;
  const word = (value: number): Uint8Array => bytesOf(BigInt(value), 4);
  if (typeof rm === 'number') return [0xc0 | middle | (rm & 7)];
  if (rm.kind === 'rip') return [middle | 5, ...word(rm.target - next)];
  const { base, index, scale, displacement } = rm;
  if (base === undefined) return [middle | 4, (scale << 6) | (((index ?? 4) & 7) << 3) | 5, ...word(displacement)];
  const mod = displacement === 0 && (base & 7) !== 5 ? 0 : fitsByte(displacement) ? 0x40 : 0x80;
  const needsSib = index !== undefined || (base & 7) === 4;
  const sib = needsSib ? [(scale << 6) | (((index ?? 4) & 7) << 3) | (base & 7)] : [];
  const tail = mod === 0 ? [] : mod === 0x40 ? [displacement & 0xff] : [...word(displacement)];
  return [mod | middle | (needsSib ? 4 : base & 7), ...sib, ...tail];
}

/** The machine code of an instruction that will be at `address`. */
export function encode(instruction: Instruction, address: number): Uint8Array {
  const { prefixes = [], opcode, operands, plus, immediate = new Uint8Array(0) } = instruction;
  const rex = rexOf(instruction);
  const code = [...opcode];
  if (plus !== undefined) code[code.length - 1] |= plus & 7;
  const head = [...prefixes, ...(rex === 0 ? [] : [rex]), ...code];
  const tail = operands === undefined ? [] : operandBytes(operands, 0);
  const next = address + head.length + tail.length + immediate.length;
  return Uint8Array.from([...head, ...(operands === undefined ? [] : operandBytes(operands, next)), ...immediate]);
}
