import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Image } from '../../asm/image.js';
import { openCpu } from '../../emu/open.js';
import type { Body } from '../../runtime/bodies.js';
import { libmill } from '../../runtime/libmill.js';
import {
  type Channel,
  call,
  chmake,
  choose,
  chr,
  chs,
  go,
  goprepare,
  msleep,
  now,
  print,
} from '../../runtime/operations.js';
import { type Outcome, Process } from '../../runtime/process.js';
import { loadFixture, promised } from '../fixture.js';
import { assemble, listen, run, withProcess } from './guest.js';

const EXIT_0 = { kind: 'exit', status: 0 };
const HOUR_MS = 3_600_000;
const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);

/** Runs what has its expectations inside, to the end and with no timer left. */
async function finish(main: Body): Promise<void> {
  await withProcess(main, (process) => {
    expect(process.run(50_000_000)).toEqual(EXIT_0);
    expect(process.mill.timers.count).toBe(0);
  });
}

describe('on the virtual clock', () => {
  it('programs that sleep for hours end at once', async () => {
    const started = performance.now();
    await finish(function* () {
      const start = yield* now();
      yield* go(function* () {
        yield* msleep(start + HOUR_MS);
        yield* msleep(start + 3 * HOUR_MS);
        expect(yield* now()).toBe(start + 3 * HOUR_MS);
      });
      yield* msleep(start + 2 * HOUR_MS);
      expect(yield* now()).toBe(start + 2 * HOUR_MS);
      yield* msleep(start + 4 * HOUR_MS);
      expect(yield* now()).toBe(start + 4 * HOUR_MS);
    });
    expect(performance.now() - started).toBeLessThan(HOUR_MS / 100);
  });

  it('time stands still while somebody is ready', async () => {
    await finish(function* () {
      const start = yield* now();
      const x = yield* chmake(8, 1);
      for (let i = 0; i < 40; i++) {
        yield* chs(x, i);
        yield* chr(x);
        expect(yield* now()).toBe(start);
      }
    });
  });

  // Without a poll, each 1,000th now() is 1 ms later: the first call is `start`, the 5,000th the last.
  it('a program that does nothing but ask for the time gets to its deadline', async () => {
    let calls = 1;
    await finish(function* () {
      const start = yield* now();
      while ((yield* now()) < start + 5) calls += 1;
      calls += 1;
    });
    expect(calls).toBe(5000);
  });

  // The first poll is at M's 104th yield, the others 104 behind each: 103 switches, then the suspend that polls.
  // That suspend's own switch is the first of the next 103, so the second poll is 103 yields behind the first.
  it('a program that does nothing but yield has time move on every 103 switches', async () => {
    const moved: number[] = [];
    await withProcess(
      function* () {
        for (let i = 0; i < 320; i++) yield;
      },
      (process) => {
        let switches = 0;
        let time = process.mill.clock.time();
        process.on('switched', () => {
          switches += 1;
          if (process.mill.clock.time() === time) return;
          moved.push(switches);
          time = process.mill.clock.time();
        });
        expect(process.run()).toEqual(EXIT_0);
      },
    );
    expect(moved).toEqual([104, 207, 310]);
  });

  it('1,000 timers set in any order fire by deadline, equal ones in the order set', async () => {
    const COUNT = 1000;
    // Numerical Recipes' generator: any order will do, as long as it is the same one each time. Starting
    // them takes 1,000 switches, which is 9 ms; then there are 200 deadlines for 1,000 timers.
    let state = 1;
    const delays = Array.from({ length: COUNT }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return 20 + ((state >>> 8) % 200);
    });
    const fired: number[] = [];
    const times: number[] = [];
    await finish(function* () {
      yield* goprepare(COUNT, 4096, 16);
      const start = yield* now();
      for (const [index, delay] of delays.entries()) {
        yield* go(function* () {
          // One in two by a choose without clauses.
          if (index % 2 === 0) yield* msleep(start + delay);
          else yield* choose({ deadline: start + delay });
          fired.push(index);
          times.push((yield* now()) - start);
        });
      }
      yield* msleep(start + 220);
    });
    const expected = delays.map((delay, index) => ({ delay, index }));
    expected.sort((a, b) => a.delay - b.delay || a.index - b.index);
    expect(fired).toEqual(expected.map(({ index }) => index));
    // What fires at one time is far less than the 103 switches behind which a poll would move time on.
    expect(times).toEqual(expected.map(({ delay }) => delay));
  });

  it('a choose that gets its value takes its timer away, among many others', async () => {
    const events: string[] = [];
    await finish(function* () {
      const start = yield* now();
      const channels: Channel[] = [];
      for (let i = 0; i < 30; i++) {
        const x = yield* chmake(8);
        channels.push(x);
        yield* go(function* () {
          const { index } = yield* choose({ in: x }, { deadline: start + 100 - i });
          events.push(`${i}:${index}@${(yield* now()) - start}`);
          // A timer that was left would wake it early.
          yield* msleep(start + 200);
          events.push(`${i}@${(yield* now()) - start}`);
        });
      }
      yield* msleep(start + 50);
      for (let i = 0; i < 30; i += 3) yield* chs(channels[i], i);
      yield* msleep(start + 300);
    });
    const [woken, timedOut, slept]: string[][] = [[], [], []];
    for (let i = 0; i < 30; i += 3) woken.push(`${i}:0@50`);
    // The later the deadline, the lower the number.
    for (let i = 29; i >= 0; i--) if (i % 3 !== 0) timedOut.push(`${i}:-1@${100 - i}`);
    // All sleep until 200, those first that began first.
    for (const event of [...woken, ...timedOut]) slept.push(`${event.split(':')[0]}@200`);
    expect(events).toEqual([...woken, ...timedOut, ...slept]);
  });

  // In libmill the late initialisation of the poller overwrites that deadline.
  it('a deadline does not fire early if it is the very first thing that main waits for', async () => {
    await finish(function* () {
      const x = yield* chmake(8);
      const start = yield* now();
      expect(yield* choose({ in: x }, { deadline: start + 80 })).toEqual({ index: -1, value: undefined });
      expect(yield* now()).toBe(start + 80);
    });
  });

  it('a deadline in the past comes at once, and time does not go back', async () => {
    await finish(function* () {
      const x = yield* chmake(8);
      const start = yield* now();
      for (const deadline of [0, 1, start - 1, start]) {
        yield* msleep(deadline);
        expect(yield* choose({ in: x }, { deadline })).toMatchObject({ index: -1 });
        expect(yield* now()).toBe(start);
      }
    });
  });

  it.each([-1n, INT64_MIN])('a deadline of %i never comes', async (deadline) => {
    let slept = false;
    await finish(function* () {
      const [x, y] = [yield* chmake(8), yield* chmake(8)];
      const start = yield* now();
      yield* go(function* () {
        yield* call('mill_msleep_', deadline, 0);
        slept = true;
      });
      yield* go(function* () {
        yield* msleep(start + HOUR_MS);
        yield* chs(x, 5);
      });
      expect(yield* choose({ in: y }, { in: x }, { deadline: Number(deadline) })).toEqual({ index: 1, value: 5n });
      expect(yield* now()).toBe(start + HOUR_MS);
    });
    expect(slept).toBe(false);
  });

  // The largest number that a deadline can be is what programs take for "never" that do not know of -1.
  it('a deadline of INT64_MAX does not come before anything else, and goes when its choose has a value', async () => {
    await finish(function* () {
      const x = yield* chmake(8);
      const start = yield* now();
      yield* go(function* () {
        for (let i = 1; i <= 3; i++) {
          yield* msleep(start + i);
          yield* chs(x, i);
        }
      });
      const clause = yield* call('malloc', 64);
      for (let i = 1; i <= 3; i++) {
        yield* call('mill_choose_init_', 0);
        yield* call('mill_choose_in_', clause, x.address, 8, 3);
        yield* call('mill_choose_deadline_', INT64_MAX);
        expect(yield* call('mill_choose_wait_')).toBe(3n);
      }
      yield* msleep(start + 10);
      expect(yield* now()).toBe(start + 10);
    });
  });
});

