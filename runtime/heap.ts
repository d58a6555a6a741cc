import { type Memory, PAGE_SIZE } from '../emu/memory.js';
import { Misuse } from './errors.js';
import type { Symbols } from './symbols.js';

/*
 * A block is a power of two of bytes: header, what malloc returns, guard, and what is left over. The header's words:
 */
/** The block's size as a power of two. */
const SIZE_CLASS = 0;
const STATE = 4;
/** What was asked for, in bytes; valid while in use or freed. */
const SIZE = 8;
/** How far into its block the header is: not 0 if an alignment has moved it. */
const OFFSET = 12;
/** Valid while freed: where free's caller went on, or 0 if that was the runtime itself. */
const FREED_AT = 16;
/** Valid while free: the header of the next free block of this class, or 0. */
const NEXT = 24;
const HEADER = 32;

/** States; what is not FRESH are values that chance will not put there. A FRESH block was never in use. */
const FRESH = 0;
const IN_USE = 0x6d616c63;
const FREED = 0x66726565;
/** At the start of a block whose header is further in: {@link OFFSET} says where. */
const MOVED = 0x6d6f7665;

/** Behind what was asked for, so that a write past the end is noticed. */
const GUARD = 8;
const GUARD_BYTE = 0xfd;
/** Of a freed block so many bytes at most are filled: the pages of a large one may never have been touched. */
const POISONED = 2 ** 20;
/** What freed bytes become. Eight of them are no canonical address, so that a pointer made of them faults. */
const POISON_BYTE = 0xde;
const POISON = 0xdedededededededen;
/** How large a structure may be for a field of it to be recognised behind a poisoned pointer. */
const REACH = 2n ** 20n;

const SMALLEST_CLASS = 6;
const LARGEST_CLASS = 30;
/** What malloc's addresses are multiples of. */
const ALIGNMENT = 16;

/**
 * Whether an address looks as if its pointer was read from memory that was freed, or that malloc has given out again
 * and nobody has written since.
 */
export function looksFreed(address: bigint): boolean {
  const distance = BigInt.asIntN(64, address - POISON);
  return -REACH < distance && distance < REACH;
}

const hex = (address: number | bigint): string => `0x${address.toString(16)}`;
const bytes = (size: number): string => (size === 1 ? '1 byte' : `${size} bytes`);
const at = (caller: bigint | undefined): string => (caller === undefined ? 'by libmill' : `at ${hex(caller)}`);

/**
 * malloc's memory: blocks of powers of two, a list of free ones for each size, those that were freed first being used
 * again first. All of it, the lists included, is in guest memory, and nothing of it in what the guest may write.
 */
export class Heap {
  readonly #memory: Memory;
  readonly #start: number;
  readonly #end: number;
  readonly #first: number;
  readonly #last: number;

