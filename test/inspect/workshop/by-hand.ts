/**
 * The two sequences carried out on paper: what each register and each slot holds is followed as a name, for the five
 * kinds of instruction that they are made of. It knows nothing of the machine.
 */

const SAVED = ['rbx', 'rbp', 'r12', 'rsp', 'r13', 'r14', 'r15', 'rip'];
/** Below 2 GiB in every guest, so that with zeros above it their lower half is all of them. */
const SHORT = ['rip', 'rsp', 'ctx', '0'];

/** What has become of a switch. */
export interface OnPaper {
  /** What each register holds where who was saved goes on: `r13` for its own value; undefined if nobody comes back. */
  readonly landed: ReadonlyMap<string, string> | undefined;
  /** What is in the slots behind the save, by their offsets. */
  readonly slots: ReadonlyMap<number, string>;
}

const full = (name: string): string => name.replace(/^e(..)$/, 'r$1').replace(/^(r\d+)d$/, '$1');

class Crash extends Error {}

/** @returns whether it goes where the saved return address says */
function carryOut(text: string, registers: Map<string, string>, slots: Map<number, string>): boolean {
  const slotAt = (operand: string): number => {
    const [, offset, base] = /^(-?\w*)\(%(\w+)\)$/.exec(operand) ?? [];
    if (registers.get(base) !== 'ctx') throw new Crash(`${operand} is no slot`);
    return Number(offset || 0);
  };
  for (const line of text.split('\n')) {
    const instruction = line.replace(/#.*/, '').trim();
    if (instruction === '' || instruction.endsWith(':')) continue;
    const [, mnemonic, list] = /^(\w+)\s+(.*)$/.exec(instruction) ?? [];
    const [source, target] = list.split(/,\s*/);
    const isHalf = mnemonic === 'movl';
    const name = (operand: string): string => full(operand.slice(1));
    if (mnemonic === 'jmp') return registers.get(name(source.slice(1))) === 'rip';
    if (mnemonic === 'lea') registers.set(name(target), 'rip');
    else if (mnemonic === 'xor') registers.set(name(target), '0');
    else if (target.startsWith('%')) {
      const value = source.startsWith('%') ? registers.get(name(source)) : (slots.get(slotAt(source)) ?? 'never saved');
      registers.set(name(target), isHalf && !SHORT.includes(value ?? '') ? `half of ${value}` : (value ?? ''));
    } else {
      const value = registers.get(name(source)) ?? '';
      // Above it there is what was there before.
      slots.set(slotAt(target), isHalf ? `half of ${value}` : value);
    }
  }
  return false;
}

/** Saves, and restores elsewhere. */
export function onPaper(save: string, restore: string): OnPaper {
  const names = ['rax', 'rcx', 'rdx', 'rdi', 'rsi', ...SAVED];
  const slots = new Map<number, string>();
  const saving = new Map(names.map((name) => [name, name]));
  saving.set('rdx', 'ctx');
  const restoring = new Map(names.map((name) => [name, `other ${name}`]));
  restoring.set('rax', 'ctx');
  try {
    carryOut(save, saving, slots);
    if (!carryOut(restore, restoring, new Map(slots))) return { landed: undefined, slots };
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return { landed: undefined, slots };
  }
  // Who comes back is where the return address says.
  restoring.set('rip', 'rip');
  return { landed: restoring, slots };
}

/** Registers that have to come back and do not. */
export function lostOnPaper({ landed }: OnPaper): string[] {
  return SAVED.filter((name) => landed?.get(name) !== name);
}

const NAME = String.raw`(r\w\w?|the return address)`;
const register = (words: string): string => (words === 'the return address' ? 'rip' : words);

/** Whether a sentence of the riddle is true of it. */
export function isTrueOnPaper(words: string, { landed, slots }: OnPaper): boolean {
  const match = (pattern: string): string[] | undefined =>
    new RegExp(`^${pattern}$`).exec(words)?.slice(1).map(register);
  const held = (name: string): boolean =>
    [...slots.values()].some((value) => value === name || value === `half of ${name}`);
  if (words.startsWith('nobody comes back')) return landed === undefined;
  const swapped = match(`${NAME} and ${NAME} come back swapped`);
  if (swapped) return landed?.get(swapped[0]) === swapped[1] && landed.get(swapped[1]) === swapped[0];
  const other = match(`${NAME} comes back with the value of ${NAME}`);
  if (other) return landed?.get(other[0]) === other[1];
  const lower = match(`only the lower half of ${NAME} comes back`);
  if (lower) return landed?.get(lower[0]) === `half of ${lower[0]}`;
  const unsaved = match(`the value of ${NAME} is not saved`);
  if (unsaved) return !held(unsaved[0]);
  const kept = match(`${NAME} is saved and not restored`);
  if (kept) return held(kept[0]) && landed?.get(kept[0]) !== kept[0];
  // Everything else is a crash here: what no slot is, no instruction gets at.
  if (words.startsWith('something outside of the ctx')) return [...slots.keys()].some((offset) => offset < 0);
  if (words.startsWith('eax does not tell')) return landed !== undefined && landed.get('rax') === '0';
  throw new Error(`"${words}" is no sentence that is known here`);
}
