/** Speed as ratios of things measured in turn in one run: `npm run bench`, or `npm run bench -- --json`. */
import { execFileSync } from 'node:child_process';
import Table from 'cli-table3';
import { readObject } from '../asm/elf/object.js';
import type { Image } from '../asm/image.js';
import { openCpu } from '../emu/open.js';
import { assembleProgram, linkProgram } from '../inspect/program.js';
import { libmill } from '../runtime/libmill.js';
import { Process } from '../runtime/process.js';
import { compileText, HAS_COMPILER, manyFunctions, yieldPingPongInC } from './c.js';
import { interleave, type Spread, spread } from './measure.js';
import {
  abiSwapPingPong,
  ascendingTimers,
  channelPingPong,
  chooseOf,
  manyCoroutines,
  sameSwapPingPong,
  yieldPingPong,
} from './programs.js';

const ROUNDS = 7;
/** Of each of the two coroutines, so there are twice as many switches. */
const YIELDS = 50_000;
const MEBIBYTE = 1 << 20;

interface Row {
  readonly what: string;
  readonly unit: string;
  readonly figure: Spread;
  /** Against the row named in `of`. */
  readonly ratio?: number;
  readonly of?: string;
}

/** Assembles a program and returns what runs it once, in a machine of its own, and gives `figure` of that run. */
async function contestant(text: string, memory: number, figure: (ms: number) => number) {
  return runOf(await assembleProgram({ name: 'bench.s', text }), memory, figure);
}

function runOf(image: Image, memory: number, figure: (ms: number) => number) {
  return (): number => {
    const cpu = openCpu({ memory });
    try {
      const guest = new Process(cpu, libmill(), image, ['bench']);
      const start = performance.now();
      const outcome = guest.run();
      const ms = performance.now() - start;
      if (outcome.kind !== 'exit' || outcome.status !== 0)
        throw new Error(`the guest ended: ${JSON.stringify(outcome)}`);
      return figure(ms);
    } finally {
      cpu.close();
    }
  };
}

async function switches(): Promise<Row[]> {
  const perSwitch = (ms: number): number => (ms * 1000) / (2 * YIELDS);
  const figures = await interleave(
    {
      yield: await contestant(yieldPingPong(YIELDS), 64 * MEBIBYTE, perSwitch),
      same: await contestant(sameSwapPingPong(YIELDS), 64 * MEBIBYTE, perSwitch),
      abi: await contestant(abiSwapPingPong(YIELDS), 64 * MEBIBYTE, perSwitch),
    },
    ROUNDS,
  );
  const against = (floor: Spread): number => floor.median / figures.yield.median;
  const same = 'swap in guest assembly, the same ten values';
  const abi = "swap in guest assembly, the ABI's eight values";
  return [
    { what: same, unit: 'µs a switch', figure: figures.same },
    { what: abi, unit: 'µs a switch', figure: figures.abi },
    { what: 'yield', unit: 'µs a switch', figure: figures.yield, ratio: against(figures.same), of: same },
    { what: 'yield', unit: 'µs a switch', figure: figures.yield, ratio: against(figures.abi), of: abi },
  ];
}

/** A message is a send and a receive, so two switches: it is held against two yields. */
async function messages(): Promise<Row[]> {
  const each = (ms: number): number => (ms * 1000) / YIELDS;
  const memory = 64 * MEBIBYTE;
  const figures = await interleave(
    {
      yields: await contestant(yieldPingPong(YIELDS), memory, each),
      unbuffered: await contestant(channelPingPong(YIELDS, 0), memory, each),
      buffered: await contestant(channelPingPong(YIELDS, 16), memory, each),
    },
    ROUNDS,
  );
  const of = 'two yields';
  const ratio = (figure: Spread): number => figures.yields.median / figure.median;
  return [
    { what: of, unit: 'µs', figure: figures.yields },
    { what: 'send and receive', unit: 'µs', figure: figures.unbuffered, ratio: ratio(figures.unbuffered), of },
    { what: 'the same over a buffer of 16', unit: 'µs', figure: figures.buffered, ratio: ratio(figures.buffered), of },
  ];
}

