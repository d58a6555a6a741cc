import { expect, test } from 'vitest';
import { BadAddress, OutOfMemory } from '../../emu/errors.js';
import { Memory, PAGE_SIZE } from '../../emu/memory.js';
import { bytesInUse } from '../../emu/saved-memory.js';
import { Physical } from './physical.js';

const FREE = 0x10000;

function open(mebibytes = 16): { memory: Memory; physical: Physical } {
  const physical = new Physical(mebibytes);
  return { memory: new Memory(physical), physical };
}

/** Runs something that must not be allowed, and returns where and how it failed. */
function bad(action: () => unknown): [bigint, string] {
  try {
    action();
  } catch (error) {
    if (error instanceof BadAddress) return [error.address, error.access];
    throw error;
  }
  throw new Error('nothing was thrown');
}

// Bits of an entry: present 1, writable 2, user 4, accessed 0x20, dirty 0x40, no-execute 2^63.
const NO_EXECUTE = 1n << 63n;

test('page tables say what a page allows, after the first touch; before, it is not present', () => {
  const { memory, physical } = open();
  for (const [protection, bits] of [
    ['r--', 5n | NO_EXECUTE],
    ['rw-', 7n | NO_EXECUTE],
    ['r-x', 5n],
  ] as const) {
    memory.reserve(FREE, 2 * PAGE_SIZE, protection);
    expect((physical.entry(memory.root, FREE) ?? 0n) & 1n).toBe(0n);
    expect(memory.u8(FREE)).toBe(0);
    expect((physical.entry(memory.root, FREE) ?? 0n) & 1n, 'looking at it changes nothing').toBe(0n);
    memory.fault(FREE, 4);
    expect((physical.entry(memory.root, FREE) ?? 0n) & (NO_EXECUTE | 0xfffffffff007n)).toBe(BigInt(FREE) | bits);
    expect((physical.entry(memory.root, FREE + PAGE_SIZE) ?? 0n) & 1n, 'its neighbour').toBe(0n);
    expect([memory.protectionAt(FREE), memory.protectionAt(FREE + 2 * PAGE_SIZE - 1)]).toEqual([
      protection,
      protection,
    ]);
    expect([memory.protectionAt(FREE - 1), memory.protectionAt(FREE + 2 * PAGE_SIZE)]).toEqual([undefined, undefined]);
  }
});

test('page tables cover memory to its end, in the largest machine too, and the guest cannot reach them', () => {
  for (const mebibytes of [8, 16, 1024, 1500]) {
    const { memory, physical } = open(mebibytes);
    const last = memory.end - PAGE_SIZE;
    memory.reserve(last, PAGE_SIZE, 'rw-');
    memory.setU8(last, 1);
    expect((physical.entry(memory.root, last) ?? 0n) & 0xffff007n).toBe(BigInt(last & 0xfffffff) | 7n);
    for (let page = memory.end; page < physical.size; page += PAGE_SIZE) {
      // User access needs bit 2 in the last table.
      expect((physical.entry(memory.root, page) ?? 0n) & 5n).not.toBe(5n);
    }
    expect(memory.protectionAt(memory.kernel)).toBeUndefined();
    expect(bad(() => memory.u8(memory.kernel))).toEqual([BigInt(memory.kernel), 'read']);
    expect(bad(() => memory.setU32(memory.root, 0))).toEqual([BigInt(memory.root), 'write']);
  }
});

test('a page is dirty when the host writes it, not when it only reads', () => {
  const { memory, physical } = open();
  memory.reserve(FREE, PAGE_SIZE, 'rw-');
  const dirty = (): bigint => (physical.entry(memory.root, FREE) ?? 0n) & 0x40n;
  memory.u64(FREE);
  memory.read(FREE, 100);
  expect(dirty()).toBe(0n);
  memory.setU8(FREE, 1);
  expect(dirty()).toBe(0x40n);
});

test('reserved pages are zeros whatever was in them, host and guest alike', () => {
  const { memory, physical } = open();
  memory.reserve(FREE, 3 * PAGE_SIZE, 'rw-');
  expect(memory.u64(FREE + 8)).toBe(0n);
  expect(memory.fault(FREE + PAGE_SIZE + 5, 4), 'as the guest reads').toBe(true);
  expect(physical.bytes.subarray(FREE, FREE + 2 * PAGE_SIZE).every((byte) => byte === 0)).toBe(true);
  expect(physical.bytes[FREE + 2 * PAGE_SIZE], 'not touched yet').toBe(0xa5);
  memory.setU64(FREE, 5n);
  memory.release(FREE, 3 * PAGE_SIZE);
  memory.reserve(FREE, 3 * PAGE_SIZE, 'r--');
  expect(memory.u64(FREE)).toBe(0n);
});

