import { describe, expect, it } from 'vitest';
import { recordSwitches, type SwitchRecord } from '../../inspect/switches.js';
import type { Body } from '../../runtime/bodies.js';
import {
  call,
  chmake,
  choose,
  chrBytes,
  chs,
  cls,
  go,
  goprepare,
  now,
  print,
  setcls,
} from '../../runtime/operations.js';
import { listen, run, withProcess } from './guest.js';

const worker = (letter: string, count: number): Body =>
  function* () {
    for (let i = 0; i < count; i++) {
      yield* print(letter);
      yield;
    }
  };

describe('bodies written as generators', () => {
  it('take turns as the same program in assembly does', async () => {
    const { output, outcome } = await run(function* () {
      for (const letter of ['a', 'b', 'c']) yield* go(worker(letter, 3));
      for (let i = 0; i < 3; i++) yield;
    });
    // As derived in fixtures/programs/three-workers.s.
    expect({ output, outcome }).toEqual({ output: 'abacbacbc', outcome: { kind: 'exit', status: 0 } });
  });

  it('switch through the real sequences, on stacks of their own', async () => {
    await withProcess(
      function* () {
        yield* go(worker('x', 2));
        yield;
        yield;
      },
      (process) => {
        listen(process);
        const records: SwitchRecord[] = [];
        recordSwitches(process, (record) => records.push(record));
        const saves = process.images.flatMap((image) => image.occurrences('mill_setjmp.s')).map(({ end }) => end);
        process.run();
        expect(records.map(({ kind }) => kind)).toEqual(['start', 'switch', 'switch', 'switch', 'switch', 'end']);
        for (const { saved, restored } of records) {
          if (saved !== null) expect(saves).toContain(saved.slots.rip);
          if (restored !== null) expect(saves).toContain(restored.slots.rip);
        }
        const stacks = new Set(records.map(({ saved }) => (saved?.slots.rsp ?? 0n) >> 16n));
        expect(stacks.size).toBeGreaterThan(1);
      },
    );
  });

  it('get what the guest function returned, and end the program with what main returns', async () => {
    const { outcome } = await run(function* () {
      expect(yield* cls()).toBe(0n);
      yield* setcls(0xffff_ffff_ffff_ffffn);
      expect(yield* cls()).toBe(0xffff_ffff_ffff_ffffn);
      yield* goprepare(2, 8192, 256);
      expect(yield* call('putchar', 'A'.charCodeAt(0))).toBe(65n);
      return 42;
    });
    expect(outcome).toEqual({ kind: 'exit', status: 42 });
  });

  it('hand over strings of any length, more than once', async () => {
    const long = 'y'.repeat(100_000);
    const { output } = await run(function* () {
      for (const text of ['a', long, 'b', long]) yield* print(text);
    });
    expect(output).toBe(`a${long}b${long}`);
  });

  it('let an exception through to whoever runs the machine', async () => {
    await expect(
      run(function* () {
        yield;
        throw new Error('in the body');
      }),
    ).rejects.toThrow('in the body');
  });

  it('name the guest function that is not there', async () => {
    await expect(
      run(function* () {
        yield* call('mill_yeild_');
      }),
    ).rejects.toThrow(/undefined symbol "mill_yeild_".*mill_yield_/);
  });

  it('choose among large elements as well', async () => {
    const { outcome } = await run(function* () {
      const channel = yield* chmake(1 << 20, 1);
      yield* chs(channel, new Uint8Array(1 << 20).fill(1, 0, 2));
      expect(yield* choose({ in: channel })).toEqual({ index: 0, value: 0x101n });
    });
    expect(outcome).toEqual({ kind: 'exit', status: 0 });
  });

  it('sleep until a time that is as far as one can be named', async () => {
    const { outcome } = await run(function* () {
      const before = yield* now();
      yield* call('mill_msleep_', 2n ** 63n - 1n, 0);
      expect(yield* now()).toBeGreaterThan(before);
    });
    expect(outcome).toEqual({ kind: 'exit', status: 0 });
  });

  it('throw again when they go on from right before they have thrown', async () => {
    await withProcess(
      function* () {
        yield;
        throw new Error('in the body');
      },
      (process) => {
        let before = process.save();
        const onwards = (): void => {
          while (process.run(process.cpu.moment + 1).kind === 'limit') before = process.save();
        };
        expect(onwards).toThrow('in the body');
        for (let time = 0; time < 2; time++) {
          process.restore(before);
          expect(() => process.run()).toThrow('in the body');
        }
      },
    );
  });

  it('may use an array again that they have passed on or were given', async () => {
    await withProcess(
      function* () {
        const channel = yield* chmake(8, 4);
        const sent = new Uint8Array(8);
        for (let value = 1; value <= 3; value++) {
          sent[0] = value;
          yield* chs(channel, sent);
        }
        let sum = 0;
        for (let count = 0; count < 3; count++) {
          const received = yield* chrBytes(channel);
          received[0] *= 10;
          sum += received[0];
          yield;
        }
        return sum;
      },
      (process) => {
        const begin = process.save();
        const saved = [];
        while (process.run(process.cpu.moment + 50).kind === 'limit') saved.push(process.save());
        for (const one of saved) {
          process.restore(begin);
          process.restore(one);
          // 10 + 20 + 30
          expect(process.run()).toEqual({ kind: 'exit', status: 60 });
        }
        expect(saved.length).toBeGreaterThan(10);
      },
    );
  });

  it('nest: a coroutine starts coroutines', async () => {
    const { output } = await run(function* () {
      yield* go(function* () {
        yield* print('1');
        yield* go(worker('2', 1));
        yield* print('3');
      });
      yield* print('4');
      for (let i = 0; i < 3; i++) yield;
    });
    // go queues main, prints 1; the inner go queues the outer worker behind main, prints 2 and yields: main, outer,
    // inner.
    expect(output).toBe('1243');
  });
});
