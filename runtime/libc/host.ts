import type { Memory } from '../../emu/memory.js';
import type { Clock } from '../clock.js';
import type { Heap } from '../heap.js';
import type { Processes } from '../mfork.js';
import type { Random } from '../random.js';
import type { Symbols } from '../symbols.js';
import type { Call } from './call.js';

/** What the functions work on. All state of libc is in the guest's memory. */
export interface Host {
  readonly memory: Memory;
  /** Of the guest's side of the runtime. */
  readonly symbols: Symbols;
  readonly heap: Heap;
  readonly clock: Clock;
  readonly random: Random;
  readonly processes: Processes;
  /** Standard output (1) or standard error (2), past all buffers. */
  output(stream: 1 | 2, bytes: Uint8Array): void;
  /** Sets errno. */
  fail(errno: number): void;
}

/**
 * A function of libc on the host's side.
 * @returns what the guest finds in rax; undefined leaves it as it is, for functions that return nothing
 * @throws BadAddress, which becomes the guest's fault; MillError for wrong use that must not go on
 */
// biome-ignore lint/suspicious/noConfusingVoidType: functions that return nothing are written without a return
export type HostFunction = (call: Call) => number | bigint | void;

/** Host functions by their names in asm/host.s. */
export type HostFunctions = Readonly<Record<string, HostFunction>>;