  /** @param start where the heap begins, a multiple of the page size */
  constructor(memory: Memory, symbols: Symbols, start: number) {
    this.#memory = memory;
    this.#start = start;
    this.#end = symbols('heap_end');
    this.#first = symbols('heap_free');
    this.#last = symbols('heap_free_last');
    memory.setPointer(this.#end, start);
  }

  /** The address behind the heap's last page. */
  get end(): number {
    return this.#memory.pointer(this.#end);
  }

  /**
   * @param alignment a power of two
   * @returns address of `size` bytes, aligned to 16 at least; 0 if there is no such room
   * @throws Misuse if the block that would be used again was written after it was freed
   */
  malloc(size: number, alignment = ALIGNMENT): number {
    const sizeClass = classOf(size, alignment);
    if (sizeClass > LARGEST_CLASS) return 0;
    const memory = this.#memory;
    const list = this.#first + sizeClass * 8;
    if (memory.pointer(list) === 0 && !this.#grow(sizeClass)) return 0;
    const free = memory.pointer(list);
    this.#checkFree(free, sizeClass);
    memory.setPointer(list, memory.pointer(free + NEXT));
    const block = free - memory.u32(free + OFFSET);
    const address = Math.ceil((block + HEADER) / alignment) * alignment;
    const header = address - HEADER;
    if (header !== block) {
      memory.setU32(block + STATE, MOVED);
      memory.setU32(block + OFFSET, header - block);
    }
    memory.setU32(header + SIZE_CLASS, sizeClass);
    memory.setU32(header + STATE, IN_USE);
    memory.setU32(header + SIZE, size);
    memory.setU32(header + OFFSET, header - block);
    memory.fill(address + size, GUARD, GUARD_BYTE);
    return address;
  }

  /** The same, of zeros. */
  calloc(size: number): number {
    const memory = this.#memory;
    const sizeClass = classOf(size);
    if (sizeClass > LARGEST_CLASS) return 0;
    const next = memory.pointer(this.#first + sizeClass * 8);
    // Pages that nobody has touched are zeros, and stay untouched.
    const fresh = next === 0 || memory.u32(next + STATE) === FRESH;
    const address = this.malloc(size);
    if (address !== 0 && !fresh) memory.fill(address, size, 0);
    return address;
  }

  /**
   * @param address from {@link malloc}, or 0
   * @param caller where the guest goes on behind its call of free; kept for messages
   * @throws Misuse for any other address, for a block that is free already, and for one that was written past its end
   */
  free(address: number, caller = 0): void {
    if (address === 0) return;
    const memory = this.#memory;
    const header = this.#inUse(address, 'free');
    memory.fill(address, Math.min(memory.u32(header + SIZE), POISONED), POISON_BYTE);
    memory.setU32(header + STATE, FREED);
    memory.setPointer(header + FREED_AT, caller);
    this.#append(header);
  }

  /**
   * Makes a block larger or smaller, where it is if it can be; what was in it, as far as it fits, stays.
   * @param address from {@link malloc}
   * @returns 0 if there is no such room; the block is as it was then
   * @throws Misuse as {@link free}
   */
  realloc(address: number, size: number, caller = 0): number {
    const memory = this.#memory;
    const header = this.#inUse(address, 'realloc');
    const room = 2 ** memory.u32(header + SIZE_CLASS) - memory.u32(header + OFFSET) - HEADER - GUARD;
    if (size <= room) {
      memory.setU32(header + SIZE, size);
      memory.fill(address + size, GUARD, GUARD_BYTE);
      return address;
    }
    const moved = this.malloc(size);
    if (moved === 0) return 0;
    memory.copy(moved, address, memory.u32(header + SIZE));
    this.free(address, caller);
    return moved;
  }

  /**
   * The size that a block was asked for with, in bytes.
   * @throws Misuse as {@link free}
   */
  size(address: number): number {
    return this.#memory.u32(this.#inUse(address, 'malloc_usable_size') + SIZE);
  }

  /**
   * To be called when the program ends.
   * @throws Misuse if a block was written after it was freed, or in front of where it begins
   */
  check(): void {
    const memory = this.#memory;
    for (let sizeClass = SMALLEST_CLASS; sizeClass <= LARGEST_CLASS; sizeClass++) {
      let free = memory.pointer(this.#first + sizeClass * 8);
      // A list that the guest has overwritten may be a circle.
      let left = Math.floor((this.end - this.#start) / 2 ** sizeClass);
      for (; free !== 0; free = memory.pointer(free + NEXT)) {
        if (left-- === 0) throw this.#overwritten(free);
        this.#checkFree(free, sizeClass);
      }
    }
  }

  /** The header of a block that is in use and sound. */
  #inUse(address: number, what: string): number {
    const memory = this.#memory;
    const header = address - HEADER;
    if (header < this.#start || address > this.end || memory.u32(header + STATE) !== IN_USE) {
      throw this.#noBlock(address, what);
    }
    const size = memory.u32(header + SIZE);
    for (let offset = size; offset < size + GUARD; offset++) {
      if (memory.u8(address + offset) === GUARD_BYTE) continue;
      throw new Misuse(
        `the block of ${bytes(size)} at ${hex(address)} was written past its end, at offset ${offset}: ` +
          `${what} has noticed it`,
      );
    }
    return header;
  }

  /** What to say about an address that is no block in use. */
  #noBlock(address: number, what: string): Misuse {
    const memory = this.#memory;
    const block = this.#blockOf(address);
    if (block === undefined) {
      return new Misuse(`${what} of ${hex(address)}, which is nowhere in the heap: malloc has not returned it`);
    }
    const header = memory.u32(block + STATE) === MOVED ? block + memory.u32(block + OFFSET) : block;
    const state = memory.u32(header + STATE);
    const size = memory.u32(header + SIZE);
    const start = header + HEADER;
    const name = `the block of ${bytes(size)} at ${hex(start)}`;
    if (state === FREED) {
      const freedAt = this.#freedAt(header);
      const message =
        address === start
          ? `${what === 'free' ? 'double free' : what} of ${name}: it was freed ${at(freedAt)} before`
          : `${what} of ${hex(address)}, at offset ${address - start} of ${name}, which was freed ${at(freedAt)}`;
      return new Misuse(message, freedAt);
    }
    if (state === IN_USE) {
      return new Misuse(
        `${what} of ${hex(address)}, at offset ${address - start} of ${name}: give it the block's start`,
      );
    }
    if (state === FRESH) return new Misuse(`${what} of ${hex(address)}, which malloc has not returned yet`);
    return this.#overwritten(header);
  }

  /** @returns where the block begins that an address is in, or undefined */
  #blockOf(address: number): number | undefined {
    const end = this.end;
    for (let block = this.#start; block < end; ) {
      const sizeClass = this.#memory.u32(block + SIZE_CLASS);
      if (sizeClass < SMALLEST_CLASS || sizeClass > LARGEST_CLASS) throw this.#overwritten(block);
      const next = block + 2 ** sizeClass;
      if (address >= block && address < next) return block;
      block = next;
    }
    return undefined;
  }

  /** Of a block in the list of this class: that it and the way to the next one are as the heap has left them. */
  #checkFree(header: number, sizeClass: number): void {
    const memory = this.#memory;
    const state = memory.u32(header + STATE);
    const next = memory.pointer(header + NEXT);
    const isBlock = next >= this.#start && next <= this.end - HEADER;
    const known = state === FRESH || state === FREED;
    if (!known || memory.u32(header + SIZE_CLASS) !== sizeClass || (next !== 0 && !isBlock)) {
      throw this.#overwritten(header);
    }
    if (state === FRESH) return;
    const size = memory.u32(header + SIZE);
    if (memory.u32(header + OFFSET) + HEADER + size + GUARD > 2 ** sizeClass) throw this.#overwritten(header);
    const address = header + HEADER;
    const offset = firstOther(memory.read(address, Math.min(size, POISONED)), POISON_BYTE);
    if (offset === -1) return;
    const freedAt = this.#freedAt(header);
    throw new Misuse(
      `the block of ${bytes(size)} at ${hex(address)}, freed ${at(freedAt)}, was written at offset ${offset} ` +
        'after that',
      freedAt,
    );
  }

  #freedAt(header: number): bigint | undefined {
    const caller = this.#memory.pointer(header + FREED_AT);
    return caller === 0 ? undefined : BigInt(caller);
  }

  #overwritten(header: number): Misuse {
    return new Misuse(
      `the ${HEADER} bytes in front of the block at ${hex(header + HEADER)} are the heap's own and were overwritten: ` +
        'something was written in front of that block, or far past the end of the one before it',
    );
  }