test('pages that are reserved anew while in use are zeros again, for a processor with a translation of them too', () => {
  const { memory, physical } = open();
  memory.reserve(FREE, PAGE_SIZE, 'rw-');
  expect(physical.flushes, 'a page that was not present needs none').toBe(0);
  memory.setU32(FREE, 1);
  memory.reserve(FREE, PAGE_SIZE, 'rw-');
  expect([memory.u32(FREE), physical.flushes]).toEqual([0, 1]);
});

test('a released page is gone, and the processor is told', () => {
  const { memory, physical } = open();
  memory.reserve(FREE, 3 * PAGE_SIZE, 'rw-');
  for (let page = 0; page < 3; page++) memory.setU8(FREE + page * PAGE_SIZE, 1);
  memory.release(FREE + PAGE_SIZE, PAGE_SIZE);
  expect(physical.flushes).toBe(1);
  expect(bad(() => memory.u8(FREE + PAGE_SIZE))).toEqual([BigInt(FREE + PAGE_SIZE), 'read']);
  expect(memory.fault(FREE + PAGE_SIZE, 6)).toBe(false);
  expect([memory.u8(FREE), memory.u8(FREE + 2 * PAGE_SIZE)]).toEqual([1, 1]);
});

test("a fault is the guest's mistake where nothing is reserved, or not for that", () => {
  const { memory } = open();
  memory.reserve(FREE, PAGE_SIZE, 'r--');
  expect(memory.fault(FREE, 6), 'a write to a fresh read-only page').toBe(false);
  expect(memory.fault(FREE, 4), 'a read of it').toBe(true);
  expect(memory.fault(FREE, 5), 'a protection fault').toBe(false);
  for (const address of [0, FREE - 1, memory.end, memory.end + PAGE_SIZE, 2 ** 31, 2 ** 32 + FREE, 2 ** 64]) {
    expect(memory.fault(address, 4), String(address)).toBe(false);
  }
});

test('numbers of all widths are little-endian, aligned or not, across pages too', () => {
  const { memory } = open();
  memory.reserve(FREE, 2 * PAGE_SIZE, 'rw-');
  for (const address of [FREE, FREE + 1, FREE + 4, FREE + 7, FREE + PAGE_SIZE - 1, FREE + PAGE_SIZE - 4]) {
    memory.setU64(address, 0xf122334455667788n);
    expect([...memory.read(address, 8)]).toEqual([0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0xf1]);
    expect(memory.u64(address)).toBe(0xf122334455667788n);
    expect([memory.u32(address), memory.u32(address + 4)]).toEqual([0x55667788, 0xf1223344]);
    expect(memory.i32(address + 4)).toBe(0xf1223344 - 2 ** 32);
    expect(memory.pointer(address)).toBe(Number(0xf122334455667788n));
    memory.setU64(address, -1n);
    expect(memory.u64(address)).toBe(2n ** 64n - 1n);
    memory.setPointer(address, 0x7fffffff);
    expect([memory.u64(address), memory.pointer(address)]).toEqual([0x7fffffffn, 0x7fffffff]);
    memory.setU32(address, -2);
    expect([memory.u32(address), memory.i32(address)]).toEqual([0xfffffffe, -2]);
    memory.setU8(address, 0x1ff);
    expect(memory.u8(address)).toBe(0xff);
  }
});

