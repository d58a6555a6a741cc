import { basename } from 'node:path';
import { openCpu } from '../emu/open.js';
import { libmill } from '../runtime/libmill.js';
import { Process } from '../runtime/process.js';
import { loadEngine } from './engine.js';
import { isProbe, type ProbeOptions } from './probe/options.js';
import { loadProgram } from './program.js';

/** What decides what a run is like, and how long it may be. */
export interface RunOptions extends ProbeOptions {
  readonly engine: string;
  /** For the compiler, as one would type them. */
  readonly cc: string;
  /** Archives. */
  readonly link: readonly string[];
  /** Each as NAME=VALUE. */
  readonly env: readonly string[];
  readonly seed: bigint;
  /** MiB */
  readonly memory: number;
  readonly limit?: number;
  readonly clock: 'virtual' | 'real';
}

/** A program that is to be run: its files, its arguments, and how. */
export interface Run {
  readonly paths: readonly string[];
  readonly arguments: readonly string[];
  readonly options: RunOptions;
}

/** A run's process, in a machine of its own, which is to be closed. @param name what it is told that it is called */
export async function openGuest({ paths, arguments: parameters, options }: Run, name = paths[0]): Promise<Process> {
  const { engine, memory, seed, clock, env: environment } = options;
  // Here, not above: no program is to load it.
  const probe = isProbe(options) ? await (await import('./probe/program.js')).probeProgram(paths, options) : undefined;
  const program = probe?.image ?? (await loadProgram(paths, options.cc, options.link));
  await loadEngine(engine);
  const cpu = openCpu({ engine, memory: memory << 20 });
  try {
    const process = new Process(cpu, libmill(), program, [basename(name), ...parameters], { seed, clock, environment });
    probe?.attach(process);
    return process;
  } catch (error) {
    cpu.close();
    throw error;
  }
}
