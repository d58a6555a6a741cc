import { ENGINES } from '../emu/open.js';
import { assembleProgram } from '../inspect/program-image.js';
import { busyPipeline } from './assembly.js';
import { Contest, type Row } from './contest.js';
import { withEngines } from './engines.js';
import type { Effort } from './measure.js';
import type { Walk } from './walk.js';

/** Numbers that go through the pipeline: so many make a run of five million instructions. */
const NUMBERS = 3_000;
/** Moments from which one goes back, for each figure. */
const MOVES = 100;
const MEBIBYTE = 1 << 20;

export const PLAIN = 'run, not recorded';
export const RECORDED = 'run, recorded';
export const STEP_BACK = 'one instruction back';
export const BACK_TO_SWITCH = 'back to the previous switch';
export const MEDIAN = 'median';
export const NINETY_NINTH = '99th percentile';

/** The smallest of the figures that so large a part of them does not exceed. @param part above 0, up to 1 */
export function percentile(figures: readonly number[], part: number): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * part) - 1];
}

/** What comes of one walk: a row of each, in the order of the table. */
const ROWS: readonly { what: string; unit: string; of: (walk: Walk) => number; against?: string }[] = [
  { what: 'length of the run', unit: 'instructions', of: ({ instructions }) => instructions },
  { what: 'switches of the run', unit: 'in all', of: ({ switches }) => switches },
  { what: PLAIN, unit: 'ms', of: ({ plain }) => plain },
  { what: RECORDED, unit: 'ms', of: ({ recorded }) => recorded, against: PLAIN },
  { what: 'snapshots of the run', unit: 'MiB', of: ({ bytes }) => bytes / MEBIBYTE },
  { what: 'from one snapshot to the next', unit: 'instructions', of: ({ interval }) => interval },
  { what: `${STEP_BACK}, ${MEDIAN}`, unit: 'ms', of: ({ stepsBack }) => percentile(stepsBack, 0.5) },
  { what: `${STEP_BACK}, ${NINETY_NINTH}`, unit: 'ms', of: ({ stepsBack }) => percentile(stepsBack, 0.99) },
  { what: `${BACK_TO_SWITCH}, ${MEDIAN}`, unit: 'ms', of: ({ switchesBack }) => percentile(switchesBack, 0.5) },
  {
    what: `${BACK_TO_SWITCH}, ${NINETY_NINTH}`,
    unit: 'ms',
    of: ({ switchesBack }) => percentile(switchesBack, 0.99),
  },
];

/** What it costs to record a run, and to go back in it from random moments. */
export async function history({ rounds, divisor }: Effort): Promise<Row[]> {
  const text = busyPipeline(Math.ceil(NUMBERS / divisor));
  const image = (await assembleProgram({ name: 'bench.s', text })).toJSON();
  const moves = Math.ceil(MOVES / divisor);
  return withEngines((engines, missing) => {
    const contest = new Contest();
    for (const on of ENGINES) {
      const engine = engines.find(({ name }) => name === on);
      if (engine === undefined) {
        contest.miss({ what: PLAIN, on }, 'ms', missing.get(on) ?? '');
        continue;
      }
      let last: Walk | undefined;
      for (const [index, { what, unit, of, against }] of ROWS.entries()) {
        // All of a round's figures are of the same walk, which the first of them takes.
        const run = async () => {
          if (index === 0 || last === undefined) last = (await engine.do({ kind: 'walk', image, moves })).walk;
          if (last === undefined) throw new Error(`${on}: there was no walk`);
          return of(last);
        };
        contest.add({ what, on }, unit, run, ...(against === undefined ? [] : [{ what: against }]));
      }
    }
    return contest.rows({ rounds });
  });
}
