/** sleep, usleep, nanosleep, clock_nanosleep. fixtures/c/sleeping.c has them together with coroutines. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openCpu } from '../../../emu/open.js';
import { libmill } from '../../../runtime/libmill.js';
import { Process } from '../../../runtime/process.js';
import { assemble } from '../guest.js';
import { type Caller, withCaller } from './calling.js';

const EINVAL = 22;
const EOPNOTSUPP = 95;
const TIMER_ABSTIME = 1;
const BILLION = 1_000_000_000n;

function timespec(caller: Caller, seconds: bigint, ns: bigint): number {
  const at = caller.room(16);
  caller.memory.setU64(at, seconds);
  caller.memory.setU64(at + 8, ns);
  return at;
}

/** By how many ms virtual time has moved on. */
function elapsed(caller: Caller, call: () => number, result = 0): number {
  const before = caller.process.mill.clock.time();
  expect(call()).toBe(result);
  return caller.process.mill.clock.time() - before;
}

describe('on the virtual clock', () => {
  test('time moves on by what was asked for, in whole ms, never by less', () => {
    withCaller((caller) => {
      expect(elapsed(caller, () => caller.int('sleep', 2))).toBe(2000);
      expect(elapsed(caller, () => caller.int('sleep', 0xffffffff))).toBe(4294967295000);
      expect(elapsed(caller, () => caller.int('usleep', 1500))).toBe(2);
      expect(elapsed(caller, () => caller.int('usleep', 4_000_000_000))).toBe(4_000_000);
      for (const [seconds, ns, ms] of [
        [0n, 0n, 0],
        [0n, 1n, 1],
        [0n, 1_000_000n, 1],
        [0n, 1_000_001n, 2],
        [3n, 999_999_999n, 4000],
      ] as const) {
        expect(elapsed(caller, () => caller.int('nanosleep', timespec(caller, seconds, ns), 0))).toBe(ms);
        expect(elapsed(caller, () => caller.int('clock_nanosleep', 1, 0, timespec(caller, seconds, ns), 0))).toBe(ms);
      }
    });
  });

  test('until a time of the clock, or not at all if that is over', () => {
    withCaller((caller) => {
      for (const [ahead, ms] of [
        [250_000_001n, 251],
        [1n, 1],
        [0n, 0],
        [-BILLION, 0],
      ] as const) {
        for (const clock of [0, 1, 7, 11]) {
          const now = caller.room(16);
          caller.call('clock_gettime', clock, now);
          const time = caller.memory.u64(now) * BILLION + caller.memory.u64(now + 8) + ahead;
          const until = timespec(caller, time / BILLION, time % BILLION);
          expect(elapsed(caller, () => caller.int('clock_nanosleep', clock, TIMER_ABSTIME, until, 0))).toBe(ms);
        }
      }
    });
  });

  test('longer than numbers are exact is as long as they are', () => {
    withCaller((caller) => {
      caller.call('nanosleep', timespec(caller, 2n ** 63n - 1n, 999_999_999n), 0);
      expect(caller.process.mill.clock.time()).toBe(Number.MAX_SAFE_INTEGER);
    });
  });

  test('what Linux refuses', () => {
    withCaller((caller) => {
      // What clock_nanosleep returned on Linux 6 with glibc 2.36; clock 2 is the processor's, which a sleeper has not.
      const refused = {
        [-1]: EINVAL,
        2: EOPNOTSUPP,
        3: EINVAL,
        4: EOPNOTSUPP,
        5: EOPNOTSUPP,
        6: EOPNOTSUPP,
        12: EINVAL,
      };
      for (const [clock, error] of Object.entries(refused)) {
        const sleep = (): number => caller.int('clock_nanosleep', Number(clock), 0, timespec(caller, 1n, 0n), 0);
        expect(elapsed(caller, sleep, error), `clock ${clock}`).toBe(0);
      }
      for (const [seconds, ns] of [
        [0n, BILLION],
        [0n, -1n],
        [-1n, 0n],
      ] as const) {
        const bad = timespec(caller, BigInt.asUintN(64, seconds), BigInt.asUintN(64, ns));
        expect(elapsed(caller, () => caller.int('clock_nanosleep', 0, TIMER_ABSTIME, bad, 0), EINVAL)).toBe(0);
        expect(elapsed(caller, () => caller.int('nanosleep', bad, 0), -1)).toBe(0);
        expect(caller.errno).toBe(EINVAL);
      }
    });
  });
});

describe('on the real clock', () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  test('the run comes back until the time has come, and goes on then', async () => {
    const time = vi.spyOn(performance, 'now').mockReturnValue(5000.9);
    const program = await assemble(`
main:   push    %rbx
        mov     $30000, %edi
        call    usleep
        mov     %eax, %ebx
        mov     $1, %edi
        call    sleep
        lea     40(%rax,%rbx), %eax
        pop     %rbx
        ret`);
    const cpu = openCpu({ memory: 64 << 20 });
    try {
      const process = new Process(cpu, libmill(), program, ['guest'], { clock: 'real' });
      expect(process.run()).toEqual({ kind: 'waiting', until: 5030 });
      expect(process.run(), 'asked too early').toEqual({ kind: 'waiting', until: 5030 });
      const saved = process.save();
      time.mockReturnValue(5030);
      expect(process.run()).toEqual({ kind: 'waiting', until: 6030 });
      time.mockReturnValue(7000);
      expect(process.run()).toEqual({ kind: 'exit', status: 40 });
      process.restore(saved);
      expect(process.run(), 'the deadline is in the registers').toEqual({ kind: 'waiting', until: 8000 });
    } finally {
      cpu.close();
    }
  });
});

test('one process, one thread, no parent of the first process', () => {
  withCaller((caller) => {
    expect(['getpid', 'gettid', 'getppid', 'sched_yield'].map((name) => caller.int(name))).toEqual([1, 1, 0, 0]);
    caller.memory.setU32(Number(caller.process.symbol('__process_id')), 7);
    expect(['getpid', 'gettid'].map((name) => caller.int(name))).toEqual([7, 7]);
  });
});