test('a bad address is named with the access, and nothing is changed', () => {
  const { memory } = open();
  memory.reserve(FREE, PAGE_SIZE, 'rw-');
  memory.reserve(FREE + PAGE_SIZE, PAGE_SIZE, 'r--');
  const end = FREE + PAGE_SIZE;
  memory.write(end - 4, Uint8Array.of(1, 2, 3, 4));
  expect(
    bad(() => memory.setU64(end - 4, 0n)),
    'across into a read-only page',
  ).toEqual([BigInt(end), 'write']);
  expect(bad(() => memory.write(end - 4, new Uint8Array(8)))).toEqual([BigInt(end), 'write']);
  expect(memory.read(end - 4, 8)).toEqual(Uint8Array.of(1, 2, 3, 4, 0, 0, 0, 0));
  expect(bad(() => memory.read(end, PAGE_SIZE + 1))).toEqual([BigInt(end + PAGE_SIZE), 'read']);
  expect(bad(() => memory.setU8(end, 1))).toEqual([BigInt(end), 'write']);
  expect(bad(() => memory.load(end + PAGE_SIZE, new Uint8Array(1)))).toEqual([BigInt(end + PAGE_SIZE), 'read']);
  for (const address of [0, 8, -8, -1, 2 ** 31, 2 ** 32 + FREE, 2 ** 52, 2 ** 64]) {
    expect(
      bad(() => memory.u8(address)),
      String(address),
    ).toEqual([BigInt(address), 'read']);
    expect(bad(() => memory.setU32(address, 1))).toEqual([BigInt(address), 'write']);
    expect(bad(() => memory.u64(address))).toEqual([BigInt(address), 'read']);
    expect(bad(() => memory.pointer(address))).toEqual([BigInt(address), 'read']);
  }
  expect(new BadAddress(0x1234, 'write').message).toBe(
    'cannot write guest memory at 0x1234: nothing is mapped there for that',
  );
});

test('nothing at all can be read and written anywhere', () => {
  const { memory } = open();
  expect(memory.read(0, 0)).toEqual(new Uint8Array(0));
  expect(memory.read(2 ** 40, 0)).toEqual(new Uint8Array(0));
  memory.write(2 ** 40, new Uint8Array(0));
  memory.load(-1, new Uint8Array(0));
});

test('a program is loaded where the guest may not write', () => {
  const { memory } = open();
  memory.reserve(FREE, 2 * PAGE_SIZE, 'r-x');
  memory.load(FREE + PAGE_SIZE - 2, Uint8Array.of(1, 2, 3, 4));
  expect(memory.read(FREE + PAGE_SIZE - 2, 4)).toEqual(Uint8Array.of(1, 2, 3, 4));
  expect(bad(() => memory.setU8(FREE, 1))).toEqual([BigInt(FREE), 'write']);
});

test('text ends at its zero, is UTF-8, may cross pages and may not run off memory', () => {
  const { memory } = open();
  memory.reserve(FREE, 2 * PAGE_SIZE, 'rw-');
  memory.write(FREE + PAGE_SIZE - 3, new TextEncoder().encode('Grüße ✓'));
  expect(memory.text(FREE + PAGE_SIZE - 3)).toBe('Grüße ✓');
  expect(memory.text(FREE)).toBe('');
  memory.write(FREE + 2 * PAGE_SIZE - 2, Uint8Array.of(0x41, 0x42));
  expect(bad(() => memory.text(FREE + 2 * PAGE_SIZE - 2))).toEqual([BigInt(FREE + 2 * PAGE_SIZE), 'read']);
});

/** Numbers that do not repeat with any power of two. */
const pattern = (size: number): Uint8Array => Uint8Array.from({ length: size }, (_, index) => index % 251);

test('a copy is what was there before, for ranges that overlap either way and cross pages', () => {
  const size = 2 * PAGE_SIZE + 100;
  for (const distance of [1, 7, PAGE_SIZE, 3 * PAGE_SIZE]) {
    for (const forwards of [true, false]) {
      const { memory } = open();
      memory.reserve(FREE, 8 * PAGE_SIZE, 'rw-');
      const [from, to] = forwards ? [FREE + 5, FREE + 5 + distance] : [FREE + 5 + distance, FREE + 5];
      memory.write(from, pattern(size));
      memory.copy(to, from, size);
      expect(memory.read(to, size)).toEqual(pattern(size));
      expect([memory.u8(Math.min(from, to) - 1), memory.u8(Math.max(from, to) + size)]).toEqual([0, 0]);
    }
  }
});

