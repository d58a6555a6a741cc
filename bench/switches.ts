import { spawnSync } from 'node:child_process';
import { readObject } from '../asm/elf/object.js';
import type { ImageJson } from '../asm/image.js';
import { ENGINES } from '../emu/open.js';
import { assembleProgram, linkProgram } from '../inspect/program-image.js';
import { abiSwapPingPong, sameSwapPingPong, yieldPingPong } from './assembly.js';
import { buildProgram, compileObject, NO_COMPILER, SCHEDULER, source } from './compiler.js';
import { Contest, type Row } from './contest.js';
import { type Engine, withEngines } from './engines.js';
import type { Job } from './machine.js';
import type { Effort } from './measure.js';

/** Of each of the two coroutines, so there are twice as many switches. */
const ROUNDS = 30_000;
/** The same on this CPU, so that starting the program does not count. */
const ROUNDS_ON_CPU = 5_000_000;
/** Bytes that each of these programs has. */
export const MEMORY = 64 << 20;
const UNIT = 'switches/s';

/** Ways to hand the CPU over. */
export const WAYS = ['yield', 'channel', 'choose'] as const;

/** The engine's floor: what a switch of the same registers costs that nobody schedules. */
export const FLOOR = 'swap of the same ten values';
export const IN_ASSEMBLY = 'yield, in assembly';
const ABI_FLOOR = "swap of the ABI's eight values";
const RECORDED = 'yield, every switch recorded';
/** Where the host's own CPU executes a program. */
export const THIS_CPU = 'this CPU';

/** A way with the scheduler in C instead of the runtime's. */
export const scheduledInC = (way: string): string => `${way}, scheduler in C`;

/** bench/c/switches.c, with the runtime and with the scheduler in C. */
export interface Compiled {
  readonly ours: ImageJson;
  readonly scheduled: ImageJson;
}

/** The programs in assembly text, by what they are called in the table. */
export async function assembled(rounds: number): Promise<Readonly<Record<string, ImageJson>>> {
  const image = async (text: string) => (await assembleProgram({ name: 'bench.s', text })).toJSON();
  return {
    [FLOOR]: await image(sameSwapPingPong(rounds)),
    [ABI_FLOOR]: await image(abiSwapPingPong(rounds)),
    [IN_ASSEMBLY]: await image(yieldPingPong(rounds)),
  };
}

/** The program in C; none without a compiler. */
export async function compiled(): Promise<Compiled | undefined> {
  if (NO_COMPILER !== undefined) return undefined;
  const object = (path: string) => readObject({ name: path, bytes: compileObject(path) });
  const program = object(source('c/switches.c'));
  const ours = await linkProgram([program]);
  // What the program brings itself is found before the runtime's own: its scheduler takes the place of ours.
  const scheduled = await linkProgram([program, object(SCHEDULER), object(source('c/system.c'))]);
  return { ours: ours.toJSON(), scheduled: scheduled.toJSON() };
}

/** The program on this CPU. @returns switches a second, and what it printed */
function runNatively(program: string, way: string, rounds: number): { rate: number; output: string } {
  const start = performance.now();
  const { status, stdout } = spawnSync(program, [way, `${rounds}`], { encoding: 'utf8' });
  const ms = performance.now() - start;
  if (status !== 0) throw new Error(`${program} ${way} ended with status ${status}`);
  return { rate: (2000 * rounds) / ms, output: stdout };
}

/** Switches a second. */
export async function switches({ rounds, divisor }: Effort): Promise<Row[]> {
  const count = Math.ceil(ROUNDS / divisor);
  const onCpu = Math.ceil(ROUNDS_ON_CPU / divisor);
  const texts = await assembled(count);
  const inBoth = await compiled();
  const native = inBoth && buildProgram('switches', [source('c/switches.c'), SCHEDULER]);
  return withEngines((engines, missing) => {
    const contest = new Contest();
    const add = (
      what: string,
      engine: Engine,
      job: Job,
      expected: string,
      ...against: { what: string; on?: string }[]
    ) =>
      contest.add(
        { what, on: engine.name },
        UNIT,
        async () => {
          const { ms, output } = await engine.do(job);
          if (output !== expected) throw new Error(`${what} on ${engine.name} printed "${output}", not "${expected}"`);
          return (2000 * count) / ms;
        },
        ...against,
      );
    for (const name of ENGINES) {
      const why = missing.get(name);
      if (why !== undefined) contest.miss({ what: 'yield', on: name }, UNIT, why);
    }
    for (const engine of engines) {
      const run = (image: ImageJson, parameters: readonly string[] = []) =>
        ({ kind: 'run', image, parameters, memory: MEMORY }) as const;
      const text = (what: string, ...against: { what: string }[]) =>
        add(what, engine, run(texts[what]), '', ...against);
      text(FLOOR, { what: ABI_FLOOR });
      text(ABI_FLOOR, { what: FLOOR });
      text(IN_ASSEMBLY, { what: FLOOR }, { what: ABI_FLOOR });
      const recorded = { ...run(texts[IN_ASSEMBLY]), watch: 'record' } as const;
      add(RECORDED, engine, recorded, '', { what: IN_ASSEMBLY });
      if (inBoth === undefined || native === undefined) continue;
      for (const way of WAYS) {
        // What this CPU prints is what has to be printed.
        const { output } = runNatively(native, way, count);
        const inC = scheduledInC(way);
        const parameters = [way, `${count}`];
        const yields = way === 'yield' ? IN_ASSEMBLY : 'yield';
        add(way, engine, run(inBoth.ours, parameters), output, { what: inC }, { what: yields });
        add(inC, engine, run(inBoth.scheduled, parameters), output, { on: THIS_CPU, what: inC });
      }
    }
    for (const way of WAYS) {
      const name = { what: scheduledInC(way), on: THIS_CPU };
      const yields = { what: scheduledInC('yield') };
      if (native === undefined) contest.miss(name, UNIT, NO_COMPILER ?? '');
      else contest.add(name, UNIT, () => runNatively(native, way, onCpu).rate, ...(way === 'yield' ? [] : [yields]));
    }
    return contest.rows({ rounds });
  });
}
