import { describe, expect, it } from 'vitest';
import { ending } from '../../inspect/outcome.js';
import type { Body } from '../../runtime/bodies.js';
import { libmill } from '../../runtime/libmill.js';
import {
  type Channel,
  type Clause,
  call,
  callForBytes,
  chclose,
  chdone,
  chdup,
  chmake,
  choose,
  chr,
  chrBytes,
  chs,
  go,
  goprepare,
} from '../../runtime/operations.js';
import type { Process } from '../../runtime/process.js';
import { regionAt } from '../../runtime/region.js';
import { run, withProcess } from './guest.js';

const EXIT_0 = { kind: 'exit', status: 0 };
const MIB = 1 << 20;
/** Bytes of memory of a machine that is to run short of it. */
const SMALL = 64 << 20;
/** Bytes of a struct mill_clause. */
const CLAUSE_SIZE = 64;
/** Of an element in struct mill_chan_, from its start. */
const FIRST_ELEMENT = 136n;

/** Bytes of which no two neighbours are the same, others for another seed. */
const pattern = (size: number, seed: number): Uint8Array => Uint8Array.from({ length: size }, (_, i) => i * 7 + seed);

/** Compares without printing megabytes. */
function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length);
  expect(actual.findIndex((byte, index) => byte !== expected[index])).toBe(-1);
}

/** What is in guest memory. */
function* bytesAt(address: bigint, size: number) {
  return yield* callForBytes(size, 'memcpy', address, address, 0);
}

/** Runs what has its expectations inside. */
async function finish(main: Body): Promise<void> {
  expect((await run(main, libmill(), SMALL)).outcome).toEqual(EXIT_0);
}

