import type { Memory } from '../emu/memory.js';
import type { Symbols } from './symbols.js';

/** After so many calls of now() without a poll, virtual time moves on, so that a program that only asks gets there. */
const CALLS_PER_MS = 1000;

/** Where time comes from, in whole ms; it never goes back. */
export interface Clock {
  /** Whether time stands still while nothing waits, so that waiting is a jump. */
  readonly virtual: boolean;
  /** What now() returns. */
  now(): number;
  /** The same, not counted as a call. */
  time(): number;
  /** The scheduler has polled without waiting. */
  poll(): void;
  /** Everybody waits, until this time at least. */
  jump(time: number): void;
}

/**
 * Time that is part of the machine: it stands still while somebody can run, but for what keeps a busy program from
 * stopping it, and jumps to the next deadline when nobody can. It is in guest memory.
 */
export class VirtualClock implements Clock {
  readonly virtual = true;
  readonly #memory: Memory;
  readonly #time: number;
  readonly #calls: number;

  constructor(memory: Memory, symbols: Symbols) {
    this.#memory = memory;
    this.#time = symbols('mill_clock');
    this.#calls = symbols('mill_clock_calls');
  }

  now(): number {
    const calls = this.#memory.u32(this.#calls) + 1;
    if (calls === CALLS_PER_MS) this.poll();
    else this.#memory.setU32(this.#calls, calls);
    return this.time();
  }

  time(): number {
    return Number(this.#memory.u64(this.#time));
  }

  poll(): void {
    this.#set(this.time() + 1);
  }

  jump(time: number): void {
    this.#set(Math.max(time, this.time()));
  }

  #set(time: number): void {
    this.#memory.setU64(this.#time, BigInt(time));
    this.#memory.setU32(this.#calls, 0);
  }
}

/** The host's monotonic clock. A run on it is not repeatable. */
export class RealClock implements Clock {
  readonly virtual = false;

  now(): number {
    return Math.floor(performance.now());
  }

  time(): number {
    return this.now();
  }

  poll(): void {}

  jump(): void {}
}