/** A process on the real clock, for `use` alone. */
async function withRealClock<Result>(
  program: Image | Body,
  use: (process: Process) => Result | Promise<Result>,
): Promise<Result> {
  const cpu = openCpu({ memory: 64 << 20 });
  try {
    return await use(new Process(cpu, libmill(), program, ['guest'], { clock: 'real' }));
  } finally {
    cpu.close();
  }
}

/** Runs to the end, and asks again and again whether the process still waits: it is to know by itself when not to. */
async function wait(process: Process): Promise<Outcome> {
  for (;;) {
    const outcome = process.run(10_000_000);
    if (outcome.kind !== 'waiting') return outcome;
    await setTimeout(1);
  }
}

/** Sleeps 60 ms in another coroutine and 30 ms in main, and prints behind each. */
/** Long enough to look around before the first one wakes, on a machine that has other things to do. */
const SLEEP_MS = 300;

const sleepers: Body = function* () {
  const start = yield* now();
  yield* go(function* () {
    yield* msleep(start + 2 * SLEEP_MS);
    yield* print('b');
  });
  yield* msleep(start + SLEEP_MS);
  yield* print('a');
  yield* msleep(start + 3 * SLEEP_MS);
  yield* print('c');
};

describe('on the real clock', () => {
  it('sleeping takes its time', async () => {
    await withRealClock(sleepers, async (process) => {
      const written = listen(process);
      const started = performance.now();
      expect(await wait(process)).toEqual(EXIT_0);
      // now() is in whole ms, rounded down.
      expect(performance.now() - started).toBeGreaterThanOrEqual(3 * SLEEP_MS - 1);
      expect(written.join('')).toBe('abc');
    });
  });

  it('a deadline does not fire early if it is the very first thing that main waits for', async () => {
    const main: Body = function* () {
      const x = yield* chmake(8);
      const start = yield* now();
      expect(yield* choose({ in: x }, { deadline: start + 40 })).toMatchObject({ index: -1 });
      expect((yield* now()) - start).toBeGreaterThanOrEqual(40);
    };
    expect(await withRealClock(main, wait)).toEqual(EXIT_0);
  });

  it('a coroutine that ends while the others sleep leaves the wait to nobody', async () => {
    const main: Body = function* () {
      const x = yield* chmake(8);
      const start = yield* now();
      yield* go(function* () {
        yield* msleep(start + 20);
        yield* print('x');
      });
      yield* go(function* () {
        yield* msleep(start + 40);
        yield* chs(x, 1);
      });
      yield* chr(x);
    };
    await withRealClock(main, async (process) => {
      const written = listen(process);
      expect(await wait(process)).toEqual(EXIT_0);
      expect(written.join('')).toBe('x');
    });
  });

  it.each(['timeouts.s', 'msleep-sort.s'])('%s prints the same as on the virtual one', async (name) => {
    await withRealClock(await loadFixture(name), async (process) => {
      const written = listen(process);
      expect(await wait(process)).toEqual(EXIT_0);
      expect(written.join('')).toBe(promised(name).output);
    });
  });

  it('who runs it too early is told to wait on, and nothing has changed', async () => {
    await withRealClock(sleepers, async (process) => {
      const written = listen(process);
      const first = process.run();
      expect(first).toMatchObject({ kind: 'waiting' });
      const { moment } = process.cpu;
      const registers = process.cpu.readAll();
      for (let i = 0; i < 5; i++) {
        expect(process.run()).toEqual(first);
        expect(process.cpu.moment).toBe(moment);
        expect(process.cpu.readAll()).toEqual(registers);
      }
      expect(written).toEqual([]);
      expect(await wait(process)).toEqual(EXIT_0);
      expect(written.join('')).toBe('abc');
    });
  });

  it('single steps stop at the wait, and go on behind it', async () => {
    await withRealClock(sleepers, async (process) => {
      const written = listen(process);
      let outcome = process.step(100_000);
      expect(outcome).toMatchObject({ kind: 'waiting' });
      while (outcome.kind === 'waiting') {
        await setTimeout(5);
        outcome = process.step(100_000);
      }
      expect(outcome).toEqual(EXIT_0);
      expect(written.join('')).toBe('abc');
    });
  });

  it('what is saved while it waits goes on in another machine, and in its own once it has ended', async () => {
    await withRealClock(sleepers, async (process) => {
      const written = listen(process);
      process.run();
      const saved = process.save();
      await withRealClock(sleepers, async (fresh) => {
        const more = listen(fresh);
        fresh.restore(saved);
        expect(await wait(fresh)).toEqual(EXIT_0);
        expect(more.join('')).toBe('abc');
      });
      expect(await wait(process)).toEqual(EXIT_0);
      // All deadlines are over now, so nobody waits again.
      process.restore(saved);
      expect(process.run()).toEqual(EXIT_0);
      expect(written.join('')).toBe('abcabc');
    });
  });

  it('going back behind an interrupted wait starts it anew', async () => {
    const image = await assemble(`
main:   push %rbx
        call mill_now_
        lea 20(%rax), %rdi
        xor %esi, %esi
        call mill_msleep_
        mov $'x', %edi
        call putchar
        xor %eax, %eax
        pop %rbx
        ret`);
    await withRealClock(image, async (process) => {
      const written = listen(process);
      const begin = process.save();
      expect(process.run()).toMatchObject({ kind: 'waiting' });
      process.restore(begin);
      expect(process.cpu.moment).toBe(0);
      expect(process.run()).toMatchObject({ kind: 'waiting' });
      expect(await wait(process)).toEqual(EXIT_0);
      expect(written.join('')).toBe('x');
    });
  });
});