describe('elements', () => {
  const sizes = [0, 1, 3, 8, 128, 129, 5000, MIB];

  it.each(sizes)('of %i bytes reach main, which waits or comes later, as they were sent', async (size) => {
    await finish(function* () {
      const x = yield* chmake(size);
      yield* go(function* () {
        // M comes later to the first one, and waits for the second.
        yield* chs(x, pattern(size, 1));
        yield;
        yield* chs(x, pattern(size, 2));
      });
      expectBytes(yield* chrBytes(x), pattern(size, 1));
      expectBytes(yield* chrBytes(x), pattern(size, 2));
    });
  });

  it.each(sizes)('of %i bytes reach another coroutine, which waits or comes later, as they were sent', async (size) => {
    let received = 0;
    await finish(function* () {
      const x = yield* chmake(size);
      yield* go(function* () {
        expectBytes(yield* chrBytes(x), pattern(size, 1));
        yield;
        expectBytes(yield* chrBytes(x), pattern(size, 2));
        received = 2;
      });
      yield* chs(x, pattern(size, 1));
      yield* chs(x, pattern(size, 2));
      yield;
    });
    expect(received).toBe(2);
  });

  it.each(sizes)('of %i bytes keep apart in a buffer, and from the value of chdone', async (size) => {
    await finish(function* () {
      const x = yield* chmake(size, 3);
      for (let seed = 1; seed <= 3; seed++) yield* chs(x, pattern(size, seed));
      yield* chdone(x, pattern(size, 9));
      for (let seed = 1; seed <= 3; seed++) expectBytes(yield* chrBytes(x), pattern(size, seed));
      for (let i = 0; i < 2; i++) expectBytes(yield* chrBytes(x), pattern(size, 9));
    });
  });

  it.each(sizes)('of %i bytes come through choose, in either direction', async (size) => {
    await finish(function* () {
      const [x, y] = [yield* chmake(size), yield* chmake(size)];
      yield* go(function* () {
        yield* choose({ out: x, value: pattern(size, 1) }, { in: y });
      });
      expectBytes(yield* chrBytes(x), pattern(size, 1));
      yield* go(function* () {
        yield* chs(x, pattern(size, 2));
      });
      // As C programs do it: choose() of a body makes a number of what it receives.
      yield* call('mill_choose_init_', 0);
      for (const channel of [y, x]) {
        yield* call('mill_choose_in_', yield* call('malloc', CLAUSE_SIZE), channel.address, size, 0);
      }
      yield* call('mill_choose_wait_');
      const value = yield* call('mill_choose_val_', size);
      expectBytes(yield* bytesAt(value, size), pattern(size, 2));
    });
  });

  // libmill compares the sizes the wrong way round: it reuses the heap buffer of a smaller value, and overruns it.
  it.each([
    ['main', false],
    ['another coroutine', true],
  ])('that grow and shrink do not overrun the buffer in which %s got the one before', async (_, apart) => {
    const growing = [129, 200, 5000, 300, 70_000, 129, 5000, 100_000, 1, 70_000];
    let checked = 0;
    const receive = function* (channels: readonly Channel[]) {
      // Neighbours of every buffer that was ever in use, each with its own contents.
      const guards: { address: bigint; bytes: Uint8Array }[] = [];
      for (const [index, size] of growing.entries()) {
        expectBytes(yield* chrBytes(channels[index]), pattern(size, index));
        for (const room of [129, 129, 200, 5000]) {
          const bytes = pattern(room, 100 + guards.length);
          const address = yield* call('malloc', room);
          yield* call('memcpy', address, bytes, room);
          guards.push({ address, bytes });
        }
        for (const { address, bytes } of guards) {
          expectBytes(yield* bytesAt(address, bytes.length), bytes);
        }
        checked += 1;
      }
    };
    const send = function* (channels: readonly Channel[]) {
      for (const [index, size] of growing.entries()) yield* chs(channels[index], pattern(size, index));
    };
    await finish(function* () {
      const channels: Channel[] = [];
      for (const size of growing) channels.push(yield* chmake(size));
      yield* go(() => (apart ? receive : send)(channels));
      yield* (apart ? send : receive)(channels);
      yield;
    });
    expect(checked).toBe(growing.length);
  });

  it('as large as goprepare said are received inside the block of their coroutine', async () => {
    let at = 0n;
    const main: Body = function* () {
      yield* goprepare(2, 4096, 5000);
      const x = yield* chmake(5000);
      yield* go(function* () {
        at = yield* call('mill_chr_', x.address, 5000, 0);
        expectBytes(yield* bytesAt(at, 5000), pattern(5000, 4));
        for (;;) yield;
      });
      yield* chs(x, pattern(5000, 4));
    };
    await withProcess(main, (process) => {
      expect(process.run(1_000_000)).toEqual(EXIT_0);
      expect(regionAt(process, Number(at))).toBe('the valbuf of coroutine 1');
      expect(regionAt(process, Number(at) + 4999)).toBe('the valbuf of coroutine 1');
    });
  });

  it('are freed with the coroutine that received them', async () => {
    // 64 MiB of memory would be enough for 31 buffers that were kept.
    let ended = 0;
    await finish(function* () {
      const x = yield* chmake(MIB);
      for (let i = 0; i < 100; i++) {
        yield* go(function* () {
          yield* call('mill_chr_', x.address, MIB, 0);
          ended += 1;
        });
        yield* call('mill_chs_', x.address, x.address + FIRST_ELEMENT, MIB, 0);
      }
    });
    expect(ended).toBe(100);
  });
});

describe('a buffer', () => {
  it.each([0, 1, 2, 3, 4, 5])(
    'of %i takes so many sends ahead of the receives, in order, round and round',
    async (capacity) => {
      const COUNT = 23;
      let sent = 0;
      await finish(function* () {
        const x = yield* chmake(8, capacity);
        yield* go(function* () {
          for (let i = 1; i <= COUNT; i++) {
            yield* chs(x, i);
            sent = i;
          }
        });
        const ahead = function* () {
          for (let i = 0; i < 10; i++) yield;
          return sent;
        };
        expect(yield* ahead()).toBe(capacity);
        for (let i = 1; i <= COUNT; i++) {
          expect(yield* chr(x)).toBe(BigInt(i));
          // One slot is freed, and the sender that was blocked is through, and so on to the end.
          expect(yield* ahead()).toBe(Math.min(COUNT, capacity + i));
        }
      });
    },
  );

  it('that is drained and filled by turns gives everything in order', async () => {
    await finish(function* () {
      const x = yield* chmake(8, 5);
      let next = 0;
      let expected = 0n;
      for (const count of [5, 1, 4, 3, 5, 2, 5]) {
        for (let i = 0; i < count; i++) yield* chs(x, next++);
        for (let i = 0; i < count; i++) expect(yield* chr(x)).toBe(expected++);
        expect(yield* choose({ in: x }, { otherwise: true })).toMatchObject({ index: -1 });
      }
    });
  });
});