/** Cost of one element of something that grows; a ratio of 1 means that the whole grows in proportion. */
async function growing(
  what: string,
  sizes: readonly number[],
  program: (size: number) => string,
  elements: (size: number) => number,
): Promise<Row[]> {
  const runs: Record<string, () => number> = {};
  for (const size of sizes) {
    runs[size] = await contestant(program(size), 1000 * MEBIBYTE, (ms) => (ms * 1000) / elements(size));
  }
  const figures = await interleave(runs, 3);
  return sizes.map((size) => ({
    what: `${what}: ${size}`,
    unit: 'µs each',
    figure: figures[size],
    ...(size === sizes[0] ? {} : { ratio: figures[size].median / figures[sizes[0]].median, of: `${sizes[0]}` }),
  }));
}

const CHOICES = 64_000;

async function growth(): Promise<Row[]> {
  const rounds = (clauses: number): number => CHOICES / clauses;
  return [
    ...(await growing(
      'clauses of a choose',
      [2, 16, 64, 256],
      (clauses) => chooseOf(rounds(clauses), clauses),
      () => CHOICES,
    )),
    ...(await growing('ascending timers', [1_000, 10_000, 100_000], ascendingTimers, (count) => count)),
  ];
}

const COUNTS = [1_000, 3_000, 10_000];
const MANY_MEMORY = 400 * MEBIBYTE;

/** The same program in C and in assembly text, so that a ratio of 1 means that nothing is lost by compiling it. */
async function compiled(): Promise<Row[]> {
  if (!HAS_COMPILER) return [];
  const perSwitch = (ms: number): number => (ms * 1000) / (2 * YIELDS);
  const memory = 64 * MEBIBYTE;
  const bytes = compileText(yieldPingPongInC(YIELDS));
  const inC = await linkProgram([readObject({ name: 'bench.o', bytes })]);
  const figures = await interleave(
    { text: await contestant(yieldPingPong(YIELDS), memory, perSwitch), c: runOf(inC, memory, perSwitch) },
    ROUNDS,
  );
  const of = 'yield, in assembly text';
  const ratio = figures.text.median / figures.c.median;
  return [
    { what: of, unit: 'µs a switch', figure: figures.text },
    { what: 'yield, in C', unit: 'µs a switch', figure: figures.c, ratio, of },
  ];
}

/** Reading, linking and placing in memory, for each megabyte of object. */
async function loading(): Promise<Row[]> {
  if (!HAS_COMPILER) return [];
  const runs: Record<string, () => Promise<number>> = {};
  for (const count of [500, 1000, 2000, 4500]) {
    const bytes = compileText(manyFunctions(count));
    const megabytes = bytes.length / 1e6;
    runs[`an object of ${megabytes.toFixed(1)} MB`] = async () => {
      const cpu = openCpu({ memory: 64 * MEBIBYTE });
      const start = performance.now();
      const image = await linkProgram([readObject({ name: 'bench.o', bytes })]);
      new Process(cpu, libmill(), image, ['bench']);
      const ms = performance.now() - start;
      cpu.close();
      return ms / megabytes;
    };
  }
  const figures = Object.entries(await interleave(runs, ROUNDS));
  const [smallest, first] = figures[0];
  return figures.map(([what, figure]) => ({
    what,
    unit: 'ms a MB',
    figure,
    ...(what === smallest ? {} : { ratio: figure.median / first.median, of: smallest }),
  }));
}

/** One row for each count; ratios are to the smallest, so that linear growth reads as 1. */
function perCoroutine(unit: string, figures: Readonly<Record<string, Spread>>): Row[] {
  const smallest = `${COUNTS[0]} coroutines`;
  return COUNTS.map((count) => ({
    what: `${count} coroutines alive at once`,
    unit,
    figure: figures[count],
    ...(count === COUNTS[0] ? {} : { ratio: figures[count].median / figures[COUNTS[0]].median, of: smallest }),
  }));
}

