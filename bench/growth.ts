import type { ImageJson } from '../asm/image.js';
import { assembleProgram } from '../inspect/program-image.js';
import { ascendingTimers, chooseOf, manyCoroutines } from './assembly.js';
import { compileText, manyFunctions, NO_COMPILER } from './compiler.js';
import { Contest, type Row } from './contest.js';
import { withEngines } from './engines.js';
import type { Effort } from './measure.js';

const MEMORY = 1000 << 20;
/** Clauses set out in all, in however many choose statements. */
const CLAUSES = 20_000;

/** A thing that there can be more of. */
interface Kind {
  readonly what: string;
  readonly unit: string;
  /** The smallest number of them; the others are ten and a hundred times that. */
  readonly base: number;
  readonly program: (size: number) => string;
  /** By how many the time of a run is divided. */
  readonly elements: (size: number) => number;
}

const KINDS: readonly Kind[] = [
  { what: 'coroutines', unit: 'µs each', base: 300, program: manyCoroutines, elements: (size) => size },
  { what: 'timers', unit: 'µs each', base: 300, program: ascendingTimers, elements: (size) => size },
  {
    what: 'clauses of a choose',
    unit: 'µs each',
    base: 2,
    program: (clauses) => chooseOf(CLAUSES / clauses, clauses),
    elements: () => CLAUSES,
  },
];

/** Functions in the smallest object that is loaded. */
const FUNCTIONS = 40;
const STEPS = [1, 10, 100] as const;

/** How often the smaller sizes run for one figure, which would be a few milliseconds otherwise. */
const repeated = (step: number): number => Math.ceil(10 / step);

const sized = (size: number, what: string): string => `${size.toLocaleString('en')} ${what}`;

/** What one of many costs; a ratio of 1 means that the whole grows in proportion. */
export async function growth({ rounds, divisor }: Effort): Promise<Row[]> {
  const least = (base: number): number => Math.max(2, Math.ceil(base / divisor));
  const images = new Map<string, ImageJson>();
  for (const { what, base, program } of KINDS) {
    for (const step of STEPS) {
      const size = least(base) * step;
      images.set(sized(size, what), (await assembleProgram({ name: 'bench.s', text: program(size) })).toJSON());
    }
  }
  const objects = STEPS.map((step) => {
    const functions = least(FUNCTIONS) * step;
    return { functions, bytes: NO_COMPILER === undefined ? compileText(manyFunctions(functions)) : undefined };
  });
  return withEngines(async (engines) => {
    const contest = new Contest();
    for (const engine of engines) {
      for (const { what, unit, base, elements } of KINDS) {
        const first = sized(least(base), what);
        for (const step of STEPS) {
          const size = least(base) * step;
          const image = images.get(sized(size, what));
          if (image === undefined) continue;
          const run = async () => {
            let ms = 0;
            const times = repeated(step);
            for (let time = 0; time < times; time++) {
              ms += (await engine.do({ kind: 'run', image, parameters: [], memory: MEMORY })).ms;
            }
            return (1000 * ms) / elements(size) / times;
          };
          contest.add({ what: sized(size, what), on: engine.name }, unit, run, { what: first });
        }
      }
      for (const [index, { functions, bytes }] of objects.entries()) {
        const name = { what: sized(functions, 'functions of an object'), on: engine.name };
        if (bytes === undefined) {
          contest.miss(name, 'ms a MB', NO_COMPILER ?? '');
          continue;
        }
        const object = Buffer.from(bytes).toString('base64');
        const run = async () => {
          let ms = 0;
          const times = repeated(STEPS[index]);
          for (let time = 0; time < times; time++) ms += (await engine.do({ kind: 'load', object })).ms;
          return (ms * 1e6) / bytes.length / times;
        };
        contest.add(name, 'ms a MB', run, { what: sized(objects[0].functions, 'functions of an object') });
      }
    }
    return contest.rows({ rounds });
  });
}