describe('handles', () => {
  it('count: a channel lives until as many have been closed as were made', async () => {
    const main: Body = function* () {
      const x = yield* chmake(8, 1);
      const second = yield* chdup(x);
      const third = yield* chdup(second);
      expect([second.address, third.address]).toEqual([x.address, x.address]);
      yield* chclose(x);
      yield* chs(second, 5);
      yield* chclose(second);
      expect(yield* chr(third)).toBe(5n);
      for (;;) yield;
    };
    await withProcess(main, (process) => {
      process.run(100_000);
      const [channel, ...more] = [...process.mill.channelCensus.all()];
      expect(more).toEqual([]);
      expect(process.mill.channels.refcount(channel)).toBe(1);
    });
  });

  it('are gone with the last chclose, and so is the memory', async () => {
    // 64 MiB would be enough for 31 that were kept.
    const main: Body = function* () {
      for (let i = 0; i < 100; i++) {
        const x = yield* chmake(MIB);
        expect(x.address).not.toBe(0n);
        yield* chdup(x);
        yield* chclose(x);
        yield* chclose(x);
      }
    };
    const check = (process: Process) => {
      expect(process.run(1_000_000)).toEqual(EXIT_0);
      expect(process.mill.channelCensus.count).toBe(0);
    };
    await withProcess(main, check, libmill(), SMALL);
  });

  it('may be closed with values in the buffer, and when it is done with', async () => {
    await finish(function* () {
      const x = yield* chmake(8, 2);
      yield* chs(x, 1);
      yield* chclose(x);
      const y = yield* chmake(8, 2);
      yield* chs(y, 1);
      yield* chdone(y, 2);
      yield* chclose(y);
    });
  });
});

describe('chdone', () => {
  it('gives its value for ever, behind what is buffered, to chr and to choose', async () => {
    await finish(function* () {
      const x = yield* chmake(8, 4);
      for (const value of [1, 2]) yield* chs(x, value);
      yield* chdone(x, 77);
      expect(yield* chr(x)).toBe(1n);
      expect(yield* choose({ in: x })).toEqual({ index: 0, value: 2n });
      for (let i = 0; i < 50; i++) {
        expect(yield* chr(x)).toBe(77n);
        expect(yield* choose({ in: x }, { otherwise: true })).toEqual({ index: 0, value: 77n });
      }
    });
  });

  it('works on a full buffer without waiting', async () => {
    await finish(function* () {
      const x = yield* chmake(1, 1);
      yield* chs(x, 1);
      yield* chdone(x, 2);
      expect([yield* chr(x), yield* chr(x), yield* chr(x)]).toEqual([1n, 2n, 2n]);
    });
  });

  it('withdraws who waited in choose from its other channels', async () => {
    await finish(function* () {
      const [x, y] = [yield* chmake(8), yield* chmake(8)];
      yield* go(function* () {
        expect(yield* choose({ in: x }, { in: y })).toEqual({ index: 1, value: 3n });
      });
      yield* chdone(y, 3);
      // Nobody waits to receive from x, so nothing can be sent there.
      expect(yield* choose({ out: x, value: 1 }, { otherwise: true })).toMatchObject({ index: -1 });
    });
  });
});

