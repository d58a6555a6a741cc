import { type Observed, runMachine } from './machine.js';
import { type Expected, runModel } from './model.js';
import type { Program } from './program.js';
import type { Ending } from './script.js';

/** Coroutines that ended with the program before it could be seen what they had chosen: so many ways are tried. */
const MAX_WAYS = 1000;
/** How much of what still agreed is told. */
const CONTEXT = 8;

/**
 * Runs a program in the machine and by the rules.
 * @returns what both of them did
 * @throws Error saying where they part
 */
export function check(program: Program): Expected {
  const observed = runMachine(program);
  const { expected, illegal } = closest(program, observed);
  const difference = firstDifference(observed, expected);
  if (difference !== undefined) throw new Error([difference, ...illegal].join('\n'));
  return expected;
}

/** By the rules, with the machine's choices; of those that were not seen, with such as agree best. */
function closest(program: Program, observed: Observed): { expected: Expected; illegal: readonly string[] } {
  let best: { expected: Expected; illegal: readonly string[]; agreed: number } | undefined;
  let ways: Way[] = [];
  for (let way = 0; way < MAX_WAYS; way++) {
    const taken: Way[] = [];
    const illegal: string[] = [];
    const expected = runModel(program, (coroutine, nth, legal) => {
      const seen = observed.taken[coroutine]?.[nth];
      if (seen !== undefined && legal.includes(seen)) return seen;
      if (seen !== undefined) illegal.push(`coroutine ${coroutine} took clause ${seen}; legal: ${legal.join(', ')}`);
      const choice = ways[taken.length]?.choice ?? 0;
      taken.push({ choice, of: legal.length });
      return legal[choice] ?? -1;
    });
    const agreed = agreement(observed, expected);
    if (best === undefined || agreed > best.agreed) best = { expected, illegal, agreed };
    // The last choice that has an alternative left, as an odometer
    const turn = taken.findLastIndex(({ choice, of }) => choice + 1 < of);
    if (agreed === Number.POSITIVE_INFINITY || turn < 0) break;
    ways = taken.slice(0, turn + 1).map((way, index) => (index === turn ? { ...way, choice: way.choice + 1 } : way));
  }
  if (best === undefined) throw new Error('unreachable');
  return best;
}

interface Way {
  readonly choice: number;
  readonly of: number;
}

/** @returns how many lines are the same, or infinity if all is */
function agreement(observed: Observed, expected: Expected): number {
  const all = wholeOf(expected);
  const seen = wholeOf(observed);
  const differs = seen.findIndex((line, index) => line !== all[index]);
  if (differs >= 0) return differs;
  return seen.length === all.length ? Number.POSITIVE_INFINITY : seen.length;
}

function firstDifference(observed: Observed, expected: Expected): string | undefined {
  const at = agreement(observed, expected);
  if (at === Number.POSITIVE_INFINITY) return undefined;
  const seen = wholeOf(observed);
  return [
    ...seen.slice(Math.max(0, at - CONTEXT), at).map((line) => `  both     ${line}`),
    `  rules    ${wholeOf(expected)[at] ?? 'nothing more'}`,
    `  machine  ${seen[at] ?? 'nothing more'}`,
  ].join('\n');
}

function wholeOf({ lines, ending }: { readonly lines: readonly string[]; readonly ending: Ending }): string[] {
  return [...lines, describeEnding(ending)];
}

function describeEnding(ending: Ending): string {
  switch (ending.kind) {
    case 'exit':
      return `exit ${ending.status}`;
    case 'deadlock':
      return `deadlock: ${ending.waiting.join(' ')}`;
    case 'panic':
      return `panic: ${ending.text}`;
    case 'other':
      return `other: ${ending.text}`;
  }
}
