import { spawnSync } from 'node:child_process';
import { ENGINES } from '../emu/open.js';
import { assembleProgram } from '../inspect/program-image.js';
import { manyCoroutines } from './assembly.js';
import { runNode, withMillscope } from './built.js';
import { buildProgram, NO_COMPILER, SCHEDULER, source } from './compiler.js';
import { Contest, type Row } from './contest.js';
import { withEngines } from './engines.js';
import type { Effort } from './measure.js';
import { THIS_CPU } from './switches.js';

const COUNTS = [1_000, 10_000, 100_000] as const;
const MEMORY = 1400 << 20;
/** More than any Linux has mappings for, unless it was told otherwise. */
const TOO_MANY = 200_000;
/** Coroutines that bench/c/many.c prints a dot for. */
const DOT = 100;
const KIBIBYTE = 1024;

const ALIVE = 'coroutines alive at once';
const EACH = 'memory a coroutine';
const ON_CPU = `${EACH}, scheduler in C`;
const OPEN = 'memory of a process with one machine';

/** The program with the scheduler in C on this CPU: its peak of memory in KiB. */
function peakOf(program: string, count: number): number {
  const { status, stderr } = spawnSync(program, [`${count}`], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${count} ended with status ${status}: ${stderr}`);
  return Number(stderr);
}

/** How many coroutines it has come to when there was no memory for the next one, which ends it. */
function mostOn(program: string): number {
  const { status, stdout } = spawnSync(program, [`${TOO_MANY}`], { encoding: 'utf8' });
  if (status === 0) throw new Error(`${program}: ${TOO_MANY} coroutines are not too many here`);
  return DOT * stdout.length;
}

/** What coroutines, and machines, cost in memory; and how many there can be. */
export async function memory({ rounds, divisor }: Effort): Promise<Row[]> {
  const counts = COUNTS.map((count) => Math.ceil(count / divisor));
  const most = counts[counts.length - 1];
  const many =
    NO_COMPILER === undefined
      ? buildProgram('many', [SCHEDULER, ...['many', 'peak'].map((name) => source(`c/${name}.c`))])
      : undefined;
  return withEngines(async (engines, missing) => {
    const contest = new Contest();
    for (const engine of engines) {
      for (const count of counts) {
        const image = (await assembleProgram({ name: 'bench.s', text: manyCoroutines(count) })).toJSON();
        // The same each time, to the byte.
        const { used } = await engine.do({ kind: 'use', image, memory: MEMORY, count });
        const name = { what: `${EACH}, of ${count.toLocaleString('en')}`, on: engine.name };
        contest.add(name, 'KiB', () => used / KIBIBYTE / count, { what: ON_CPU, on: THIS_CPU });
        if (count === most) contest.add({ what: ALIVE, on: engine.name }, 'at least', () => count, { on: THIS_CPU });
      }
    }
    if (many === undefined) {
      contest.miss({ what: ON_CPU, on: THIS_CPU }, 'KiB', NO_COMPILER ?? '');
    } else {
      const [few, more] = COUNTS;
      const each = () => (peakOf(many, more) - peakOf(many, few)) / (more - few);
      contest.add({ what: ON_CPU, on: THIS_CPU }, 'KiB', each);
      contest.add({ what: ALIVE, on: THIS_CPU }, 'at most', () => mostOn(many));
    }
    const empty = { what: OPEN, on: 'empty Node' };
    const says = 'console.log(process.memoryUsage.rss());';
    const resident = (parameters: readonly string[], engine?: string) => () =>
      Number(runNode(parameters, engine).stdout) / KIBIBYTE / KIBIBYTE;
    const machine = withMillscope(
      `await millscope.loadEngine(); const cpu = millscope.openCpu(); ${says} cpu.close();`,
    );
    for (const on of ENGINES) {
      const why = missing.get(on);
      if (why === undefined) contest.add({ what: OPEN, on }, 'MiB', resident(machine, on), empty);
      else contest.miss({ what: OPEN, on }, 'MiB', why);
    }
    contest.add(empty, 'MiB', resident(['-e', says]));
    return contest.rows({ rounds });
  });
}