  /** Puts at least one block into an empty list. */
  #grow(sizeClass: number): boolean {
    const memory = this.#memory;
    const size = 2 ** sizeClass;
    const room = Math.max(size, PAGE_SIZE);
    const start = this.end;
    if (start + room > memory.ceiling) return false;
    memory.reserve(start, room, 'rw-');
    memory.setPointer(this.#end, start + room);
    for (let block = start; block < start + room; block += size) {
      memory.setU32(block + SIZE_CLASS, sizeClass);
      this.#append(block);
    }
    return true;
  }

  /** Puts a free block at the end of its list. */
  #append(header: number): void {
    const memory = this.#memory;
    const list = memory.u32(header + SIZE_CLASS) * 8;
    memory.setPointer(header + NEXT, 0);
    const previous =
      memory.pointer(this.#first + list) === 0 ? this.#first + list : memory.pointer(this.#last + list) + NEXT;
    memory.setPointer(previous, header);
    memory.setPointer(this.#last + list, header);
  }
}

/** The class of the blocks that have room for so many bytes, aligned so. */
function classOf(size: number, alignment = ALIGNMENT): number {
  const room = HEADER + size + GUARD + alignment - ALIGNMENT;
  return room > 2 ** LARGEST_CLASS ? Number.POSITIVE_INFINITY : Math.max(SMALLEST_CLASS, 32 - Math.clz32(room - 1));
}

/** Where the first byte is that is not this one, or -1. */
function firstOther(content: Uint8Array, byte: number): number {
  // Freed blocks may be large: four bytes at a time first.
  const words = new Uint32Array(content.buffer, 0, content.length >>> 2);
  const word = byte * 0x01010101;
  let index = 0;
  while (index < words.length && words[index] === word) index++;
  for (let rest = index * 4; rest < content.length; rest++) if (content[rest] !== byte) return rest;
  return -1;
}