test('a copy comes from where only reading is allowed, and stops at the bad address that is nearest', () => {
  const { memory } = open();
  memory.reserve(FREE, 2 * PAGE_SIZE, 'r--');
  const to = FREE + 4 * PAGE_SIZE;
  memory.reserve(to, 3 * PAGE_SIZE, 'rw-');
  memory.load(FREE, pattern(2 * PAGE_SIZE));
  memory.copy(to + 3, FREE, 2 * PAGE_SIZE);
  expect(memory.read(to + 3, 2 * PAGE_SIZE)).toEqual(pattern(2 * PAGE_SIZE));
  memory.fill(to, 100, 9);
  expect(bad(() => memory.copy(to, FREE + PAGE_SIZE, PAGE_SIZE + 1))).toEqual([BigInt(FREE + 2 * PAGE_SIZE), 'read']);
  expect(bad(() => memory.copy(FREE, to, 1))).toEqual([BigInt(FREE), 'write']);
  expect(bad(() => memory.copy(to + 3 * PAGE_SIZE - 8, FREE, 2 ** 64))).toEqual([BigInt(to + 3 * PAGE_SIZE), 'write']);
  expect(bad(() => memory.copy(to, FREE, 2 ** 64))).toEqual([BigInt(FREE + 2 * PAGE_SIZE), 'read']);
  expect(memory.read(to, 100)).toEqual(new Uint8Array(100).fill(9));
  expect(bad(() => memory.copy(2 ** 64, FREE, 1))).toEqual([2n ** 64n, 'write']);
  memory.copy(2 ** 64, -1, 0);
});

test('a range is filled to its last byte and no further', () => {
  const { memory, physical } = open();
  memory.reserve(FREE, 3 * PAGE_SIZE, 'rw-');
  memory.fill(FREE + 10, 2 * PAGE_SIZE, 0x1ab);
  expect(memory.read(FREE + 9, 2 * PAGE_SIZE + 2)).toEqual(
    Uint8Array.of(0, ...new Uint8Array(2 * PAGE_SIZE).fill(0xab), 0),
  );
  expect((physical.entry(memory.root, FREE + PAGE_SIZE) ?? 0n) & 0x40n, 'dirty').toBe(0x40n);
  expect(bad(() => memory.fill(FREE, 2 ** 64, 1))).toEqual([BigInt(FREE + 3 * PAGE_SIZE), 'write']);
  expect(memory.u8(FREE)).toBe(0);
  memory.fill(8, 0, 1);
});

test('a byte is found where it is first, across pages, and what is behind it is not looked at', () => {
  const { memory } = open();
  memory.reserve(FREE, 2 * PAGE_SIZE, 'rw-');
  const end = FREE + 2 * PAGE_SIZE;
  memory.setU8(end - 1, 7);
  memory.setU8(end - 2, 7);
  expect(memory.find(FREE + 3, 7)).toBe(end - 2);
  expect(memory.find(end - 1, 7)).toBe(end - 1);
  expect(memory.find(FREE, 7, 2 * PAGE_SIZE - 2)).toBe(-1);
  expect(memory.find(FREE, 7, 2 * PAGE_SIZE - 1)).toBe(end - 2);
  expect(memory.find(FREE, 7, 2 ** 64)).toBe(end - 2);
  expect(memory.find(8, 7, 0)).toBe(-1);
  expect(bad(() => memory.find(FREE, 8))).toEqual([BigInt(end), 'read']);
  expect(bad(() => memory.find(FREE, 8, 2 * PAGE_SIZE + 1))).toEqual([BigInt(end), 'read']);
  expect(memory.find(FREE, 8, 2 * PAGE_SIZE)).toBe(-1);
  expect(bad(() => memory.find(2 ** 64, 8))).toEqual([2n ** 64n, 'read']);
});

test('ranges are found from the end downwards, and used again last freed first', () => {
  const { memory } = open();
  const size = 4 * PAGE_SIZE;
  expect(memory.ceiling).toBe(memory.end);
  const [a, b, c] = [memory.allocate(size, 0), memory.allocate(size, 0), memory.allocate(size, 0)];
  expect([a, b, c]).toEqual([memory.end - size, memory.end - 2 * size, memory.end - 3 * size]);
  expect(memory.ceiling).toBe(c);
  memory.free(a, size);
  memory.free(c, size);
  expect(memory.protectionAt(c), 'a free range is not mapped').toBeUndefined();
  expect([memory.allocate(size, 0), memory.allocate(size, 0)]).toEqual([c, a]);
  expect(memory.allocate(size, 0)).toBe(memory.end - 4 * size);
});

test('a freed range of another size is left for those of its own', () => {
  const { memory } = open();
  const small = memory.allocate(2 * PAGE_SIZE, 0);
  memory.free(small, 2 * PAGE_SIZE);
  expect(memory.allocate(4 * PAGE_SIZE, 0)).toBe(memory.end - 6 * PAGE_SIZE);
  expect(memory.allocate(2 * PAGE_SIZE, 0)).toBe(small);
});

