import { ENGINES } from '../emu/open.js';
import { runNode, withMillscope } from './built.js';
import { Contest, type Row } from './contest.js';
import { whyMissing } from './engines.js';
import type { Effort } from './measure.js';

/** Programs that bring what they are made of: nothing to assemble or to link, an object, assembly text. */
const PROGRAMS = ['fixtures/programs/generators.mjs', 'fixtures/c/prime-sieve.o', 'fixtures/programs/ping-pong.s'];
const CLI = 'dist/inspect/cli.js';
/** The exit status of a run that its limit has stopped. */
const STOPPED = 124;

const EMPTY = { what: 'nothing', on: 'empty Node' };
const LOADED = 'the library and its engine loaded';
const OPENED = 'the first machine opened, in a process that runs';

/** Starting a program up to its first switch. */
export const firstSwitch = (program: string): string => `run ${program.split('/').at(-1)} to its first switch`;

/** The one of {@link PROGRAMS} that targets are about: what a compiler has made. */
export const STARTED = firstSwitch('prime-sieve.o');

/** Moment of a program's first switch. */
function momentOfFirstSwitch(program: string): number {
  const [first] = runNode([CLI, 'switches', '--json', program])
    .stdout.split('\n')
    .filter((line) => line.startsWith('{"switch"'));
  return (JSON.parse(first) as { at: number }).at;
}

/** From nothing to the first switch, in ms: whole processes, of the built package. */
export async function startUp({ rounds }: Effort): Promise<Row[]> {
  const limits = PROGRAMS.map((program) => ({ program, limit: momentOfFirstSwitch(program) }));
  const loaded = withMillscope('await millscope.loadEngine();');
  const opened = withMillscope(`await millscope.loadEngine();
    const start = performance.now();
    millscope.openCpu();
    process.stdout.write(String(performance.now() - start), () => process.exit());`);
  const contest = new Contest();
  contest.add(EMPTY, 'ms', () => runNode(['-e', '0']).ms);
  for (const on of ENGINES) {
    const why = await whyMissing(on);
    if (why !== undefined) {
      contest.miss({ what: LOADED, on }, 'ms', why);
      continue;
    }
    contest.add({ what: LOADED, on }, 'ms', () => runNode(loaded, on).ms, EMPTY);
    contest.add({ what: OPENED, on }, 'ms', () => Number(runNode(opened, on).stdout), EMPTY);
    for (const { program, limit } of limits) {
      const parameters = [CLI, 'run', '--limit', `${limit}`, program];
      contest.add({ what: firstSwitch(program), on }, 'ms', () => runNode(parameters, on, [STOPPED]).ms, EMPTY);
    }
  }
  return contest.rows({ rounds });
}
