import type { RegisterUse } from '../../emu/register-access.js';
import type { RegisterPart } from '../../emu/register-parts.js';
import type { Process } from '../../runtime/process.js';
import { operandPlace } from './operand-place.js';
import { type Place, wholeRegister } from './place.js';

/** Instructions that name one operand and use registers besides. */
const HIDDEN = /^(i?mul|i?div|cmpxchg.*|cqo|cdqe?|cwde?|cbw)$/;
const MOVES_STACK = /^(push|pop|call|ret)/;
/** The first operand is written only; whether that is so of a register Capstone knows. */
const WRITES_MEMORY_ONLY = /^(mov|set|stos|f?ist|fst|fn?stcw|fn?stsw|extract|pextr|stmxcsr|cvt|pop)/;

/**
 * What the instruction that comes next computes with: registers, but for those of addresses unless an address is what it
 * computes, and memory.
 * @param place what it writes
 */
export function inputsOf(process: Process, use: RegisterUse, place: Place): Place[] {
  const { name, operands, reads } = use;
  // By as much as the instruction says, whatever it moves there.
  if (place.kind === 'register' && place.part.register === 'rsp' && MOVES_STACK.test(name))
    return [wholeRegister('rsp')];
  const named = operands.flatMap((operand) => (operand.kind === 'register' ? [operand.part.register] : []));
  const inAddresses = operands.flatMap((operand) =>
    operand.kind === 'memory'
      ? [operand.base, operand.index].flatMap((part) => (part === undefined || part === 'rip' ? [] : [part.register]))
      : [],
  );
  const isUsed = ({ register }: RegisterPart): boolean => {
    if (name === 'lea' || named.includes(register) || HIDDEN.test(name)) return true;
    if (register === 'rsp') return place.kind === 'register' && place.part.register === 'rsp';
    return !inAddresses.includes(register);
  };
  const registers = reads.filter(isUsed).map((part): Place => ({ kind: 'register', part }));
  const memory = operands.flatMap((operand, index) => {
    if (operand.kind !== 'memory' || operand.size === 0 || operand.size > 16 || name === 'lea') return [];
    if (index === 0 && WRITES_MEMORY_ONLY.test(name)) return [];
    return operandPlace(process, use, operand) ?? [];
  });
  return [...registers, ...memory];
}
