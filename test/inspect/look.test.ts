import { describe, expect, it } from 'vitest';
import { Session } from '../../inspect/session.js';
import { framesOf, registersOf, survey } from '../../inspect/survey.js';
import { goredump } from '../../runtime/goredump.js';
import { expectComplaint, millscope } from './command.js';
import { programNamed, withProcess } from './every-program.js';

const PIPELINE = 'fixtures/programs/pipeline.s';

async function withSession(name: string, use: (session: Session) => Promise<void>): Promise<void> {
  const [, load, argv] = programNamed(name);
  await withProcess(await load(), argv, (process) => use(new Session(process)));
}

describe('what libmill knows at a moment', () => {
  it('says of each coroutine and channel what goredump says', async () => {
    await withSession('pipeline.s', async (session) => {
      const { process } = session;
      await session.go(Number.POSITIVE_INFINITY);
      for (let moment = 0; moment < session.history.furthest; moment += 37) {
        await session.go(moment);
        const { coroutines, channels } = survey(process);
        const dump = goredump(process.cpu.memory, process.mill);
        const states = [...dump.matchAll(/^\{(\d+)\} +(\S+)/gm)].map(([, id, state]) => [Number(id), state]);
        expect(coroutines.map(({ id, state }) => [id, state])).toEqual(states);
        const rows = [...dump.matchAll(/^<(\d+)> +(\d+)\/(\d+) +(?:([sr]):\{(\d+)\})?/gm)];
        expect(
          channels.map(({ id, items, capacity, senders, receivers }) => [id, items, capacity, senders, receivers]),
        ).toEqual(
          rows.map(([, id, items, capacity, end, who]) => [
            ...[id, items, capacity].map(Number),
            end === 's' ? [Number(who)] : [],
            end === 'r' ? [Number(who)] : [],
          ]),
        );
      }
    });
  });

  it('has the ready queue in its order, and the timers in theirs', async () => {
    await withSession('timeouts.s', async (session) => {
      const { process } = session;
      const { memory } = process.cpu;
      let [timed, queued] = [0, 0];
      await session.go(Number.POSITIVE_INFINITY);
      for (let moment = 0; moment < session.history.furthest; moment += 11) {
        await session.go(moment);
        const { ready, timers, coroutines } = survey(process);
        // By hand, from libmill's structures: mill_ready is a list of items, `ready` is at 8 in a mill_cr.
        const expected: number[] = [];
        const address = (id: number) => coroutines.find((one) => one.id === id)?.address;
        const READY_ITEM = 8;
        for (let item = memory.pointer(Number(process.symbol('mill_ready'))); item !== 0; item = memory.pointer(item)) {
          expected.push(item - READY_ITEM);
        }
        expect(ready.map(address)).toEqual(expected);
        const deadlines = timers.map(({ deadline }) => deadline);
        expect(deadlines).toEqual([...deadlines].sort((a, b) => a - b));
        timed += timers.length;
        queued += ready.length;
      }
      expect(timed).toBeGreaterThan(5);
      expect(queued).toBeGreaterThan(5);
    });
  });

  it('has the registers of a parked coroutine as its ctx holds them, and of the running one all', async () => {
    await withSession('pipeline.s', async (session) => {
      const { process } = session;
      await session.nextSwitch(1);
      await session.nextSwitch();
      const { coroutines } = survey(process);
      const parked = coroutines.find(({ state }) => state !== 'RUNNING');
      if (parked === undefined) throw new Error('everybody runs');
      // libmill's layout: the ctx is 96 bytes into a mill_cr, and its ten slots are in this order.
      const order = ['rbx', 'rbp', 'r12', 'rsp', 'r13', 'r14', 'r15', 'rip', 'rdi', 'rsi'];
      const slots = order.map((name, slot) => [name, process.cpu.memory.u64(parked.address + 96 + slot * 8)]);
      expect(registersOf(process, parked.id)).toEqual(Object.fromEntries(slots));
      const running = coroutines.find(({ state }) => state === 'RUNNING');
      const all = registersOf(process, running?.id ?? 0);
      expect([Object.keys(all).length, all.rip, all.r15]).toEqual([
        17,
        BigInt(process.cpu.rip),
        process.cpu.read('r15'),
      ]);
    });
  });

  it('says of everybody at a deadlock what they wait in, whichever way it is come to', async () => {
    await withSession('deadlock.s', async (session) => {
      const states = () => survey(session.process).coroutines.map(({ id, state }) => `${id} ${state}`);
      await session.go(Number.POSITIVE_INFINITY);
      // As the program says of itself: the three channels are there, back, and the one for main's result.
      const stuck = ['0 chr(<3>)', '1 chr(<2>)', '2 chr(<1>)'];
      expect(states()).toEqual(stuck);
      const end = session.moment;
      await session.stepBack();
      expect(states().filter((state) => state.endsWith('RUNNING')).length).toBe(1);
      await session.go(end);
      expect(states()).toEqual(stuck);
    });
  });

  it('finds the calls that a coroutine is in', async () => {
    await withSession('pipeline.s', async (session) => {
      const { process } = session;
      await session.go(150);
      const places = framesOf(process, 2).map(({ returnsTo }) => process.describe(returnsTo).replace(/ .*/, ''));
      // go's call in main, whose code is in line there; next_stage has called receive, that mill_chr_, that mill_suspend.
      expect(places.map((place) => place.replace(/\+.*/, ''))).toEqual(['mill_chr_', 'receive', 'next_stage', 'main']);
      expect(() => framesOf(process, 9)).toThrow('there is no coroutine 9 at moment 150: there are 0, 1, 2');
    });
  });
});