describe('choose', () => {
  it('of no clauses but otherwise or a deadline comes back', async () => {
    await finish(function* () {
      expect(yield* choose({ otherwise: true })).toMatchObject({ index: -1 });
      expect(yield* choose({ deadline: 0 })).toMatchObject({ index: -1 });
    });
  });

  it('sends and receives on one and the same channel', async () => {
    await finish(function* () {
      const x = yield* chmake(8, 1);
      // There is room, so only the send is ready; then there is a value, so only the receive is.
      expect(yield* choose({ in: x }, { out: x, value: 4 })).toEqual({ index: 1, value: undefined });
      expect(yield* choose({ in: x }, { out: x, value: 5 })).toEqual({ index: 0, value: 4n });
    });
  });

  it('that names an endpoint more than once waits there once, and is woken once', async () => {
    const taken = new Set<number>();
    await finish(function* () {
      const x = yield* chmake(8);
      for (let i = 0; i < 60; i++) {
        yield* go(function* () {
          const { index, value } = yield* choose({ in: x }, { in: x }, { in: x });
          expect(value).toBe(BigInt(i));
          taken.add(index);
        });
        yield* chs(x, i);
        expect(yield* choose({ out: x, value: 0 }, { otherwise: true })).toMatchObject({ index: -1 });
      }
    });
    // Each of the three is registered at some time: one that never is has a chance of 3 * (2/3)^60.
    expect([...taken].sort()).toEqual([0, 1, 2]);
  });

  // libmill asserts that each clause is in use when a deadline fires.
  it('that names an endpoint twice survives its deadline', async () => {
    await finish(function* () {
      const x = yield* chmake(8);
      for (let i = 0; i < 5; i++) {
        expect(yield* choose({ in: x }, { in: x }, { deadline: 1 })).toMatchObject({ index: -1 });
        expect(yield* choose({ out: x, value: 1 }, { out: x, value: 2 }, { deadline: 1 })).toMatchObject({ index: -1 });
      }
      yield* chclose(x);
    });
  });

  it('that names an endpoint twice leaves others alone who wait there, when its deadline fires', async () => {
    const received: bigint[] = [];
    await finish(function* () {
      const x = yield* chmake(8);
      const receiver: Body = function* () {
        received.push(yield* chr(x));
      };
      for (let i = 0; i < 10; i++) {
        yield* go(receiver);
        expect(yield* choose({ in: x }, { in: x }, { in: x }, { deadline: 1 })).toMatchObject({ index: -1 });
        yield* go(receiver);
        yield* chs(x, 2 * i);
        yield* chs(x, 2 * i + 1);
      }
    });
    expect(received).toEqual(Array.from({ length: 20 }, (_, i) => BigInt(i)));
  });

  it('passes any number as the index of a clause', async () => {
    await finish(function* () {
      const x = yield* chmake(8, 1);
      const clause = yield* call('malloc', CLAUSE_SIZE);
      for (const index of [7, 0x7fff_ffff, -2]) {
        yield* chs(x, 1);
        yield* call('mill_choose_init_', 0);
        yield* call('mill_choose_in_', clause, x.address, 8, index);
        expect(BigInt.asIntN(32, yield* call('mill_choose_wait_'))).toBe(BigInt(index));
      }
    });
  });
});

const NULL: Channel = { address: 0n, size: 8 };

/** A coroutine that waits in a receive, or a send, for good. */
const waitingReceiver = (x: Channel): Body =>
  function* () {
    yield* chr(x);
  };
const waitingSender = (x: Channel): Body =>
  function* () {
    yield* chs(x, 1);
  };

const chosen = (...clauses: readonly Clause[]): Body =>
  function* () {
    yield* choose(...clauses);
  };

/** With a channel of 8-byte elements and the same channel as one who thinks them 4 bytes long sees it. */
const withChannel = (use: (x: Channel, narrow: Channel) => ReturnType<Body>): Body =>
  function* () {
    const x = yield* chmake(8);
    yield* use(x, { ...x, size: 4 });
  };

