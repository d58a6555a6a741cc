import { Cpu } from './cpu.js';
import { LibUnicorn } from './engines/libunicorn.js';
import { loadLibrary } from './engines/libunicorn-library.js';
import { UnicornJs } from './engines/unicorn-js.js';
import { isUnicornStarted } from './engines/unicorn-module.js';
import { environment } from './environment.js';
import { EngineError, OutOfMemory } from './errors.js';
import { PAGE_SIZE } from './memory.js';

/**
 * Engines by the names people choose them by: one in JavaScript, which runs everywhere, and libunicorn, which is faster
 * and has to be installed.
 */
export const ENGINES = ['unicorn.js', 'native'] as const;

/** Bytes of memory of a machine unless told otherwise. What is not touched costs nothing but addresses. */
export const DEFAULT_MEMORY = 512 << 20;

export interface MachineOptions {
  /** One of {@link ENGINES}; without it {@link defaultEngine}. */
  readonly engine?: string;
  /** Bytes of guest memory, a multiple of 4096; with unicorn.js at most about 1.8 GiB for all open machines together. */
  readonly memory?: number;
}

/** What the environment variable MILLSCOPE_ENGINE says, or unicorn.js. */
export function defaultEngine(): string {
  return environment('MILLSCOPE_ENGINE') ?? ENGINES[0];
}

/**
 * Makes an engine ready, which is needed once before {@link openCpu}. MILLSCOPE_LIBUNICORN in the environment is the path
 * of the native one's library, if that is in no usual place.
 * @throws EngineError when there is no such engine, or it is not installed
 */
export async function loadEngine(engine = defaultEngine()): Promise<void> {
  checkName(engine);
  if (engine === 'native') await loadLibrary(environment('MILLSCOPE_LIBUNICORN'));
  else if (!isUnicornStarted()) await import('./engines/unicorn-bundle.js');
}

/**
 * Opens a CPU with its memory. Close it after use: an open one keeps that memory.
 * @throws EngineError when there is no such engine, it is not loaded, or not so much memory left
 * @throws OutOfMemory when that is no amount of memory for a machine
 */
export function openCpu({ engine = defaultEngine(), memory = DEFAULT_MEMORY }: MachineOptions = {}): Cpu {
  checkName(engine);
  if (!(memory > 0 && memory < 2 ** 31 && memory % PAGE_SIZE === 0)) {
    throw new OutOfMemory(`a machine cannot have ${memory} bytes of memory: take a multiple of 4096 below 2 GiB`);
  }
  return new Cpu((events) => (engine === 'native' ? new LibUnicorn(memory, events) : new UnicornJs(memory, events)));
}

function checkName(engine: string): void {
  if (!ENGINES.some((name) => name === engine)) {
    throw new EngineError(`there is no engine "${engine}" here: choose one of ${ENGINES.join(', ')}`);
  }
}
