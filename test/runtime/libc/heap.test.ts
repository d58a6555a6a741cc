import { expect, test } from 'vitest';
import { PAGE_SIZE } from '../../../emu/memory.js';
import { bytesInUse } from '../../../emu/saved-memory.js';
import { Misuse } from '../../../runtime/errors.js';
import { looksFreed } from '../../../runtime/heap.js';
import { type Argument, type Caller, withCaller } from './calling.js';
import { generator } from './native.js';

const hex = (address: number): string => `0x${address.toString(16)}`;
const malloc = (caller: Caller, size: number): number => Number(caller.call('malloc', size));
/** Where calls return to in these tests. */
const CALLER = hex(0x2000);

/** What was noticed, and where the block was freed. */
function misuse(action: () => unknown): [string, bigint | undefined] {
  try {
    action();
  } catch (error) {
    if (error instanceof Misuse) return [error.message, error.freedAt];
    throw error;
  }
  throw new Error('nothing was noticed');
}

/** What a guest's call, its last, is told. */
const ends = (prepare: (caller: Caller) => readonly [string, ...Argument[]]): [string, bigint | undefined] =>
  withCaller((caller) => {
    const call = prepare(caller);
    return misuse(() => caller.call(...call));
  });

test('blocks are apart from each other and keep what is in them, whatever is allocated and freed in between', () => {
  withCaller((caller) => {
    const { heap } = caller.process.mill;
    const random = generator(99);
    const blocks: { address: number; size: number; byte: number }[] = [];
    const whole = ({ address, size, byte }: (typeof blocks)[number]): boolean =>
      caller.memory.read(address, size).every((one) => one === byte);
    for (let round = 0; round < 20_000; round++) {
      const index = random(60);
      const block = blocks[index];
      const size = random(8) === 0 ? random(20_000) : random(200);
      const byte = random(256);
      if (block === undefined) {
        const alignment = 16 << (random(4) === 0 ? random(9) : 0);
        const address = heap.malloc(size, alignment);
        expect(address % alignment).toBe(0);
        expect(heap.size(address)).toBe(size);
        caller.memory.fill(address, size, byte);
        blocks.push({ address, size, byte });
      } else if (random(2) === 0) {
        expect(whole(block)).toBe(true);
        heap.free(block.address);
        blocks.splice(index, 1);
      } else {
        const kept = Math.min(size, block.size);
        const address = heap.realloc(block.address, size);
        expect(whole({ ...block, address, size: kept })).toBe(true);
        caller.memory.fill(address, size, byte);
        blocks[index] = { address, size, byte };
      }
    }
    expect(blocks.every(whole)).toBe(true);
    const sorted = blocks.toSorted((a, b) => a.address - b.address);
    sorted.slice(1).forEach(({ address }, index) => {
      expect(sorted[index].address + sorted[index].size).toBeLessThan(address);
    });
    heap.check();
  });
});

test('malloc and its relatives give what they promise', () => {
  withCaller((caller) => {
    const [first, second] = [malloc(caller, 0), malloc(caller, 0)];
    expect([first !== 0, first !== second, first % 16]).toEqual([true, true, 0]);
    expect(caller.call('malloc', 2 ** 31)).toBe(0n);
    expect(caller.errno).toBe(12);
    expect(caller.call('malloc', -1)).toBe(0n);
    for (const less of [1, 40, 41, 1000]) expect(caller.call('calloc', 2 ** 30 - less, 1)).toBe(0n);
    expect(caller.call('calloc', 2n ** 33n, 2n ** 33n), 'the product is 2^66').toBe(0n);
    expect(caller.call('calloc', 2n ** 63n, 2n), 'and 2^64').toBe(0n);
    expect(caller.call('reallocarray', first, 2n ** 63n, 2n)).toBe(0n);
    expect(caller.int('malloc_usable_size', first)).toBe(0);
    expect(caller.int('malloc_usable_size', 0)).toBe(0);
    expect(caller.call('aligned_alloc', 4096, 10) % 4096n).toBe(0n);
    expect(caller.call('valloc', 10) % 4096n).toBe(0n);
    expect([caller.call('memalign', 24, 8), caller.errno]).toEqual([0n, 22]);
    const at = caller.room(8);
    expect([caller.int('posix_memalign', at, 256, 8), caller.memory.pointer(at) % 256]).toEqual([0, 0]);
    expect(caller.int('posix_memalign', at, 4, 8), 'less than a pointer').toBe(22);
    expect(caller.int('posix_memalign', at, 16, -1)).toBe(12);
    caller.call('free', 0);
    expect(caller.call('getenv', 'PATH')).toBe(0n);
  });
});

