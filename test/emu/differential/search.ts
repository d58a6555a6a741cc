import fc from 'fast-check';
import { EngineError } from '../../../emu/errors.js';
import { ENGINES, loadEngine } from '../../../emu/open.js';
import type { Comparison, Lay } from './comparison.js';
import { faulting, layFault } from './faulting.js';
import { FORMS, layAll } from './forms.js';
import { steps } from './step.js';

const LONGEST = 20;

/** What is generated: sequences that run to their end, or such as may fault. */
export type What = 'sequences' | 'faults';

/** The engines that are installed here, loaded. */
export async function presentEngines(): Promise<string[]> {
  const present: string[] = [];
  for (const engine of ENGINES) {
    try {
      await loadEngine(engine);
      present.push(engine);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
    }
  }
  return present;
}

/**
 * Generates and compares.
 * @returns how many ended how
 * @throws Error with the shortest sequence that was found to differ, as assembly text with what differs behind it
 */
export async function search(
  comparison: Comparison,
  what: What,
  count: number,
  seed: number,
): Promise<ReadonlyMap<string, number>> {
  const endings = new Map<string, number>();
  const check = async (lay: Lay, seed: number): Promise<void> => {
    for (const stop of await comparison.check(lay, seed)) endings.set(stop, (endings.get(stop) ?? 0) + 1);
  };
  const state = fc.noShrink(fc.nat());
  const sequences = fc.array(steps(FORMS.length), { minLength: 1, maxLength: LONGEST });
  const property =
    what === 'sequences'
      ? fc.asyncProperty(state, sequences, (seed, all) => check((layout) => layAll(all, layout), seed))
      : fc.asyncProperty(state, faulting, (seed, one) => check((layout) => layFault(one, layout), seed));
  const { failed, numRuns, errorInstance } = await fc.check<[number, unknown]>(
    property as fc.IAsyncPropertyWithHooks<[number, unknown]>,
    { numRuns: count, seed },
  );
  if (!failed) return endings;
  const found = errorInstance instanceof Error ? errorInstance : new Error(String(errorInstance));
  found.message = `number ${numRuns} of the ${what} of seed ${seed}, made as short as possible:\n${found.message}`;
  throw found;
}
