import { describe, expect, test } from 'vitest';
import type { Image } from '../../asm/image.js';
import { GENERAL_INDEX } from '../../emu/registers.js';
import { loadProgram } from '../../inspect/program.js';
import { Session } from '../../inspect/session.js';
import { recordSwitches, type SwitchRecord } from '../../inspect/switches.js';
import type { Body } from '../../runtime/bodies.js';
import { MILL_CR, offsets } from '../../runtime/layout.js';
import type { Process } from '../../runtime/process.js';
import { file } from './command.js';
import { programNamed, withProcess } from './every-program.js';

const RSP = GENERAL_INDEX.rsp;
const RBX = GENERAL_INDEX.rbx;
/** Of coroutine 1's r12: the third of ten slots. */
const R12_SLOT = 16;

/** One moment of a run, as single steps find it. */
interface Step {
  readonly rip: number;
  readonly rsp: number;
  readonly rbx: bigint;
  /** Address of the running mill_cr. */
  readonly running: number;
  /** What the word that is watched holds. */
  readonly watched: bigint;
}

interface Trace {
  readonly steps: readonly Step[];
  readonly switches: readonly SwitchRecord[];
  readonly operations: readonly { readonly moment: number; readonly channel: number }[];
}

/** Every moment of a run, from its start to its end, by single steps alone. */
function traceOf(process: Process, watched: number): Trace {
  const { cpu, mill } = process;
  const start = process.save();
  const steps: Step[] = [];
  const note = (): void => {
    const registers = new BigUint64Array(18);
    cpu.readInto(registers);
    const mapped = cpu.memory.protectionAt(watched) !== undefined;
    steps[cpu.moment] = {
      rip: cpu.rip,
      rsp: Number(registers[RSP]),
      rbx: registers[RBX],
      running: mill.coroutines.running,
      watched: mapped ? cpu.memory.u64(watched) : 0n,
    };
  };
  const switches: SwitchRecord[] = [];
  const operations: { moment: number; channel: number }[] = [];
  const ends = [
    recordSwitches(process, (record) => switches.push(record)),
    process.on('channel', ({ channel }) => {
      operations.push({ moment: cpu.moment, channel: mill.channelCensus.id(channel) });
    }),
  ];
  note();
  while (process.step(1).kind === 'limit') note();
  note();
  for (const end of ends) end();
  process.restore(start);
  return { steps, switches, operations };
}

/** Moments spread over a run, the same each time. */
function* moments(length: number, count: number): Generator<number> {
  let state = 12345;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    yield state % length;
  }
}

const byteAt = ({ cpu }: Process, address: number): number => cpu.memory.u8(address);
const isRet = (process: Process, rip: number): boolean => byteAt(process, rip) === 0xc3;
/** Where the call at an address returns to: of the calls in these programs, those by a distance and by a register. */
function returnOf(process: Process, rip: number): number | undefined {
  if (byteAt(process, rip) === 0xe8) return rip + 5;
  const at = byteAt(process, rip) === 0x41 ? rip + 1 : rip;
  return byteAt(process, at) === 0xff && (byteAt(process, at + 1) & 0xf8) === 0xd0 ? at + 2 : undefined;
}

/** The first (or, of those before `from`, the last) moment that fits. */
function first(steps: readonly Step[], from: number, fits: (moment: number) => boolean): number {
  for (let moment = from + 1; moment < steps.length; moment++) if (fits(moment)) return moment;
  return steps.length - 1;
}
function last(from: number, fits: (moment: number) => boolean): number {
  for (let moment = from - 1; moment >= 0; moment--) if (fits(moment)) return moment;
  return 0;
}

const PROGRAMS = ['pipeline.s', 'ping-pong.s', 'deep-recursion.c', 'prime-sieve.c', 'timeouts.s'];

/** Where the first coroutine of a program keeps r12; the process is at its start again then. */
function watchedIn(process: Process): number {
  const start = process.save();
  let first = 0;
  const end = process.on('switched', ({ kind }) => {
    if (kind === 'start' && first === 0) first = process.mill.coroutines.running;
  });
  process.run();
  end();
  process.restore(start);
  return first + offsets(MILL_CR).ctx + R12_SLOT;
}

/** One of each program, whose runs are all the same. */
const traces = new Map<string, Trace>();