test('calloc gives zeros, in memory that was used before too', () => {
  withCaller((caller) => {
    for (const size of [1, 40, 5000, 100_000]) {
      for (let round = 0; round < 200; round++) {
        const block = Number(caller.call('calloc', size, 1));
        expect(caller.memory.read(block, size).every((byte) => byte === 0)).toBe(true);
        caller.call('memset', block, 0x55, size);
        caller.call('free', block);
      }
    }
  });
});

test('a large calloc touches no pages that are zeros already', () => {
  withCaller((caller) => {
    const pages = (): number => bytesInUse(caller.memory.save()) / PAGE_SIZE;
    const before = pages();
    caller.call('calloc', 50, 1_000_000);
    expect(pages() - before).toBeLessThan(5);
  });
});

test('realloc keeps the contents, and the place where there is room', () => {
  withCaller((caller) => {
    const block = malloc(caller, 70);
    caller.memory.write(block, new TextEncoder().encode('contents'));
    expect(caller.call('realloc', block, 80), 'both with header and guard are 128 bytes').toBe(BigInt(block));
    const moved = Number(caller.call('realloc', block, 1000));
    expect(moved).not.toBe(block);
    expect(Buffer.from(caller.memory.read(moved, 8)).toString()).toBe('contents');
    expect(caller.call('realloc', moved, 2 ** 40)).toBe(0n);
    expect([caller.errno, caller.int('malloc_usable_size', moved)]).toEqual([12, 1000]);
    expect(caller.call('realloc', moved, 0)).toBe(0n);
    expect(caller.call('realloc', 0, 10)).not.toBe(0n);
    expect(misuse(() => caller.call('free', moved))[0], 'both were freed').toContain('double free');
  });
});

test('blocks are used again in the order in which they were freed', () => {
  withCaller((caller) => {
    const { heap } = caller.process.mill;
    const page = Array.from({ length: 64 }, () => heap.malloc(8));
    for (const block of page) heap.free(block);
    expect(page.map(() => heap.malloc(8))).toEqual(page);
  });
});

test('a block that is freed twice is reported, with where it was first', () => {
  let block = 0;
  const twice = ends((caller) => {
    block = malloc(caller, 24);
    caller.call('free', block);
    return ['free', block];
  });
  expect(twice).toEqual([
    `double free of the block of 24 bytes at ${hex(block)}: it was freed at ${CALLER} before`,
    0x2000n,
  ]);
  const resized = ends((caller) => {
    block = Number(caller.call('aligned_alloc', 1024, 1));
    caller.process.mill.heap.free(block);
    return ['realloc', block, 100];
  });
  expect(resized).toEqual([
    `realloc of the block of 1 byte at ${hex(block)}: it was freed by libmill before`,
    undefined,
  ]);
});

test('what is not the start of a block is not freed', () => {
  let block = 0;
  const inside = ends((caller) => {
    block = malloc(caller, 100);
    return ['free', block + 8];
  });
  expect(inside[0]).toBe(
    `free of ${hex(block + 8)}, at offset 8 of the block of 100 bytes at ${hex(block)}: give it the block's start`,
  );
  const aligned = ends((caller) => {
    block = Number(caller.call('aligned_alloc', 256, 100));
    return ['free', block + 64];
  });
  expect(aligned[0]).toBe(
    `free of ${hex(block + 64)}, at offset 64 of the block of 100 bytes at ${hex(block)}: give it the block's start`,
  );
  const freed = ends((caller) => {
    block = malloc(caller, 100);
    caller.call('free', block);
    return ['free', block + 8];
  });
  expect(freed[0]).toBe(
    `free of ${hex(block + 8)}, at offset 8 of the block of 100 bytes at ${hex(block)}, which was freed at ${CALLER}`,
  );
  for (const address of [16, 0x400000, 0x7fffffff, 2 ** 40]) {
    expect(ends(() => ['free', address])[0]).toBe(
      `free of ${hex(address)}, which is nowhere in the heap: malloc has not returned it`,
    );
  }
  const fresh = ends((caller) => {
    block = malloc(caller, 8);
    return ['free', block + 64];
  });
  expect(fresh[0]).toBe(`free of ${hex(block + 64)}, which malloc has not returned yet`);
});

