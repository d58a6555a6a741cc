import type { ImageJson } from '../asm/image.js';
import { Contest, type Row } from './contest.js';
import { type Engine, withEngines } from './engines.js';
import type { Counts } from './machine.js';
import { assembled, compiled, FLOOR, IN_ASSEMBLY, MEMORY, scheduledInC, WAYS } from './switches.js';

const ROUNDS = 1_000;
const UNITS = ['instructions', 'hypercalls', 'blocks'] as const;

/**
 * What a switch consists of, counted: the same in each run and on each machine.
 * @throws Error if a scheduler did not do the work that it is measured for
 */
export async function counted(): Promise<Row[]> {
  // Of two runs, so that only what is done again and again counts.
  const [less, more] = [await assembled(ROUNDS), await assembled(2 * ROUNDS)];
  const inBoth = await compiled();
  return withEngines(async (engines) => {
    const counts = async (engine: Engine, once: ImageJson, twice: ImageJson, way?: string): Promise<Counts> => {
      const run = async (image: ImageJson, rounds: number) => {
        const parameters = way === undefined ? [] : [way, `${rounds}`];
        return (await engine.do({ kind: 'run', image, parameters, memory: MEMORY, watch: 'count' })).counts;
      };
      const [few, many] = [await run(once, ROUNDS), await run(twice, 2 * ROUNDS)];
      const each = (unit: keyof Counts) => (many[unit] - few[unit]) / (2 * ROUNDS);
      return {
        instructions: each('instructions'),
        hypercalls: each('hypercalls'),
        blocks: each('blocks'),
        switches: each('switches'),
      };
    };
    const contest = new Contest();
    const seen = new Map<string, number>();
    const add = (what: string, engine: Engine, found: Counts): void => {
      for (const unit of UNITS) {
        const figure = found[unit];
        const row = `${what}: ${unit}`;
        // The engines agree, or else there is a row for each.
        if (seen.get(row) === figure) continue;
        const on = seen.has(row) ? engine.name : 'any engine';
        seen.set(row, figure);
        contest.add({ what: row, on }, 'a switch', () => figure, { what: `${FLOOR}: ${unit}` });
      }
    };
    for (const engine of engines) {
      for (const what of [FLOOR, IN_ASSEMBLY]) add(what, engine, await counts(engine, less[what], more[what]));
      if (inBoth === undefined) continue;
      for (const way of WAYS) {
        const ours = await counts(engine, inBoth.ours, inBoth.ours, way);
        if (ours.switches !== 1) throw new Error(`${way}: ${ours.switches} switches where one should be`);
        add(way, engine, ours);
        const scheduled = await counts(engine, inBoth.scheduled, inBoth.scheduled, way);
        if (scheduled.switches + scheduled.hypercalls > 0) throw new Error(`${way}: the scheduler in C did not run`);
        add(scheduledInC(way), engine, scheduled);
      }
    }
    return contest.rows({ rounds: 1 });
  });
}
