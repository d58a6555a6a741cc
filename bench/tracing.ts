import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ENGINES } from '../emu/open.js';
import { assembleProgram } from '../inspect/program-image.js';
import { bareSwitches } from './assembly.js';
import { buildBare, NO_COMPILER, source } from './compiler.js';
import { Contest, type Row } from './contest.js';
import { withEngines } from './engines.js';
import type { Effort } from './measure.js';
import { oneInstructionPerBlock, tools } from './tools.js';

/** Of the program, which has some 62 instructions a round: what qemu-user runs through, its start-up included. */
const ROUNDS = 5_000;
/** Instructions that we trace, and that gdb does. */
const COUNT = 100_000;
const GDB_COUNT = 1_000;
const UNIT = 'instructions/s';

/** Each instruction with what it changes of 16 general registers, rip and EFLAGS, written to a file. */
export const TRACED = 'full trace, to a file';

/** Instructions that qemu-user writes with all registers, a second: to a file of its own choice of buffers. */
function qemu(executable: string, path: string): number {
  const flag = oneInstructionPerBlock();
  const start = performance.now();
  const { status, stderr } = spawnSync('qemu-x86_64', [flag, '-d', 'cpu', '-D', path, executable], {
    encoding: 'utf8',
  });
  const seconds = (performance.now() - start) / 1000;
  const count = Number(spawnSync('grep', ['-c', '^RIP=', path], { encoding: 'utf8' }).stdout);
  if (status !== 0 || !(count > 0)) throw new Error(`qemu-x86_64 traced nothing: ${stderr}`);
  return count / seconds;
}

/** Instructions that a loop in gdb's Python steps and writes, a second. */
function gdb(executable: string, path: string): number {
  const script = ['-ex', `set $count=${GDB_COUNT}`, '-x', source('tools/gdb-trace.py'), executable];
  const env = { ...process.env, TRACE: path };
  const { stdout, stderr } = spawnSync('gdb', ['-nx', '-batch', ...script], { encoding: 'utf8', env });
  const seconds = Number(/(?:^|\n)([\d.]+) 0x/.exec(stdout)?.[1]);
  if (!(seconds > 0)) throw new Error(`gdb traced nothing: ${stderr}`);
  return GDB_COUNT / seconds;
}

/** Traced instructions a second, of the same code. */
export async function tracing({ rounds, divisor }: Effort): Promise<Row[]> {
  const text = bareSwitches(Math.ceil(ROUNDS / divisor));
  const image = await assembleProgram({ name: 'bench.s', text });
  const executable = NO_COMPILER === undefined ? buildBare('traced', text, image.symbol('main')) : '';
  const folder = mkdtempSync(join(tmpdir(), 'millscope-traces-'));
  const path = join(folder, 'trace');
  const others = [
    { on: 'qemu-user', run: qemu },
    { on: 'gdb', run: gdb },
  ];
  try {
    return await withEngines((engines, missing) => {
      const contest = new Contest();
      for (const on of ENGINES) {
        const engine = engines.find(({ name }) => name === on);
        if (engine === undefined) {
          contest.miss({ what: TRACED, on }, UNIT, missing.get(on) ?? '');
          continue;
        }
        const count = Math.ceil(COUNT / divisor);
        const run = async () =>
          (1000 * count) / (await engine.do({ kind: 'trace', image: image.toJSON(), count, path })).ms;
        contest.add({ what: TRACED, on }, UNIT, run, ...others.map((other) => ({ on: other.on })));
      }
      const known = tools();
      for (const { on, run } of others) {
        const tool = known.find(({ name }) => name === on);
        if (tool?.version === undefined) contest.miss({ what: TRACED, on }, UNIT, tool?.missing ?? '');
        else contest.add({ what: TRACED, on }, UNIT, () => run(executable, path), { on: 'gdb' });
      }
      return contest.rows({ rounds });
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
