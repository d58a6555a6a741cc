/**
 * A process that measures one engine, started by engines.ts. Each engine has one of its own, as it has with people: what
 * the host's compiler has learnt from one of them does not slow down the other.
 */
import { inspect } from 'node:util';
import { readObject } from '../asm/elf/object.js';
import { Image, type ImageJson } from '../asm/image.js';
import type { Cpu } from '../emu/cpu.js';
import { loadEngine, openCpu } from '../emu/open.js';
import { bytesInUse } from '../emu/saved-memory.js';
import { linkProgram } from '../inspect/program-image.js';
import { recordSwitches } from '../inspect/switches.js';
import { JsonLines } from '../inspect/trace/jsonl.js';
import { Listing } from '../inspect/trace/listing.js';
import { Recorder } from '../inspect/trace/recorder.js';
import { Sink } from '../inspect/trace/sink.js';
import { libmill } from '../runtime/libmill.js';
import { Process } from '../runtime/process.js';
import { type Walk, walk } from './walk.js';

/** What can be asked of this process. Memory is in bytes. */
export type Job =
  /** Runs a program to its end; `watch` is what else is done at each switch. */
  | { kind: 'run'; image: ImageJson; parameters: readonly string[]; memory: number; watch?: 'record' | 'count' }
  /** Executes so many instructions of a program, and reads 18 registers behind each. */
  | { kind: 'step'; image: ImageJson; count: number }
  /** Executes so many instructions of a program, and writes what each changes to a file. */
  | { kind: 'trace'; image: ImageJson; count: number; path: string }
  /** Reads an object, links it and places it in memory. */
  | { kind: 'load'; object: string }
  /** Runs a program until so many coroutines have started, and looks at how much memory they use. */
  | { kind: 'use'; image: ImageJson; memory: number; count: number }
  /** Runs a program and goes back from so many random moments, in each of two ways. */
  | { kind: 'walk'; image: ImageJson; moves: number };

/** What a job has taken, in ms, and what else there is to know. */
export interface Done {
  readonly ms: number;
  /** Standard output; rip and rbx behind steps. */
  readonly output: string;
  /** Of the guest's memory, in bytes. */
  readonly used: number;
  readonly counts: Counts;
  readonly walk?: Walk;
}

/** What a run consists of. */
export interface Counts {
  readonly instructions: number;
  readonly hypercalls: number;
  /** How often the engine has called us in front of a block of translated code. */
  readonly blocks: number;
  /** Switches that the runtime has made: none if a scheduler in guest code makes them. */
  readonly switches: number;
}

/** What the process says first: that it is ready, or why there is no such engine. */
export interface Opened {
  readonly missing?: string;
}

const MEBIBYTE = 1 << 20;
const NONE: Counts = { instructions: 0, hypercalls: 0, blocks: 0, switches: 0 };
/** What is read behind each step: 16 general registers, rip and EFLAGS; and where two of them are. */
const READ = 18;
const RIP = 16;
const RBX = 3;

function withCpu(memory: number, use: (cpu: Cpu) => Partial<Done>): Done {
  const cpu = openCpu({ memory });
  try {
    return { ms: 0, output: '', used: 0, counts: NONE, ...use(cpu) };
  } finally {
    cpu.close();
  }
}

/** Makes the CPU and the process count what they do. */
function counting(cpu: Cpu, guest: Process): () => Counts {
  const start = cpu.moment;
  let [hypercalls, blocks, switches] = [0, 0, 0];
  const open = cpu.onHypercall;
  cpu.onHypercall = () => {
    hypercalls += 1;
    open();
  };
  cpu.onBlock(() => {
    blocks += 1;
  });
  guest.on('switched', () => {
    switches += 1;
  });
  return () => ({ instructions: cpu.moment - start, hypercalls, blocks, switches });
}

