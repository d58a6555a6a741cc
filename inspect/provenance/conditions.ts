/** Instructions that write a register only if something holds. */
import type { RegisterUse } from '../../emu/register-access.js';
import type { RegisterPart } from '../../emu/register-parts.js';
import type { Process } from '../../runtime/process.js';
import { operandPlace } from './operand-place.js';
import { valueAt } from './place.js';

const CARRY = 1n << 0n;
const PARITY = 1n << 2n;
const ZERO = 1n << 6n;
const SIGN = 1n << 7n;
const OVERFLOW = 1n << 11n;

/** By the name behind `cmov`, as Capstone writes them; each has an opposite. */
const CONDITIONS: Readonly<Record<string, (flags: bigint) => boolean>> = {
  o: (flags) => (flags & OVERFLOW) !== 0n,
  b: (flags) => (flags & CARRY) !== 0n,
  e: (flags) => (flags & ZERO) !== 0n,
  be: (flags) => (flags & (CARRY | ZERO)) !== 0n,
  s: (flags) => (flags & SIGN) !== 0n,
  p: (flags) => (flags & PARITY) !== 0n,
  l: (flags) => ((flags & SIGN) !== 0n) !== ((flags & OVERFLOW) !== 0n),
  le: (flags) => (flags & ZERO) !== 0n || ((flags & SIGN) !== 0n) !== ((flags & OVERFLOW) !== 0n),
};
const OPPOSITES: Readonly<Record<string, string>> = {
  no: 'o',
  ae: 'b',
  ne: 'e',
  a: 'be',
  ns: 's',
  np: 'p',
  ge: 'l',
  g: 'le',
};

const SHIFT = /^(sh[lr]d?|s[ah][lr]|rc[lr]|ro[lr])$/;
const CONDITIONAL = /^(cmov|bs[fr]$|cmpxchg$)/;

/** Whether an instruction writes its registers whatever the state is. */
export function isCertain({ name, repeats, operands }: RegisterUse): boolean {
  const byRegister = SHIFT.test(name) && operands.at(-1)?.kind === 'register';
  return !repeats && !byRegister && !CONDITIONAL.test(name);
}

/** Whether the condition of a cmov holds, as the flags are. */
export function conditionHolds(process: Process, name: string): boolean {
  const condition = name.slice('cmov'.length);
  const opposite = OPPOSITES[condition];
  const flags = process.cpu.read('eflags');
  return opposite === undefined ? CONDITIONS[condition](flags) : !CONDITIONS[opposite](flags);
}

/** Whether the instruction that comes next, which may write some bytes of a register, will do so. */
export function writesNow(process: Process, use: RegisterUse, part: RegisterPart): boolean {
  const { name, repeats, operands } = use;
  const [target, source] = operands.map((operand) => {
    const place = operandPlace(process, use, operand);
    return place === undefined ? undefined : valueAt(process, place);
  });
  if (repeats) return process.cpu.read('rcx') !== 0n;
  if (name.startsWith('cmov')) return conditionHolds(process, name) || clearsHighHalf(process, use);
  if (part.register === 'eflags' && SHIFT.test(name)) return shiftsAtAll(process, use);
  if (part.register === 'eflags') return true;
  if (/^bs[fr]$/.test(name)) return source !== 0n || clearsHighHalf(process, use);
  if (name === 'cmpxchg') return isTarget(use, part) === (target === accumulator(process, use));
  return true;
}

/** A register of 32 bits that stays as it is, whose upper half does not. */
function clearsHighHalf({ cpu }: Process, { operands: [target] }: RegisterUse): boolean {
  return target?.kind === 'register' && target.part.size === 4 && cpu.read(target.part.register) >> 32n !== 0n;
}

function shiftsAtAll(process: Process, { operands }: RegisterUse): boolean {
  const [target, count] = [operands[0], operands.at(-1)];
  const bits = target?.kind === 'register' ? target.part.size : target?.kind === 'memory' ? target.size : 0;
  const value = count?.kind === 'register' ? (valueAt(process, count) ?? 0n) : 1n;
  return (value & (bits === 8 ? 63n : 31n)) !== 0n;
}

/** Whether the destination is what bytes of a register belong to. */
export function isTarget({ operands: [target] }: RegisterUse, { register }: RegisterPart): boolean {
  return target?.kind === 'register' && target.part.register === register;
}

/** What cmpxchg compares its destination with. */
export function accumulator(process: Process, { operands: [, source] }: RegisterUse): bigint | undefined {
  const size = source?.kind === 'register' ? source.part.size : 8;
  return valueAt(process, { kind: 'register', part: { register: 'rax', offset: 0, size } });
}
