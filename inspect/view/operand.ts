import { registerPart } from '../../emu/register-parts.js';
import { GENERAL_REGISTERS, type GeneralRegister } from '../../emu/registers.js';

/** An operand of an instruction, in AT&T syntax. */
export type Operand =
  | { readonly kind: 'register'; readonly register: GeneralRegister }
  /** disp(base,index,scale); `rip` stands for the next instruction. */
  | {
      readonly kind: 'memory';
      readonly displacement: bigint;
      readonly base: GeneralRegister | 'rip' | undefined;
      readonly index: GeneralRegister | undefined;
      readonly scale: bigint;
    }
  | { readonly kind: 'other' };

const MEMORY = /^(-?(?:0x)?[0-9a-f]+)?\((?:%(\w+))?(?:,\s*%(\w+)(?:,\s*(\d))?)?\)$/;

/** Reads one operand. What is relative to a segment, or no general register, is "other". */
export function parseOperand(text: string): Operand {
  if (text.startsWith('%')) {
    const register = general(text.slice(1));
    return register === undefined ? { kind: 'other' } : { kind: 'register', register };
  }
  const memory = MEMORY.exec(text);
  if (memory === null) return { kind: 'other' };
  const [, displacement = '0', base, index, scale = '1'] = memory;
  const sign = displacement.startsWith('-') ? -1n : 1n;
  return {
    kind: 'memory',
    displacement: sign * BigInt(displacement.replace('-', '')),
    base: base === 'rip' ? 'rip' : general(base ?? ''),
    index: general(index ?? ''),
    scale: BigInt(scale),
  };
}

/** The whole register of a name. */
function general(name: string): GeneralRegister | undefined {
  const register = registerPart(name)?.register;
  return GENERAL_REGISTERS.find((one) => one === register);
}

/** Divides operands at the commas that are not within brackets. */
export function splitOperands(operands: string): string[] {
  return operands === '' ? [] : operands.split(/,\s*(?![^(]*\))/);
}

/**
 * The address that a memory operand means.
 * @param read a register's value; of `rip`, the address of the next instruction
 */
export function addressOf(
  { displacement, base, index, scale }: Operand & { kind: 'memory' },
  read: (register: GeneralRegister | 'rip') => bigint,
): bigint {
  const sum = displacement + (base ? read(base) : 0n) + (index ? read(index) * scale : 0n);
  return BigInt.asUintN(64, sum);
}
