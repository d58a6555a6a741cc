import { Cpu } from './cpu.js';
import { UnicornJs } from './engines/unicorn-js.js';
import { EngineError, OutOfMemory } from './errors.js';
import { PAGE_SIZE } from './memory.js';

/** Engines by the names people choose them by; the first is the default. */
export const ENGINES = ['unicorn.js'] as const;

/** Bytes of memory of a machine unless told otherwise. What is not touched costs nothing but addresses. */
export const DEFAULT_MEMORY = 512 << 20;

export interface MachineOptions {
  /** One of {@link ENGINES}. */
  readonly engine?: string;
  /** Bytes of guest memory, a multiple of 4096; at most about 1.8 GiB for all open machines together. */
  readonly memory?: number;
}

/**
 * Opens a CPU with its memory. Close it after use: an open one keeps that memory.
 * @throws EngineError when there is no such engine, or not so much memory left
 * @throws OutOfMemory when that is no amount of memory for a machine
 */
export function openCpu({ engine = ENGINES[0], memory = DEFAULT_MEMORY }: MachineOptions = {}): Cpu {
  if (engine !== 'unicorn.js') {
    throw new EngineError(`there is no engine "${engine}" here: choose one of ${ENGINES.join(', ')}`);
  }
  if (!(memory > 0 && memory < 2 ** 31 && memory % PAGE_SIZE === 0)) {
    throw new OutOfMemory(`a machine cannot have ${memory} bytes of memory: take a multiple of 4096 below 2 GiB`);
  }
  return new Cpu((events) => new UnicornJs(memory, events));
}
