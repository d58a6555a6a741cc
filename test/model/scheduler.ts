import type { Ending } from './script.js';
import type { Tally } from './tally.js';

/** What a body hands to the scheduler: a coroutine that is to run at once, or nothing when it suspends. */
export type Request = Coroutine | undefined;
export type Doing<Result> = Generator<Request, Result, undefined>;

export interface Coroutine {
  /** Of its body. */
  readonly number: number;
  /** In order of creation, as libmill counts. */
  readonly id: number;
  readonly body: Doing<number>;
  /** What it gets when it runs again. */
  result: number;
  /** Where a value handed over to it is kept until it runs again. */
  valbuf: number;
  /** What it waits in. */
  waitsIn: string;
}

interface Timer {
  readonly coroutine: Coroutine;
  readonly expiry: number;
  /** What is to be undone before the coroutine goes on. */
  readonly expired: () => void;
}

/** The end of a program by wrong use. */
export class ModelPanic extends Error {}

const SWITCHES_BEFORE_POLL = 103;
const NOWS_BEFORE_MOVE = 1000;

/** Who runs when: rules 1, 2 and 4, and of rule 5 what is about timers. */
export class Scheduler {
  readonly #tally: Tally;
  readonly #ready: Coroutine[] = [];
  readonly #alive = new Set<Coroutine>();
  #running: Coroutine | undefined;
  #timers: Timer[] = [];
  #time = 0;
  #switches = 0;
  #nows = 0;
  #created = 0;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  /** The coroutine that runs. */
  get self(): Coroutine {
    if (this.#running === undefined) throw new Error('nobody is running');
    return this.#running;
  }

  /** Runs main's body, and with it the program. */
  run(main: Doing<number>): Ending {
    const first = this.create(0, main);
    this.#running = first;
    try {
      while (true) {
        const running = this.self;
        const step = running.body.next();
        if (step.done !== true && step.value !== undefined) {
          this.#running = step.value;
          continue;
        }
        if (step.done === true) {
          if (running === first) {
            this.#tally.count('exits');
            return { kind: 'exit', status: step.value };
          }
          this.#alive.delete(running);
        }
        if (this.#switches >= SWITCHES_BEFORE_POLL) this.#poll();
        let next = this.#ready.shift();
        while (next === undefined) {
          if (!this.#wait()) {
            this.#tally.count('deadlocks');
            const waiting = [...this.#alive].map(({ id, waitsIn }) => `{${id}} ${waitsIn}`);
            return { kind: 'deadlock', waiting };
          }
          next = this.#ready.shift();
        }
        this.#switches++;
        this.#running = next;
      }
    } catch (error) {
      if (!(error instanceof ModelPanic)) throw error;
      this.#tally.count(`panic: ${error.message}`);
      return { kind: 'panic', text: error.message };
    }
  }

  /** A coroutine that has not begun yet. */
  create(number: number, body: Doing<number>): Coroutine {
    const id = this.#created++;
    const coroutine: Coroutine = { number, id, body, result: 0, valbuf: 0, waitsIn: '' };
    this.#alive.add(coroutine);
    return coroutine;
  }

  /** To the end of the ready queue. */
  resume(coroutine: Coroutine, result: number): void {
    coroutine.result = result;
    this.#ready.push(coroutine);
  }

  /** @param waitsIn what the running coroutine waits in, if it has not been resumed already */
  *suspend(waitsIn = ''): Doing<number> {
    const { self } = this;
    self.waitsIn = waitsIn;
    yield undefined;
    return self.result;
  }

  /** What now() returns. */
  now(): number {
    if (++this.#nows === NOWS_BEFORE_MOVE) {
      this.#nows = 0;
      this.#time++;
      this.#tally.count('moves of the clock by now()');
    }
    return this.#time;
  }

  /** The running coroutine is resumed with -1 at that time; never, if it is negative. */
  arm(expiry: number, expired: () => void = () => undefined): void {
    if (expiry < 0) return;
    const later = this.#timers.findIndex((timer) => timer.expiry > expiry);
    const timer: Timer = { coroutine: this.self, expiry, expired };
    this.#timers.splice(later < 0 ? this.#timers.length : later, 0, timer);
  }

  /** @returns whether the coroutine had a timer */
  disarm(coroutine: Coroutine): boolean {
    const before = this.#timers.length;
    this.#timers = this.#timers.filter((timer) => timer.coroutine !== coroutine);
    return this.#timers.length < before;
  }

  /** Somebody is ready, but others may have been due for long. */
  #poll(): void {
    this.#switches = 0;
    this.#nows = 0;
    this.#time++;
    this.#tally.count('polls without a wait');
    if (this.#fire()) this.#tally.count('polls that released somebody');
  }

  /** Nobody is ready: goes to the next deadline. @returns whether there is one */
  #wait(): boolean {
    const [first] = this.#timers;
    if (first === undefined) return false;
    this.#switches = 0;
    // The rules leave it open whether "without a poll" means these too; that they do suits what the rule is for.
    this.#nows = 0;
    if (first.expiry > this.#time) {
      this.#time = first.expiry;
      this.#tally.count('jumps of the clock');
    }
    this.#fire();
    return true;
  }

  /** @returns whether any timer was due */
  #fire(): boolean {
    const due = this.#timers.filter(({ expiry }) => expiry <= this.#time);
    this.#timers = this.#timers.slice(due.length);
    for (const [index, { coroutine, expiry, expired }] of due.entries()) {
      if (expiry === due[index + 1]?.expiry) this.#tally.count('timer ties');
      expired();
      this.resume(coroutine, -1);
    }
    return due.length > 0;
  }
}