async function withSession(name: string, use: (session: Session, trace: Trace) => Promise<void>): Promise<void> {
  const [, load, argv] = programNamed(name);
  const program: Image | Body = await load();
  await withProcess(program, argv, async (process) => {
    const trace = traces.get(name) ?? traceOf(process, watchedIn(process));
    traces.set(name, trace);
    await use(new Session(process, { interval: 700 }), trace);
  });
}

describe.each(PROGRAMS)('a session of %s', (name) => {
  test('steps over and out, forwards and backwards, as its single steps say', async () => {
    await withSession(name, async (session, { steps }) => {
      const { process } = session;
      const same = (one: number, other: number): boolean => steps[one].running === steps[other].running;
      let calls = 0;
      for (const at of moments(steps.length - 1, 150)) {
        const { rip, rsp } = steps[at];
        await session.go(at);
        await session.stepOver();
        const returns = returnOf(process, rip);
        calls += returns === undefined ? 0 : 1;
        const over =
          returns === undefined
            ? at + 1
            : first(steps, at, (one) => steps[one].rip === returns && steps[one].rsp === rsp && same(one, at));
        expect(session.moment, `over, from ${at}`).toBe(over);

        await session.go(at);
        await session.stepOut();
        const isReturned = (one: number): boolean =>
          same(one, at) && steps[one].rsp > rsp && isRet(process, steps[one - 1].rip) && same(one - 1, at);
        expect(session.moment, `out, from ${at}`).toBe(first(steps, at, isReturned));

        await session.go(at);
        await session.stepOutBack();
        const isOwnCall = (one: number): boolean =>
          same(one, at) && returnOf(process, steps[one].rip) !== undefined && steps[one].rsp - 8 >= rsp;
        expect(session.moment, `back out, from ${at}`).toBe(last(at, isOwnCall));

        if (at === 0) continue;
        await session.go(at);
        await session.stepOverBack();
        const isItsCall = (one: number): boolean =>
          same(one, at) && returnOf(process, steps[one].rip) === rip && steps[one].rsp === rsp;
        const back = isRet(process, steps[at - 1].rip) ? last(at, isItsCall) : at - 1;
        expect(session.moment, `back over, from ${at}`).toBe(back);
      }
      expect(calls).toBeGreaterThan(0);
    });
  });

  test('finds switches, operations on channels, and places, forwards and backwards', async () => {
    await withSession(name, async (session, { steps, switches, operations }) => {
      const end = steps.length - 1;
      const place = name.endsWith('.s') ? 'mill_suspend' : 'main';
      const address = Number(session.process.symbol(place));
      for (const at of moments(end, 60)) {
        for (const coroutine of [undefined, 1]) {
          const concerned = switches
            .filter(({ from, to }) => coroutine === undefined || from === coroutine || to === coroutine)
            .map((record) => record.at);
          await session.go(at);
          const next = concerned.find((moment) => moment > at);
          expect([await session.nextSwitch(coroutine), session.moment], `next switch from ${at}`).toEqual(
            next === undefined ? [false, end] : [true, next],
          );
          await session.go(at);
          const previous = concerned.findLast((moment) => moment < at);
          expect([await session.previousSwitch(coroutine), session.moment], `previous from ${at}`).toEqual(
            previous === undefined ? [false, 0] : [true, previous],
          );
        }
        const ofChannel = operations.filter(({ channel }) => channel === 1).map(({ moment }) => moment);
        await session.go(at);
        await session.nextOperation(1);
        expect(session.moment).toBe(ofChannel.find((moment) => moment > at) ?? end);
        await session.go(at);
        await session.previousOperation(1);
        expect(session.moment).toBe(ofChannel.findLast((moment) => moment < at) ?? 0);

        await session.go(at);
        await session.to(place);
        expect(session.moment, `${place} from ${at}`).toBe(first(steps, at, (one) => steps[one].rip === address));
        await session.go(at);
        await session.backTo(place);
        expect(session.moment, `back to ${place} from ${at}`).toBe(last(at, (one) => steps[one].rip === address));
      }
    });
  });

  test('stops where memory or a register changes, forwards and backwards', async () => {
    await withSession(name, async (session, { steps, switches }) => {
      const changed = (one: number, key: 'watched' | 'rbx'): boolean =>
        one > 0 && steps[one][key] !== steps[one - 1][key];
      await session.go(switches[0].at);
      const slot = session.watch({ kind: 'slot', coroutine: 1, slot: 'r12' });
      for (const at of moments(steps.length - 1, 25)) {
        await session.go(at);
        await session.run();
        expect(session.moment, `memory, from ${at}`).toBe(first(steps, at, (one) => changed(one, 'watched')));
        await session.go(at);
        await session.runBack();
        expect(session.moment, `memory, back from ${at}`).toBe(last(at, (one) => changed(one, 'watched')));
      }
      session.unwatch(slot.number);
      session.watch({ kind: 'register', register: 'rbx' });
      for (const at of moments(steps.length - 1, 25)) {
        await session.go(at);
        await session.run();
        expect(session.moment, `rbx, from ${at}`).toBe(first(steps, at, (one) => changed(one, 'rbx')));
        await session.go(at);
        await session.runBack();
        expect(session.moment, `rbx, back from ${at}`).toBe(last(at, (one) => changed(one, 'rbx')));
      }
    });
  });
});

