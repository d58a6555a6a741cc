import { fileURLToPath } from 'node:url';
import { openCpu } from '../../emu/open.js';
import type { Body } from '../../runtime/bodies.js';
import { libmill } from '../../runtime/libmill.js';
import { type Outcome, Process } from '../../runtime/process.js';
import { loadEngine } from '../engine.js';
import { openGuest } from '../guest.js';
import { DEFAULTS } from '../options.js';
import { ending } from '../outcome.js';
import { recordSwitches, type SwitchRecord } from '../switches.js';

/** A file by its path, from the working directory, or by its URL: `new URL('switch.o', import.meta.url)`. */
export type FileName = string | URL;

/** One file or several. */
export type FileNames = FileName | readonly FileName[];

/** The paths of files. */
export function pathsOf(files: FileNames): string[] {
  const list = typeof files === 'string' || files instanceof URL ? [files] : files;
  return list.map((file) => (typeof file === 'string' ? file : fileURLToPath(file)));
}

/** How a program is run; as on the command line if nothing is said. */
export interface RunProgramOptions {
  /** What main() gets behind the program's name. */
  readonly arguments?: readonly string[];
  /** Each as NAME=VALUE. */
  readonly environment?: readonly string[];
  /** Of the random numbers; 0 if nothing is said. */
  readonly seed?: bigint;
  /** Instructions after which it is stopped; 100 million if nothing is said, since no test can interrupt a run. */
  readonly limit?: number;
  /** For the C compiler, as one would type them. */
  readonly cc?: string;
  /** Archives to take from what is missing. */
  readonly archives?: FileNames;
}

/** A program that has been run to its end. */
export interface ProgramRun {
  /** The guest's own, or what `millscope run` would end with. */
  readonly status: number;
  /** What `millscope run` would say of its end; undefined if it ended by itself. */
  readonly message: string | undefined;
  readonly stdout: string;
  readonly stderr: string;
  readonly switches: readonly SwitchRecord[];
  /** How many instructions were executed. */
  readonly moment: number;
}

const LIMIT = 100_000_000;

async function open(program: FileNames | Body, options: RunProgramOptions): Promise<Process> {
  const { arguments: parameters = [], environment = [], seed = 0n, cc = '', archives = [] } = options;
  if (typeof program !== 'function') {
    const how = { ...DEFAULTS, cc, seed, env: environment, archive: pathsOf(archives) };
    return openGuest({ paths: pathsOf(program), arguments: parameters, options: how });
  }
  await loadEngine();
  const cpu = openCpu();
  try {
    return new Process(cpu, libmill(), program, [program.name, ...parameters], { seed, environment });
  } catch (error) {
    cpu.close();
    throw error;
  }
}

/** Runs past the ends of children. */
function toEnd(guest: Process, limit: number): Outcome {
  let outcome = guest.run(limit);
  while (outcome.kind === 'child') outcome = guest.run(limit);
  return outcome;
}

/**
 * Runs a program, from files as `millscope run` takes them or from the body of its main, in a machine of its own. The
 * same program with the same options takes the same course.
 * @throws UsageError, AssemblyError, ObjectError, LinkError, UnresolvedSymbols if it cannot be loaded
 */
export async function runProgram(program: FileNames | Body, options: RunProgramOptions = {}): Promise<ProgramRun> {
  const guest = await open(program, options);
  try {
    const written = { 1: '', 2: '' };
    const decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
    const switches: SwitchRecord[] = [];
    guest.on('output', ({ stream, bytes }) => {
      written[stream] += decoders[stream].decode(bytes, { stream: true });
    });
    recordSwitches(guest, (record) => switches.push(record));
    const outcome = toEnd(guest, options.limit ?? LIMIT);
    const { status, message } = await ending(guest, outcome);
    const [stdout, stderr] = ([1, 2] as const).map((stream) => written[stream] + decoders[stream].decode());
    return { status, message, stdout, stderr, switches, moment: guest.cpu.moment };
  } finally {
    guest.cpu.close();
  }
}
