import { type Memory, PAGE_SIZE } from '../emu/memory.js';
import { MillError } from './errors.js';
import type { Symbols } from './symbols.js';

/** Each block has its class in front of it, in a unit that keeps what follows aligned as malloc promises. */
const HEADER = 16;
const SMALLEST_CLASS = 5;
/** In the header of a block that was given out: any value that chance will not put there. */
const IN_USE = 0x6d616c63;

/**
 * malloc's memory: blocks of powers of two, a list of free ones for each size. All of it, the lists included, is in
 * guest memory.
 */
export class Heap {
  readonly #memory: Memory;
  readonly #end: number;
  readonly #free: number;

  /** @param start where the heap begins, a multiple of the page size */
  constructor(memory: Memory, symbols: Symbols, start: number) {
    this.#memory = memory;
    this.#end = symbols('heap_end');
    this.#free = symbols('heap_free');
    memory.setPointer(this.#end, start);
  }

  /** The address behind the heap's last page. */
  get end(): number {
    return this.#memory.pointer(this.#end);
  }

  /** @returns address of at least `size` bytes, aligned to 16; 0 if there is no such room */
  malloc(size: number): number {
    const memory = this.#memory;
    const sizeClass = Math.max(SMALLEST_CLASS, 32 - Math.clz32(size + HEADER - 1));
    if (size + HEADER > 2 ** 30) return 0;
    const list = this.#free + sizeClass * 8;
    let block = memory.pointer(list);
    if (block === 0) {
      if (!this.#grow(sizeClass)) return 0;
      block = memory.pointer(list);
    }
    memory.setPointer(list, memory.pointer(block + HEADER));
    memory.setU32(block, sizeClass);
    memory.setU32(block + 4, IN_USE);
    return block + HEADER;
  }

  /**
   * @param address from {@link malloc}, or 0
   * @throws MillError for any other, and for one that is free already
   */
  free(address: number): void {
    if (address === 0) return;
    const memory = this.#memory;
    const block = address - HEADER;
    if (memory.u32(block + 4) !== IN_USE) {
      throw new MillError(`free of 0x${address.toString(16)}, which is not in use as a block of the heap`);
    }
    memory.setU32(block + 4, 0);
    const list = this.#free + memory.u32(block) * 8;
    memory.setPointer(address, memory.pointer(list));
    memory.setPointer(list, block);
  }

  /** Puts at least one block into an empty list. */
  #grow(sizeClass: number): boolean {
    const memory = this.#memory;
    const size = 2 ** sizeClass;
    const bytes = Math.max(size, PAGE_SIZE);
    const start = this.end;
    if (start + bytes > memory.ceiling) return false;
    memory.reserve(start, bytes, 'rw-');
    memory.setPointer(this.#end, start + bytes);
    const list = this.#free + sizeClass * 8;
    for (let block = start + bytes - size; block >= start; block -= size) {
      memory.setPointer(block + HEADER, memory.pointer(list));
      memory.setPointer(list, block);
    }
    return true;
  }
}
