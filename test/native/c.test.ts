import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readObject } from '../../asm/elf/object.js';
import { DEFAULT_MEMORY, openCpu } from '../../emu/open.js';
import { linkProgram } from '../../inspect/program-image.js';
import { libmill } from '../../runtime/libmill.js';
import { Process } from '../../runtime/process.js';
import { promised } from '../fixture.js';
import {
  argumentsOf,
  type Compiler,
  compileNativeLibmill,
  compileObject,
  compilers,
  cPrograms,
  type Ended,
  runNatively,
} from '../native.js';

/*
 * Every program of fixtures/c, compiled by each compiler at each level and position-independent: in millscope, and on
 * this machine's CPU with a libmill that knows nothing of millscope, it does what its header comment says. So what it
 * says is not millscope's opinion.
 */

const VARIANTS = ['-O0', '-O1', '-O2', '-O3', '-O2 -fPIC'];
const PROGRAMS = fileURLToPath(new URL('../../fixtures/c/', import.meta.url));
const ABORTED = 134;

type Result = Pick<Ended, 'stdout' | 'status'>;

/** Runs an object file in millscope. */
async function runHere(object: string, parameters: readonly string[]): Promise<Result> {
  const program = await linkProgram([readObject({ name: object, bytes: readFileSync(object) })]);
  const cpu = openCpu({ memory: DEFAULT_MEMORY });
  try {
    const guest = new Process(cpu, libmill(), program, ['program', ...parameters]);
    const decoder = new TextDecoder();
    let stdout = '';
    guest.on('output', ({ stream, bytes }) => {
      if (stream === 1) stdout += decoder.decode(bytes, { stream: true });
    });
    let outcome = guest.run();
    while (outcome.kind === 'child') outcome = guest.run();
    const aborted = outcome.kind === 'abort' || outcome.kind === 'error';
    const status = outcome.kind === 'exit' ? outcome.status : aborted ? ABORTED : -1;
    return { stdout, status };
  } finally {
    cpu.close();
  }
}

/** Another version of gcc makes other objects of the same text. */
const hasSameCompiler = (): boolean => {
  const { stdout } = spawnSync('gcc', ['--version'], { encoding: 'utf8' });
  return stdout?.split('\n')[0] === readFileSync(join(PROGRAMS, 'COMPILER'), 'utf8').split('\n')[0];
};

const objectOf = (program: string): string => program.replace(/\.\w+$/, '.o');

describe('the objects in fixtures/c', () => {
  it.each(cPrograms)('%s does what it says', async (program) => {
    const { output, status } = promised(`../c/${program}`);
    const ended = await runHere(join(PROGRAMS, objectOf(program)), argumentsOf(program));
    expect(ended).toEqual({ stdout: output, status });
  });

  it.skipIf(!hasSameCompiler())('are those that build.sh makes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'objects-'));
    const objects = cPrograms.map(objectOf);
    expect(objects.length).toBeGreaterThan(10);
    expect(readdirSync(PROGRAMS).filter((name) => name.endsWith('.o'))).toEqual(objects);
    execFileSync(join(PROGRAMS, 'build.sh'), [folder], { stdio: 'pipe' });
    const stale = objects.filter(
      (name) => !readFileSync(join(PROGRAMS, name)).equals(readFileSync(join(folder, name))),
    );
    rmSync(folder, { recursive: true });
    expect(stale).toEqual([]);
  });
});

describe.skipIf(compilers.length === 0)('programs in C and C++', () => {
  const folder = mkdtempSync(join(tmpdir(), 'native-c-'));
  const nativeLibmill = (compiler: Compiler): string => join(folder, `libmill-${compiler}.o`);
  const columns = compilers.flatMap((compiler) => VARIANTS.map((variant) => ({ compiler, variant })));
  const cells = new Map(cPrograms.map((program) => [program, columns.map(() => 'not run')]));

  beforeAll(async () => {
    for (const compiler of compilers) await compileNativeLibmill(compiler, nativeLibmill(compiler));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
    const table = new Table({
      head: ['', ...columns.map(({ compiler, variant }) => `${compiler}\n${variant.replace(' ', '\n')}`)],
      style: { head: [], border: [] },
    });
    for (const [program, results] of cells) table.push([program, ...results]);
    process.stdout.write(`${table.toString()}\n`);
  });

  it.each(cPrograms)('%s does what it says, here and natively, however it is compiled', async (program) => {
    const { output, status } = promised(`../c/${program}`);
    const parameters = argumentsOf(program);
    const results = cells.get(program) ?? [];
    for (const [column, { compiler, variant }] of columns.entries()) {
      results[column] = 'failed';
      const object = join(folder, `${program}.${compiler}.${variant.replaceAll(' ', '')}.o`);
      await compileObject(program, compiler, variant.split(' '), object);
      const native = runNatively(object, nativeLibmill(compiler), parameters);
      const runs = { here: await runHere(object, parameters), natively: await native };
      for (const [where, { stdout, status: ended }] of Object.entries(runs)) {
        expect({ stdout, status: ended }, `${compiler} ${variant}, ${where}`).toEqual({ stdout: output, status });
      }
      results[column] = 'ok';
    }
  });
});
