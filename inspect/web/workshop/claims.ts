import { type Clause, clausesOf } from '../../contract/clauses.js';
import { layoutOf } from '../../layout/layout.js';
import { registerName } from '../../layout/words.js';
import type { Measurement } from '../../probe/measure.js';
import type { RegisterValues } from '../../probe/registers.js';

/** What a function has to keep and libmill's switch keeps in a slot, in the order of the slots. */
const KEPT = ['rbx', 'rbp', 'r12', 'rsp', 'r13', 'r14', 'r15', 'rip'] as const;
type Kept = (typeof KEPT)[number];

/** A sentence about a switch. */
export interface Claim {
  readonly kind: 'nobody' | 'outside' | 'swapped' | 'half' | 'other' | 'not saved' | 'not restored' | 'eax';
  readonly words: string;
  /** The registers that it is about. */
  readonly about: readonly Kept[];
  /** Whether what was measured bears it out; undefined if that cannot be told from it. */
  readonly holds: boolean | undefined;
}

/** The clauses of the contract that libmill's own switch keeps. */
const CLAUSES: readonly string[] = [...KEPT, 'return-value', 'df', 'memory'];
const HALF = 0xffffffffn;

/** The clauses that are lost, of those that libmill's own switch keeps. */
export function lostClauses(measurement: Measurement): Clause[] {
  const clauses = clausesOf(layoutOf(measurement), { statement: undefined });
  return clauses.filter(({ id, verdict }) => verdict === 'lost' && CLAUSES.includes(id));
}

/** Every claim there is, each held against what was measured; of two that hold, the first says more. */
export function claimsOf(measurement: Measurement): Claim[] {
  const { slots } = layoutOf(measurement);
  const { landed, saved, save } = measurement;
  const lost = new Set(lostClauses(measurement).map(({ id }) => id));
  const isBack = landed.every((values) => values !== undefined);
  const isSaved = save.arrival.kind === 'arrived';
  const known = (holds: boolean, isKnown: boolean): boolean | undefined => (isKnown ? holds : undefined);
  /** Whether both probes bear something out; what nobody comes back with, nobody has. */
  const both = (test: (now: RegisterValues, before: RegisterValues) => boolean): boolean =>
    landed.every((now, probe) => now !== undefined && test(now, saved[probe]));
  const called = (register: Kept): string => (register === 'rip' ? `the ${registerName(register)}` : register);
  const pairs = KEPT.flatMap((one) => KEPT.filter((other) => other !== one).map((other) => [one, other] as const));
  return [
    {
      kind: 'nobody',
      words: 'nobody comes back: control does not go on where it was saved',
      about: [],
      holds: !isBack,
    },
    ...pairs
      .filter(([one, other]) => KEPT.indexOf(one) < KEPT.indexOf(other))
      .map(([one, other]): Claim => {
        const holds = both((now, before) => now[one] === before[other] && now[other] === before[one]);
        const words = `${called(one)} and ${called(other)} come back swapped`;
        return { kind: 'swapped', words, about: [one, other], holds };
      }),
    ...KEPT.map((one): Claim => {
      const holds = both((now, before) => ((now[one] ^ before[one]) & HALF) === 0n && now[one] !== before[one]);
      return { kind: 'half', words: `only the lower half of ${called(one)} comes back`, about: [one], holds };
    }),
    ...pairs.map(([one, other]): Claim => {
      const holds = both((now, before) => now[one] === before[other] && before[one] !== before[other]);
      const words = `${called(one)} comes back with the value of ${called(other)}`;
      return { kind: 'other', words, about: [one, other], holds };
    }),
    ...KEPT.map((one): Claim => {
      const holds = known(!slots.some((slot) => slot.saved === one), isSaved && isBack);
      return { kind: 'not saved', words: `the value of ${called(one)} is not saved`, about: [one], holds };
    }),
    ...KEPT.map((one): Claim => {
      const isThere = slots.some((slot) => slot.saved === one);
      const comes = both((now, before) => now[one] === before[one]);
      const holds = known(isThere && !comes, isSaved && isBack);
      return { kind: 'not restored', words: `${called(one)} is saved and not restored`, about: [one], holds };
    }),
    {
      kind: 'outside',
      words: 'something outside of the ctx and the own stack is written',
      about: [],
      holds: known(lost.has('memory'), isSaved),
    },
    {
      kind: 'eax',
      words: 'eax does not tell the save from the landing',
      about: [],
      holds: known(lost.has('return-value'), isSaved && isBack),
    },
  ];
}
