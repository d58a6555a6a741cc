import type { Code, Convention } from '../probe/code.js';
import type { ProbedRegister } from '../probe/registers.js';
import type { Slot } from './layout.js';

/** A register as tables call it. */
export function registerName(register: ProbedRegister): string {
  const names: Partial<Record<ProbedRegister, string>> = {
    rip: 'return address',
    fpcw: 'x87 control word',
    sigmask: 'signal mask',
  };
  return names[register] ?? register;
}

/** What a slot holds after the save. */
export function savedText({ saved, as, written }: Slot): string {
  if (!written) return '';
  if (saved === undefined) return `(${as ?? 'unknown'})`;
  return as === undefined ? registerName(saved) : `${registerName(saved)} as ${as}`;
}

/** Where it is behind the restore. */
export function restoredText({ restored, also, tried, loads }: Slot): string {
  if (restored === undefined) return tried || loads.length === 0 ? '' : '(cannot be tried)';
  const others = also.length === 0 ? '' : `, also in ${also.map(registerName).join(', ')}`;
  return `${registerName(restored)}${others}`;
}

/** How a switch is told what to save to and restore from. */
export function conventionText(convention: Convention): string {
  if (convention.shape === 'jump')
    return `a jump, ctx in ${convention.save} to save and in ${convention.restore} to restore`;
  const { form, from, to } = convention;
  return {
    pointers: `a swap, from ctx ${from} to ctx ${to}`,
    implicit: `a swap to ctx ${to} from whoever runs`,
    value: `a swap, from where ${from} points to the stack pointer ${to}`,
    result: `a swap to the stack pointer ${to}; the one that is saved comes back in rax`,
  }[form];
}

/** What is measured, in a line. */
export function titleOf({ name, convention }: Code): string {
  return `${name}: ${conventionText(convention)}`;
}