describe('wrong use ends the program with status 134 and', () => {
  async function expectPanic(main: Body, text: string): Promise<void> {
    const check = async (process: Process) => {
      const { status, message } = await ending(process, process.run(10_000_000));
      expect(message?.split('\n')[0]).toBe(`panic: ${text}`);
      expect(message?.split('\n').at(-1)).toMatch(/^millscope: /);
      expect(status).toBe(134);
    };
    await withProcess(main, check, libmill(), SMALL);
  }

  it.each<[string, Body]>([
    ['chs', () => chs(NULL, 1)],
    [
      'chr',
      function* () {
        yield* chr(NULL);
      },
    ],
    [
      'chdup',
      function* () {
        yield* chdup(NULL);
      },
    ],
    ['chclose', () => chclose(NULL)],
    ['chdone', () => chdone(NULL, 1)],
    ['in', chosen({ in: NULL })],
    ['out', chosen({ out: NULL, value: 1 })],
  ])('"null channel used": %s of NULL', (_, main) => expectPanic(main, 'null channel used'));

  it.each<[string, Body]>([
    [
      'chr',
      withChannel(function* (_, narrow) {
        yield* chr(narrow);
      }),
    ],
    [
      'in',
      withChannel(function* (_, narrow) {
        yield* choose({ in: narrow });
      }),
    ],
    [
      'chr, though there is nothing to wait for',
      withChannel(function* (x, narrow) {
        yield* chdone(x, 1);
        yield* chr(narrow);
      }),
    ],
  ])('"receive of a type not matching": %s of the wrong size', (_, main) =>
    expectPanic(main, 'receive of a type not matching the channel'),
  );

  it.each<[string, Body]>([
    [
      'chs',
      withChannel(function* (_, narrow) {
        yield* chs(narrow, 1);
      }),
    ],
    [
      'chdone',
      withChannel(function* (_, narrow) {
        yield* chdone(narrow, 1);
      }),
    ],
    [
      'out',
      withChannel(function* (_, narrow) {
        yield* choose({ out: narrow, value: 1 });
      }),
    ],
  ])('"send of a type not matching": %s of the wrong size', (_, main) =>
    expectPanic(main, 'send of a type not matching the channel'),
  );

  it.each<[string, Body]>([
    [
      'chs behind chdone',
      withChannel(function* (x) {
        yield* chdone(x, 1);
        yield* chs(x, 1);
      }),
    ],
    [
      'out behind chdone',
      withChannel(function* (x) {
        yield* chdone(x, 1);
        yield* choose({ out: x, value: 1 });
      }),
    ],
    [
      'chdone while somebody waits to send',
      withChannel(function* (x) {
        yield* go(waitingSender(x));
        yield* chdone(x, 1);
      }),
    ],
  ])('"send to done-with channel": %s', (_, main) => expectPanic(main, 'send to done-with channel'));

  it('"chdone on already done-with channel": a second chdone', () =>
    expectPanic(
      withChannel(function* (x) {
        yield* chdone(x, 1);
        yield* chdone(x, 1);
      }),
      'chdone on already done-with channel',
    ));

  it.each<[string, Body]>([
    [
      'receive',
      withChannel(function* (x) {
        yield* go(waitingReceiver(x));
        yield* chclose(x);
      }),
    ],
    [
      'send',
      withChannel(function* (x) {
        yield* go(waitingSender(x));
        yield* chclose(x);
      }),
    ],
    [
      'receive, by the last of two handles',
      withChannel(function* (x) {
        yield* chdup(x);
        yield* go(waitingReceiver(x));
        yield* chclose(x);
        yield* chclose(x);
      }),
    ],
  ])('"attempt to close a channel": chclose while somebody waits to %s', (_, main) =>
    expectPanic(main, 'attempt to close a channel while it is still being used'),
  );

  it.each<[string, Body]>([
    ['two otherwise', chosen({ otherwise: true }, { otherwise: true })],
    ['two deadlines', chosen({ deadline: 1 }, { deadline: 2 })],
    ['otherwise and a deadline', chosen({ otherwise: true }, { deadline: 1 })],
    ['a deadline and otherwise', chosen({ deadline: 1 }, { otherwise: true })],
    ['otherwise and an infinite deadline', chosen({ otherwise: true }, { deadline: -1 })],
  ])("\"multiple 'otherwise' or 'deadline'\": %s", (_, main) =>
    expectPanic(main, "multiple 'otherwise' or 'deadline' clauses in a choose statement"),
  );

  it.each<[string, boolean]>([
    ['main', true],
    ['a coroutine that waits', false],
  ])('"not enough memory to receive": a large value, and no room for it in %s', (_, mainReceives) => {
    // The channel takes a block of 32 MiB of the 64; a second one does not fit.
    const size = 20 * MIB;
    const send = function* (x: Channel) {
      yield* call('mill_chs_', x.address, x.address + FIRST_ELEMENT, size, 0);
    };
    const receive = function* (x: Channel) {
      yield* call('mill_chr_', x.address, size, 0);
    };
    return expectPanic(function* () {
      const x = yield* chmake(size);
      yield* go(() => (mainReceives ? send : receive)(x));
      yield* (mainReceives ? receive : send)(x);
    }, 'not enough memory to receive from channel');
  });

  const closed = (use: (x: Channel) => ReturnType<Body>): Body =>
    withChannel(function* (x) {
      yield* chclose(x);
      yield* use(x);
    });

  it.each<[string, Body]>([
    ['chs', closed((x) => chs(x, 1))],
    [
      'chr',
      closed(function* (x) {
        yield* chr(x);
      }),
    ],
    [
      'chdup',
      closed(function* (x) {
        yield* chdup(x);
      }),
    ],
    ['chclose', closed((x) => chclose(x))],
    ['chdone', closed((x) => chdone(x, 1))],
    [
      'in',
      closed(function* (x) {
        yield* choose({ in: x });
      }),
    ],
    [
      'out',
      closed(function* (x) {
        yield* choose({ out: x, value: 1 });
      }),
    ],
  ])('a word about the closed channel: %s behind the last chclose', async (_, main) => {
    await withProcess(main, async (process) => {
      const { status, message } = await ending(process, process.run(10_000_000));
      expect(message).toMatch(/^millscope: .*clos/);
      expect(status).toBe(134);
    });
  });
});