test('a range that was freed and found again is zeros, and its guard page stays unmapped', () => {
  const { memory } = open();
  const size = 4 * PAGE_SIZE;
  const other = memory.allocate(size, 0);
  const range = memory.allocate(size, 0);
  memory.reserve(range + PAGE_SIZE, size - PAGE_SIZE, 'rw-');
  memory.setU64(range + size - 8, 77n);
  memory.free(other, size);
  memory.free(range, size);
  expect(bad(() => memory.u64(range + size - 8))).toEqual([BigInt(range + size - 8), 'read']);
  expect(memory.allocate(size, 0)).toBe(range);
  memory.reserve(range + PAGE_SIZE, size - PAGE_SIZE, 'rw-');
  expect(memory.u64(range + size - 8)).toBe(0n);
  expect(memory.protectionAt(range)).toBeUndefined();
  expect(memory.allocate(size, 0)).toBe(other);
});

test('memory that is used up says so and changes nothing', () => {
  const { memory } = open();
  const size = 1 << 20;
  let found = 0;
  expect(() => {
    for (;;) {
      memory.allocate(size, 0x100000);
      found++;
    }
  }).toThrow(OutOfMemory);
  // Of 16 MiB the tables take less than one, and the floor is at one.
  expect(found).toBe(14);
  const ceiling = memory.ceiling;
  expect(() => memory.allocate(size, 0x100000)).toThrow("the guest's 16 MiB of memory are used up");
  expect(memory.ceiling).toBe(ceiling);
  memory.free(ceiling, size);
  expect(memory.allocate(size, 0x100000)).toBe(ceiling);
  expect(() => memory.reserve(memory.end - PAGE_SIZE, 2 * PAGE_SIZE, 'rw-')).toThrow(OutOfMemory);
  expect(memory.protectionAt(memory.end - PAGE_SIZE)).toBeUndefined();
});

test('what was saved comes back: contents, protection, free ranges, and pages used since are gone', () => {
  const { memory, physical } = open();
  const size = 4 * PAGE_SIZE;
  const range = memory.allocate(size, 0);
  const freed = memory.allocate(size, 0);
  memory.free(freed, size);
  memory.reserve(range, size, 'rw-');
  memory.setU64(range, 5n);
  memory.reserve(FREE, PAGE_SIZE, 'r-x');
  memory.load(FREE, Uint8Array.of(0x90));
  const saved = memory.save();

  memory.setU64(range, 6n);
  memory.setU64(range + PAGE_SIZE, 6n);
  memory.release(FREE, PAGE_SIZE);
  expect(memory.allocate(size, 0)).toBe(freed);
  memory.reserve(freed, size, 'rw-');
  memory.setU8(freed, 1);
  const { flushes } = physical;
  memory.restore(saved);
  expect(physical.flushes).toBe(flushes + 1);
  expect([memory.u64(range), memory.u64(range + PAGE_SIZE)]).toEqual([5n, 0n]);
  expect([memory.u8(FREE), memory.protectionAt(FREE)]).toEqual([0x90, 'r-x']);
  expect(memory.protectionAt(freed)).toBeUndefined();
  expect(memory.allocate(size, 0)).toBe(freed);
});

test('a save is apart from the memory it was made of, and goes into another of that size only', () => {
  const { memory } = open();
  memory.reserve(FREE, PAGE_SIZE, 'rw-');
  memory.setU8(FREE, 1);
  const saved = memory.save();
  expect(bytesInUse(saved)).toBe(PAGE_SIZE);
  memory.setU8(FREE, 2);
  const other = open().memory;
  other.reserve(2 * FREE, PAGE_SIZE, 'rw-');
  other.restore(saved);
  expect([other.u8(FREE), other.protectionAt(2 * FREE)]).toEqual([1, undefined]);
  other.setU8(FREE, 3);
  const [page] = saved.tables.flatMap(({ pages }) => pages.filter((copy) => copy !== undefined));
  expect([memory.u8(FREE), page[0]]).toEqual([2, 1]);
  expect(() => open(32).memory.restore(saved)).toThrow('a machine with 16 MiB was saved, and this one has 32');
  expect(() => open(32).memory.restore(saved)).toThrow(OutOfMemory);
});
