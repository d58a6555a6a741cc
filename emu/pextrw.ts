import { GENERAL_REGISTERS, type GeneralRegister, type RegisterName } from './registers.js';

const OPERAND_SIZE = 0x66;
const REGISTER_FORM = 3;

/** One pextrw: bits `shift` to `shift` + 15 of `source` become all of `target`. */
export interface ExtractWord {
  readonly target: GeneralRegister;
  readonly source: RegisterName;
  readonly shift: bigint;
  /** In bytes. */
  readonly length: number;
}

/**
 * Reads `pextrw $imm8, %xmm, %r32` (Intel SDM, volume 2: 66 0F C5 /r ib), the only form that compilers emit for a CPU
 * with SSE2. Unicorn 1.0 ends with it, so that the machine carries it out itself.
 * @returns undefined for every other instruction
 */
export function readPextrw(bytes: Uint8Array): ExtractWord | undefined {
  if (bytes[0] !== OPERAND_SIZE) return undefined;
  const rex = (bytes[1] & 0xf0) === 0x40 ? bytes[1] : 0;
  const at = rex === 0 ? 1 : 2;
  const modrm = bytes[at + 2];
  if (bytes[at] !== 0x0f || bytes[at + 1] !== 0xc5 || modrm >> 6 !== REGISTER_FORM) return undefined;
  const target = GENERAL_REGISTERS[((modrm >> 3) & 7) | ((rex & 4) << 1)];
  const source = `xmm${(modrm & 7) | ((rex & 1) << 3)}` as RegisterName;
  return { target, source, shift: BigInt((bytes[at + 3] & 7) * 16), length: at + 4 };
}