describe('an infinite deadline', () => {
  it('is no clause: otherwise and a second deadline may follow', async () => {
    await finish(function* () {
      const x = yield* chmake(8);
      expect(yield* choose({ in: x }, { deadline: -1 }, { otherwise: true })).toMatchObject({ index: -1 });
      expect(yield* choose({ in: x }, { deadline: -5 }, { deadline: 1 })).toMatchObject({ index: -1 });
    });
  });
});

describe('chmake', () => {
  it.each<[string, number | bigint, number | bigint]>([
    ['2 GiB', 2 ** 31, 0],
    ['2 GiB of buffer', 1024, 2 ** 21],
    ['more than the 64 MiB of this machine', 1, 2 ** 26],
    ['a size of -1', -1, 0],
    ['-1 in the buffer', 1, -1],
    ['-1 and -1', -1, -1],
    ['a product that is 0 in 64 bits', 2n ** 32n, 2n ** 32n - 1n],
    ['a product that is small in 64 bits', 2n ** 63n, 1],
  ])('returns NULL for %s, and the program goes on', async (_, size, capacity) => {
    const main: Body = function* () {
      expect(yield* call('mill_chmake_', size, capacity, 0)).toBe(0n);
      const x = yield* chmake(8, 1);
      yield* chs(x, 6);
      expect(yield* chr(x)).toBe(6n);
    };
    const check = (process: Process) => {
      expect(process.run(1_000_000)).toEqual(EXIT_0);
      // What was not made has no id and is not counted.
      expect([...process.mill.channelCensus.all()].map((channel) => process.mill.channelCensus.id(channel))).toEqual([
        1,
      ]);
    };
    await withProcess(main, check, libmill(), SMALL);
  });
});
