import type { Memory } from '../emu/memory.js';
import type { Symbols } from './symbols.js';

/** After so many calls of now() without a poll, virtual time moves on, so that a program that only asks gets there. */
const CALLS_PER_MS = 1000;

/** When the host's monotonic clock began, in ms since 1970. */
const ORIGIN = Math.floor(performance.timeOrigin);

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
  /** The calendar's time, in ms since 1970; it counts as a call of now(). */
  calendar(): number;
  /** Keeps what comes from outside, from now on, so that a run can be repeated. */
  record(): void;
  /** Whether what comes next has been kept. */
  readonly repeats: boolean;
  /** Opens a door: what is asked in it, the guest asks. */
  during(door: () => void): void;
  /** Memory will be made what it was, while time goes on. @returns what is to be called then */
  keep(): () => void;
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

  calendar(): number {
    return this.now();
  }

  record(): void {}

  get repeats(): boolean {
    return false;
  }

  during(door: () => void): void {
    door();
  }

  keep(): () => void {
    return () => {};
  }

  #set(time: number): void {
    this.#memory.setU64(this.#time, BigInt(time));
    this.#memory.setU32(this.#calls, 0);
  }
}

/**
 * The host's monotonic clock. What it says comes from outside of the machine, so that a run on it can be repeated only if
 * that is kept: from {@link record} on every answer to a door is, and how many there have been is in guest memory. A machine
 * that has gone back gets the same answers again. The rest is told what the guest was told last.
 */
export class RealClock implements Clock {
  readonly virtual = false;
  readonly #memory: Memory;
  /** Address of the number of answers. */
  readonly #count: number;
  #answers: number[] | undefined;
  #inDoor = false;

  constructor(memory: Memory, symbols: Symbols) {
    this.#memory = memory;
    this.#count = symbols('mill_clock_calls');
  }

  now(): number {
    const present = Math.floor(performance.now());
    const answers = this.#answers;
    if (answers === undefined) return present;
    const count = this.#memory.u32(this.#count);
    if (!this.#inDoor) return answers[count - 1] ?? 0;
    if (count === answers.length) answers.push(present);
    this.#memory.setU32(this.#count, count + 1);
    return answers[count];
  }

  time(): number {
    return this.now();
  }

  calendar(): number {
    return ORIGIN + this.now();
  }

  poll(): void {}

  jump(): void {}

  record(): void {
    this.#answers ??= [];
  }

  get repeats(): boolean {
    return this.#answers !== undefined && this.#memory.u32(this.#count) < this.#answers.length;
  }

  during(door: () => void): void {
    this.#inDoor = true;
    try {
      door();
    } finally {
      this.#inDoor = false;
    }
  }

  keep(): () => void {
    const count = this.#memory.u32(this.#count);
    return () => this.#memory.setU32(this.#count, count);
  }
}
