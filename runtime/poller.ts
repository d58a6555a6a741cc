import type { Clock } from './clock.js';
import type { Timers } from './timer.js';

/** What came of a wait: somebody was woken, nobody will be before `until`, or nobody ever can be. */
export type Waited = 'woken' | 'too early' | 'nobody';

/** libmill's poller.c, as far as it is about time: the moments at which coroutines that wait may become ready. */
export class Poller {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #fire: (timer: number, callback: number) => void;

  /** @param fire makes the coroutine ready whose timer that is; the timer is no longer armed then */
  constructor(clock: Clock, timers: Timers, fire: (timer: number, callback: number) => void) {
    this.#clock = clock;
    this.#timers = timers;
    this.#fire = fire;
  }

  /** mill_wait(0): wakes whose time has come. */
  poll(): void {
    this.#clock.poll();
    this.#fireExpired();
  }

  /** The earliest deadline in ms, or undefined if nobody waits for one. */
  get until(): number | undefined {
    return this.#timers.next;
  }

  /** mill_wait(1), without the waiting: on the virtual clock that is a jump, on the real one it is the caller's. */
  wait(): Waited {
    const next = this.#timers.next;
    if (next === undefined) return 'nobody';
    this.#clock.jump(next);
    return this.#fireExpired() ? 'woken' : 'too early';
  }

  #fireExpired(): boolean {
    let fired = false;
    const now = this.#clock.time();
    for (let one = this.#timers.expire(now); one !== undefined; one = this.#timers.expire(now)) {
      this.#fire(one.timer, one.callback);
      fired = true;
    }
    return fired;
  }
}
