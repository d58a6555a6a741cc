/** Holds the emulated machine against a real CPU, instruction by instruction. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readObject } from '../../asm/elf/object.js';
import { EngineError } from '../../emu/errors.js';
import { ENGINES, loadEngine, openCpu } from '../../emu/open.js';
import { linkProgram } from '../../inspect/program-image.js';
import { libmill } from '../../runtime/libmill.js';
import { Process } from '../../runtime/process.js';
import { DefinedFlags, readSteps, Stepper, type Steps, splitFlags } from './steps.js';

const ROOT = join(import.meta.dirname, '../..');
const NATIVE = join(ROOT, 'fixtures/native');
const MEMORY_BYTES = 64 << 20;
/** mill_setjmp_ and mill_longjmp_ as GNU as assembles them. */
const SAVE = '488d0d2a0000004831c048891a48896a084c896210488962184c896a204c8972284c897a3048894a3848897a4048897248';
const RESTORE = '488b18488b68084c8b6010488b50184c8b68204c8b70284889d44c8b7830488b5038488b7840488b7048ffe2';
/** Instructions in each. */
const SEQUENCE_LENGTH = 12;
/** Instructions of compiled C that are to be compared at the least. */
const LEAST = 2000;

const stepsIn = (folder: string): Steps =>
  readSteps(gunzipSync(readFileSync(join(folder, 'steps.txt.gz'))).toString('latin1'));

/** What the comparison has gone through. */
interface Compared {
  /** Instructions of the program's own code. */
  readonly compiled: number;
  /** How often each instruction of a sequence was executed, by sequence and offset. */
  readonly sequences: ReadonlyMap<string, number>;
}

/** Steps an object in the emulated machine beside what a real CPU has shown. */
async function compare(object: string, native: Steps, engine: string): Promise<Compared> {
  const image = await linkProgram([readObject({ name: object, bytes: readFileSync(object) })]);
  const flags = await DefinedFlags.open();
  const cpu = openCpu({ memory: MEMORY_BYTES, engine });
  try {
    // The name is the native program's, which is on the stack.
    const process = new Process(cpu, libmill(), image, ['steps']);
    expect(process.mainStack.high, 'STACKS_TOP in steps.py is where this machine has its stacks').toBe(
      native.stacksTop,
    );
    let stdout = '';
    process.on('output', ({ bytes }) => {
      stdout += Buffer.from(bytes).toString('latin1');
    });
    const stepper = new Stepper(process);
    const places = sequencePlaces(process);
    const sequences = new Map<string, number>();
    let compiled = 0;
    let index = 0;
    const main = Number(process.symbol('main'));
    const look = (): void => {
      // What is around main is libmill's own start and end.
      if ((index === 0 && cpu.rip !== main) || index === native.lines.length) return;
      const actual = splitFlags(stepper.line());
      const line = native.lines[index];
      const expected = splitFlags(line);
      const where = `moment ${cpu.moment}, behind ${native.lines[index - 1]}`;
      if (actual.registers !== expected.registers) expect(actual.registers, where).toBe(expected.registers);
      const different = (actual.flags ^ expected.flags) & flags.mask;
      if (different !== 0)
        expect(actual.flags & flags.mask, `flags at ${line}, ${where}`).toBe(expected.flags & flags.mask);
      index++;
      const { rip } = stepper;
      if (process.imageAt(BigInt(rip)) === image) compiled++;
      const place = places.get(rip);
      if (place !== undefined) sequences.set(place, (sequences.get(place) ?? 0) + 1);
      flags.note(process, rip, stepper.cl);
    };
    const outcome = process.step(Number.POSITIVE_INFINITY, look);
    expect(outcome).toEqual({ kind: 'exit', status: native.status });
    expect(stdout).toBe(native.stdout);
    expect(index, 'main has returned').toBe(native.lines.length);
    return { compiled, sequences };
  } finally {
    cpu.close();
    flags.close();
  }
}

