import fc from 'fast-check';
import { DIVIDE } from './flags.js';
import { FORMS } from './forms.js';
import type { Layout } from './layout.js';
import { integer } from './notation.js';
import { type Form, load, NOT_CANONICAL, plain } from './operand.js';
import { DATA, DATA_SIZE } from './state.js';
import { type Step, steps } from './step.js';

/** Where an access goes wrong, as far as chance leaves it open. */
export type Place = 'behind the data' | 'in front of the data' | 'across the end' | 'null' | 'not canonical';

const PLACES: readonly Place[] = ['behind the data', 'in front of the data', 'across the end', 'null', 'not canonical'];
const DATA_END = DATA + DATA_SIZE;
/** As large as the largest access. */
const LARGEST = 16;

function addressOf(place: Place, offset: number): number {
  const distance = LARGEST + (offset % 2000);
  switch (place) {
    case 'behind the data':
      return DATA_END + distance;
    case 'in front of the data':
      return DATA - LARGEST - distance;
    case 'across the end':
      return DATA_END - 1 - (offset % LARGEST);
    case 'null':
      return distance;
    case 'not canonical':
      return NOT_CANONICAL + DATA_END + distance;
  }
}

/** To where nothing is, by way of a register. */
function leap(name: string, digit: number): Form {
  return {
    name,
    add(layout, step) {
      const reg = step.reg === 4 ? 5 : step.reg;
      load(layout, reg, BigInt(layout.target ?? 0));
      layout.add({ opcode: [0xff], operands: { reg: digit, rm: reg } });
    },
  };
}

/** What faults without a bad address, or goes to one. */
const FAULTS: readonly Form[] = [
  // Numbers as they come: most quotients do not fit.
  integer('div', 'bwdq', 'F6 /6', DIVIDE, { only: 'register' }),
  integer('idiv', 'bwdq', 'F6 /7', DIVIDE, { only: 'register' }),
  plain('ud2', { opcode: [0x0f, 0x0b] }),
  plain('hlt', { opcode: [0xf4] }),
  plain('cli', { opcode: [0xfa] }),
  plain('mov from cr0', { opcode: [0x0f, 0x20, 0xc0] }),
  // `lock` in front of what cannot be locked.
  plain('lock nop', { prefixes: [0xf0], opcode: [0x90] }),
  plain('lock mov', { prefixes: [0xf0], opcode: [0x8b, 0x04, 0x24] }),
  leap('jmp', 4),
  leap('call', 2),
];

const FAULTY = [...FAULTS, ...FORMS];

/** An instruction that may fault, where its operand is if it has one in memory, and what comes before and behind it. */
export interface Faulting {
  readonly before: readonly Step[];
  readonly step: Step;
  readonly place: Place;
  readonly offset: number;
  readonly behind: readonly Step[];
}

export const faulting: fc.Arbitrary<Faulting> = fc.record({
  before: fc.array(steps(FORMS.length), { maxLength: 5 }),
  step: steps(FAULTY.length).map((step) => ({ ...step, inMemory: true })),
  place: fc.constantFrom(...PLACES),
  offset: fc.nat(0xffff),
  behind: fc.array(steps(FORMS.length), { maxLength: 2 }),
});

const UNALIGNED = ['movups', 'movupd', 'movdqu'];
const OF_EIGHT = ['cvtps2pd', 'cvtdq2pd'];

function isAvoided(layout: Layout, place: Place, { form }: Step): boolean {
  const { name } = FAULTY[form];
  if (name === 'leave' && layout.avoids('leave is not undone')) return true;
  if (name === 'lock mov') return layout.avoids('lock is not checked');
  if (place === 'across the end' && UNALIGNED.includes(name)) return layout.avoids('half a vector loaded');
  if (place === 'across the end' && OF_EIGHT.includes(name)) return layout.avoids('eight bytes loaded as sixteen');
  if (place !== 'not canonical') return false;
  if (name === 'jmp' || name === 'call') return layout.avoids('jump out of the address space');
  return name === 'leave' && layout.avoids('stack fault');
}

/** Lays it out. */
export function layFault({ before, step, place, offset, behind }: Faulting, layout: Layout): void {
  for (const one of before) FORMS[one.form].add(layout, one);
  layout.target = addressOf(place, offset);
  if (!isAvoided(layout, place, step)) FAULTY[step.form].add(layout, step);
  layout.target = undefined;
  for (const one of behind) FORMS[one.form].add(layout, one);
}
