import type { Image } from '../../asm/image.js';
import type { MemoryOperand } from '../../emu/operand.js';
import type { RegisterUse, RegisterUses } from '../../emu/register-access.js';
import { overlap, type RegisterPart } from '../../emu/register-parts.js';
import { STATES } from './equivalence.js';
import type { Fault } from './fault.js';
import { codeAt, type SwitchInstruction } from './instruction.js';

function memoryOf({ name, operands }: RegisterUse): MemoryOperand | undefined {
  return name === 'lea' ? undefined : operands.find((one) => one.kind === 'memory');
}

const common = (some: readonly RegisterPart[], others: readonly RegisterPart[]): boolean =>
  some.some((one) => others.some((other) => overlap(one, other)));

/** Whether two accesses through the same register are to other bytes. */
function apart(one: MemoryOperand | undefined, other: MemoryOperand | undefined): boolean {
  if (one === undefined || other === undefined) return true;
  const register = ({ base }: MemoryOperand): string | undefined => (typeof base === 'object' ? base.register : base);
  const isSimple = [one, other].every(({ index, segment }) => index === undefined && segment === undefined);
  if (!isSimple || register(one) !== register(other)) return false;
  const [low, high] = one.displacement < other.displacement ? [one, other] : [other, one];
  return low.displacement + BigInt(low.size) <= high.displacement;
}

function loadsOnly({ name, operands }: RegisterUse): boolean {
  return name.startsWith('mov') && operands[0]?.kind === 'register';
}

/** Why a mutant does the same as the original. */
export function reasonOf({ pair }: Fault, image: Image, uses: RegisterUses): string {
  const [first, second] = (pair ?? []).map(({ address }: SwitchInstruction) =>
    uses.at(BigInt(address), () => codeAt(image, address)),
  );
  if (first !== undefined && second !== undefined) {
    const isFree = !common(first.writes, [...second.reads, ...second.writes]) && !common(second.writes, first.reads);
    const [one, other] = [memoryOf(first), memoryOf(second)];
    if (isFree && one !== undefined && other !== undefined && apart(one, other)) {
      return 'neither uses a register that the other changes, and they use other bytes of the same memory';
    }
    if (isFree && (one === undefined || other === undefined)) return 'neither uses anything that the other changes';
    if (isFree && loadsOnly(first) && loadsOnly(second))
      return 'two loads into two registers, which neither of them uses';
  }
  return `no register, flag or byte of memory differs in any of ${STATES} states`;
}