test('a write after free is noticed when the block is used again, and at the end', () => {
  for (const [size, offset] of [
    [24, 0],
    [24, 23],
    [5000, 4321],
  ]) {
    let block = 0;
    const message = (): string =>
      `the block of ${size} bytes at ${hex(block)}, freed at ${CALLER}, was written at offset ${offset} after that`;
    const used = ends((caller) => {
      block = malloc(caller, size);
      caller.call('free', block);
      caller.memory.setU8(block + offset, 1);
      // Those of its size that were never used come first.
      for (let count = 1; count < 64 && size < 100; count++) malloc(caller, size);
      return ['malloc', size];
    });
    expect(used).toEqual([message(), 0x2000n]);
    withCaller((caller) => {
      block = malloc(caller, size);
      caller.call('free', block);
      caller.process.mill.heap.check();
      caller.memory.setU8(block + offset, 1);
      expect(misuse(() => caller.process.mill.heap.check())).toEqual([message(), 0x2000n]);
    });
  }
});

test('a write past the end is noticed when the block is freed or resized', () => {
  for (const size of [0, 1, 16, 24, 100, 4096]) {
    for (const [name, ...args] of [['free'], ['realloc', 200], ['malloc_usable_size']] as const) {
      let block = 0;
      const [message] = ends((caller) => {
        block = malloc(caller, size);
        caller.memory.setU8(block + size, 0);
        return [name, block, ...args];
      });
      expect(message).toBe(
        `the block of ${size === 1 ? '1 byte' : `${size} bytes`} at ${hex(block)} was written past its end, at offset ` +
          `${size}: ${name} has noticed it`,
      );
    }
  }
});

test("a write over the heap's own words is noticed, in front of a block in use and of a free one", () => {
  let block = 0;
  const message = (): string =>
    `the 32 bytes in front of the block at ${hex(block)} are the heap's own and were overwritten: something was written ` +
    'in front of that block, or far past the end of the one before it';
  const inUse = ends((caller) => {
    block = malloc(caller, 10);
    caller.memory.fill(block - 32, 32, 0x41);
    return ['free', block];
  });
  expect(inUse[0]).toBe(message());
  const free = ends((caller) => {
    const before = malloc(caller, 10);
    block = before + 64;
    caller.memory.fill(before, 64, 0x41);
    return ['malloc', 10];
  });
  expect(free[0]).toBe(message());
});

test('a free list that the program has overwritten is noticed at the end, and not followed', () => {
  const FREED_SIZE = -24;
  const NEXT = -8;
  for (const [offset, value] of [
    // A circle of one; an address that is none; one in front of the heap; a size that no block of its class has.
    [NEXT, (block: number) => BigInt(block - 32)],
    [NEXT, () => 0x123456789abcdefn],
    [NEXT, () => 0x1000n],
    [FREED_SIZE, () => 0x7fffffffn],
  ] as const) {
    withCaller((caller) => {
      const block = malloc(caller, 100);
      caller.call('free', block);
      caller.memory.setU64(block + offset, value(block));
      expect(misuse(() => caller.process.mill.heap.check())[0]).toContain(
        `the 32 bytes in front of the block at ${hex(block)} are the heap's own and were overwritten`,
      );
    });
  }
});

test('freed memory is recognised by the address that a pointer in it has become', () => {
  withCaller((caller) => {
    const block = malloc(caller, 24);
    caller.call('free', block);
    const pointer = caller.memory.u64(block + 8);
    // Not canonical: bits 63 to 47 are not all the same (AMD64, 3.3.1).
    expect([0n, 0x1ffffn]).not.toContain(pointer >> 47n);
    expect([looksFreed(pointer), looksFreed(pointer + 4000n), looksFreed(pointer - 8n)]).toEqual([true, true, true]);
    expect([looksFreed(0n), looksFreed(BigInt(block)), looksFreed(2n ** 64n - 1n)]).toEqual([false, false, false]);
    expect(caller.memory.read(block, 24).every((byte) => byte === caller.memory.u8(block))).toBe(true);
  });
});

test('memory that is used up is no room, and what there was stays', () => {
  withCaller((caller) => {
    const { heap } = caller.process.mill;
    const blocks = [];
    for (let block = heap.malloc(1 << 20); block !== 0; block = heap.malloc(1 << 20)) blocks.push(block);
    // Of 256 MiB each takes two.
    expect(blocks.length).toBeGreaterThan(110);
    expect(blocks.length).toBeLessThan(128);
    heap.free(blocks[0]);
    expect(heap.malloc(1 << 20)).toBe(blocks[0]);
  });
});