describe('breakpoints and watchpoints together', () => {
  test.each(['three-workers.s', 'every-slot.s'])(
    'stop at what comes first, forwards and backwards: %s',
    async (name) => {
      await withSession(name, async (session, { steps, switches }) => {
        const place = 'mill_suspend';
        const address = Number(session.process.symbol(place));
        const fits = (one: number): boolean =>
          steps[one].rip === address || (one > 0 && steps[one].watched !== steps[one - 1].watched);
        const [changes, passes] = [0, 0].map(() => new Set<number>());
        await session.go(switches[0].at);
        session.watch({ kind: 'slot', coroutine: 1, slot: 'r12' });
        session.watch({ kind: 'place', place });
        for (const at of moments(steps.length - 1, 40)) {
          for (const move of ['run', 'runBack'] as const) {
            await session.go(at);
            await session[move]();
            const expected = move === 'run' ? first(steps, at, fits) : last(at, fits);
            expect(session.moment, `${move} from ${at}`).toBe(expected);
            if (fits(expected)) (steps[expected].rip === address ? passes : changes).add(expected);
          }
        }
        expect(Math.min(changes.size, passes.size)).toBeGreaterThan(0);
      });
    },
  );

  test('a step over a call stops at what it changes', async () => {
    await withSession('three-workers.s', async (session, { steps, switches }) => {
      const { process } = session;
      await session.go(switches[0].at);
      const isChanged = (one: number): boolean => one > 0 && steps[one].watched !== steps[one - 1].watched;
      session.watch({ kind: 'slot', coroutine: 1, slot: 'r12' });
      let stopped = 0;
      for (const at of steps.keys()) {
        const returns = returnOf(process, steps[at].rip);
        if (returns === undefined) continue;
        const returned = (one: number): boolean =>
          steps[one].rip === returns && steps[one].rsp === steps[at].rsp && steps[one].running === steps[at].running;
        const expected = first(steps, at, (one) => returned(one) || isChanged(one));
        if (isChanged(expected)) stopped++;
        await session.go(at);
        await session.stepOver();
        expect(session.moment, `over, from ${at}`).toBe(expected);
      }
      expect(stopped).toBeGreaterThan(0);
    });
  });
});

test('writes are found even if they change nothing, forwards and backwards', async () => {
  const path = file(
    'writes.s',
    `.text
.globl main
main: mov $300, %ecx
 lea cell(%rip), %rdi
again: movq $1, (%rdi)
 movq $1, (%rdi)
 movb $1, 8(%rdi)
 incl 3(%rdi)
 mov (%rdi), %rax
 dec %ecx
 jnz again
 xor %eax, %eax
 ret
.data
.quad 0
cell: .quad 0, 0
`,
  );
  await withProcess(await loadProgram([path]), [], async (process) => {
    const session = new Session(process, { interval: 100 });
    await session.to('again');
    const again = session.moment;
    const cell = Number(process.symbol('cell'));
    // Of the seven instructions of the loop the first, the second and the fourth write into it.
    const writes = Array.from({ length: 300 }, (_, round) => [1, 2, 4].map((at) => again + round * 7 + at)).flat();
    for (const moment of writes.slice(0, 60)) {
      expect(await session.nextWrite(cell, 8)).toBe(true);
      expect(session.moment).toBe(moment);
    }
    for (const moment of writes.slice(0, 59).reverse()) {
      expect(await session.previousWrite(cell, 8)).toBe(true);
      expect(session.moment).toBe(moment);
    }
    expect([await session.previousWrite(cell, 8), session.moment]).toEqual([false, 0]);
    await session.go(Number.POSITIVE_INFINITY);
    expect([await session.previousWrite(cell + 7, 1), session.moment]).toEqual([true, writes[898]]);
    // What the runtime does in a door's place: who runs.
    const running = Number(process.symbol('mill_running'));
    await session.go(0);
    expect(await session.nextWrite(running, 8)).toBe(false);
  });
});