/** KiB of guest memory in use for each coroutine while all are alive. */
async function memoryEach(count: number): Promise<Spread> {
  const image = await assembleProgram({ name: 'bench.s', text: manyCoroutines(count) });
  const cpu = openCpu({ memory: MANY_MEMORY });
  try {
    const guest = new Process(cpu, libmill(), image, ['bench']);
    let started = 0;
    guest.listener.switched = ({ kind }) => {
      if (kind === 'start' && ++started === count) cpu.stop();
    };
    const before = guest.save().cpu.memory.bytes.length;
    guest.run();
    return spread([(guest.save().cpu.memory.bytes.length - before) / 1024 / count]);
  } finally {
    cpu.close();
  }
}

async function manyAlive(): Promise<Row[]> {
  const runs: Record<string, () => number> = {};
  const memory: Record<string, Spread> = {};
  for (const count of COUNTS) {
    runs[count] = await contestant(manyCoroutines(count), MANY_MEMORY, (ms) => (ms * 1000) / count);
    memory[count] = await memoryEach(count);
  }
  return [...perCoroutine('µs each', await interleave(runs, ROUNDS)), ...perCoroutine('KiB each', memory)];
}

/** Wall time of a child process. */
const child = (args: readonly string[]) => (): number => {
  const start = performance.now();
  execFileSync(process.execPath, args, { stdio: 'ignore' });
  return performance.now() - start;
};

async function startUp(): Promise<Row[]> {
  const importing = (...modules: string[]): string[] => [
    '--input-type=module',
    '-e',
    modules
      .map((name) => `await import(${JSON.stringify(new URL(`../dist/${name}`, import.meta.url).href)});`)
      .join(''),
  ];
  const assemble = "await (await import('../dist/inspect/program.js')).assembleProgram({name:'x.s',text:'nop'})";
  const figures = await interleave(
    {
      'node, nothing else': child(['-e', '0']),
      'node and unicorn.js': child(importing('emu/open.js')),
      'node, unicorn.js and all of millscope': child(importing('emu/open.js', 'inspect/millscope.js')),
      'node and Keystone, one line assembled': child([
        '--input-type=module',
        '-e',
        assemble.replace('../dist/', new URL('../dist/', import.meta.url).href),
      ]),
      'millscope run generators.mjs (no Keystone)': child([
        'dist/inspect/cli.js',
        'run',
        'fixtures/programs/generators.mjs',
      ]),
      'millscope run prime-sieve.o': child(['dist/inspect/cli.js', 'run', 'fixtures/c/prime-sieve.o']),
      'millscope run ping-pong.s': child(['dist/inspect/cli.js', 'run', 'fixtures/programs/ping-pong.s']),
    },
    ROUNDS,
  );
  const node = figures['node, nothing else'];
  return Object.entries(figures).map(([what, figure]) => ({
    what,
    unit: 'ms',
    figure,
    ...(figure === node ? {} : { ratio: figure.median / node.median, of: 'node, nothing else' }),
  }));
}

function print(title: string, rows: readonly Row[]): void {
  const table = new Table({
    head: [title, 'unit', 'min', 'median', 'max', 'ratio', 'to'],
    style: { head: [], border: [] },
  });
  for (const { what, unit, figure, ratio, of } of rows) {
    const number = (value: number): string => value.toFixed(2);
    table.push([
      what,
      unit,
      number(figure.min),
      number(figure.median),
      number(figure.max),
      ratio?.toFixed(2) ?? '',
      of ?? '',
    ]);
  }
  process.stdout.write(`${table.toString()}\n`);
}

const parts = {
  switches,
  messages,
  growth,
  'many coroutines': manyAlive,
  'programs in C': compiled,
  'loading objects': loading,
  'start-up': startUp,
};
// One part alone: npm run bench -- switches
const wanted = process.argv.slice(2).find((argument) => !argument.startsWith('-'));
const result: Record<string, Row[]> = {};
for (const [title, measure] of Object.entries(parts)) {
  if (wanted !== undefined && title !== wanted) continue;
  if (process.stderr.isTTY) process.stderr.write(`measuring ${title} …\n`);
  result[title] = await measure();
  if (!process.argv.includes('--json')) print(title, result[title]);
}
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify(result)}\n`);