describe('a snapshot', () => {
  async function expectSameFromEverywhere(program: Image | Body, every: number): Promise<void> {
    const whole = await run(program);
    expect(whole.outcome).toEqual(EXIT_0);
    let armed = 0;
    await withProcess(program, async (process) => {
      const written = listen(process);
      for (let moment = every; process.run(moment).kind === 'limit'; moment += every) {
        const saved = process.save();
        const before = written.join('');
        if (process.mill.timers.count > 0) armed += 1;
        await withProcess(program, (fresh) => {
          const after = listen(fresh);
          fresh.restore(saved);
          expect(fresh.run()).toEqual(EXIT_0);
          expect({ output: before + after.join(''), moment: fresh.cpu.moment }).toEqual({
            output: whole.output,
            moment: whole.moment,
          });
        });
      }
      expect(written.join('')).toBe(whole.output);
    });
    expect(armed).toBeGreaterThan(0);
  }

  it.each([
    ['timeouts.s', 61],
    ['msleep-sort.s', 97],
  ])('of %s at any moment goes on in a fresh machine as if nothing had happened', async (name, every) => {
    await expectSameFromEverywhere(await loadFixture(name), every);
  });

  it('in the middle of chooses with deadlines does so too, with bodies in TypeScript', async () => {
    const main: Body = function* () {
      const start = yield* now();
      const [x, y] = [yield* chmake(8), yield* chmake(8, 1)];
      for (const delay of [7, 3, 5]) {
        yield* go(function* () {
          for (let i = 0; i < 3; i++) {
            const { index, value } = yield* choose({ in: x }, { in: y }, { deadline: start + delay + 10 * i });
            yield* print(`${delay}:${index}=${value}@${(yield* now()) - start}\n`);
          }
        });
      }
      for (let i = 0; i < 5; i++) {
        yield* msleep(start + 4 * i);
        const { index } = yield* choose({ out: x, value: i }, { out: y, value: 10 + i }, { otherwise: true });
        yield* print(`M:${index}\n`);
      }
      yield* msleep(start + 100);
    };
    await expectSameFromEverywhere(main, 397);
  });
});