describe('--at', () => {
  it('shows the machine at a moment, and not what is printed on the way', () => {
    const { status, stdout, stderr } = millscope(['run', '--at', '150', PIPELINE]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^moment 150, in coroutine 2\nnext: movq 0x[0-9a-f]+\(%rip\), %rdx at mill_suspend/);
    expect(stdout).toMatch(/│ coroutine 1 │ chs\(<1>\) +│ send\+/);
    expect(stdout).toMatch(/\nready: main; the clock is at 1000000 ms\n$/);
  });

  it('shows the last switch in front of that moment too', () => {
    const { stdout } = millscope(['switches', '--at', '100', 'fixtures/programs/ping-pong.s']);
    expect(stdout).toMatch(/^switch 2 at moment 78: coroutine 1 is saved, main is restored\n/);
    expect(stdout).toMatch(/\nmoment 100, in main\n/);
    expect(stdout).not.toContain('switch 1 ');
  });

  it('is data with --json', () => {
    const { stdout } = millscope(['switches', '--json', '--at', '100', 'fixtures/programs/ping-pong.s']);
    const [last, look] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(last).toMatchObject({ switch: 2, at: 78 });
    expect(look).toMatchObject({ moment: 100, ready: [1], registers: { rbx: '0x3', rcx: '0x10015d' } });
  });

  it('waits for the real clock on its way', () => {
    const path = 'fixtures/programs/msleep-sort.s';
    const { status, stdout } = millscope(['run', '--clock', 'real', '--at', '400', path]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^moment 400, /);
  });

  it('refuses a moment behind the end, and says where the end is and how it came', () => {
    expectComplaint(
      millscope(['run', '--at', '5000', 'fixtures/programs/deadlock.s']),
      2,
      /no moment 5000: its last one is 399/,
    );
    expectComplaint(millscope(['run', '--at', 'x', PIPELINE]), 2, /whole number/);
  });

  it('is what a message about a moment asks for, in words that a shell takes', () => {
    const ended = millscope(['run', '--limit', '300', '--seed', '7', PIPELINE, '--', 'a b', "it's"]);
    expectComplaint(ended, 124, /at moment 300/);
    const command = /^to see that moment: millscope (.*)$/m.exec(ended.stderr)?.[1];
    expect(command).toBe(`run ${PIPELINE} --seed 7 --at 300 -- 'a b' 'it'\\''s'`);
    expect(millscope(['run', '--seed', '7', PIPELINE, '--at', '300', '--', 'a b', "it's"]).stdout).toMatch(
      /^moment 300,/,
    );
  });
});