/** Where the bytes of the two sequences are, each as the sequence's name and the offset in it. */
function sequencePlaces(process: Process): Map<number, string> {
  const places = new Map<number, string>();
  for (const { name, address, bytes } of process.images.flatMap(({ sections }) => sections)) {
    if (name !== '.text') continue;
    const text = Buffer.from(bytes);
    for (const [sequence, hex] of Object.entries({ SAVE, RESTORE })) {
      const pattern = Buffer.from(hex, 'hex');
      for (let at = text.indexOf(pattern); at !== -1; at = text.indexOf(pattern, at + 1)) {
        for (let offset = 0; offset < pattern.length; offset++) {
          places.set(Number(address) + at + offset, `${sequence}+${offset}`);
        }
      }
    }
  }
  return places;
}

function expectEnough({ compiled, sequences }: Compared): void {
  expect(compiled).toBeGreaterThan(LEAST);
  for (const sequence of ['SAVE', 'RESTORE']) {
    const counts = [...sequences].filter(([place]) => place.startsWith(sequence)).map(([, count]) => count);
    expect(counts.length, `all instructions of ${sequence}`).toBe(SEQUENCE_LENGTH);
    expect(Math.min(...counts)).toBeGreaterThan(10);
  }
}

/** ptrace may be forbidden, as in some containers. */
function canStep(): boolean {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  const tools = ['gcc', 'as', 'nm'].every((tool) => spawnSync(tool, ['--version']).status === 0);
  const traceMe = 'import ctypes; raise SystemExit(ctypes.CDLL(None).ptrace(0, 0, None, None) != 0)';
  return tools && spawnSync('python3', ['-c', traceMe]).status === 0;
}

/** What a real CPU shows now, of an object. */
function stepHere(object: string, folder: string): Steps {
  execFileSync(join(NATIVE, 'steps.sh'), [folder, object], { stdio: 'pipe' });
  return stepsIn(folder);
}

/** Compiles steps.c, as steps.sh does. */
function compile(level: string, object: string): void {
  const source = 'fixtures/native/steps.c';
  const own = /^\/\/ Flags: (.*)$/m.exec(readFileSync(join(ROOT, source), 'utf8'))?.[1].split(' ') ?? [];
  execFileSync('gcc', [level, ...own, '-I', 'runtime/include', '-c', source, '-o', object], { cwd: ROOT });
}

describe.each(ENGINES)('single steps in %s', (engine) => {
  test('are those of a real CPU', async ({ skip }) => {
    await loadEngine(engine).catch((error: unknown) => {
      if (!(error instanceof EngineError)) throw error;
      skip(error.message);
    });
    expectEnough(await compare(join(NATIVE, 'steps.o'), stepsIn(NATIVE), engine));
  });
});

describe.skipIf(!canStep())('the CPU of this machine', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'steps-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('steps as was captured, flags aside that processors may set as they like', () => {
    const registers = ({ lines }: Steps): string[] => lines.map((line) => splitFlags(line).registers);
    const [here, captured] = [stepHere(join(NATIVE, 'steps.o'), folder), stepsIn(NATIVE)];
    expect(registers(here)).toEqual(registers(captured));
    expect([here.status, here.stdout]).toEqual([captured.status, captured.stdout]);
  });

  test('has a gcc that makes steps.o of steps.c, if it is the one that did', ({ skip }) => {
    const [version] = execFileSync('gcc', ['--version']).toString().split('\n');
    skip(!stepsIn(NATIVE).tools.includes(version), `steps.o is not by ${version}`);
    const object = join(folder, 'again.o');
    compile('-O2', object);
    expect(readFileSync(object).equals(readFileSync(join(NATIVE, 'steps.o')))).toBe(true);
  });

  test.each(['-O0', '-O1', '-O3'])('steps as the emulated one does what gcc %s makes of the program', async (level) => {
    const object = join(folder, 'steps.o');
    compile(level, object);
    expectEnough(await compare(object, stepHere(object, folder), ENGINES[0]));
  });
});