function run({ image, parameters, memory, watch }: Extract<Job, { kind: 'run' }>): Done {
  return withCpu(memory, (cpu) => {
    const guest = new Process(cpu, libmill(), Image.fromJSON(image), ['bench', ...parameters]);
    let output = '';
    guest.on('output', ({ bytes }) => {
      output += new TextDecoder().decode(bytes);
    });
    let recorded = 0;
    if (watch === 'record') {
      recordSwitches(guest, ({ number }) => {
        recorded = number;
      });
    }
    const counts = watch === 'count' ? counting(cpu, guest) : () => ({ ...NONE, switches: recorded });
    const start = performance.now();
    const outcome = guest.run();
    const ms = performance.now() - start;
    if (outcome.kind !== 'exit' || outcome.status !== 0) throw new Error(`the guest ended: ${inspect(outcome)}`);
    return { ms, output, counts: counts() };
  });
}

function step({ image, count }: Extract<Job, { kind: 'step' }>): Done {
  return withCpu(64 * MEBIBYTE, (cpu) => {
    const guest = new Process(cpu, libmill(), Image.fromJSON(image), ['bench']);
    cpu.write('rip', guest.symbol('main'));
    const registers = new BigUint64Array(READ);
    const start = performance.now();
    const stop = cpu.step(count, () => cpu.readInto(registers));
    const ms = performance.now() - start;
    if (stop.kind !== 'limit') throw new Error(`the steps ended: ${inspect(stop)}`);
    return { ms, output: `0x${registers[RIP].toString(16)} 0x${registers[RBX].toString(16)}` };
  });
}

async function trace({ image, count, path }: Extract<Job, { kind: 'trace' }>): Promise<Done> {
  const cpu = openCpu({ memory: 64 * MEBIBYTE });
  const guest = new Process(cpu, libmill(), Image.fromJSON(image), ['bench']);
  cpu.write('rip', guest.symbol('main'));
  const listing = await Listing.of(guest);
  const sink = new Sink(path);
  const writer = new JsonLines(sink, listing);
  const recorder = new Recorder(guest, new Set(), writer);
  const start = performance.now();
  sink.open();
  recorder.step();
  const outcome = guest.step(count);
  recorder.close();
  sink.close();
  const ms = performance.now() - start;
  listing.close();
  cpu.close();
  if (outcome.kind !== 'limit') throw new Error(`the steps ended: ${inspect(outcome)}`);
  return { ms, output: '', used: sink.size, counts: NONE };
}

async function load({ object }: Extract<Job, { kind: 'load' }>): Promise<Done> {
  const bytes = Buffer.from(object, 'base64');
  const cpu = openCpu({ memory: 64 * MEBIBYTE });
  const start = performance.now();
  const image = await linkProgram([readObject({ name: 'bench.o', bytes })]);
  new Process(cpu, libmill(), image, ['bench']);
  const ms = performance.now() - start;
  cpu.close();
  return { ms, output: '', used: 0, counts: NONE };
}

function use({ image, memory, count }: Extract<Job, { kind: 'use' }>): Done {
  return withCpu(memory, (cpu) => {
    const guest = new Process(cpu, libmill(), Image.fromJSON(image), ['bench']);
    let started = 0;
    guest.on('switched', ({ kind }) => {
      if (kind === 'start' && ++started === count) cpu.stop();
    });
    const before = bytesInUse(guest.save().cpu.memory);
    guest.run();
    return { used: bytesInUse(guest.save().cpu.memory) - before };
  });
}

async function back({ image, moves }: Extract<Job, { kind: 'walk' }>): Promise<Done> {
  const found = await walk(Image.fromJSON(image), moves);
  return { ms: found.recorded, output: '', used: 0, counts: NONE, walk: found };
}

const jobs = { run, step, trace, load, use, walk: back } as const;

async function open(): Promise<Opened> {
  try {
    await loadEngine();
    return {};
  } catch (error) {
    return { missing: (error as Error).message };
  }
}

process.on('message', async (job: Job) => {
  try {
    process.send?.(await (jobs[job.kind] as (job: Job) => Done | Promise<Done>)(job));
  } catch (error) {
    process.send?.({ error: (error as Error).message });
  }
});
process.send?.(await open());