describe('what a session is asked that cannot be', () => {
  test.each([
    [{ kind: 'place', place: 'mian' }, /mian.*main/s],
    [{ kind: 'place', place: 'main-4' }, /main-4 is no place in a program/],
    [{ kind: 'place', place: 'prime-siev.c:12' }, /no code from a file prime-siev\.c: did you mean .*prime-sieve\.c/],
    [{ kind: 'place', place: 'prime-sieve.c:99999' }, /line 99999 of prime-sieve\.c has no code/],
    [{ kind: 'memory', address: 8, size: 8 }, /0x8 cannot be watched: nothing is mapped there at moment 0/],
    [{ kind: 'slot', coroutine: 7, slot: 'r12' }, /there is no coroutine 7 at moment 0: there are 0$/],
  ] as const)('%o', async (watched, message) => {
    const [, load, argv] = programNamed('prime-sieve.c');
    await withProcess(await load(), argv, async (process) => {
      const session = new Session(process);
      expect(() => session.watch(watched)).toThrow(message);
      expect(session.watchpoints).toEqual([]);
    });
  });

  test('a breakpoint that is not there', async () => {
    const [, load, argv] = programNamed('prime-sieve.c');
    await withProcess(await load(), argv, async (process) => {
      const session = new Session(process);
      session.watch({ kind: 'place', place: 'main' });
      expect(() => session.unwatch(3)).toThrow('there is no breakpoint 3: there are 1');
    });
  });
});

test("a slot of a coroutine is watched as long as it is that one's: another one gets its memory later", async () => {
  const worker = (name: string, value: number): string => `
${name}: push %rbx
 mov $${value}, %ebx
 xor %edi, %edi
 call mill_yield_
 pop %rbx
 ret`;
  const rounds = ' xor %edi, %edi\n call mill_yield_\n'.repeat(2);
  const path = file(
    'one-memory.s',
    `.include "libmill.inc"
.globl main
main: push %rbx
 go first
${rounds} go second
${rounds} pop %rbx
 xor %eax, %eax
 ret${worker('first', 0x11)}${worker('second', 0x22)}
`,
  );
  await withProcess(await loadProgram([path]), ['program'], async (process) => {
    const session = new Session(process);
    const { census } = process.mill;
    const addresses = new Map<number, number>();
    const rbx = (id: number): bigint => process.cpu.memory.u64((addresses.get(id) ?? 0) + offsets(MILL_CR).ctx);
    for (const id of [1, 2]) {
      await session.nextSwitch(id);
      addresses.set(id, process.coroutines().find((cr) => census.id(cr) === id) ?? 0);
      session.watch({ kind: 'slot', coroutine: id, slot: 'rbx' });
    }
    expect(addresses.get(1)).toBe(addresses.get(2));
    session.unwatch(2);
    await session.go(0);
    expect([await session.run(), rbx(1)]).toEqual([true, 0x11n]);
    const { moment } = session;
    expect([await session.run(), rbx(1), session.outcome?.kind]).toEqual([false, 0x22n, 'exit']);
    expect([await session.runBack(), session.moment]).toEqual([true, moment]);
  });
});

test('breakpoints at a line stop at each pass over it', async () => {
  const [, load, argv] = programNamed('prime-sieve.c');
  await withProcess(await load(), argv, async (process) => {
    const session = new Session(process);
    session.watch({ kind: 'place', place: 'main' });
    expect([await session.run(), process.describe(BigInt(process.cpu.rip))]).toEqual([
      true,
      expect.stringMatching(/^main \(/),
    ]);
    expect([await session.run(), session.outcome?.kind]).toEqual([false, 'exit']);
    expect([await session.runBack(), process.describe(BigInt(process.cpu.rip))]).toEqual([
      true,
      expect.stringMatching(/^main \(/),
    ]);
    expect([await session.runBack(), session.moment]).toEqual([false, 0]);
  });
});
