import { OutOfMemory } from '../emu/errors.js';
import { type Memory, PAGE_SIZE } from '../emu/memory.js';
import { Panic } from './errors.js';
import type { Heap } from './heap.js';
import { Slist } from './slist.js';
import type { Symbols } from './symbols.js';

/** A cached stack's list item is in its last bytes, as in libmill's stack.c. */
const ITEM = 8;

/**
 * libmill's stack.c: the blocks that coroutines live in, low to high a guard page, the stack, valbuf and mill_cr.
 * A stack is named by the address behind its end.
 */
export class Stacks {
  readonly #memory: Memory;
  readonly #heap: Heap;
  readonly #cache: Slist;
  readonly #size: number;
  readonly #cached: number;
  readonly #maxCached: number;

  constructor(memory: Memory, symbols: Symbols, heap: Heap) {
    this.#memory = memory;
    this.#heap = heap;
    this.#cache = new Slist(memory, symbols('mill_cached_stacks'));
    this.#size = symbols('mill_stack_size');
    this.#cached = symbols('mill_num_cached_stacks');
    this.#maxCached = symbols('mill_max_cached_stacks');
  }

  /** Bytes of a block: what was asked for, rounded up to pages, and the guard page. */
  get blockSize(): number {
    const size = this.#memory.pointer(this.#size);
    return Math.ceil(size / PAGE_SIZE) * PAGE_SIZE + PAGE_SIZE;
  }

  /** Lowest usable address of a stack, right above its guard page. */
  low(stack: number): number {
    return stack - this.blockSize + PAGE_SIZE;
  }

  /**
   * Takes a stack from the cache, the first freed first, or makes one.
   * @throws Panic when there is no memory for it
   */
  allocate(): number {
    const item = this.#cache.pop();
    if (item !== 0) {
      this.#memory.setU32(this.#cached, this.#memory.u32(this.#cached) - 1);
      return item + ITEM;
    }
    try {
      return this.#make();
    } catch (error) {
      if (error instanceof OutOfMemory) throw new Panic('not enough memory to allocate coroutine stack');
      throw error;
    }
  }

  /** Puts a stack into the cache; above the cache's limit the oldest in it is released. */
  free(stack: number): void {
    const memory = this.#memory;
    this.#cache.push_back(stack - ITEM);
    const cached = memory.i32(this.#cached);
    if (cached < memory.i32(this.#maxCached)) memory.setU32(this.#cached, cached + 1);
    else this.#release(this.#cache.pop() + ITEM);
  }

  /**
   * Replaces the cache by `count` new stacks of another size; to be called while no stack is in use.
   * @param size bytes for stack, valbuf and mill_cr together
   * @returns whether there was memory for them; if not, nothing has changed but that the cache is empty
   */
  prepare(count: number, size: number): boolean {
    const memory = this.#memory;
    for (let item = this.#cache.pop(); item !== 0; item = this.#cache.pop()) this.#release(item + ITEM);
    memory.setU32(this.#cached, 0);
    const oldSize = memory.pointer(this.#size);
    memory.setPointer(this.#size, size);
    try {
      for (let i = 0; i < count; i++) this.#cache.push_back(this.#make() - ITEM);
    } catch (error) {
      if (!(error instanceof OutOfMemory)) throw error;
      for (let item = this.#cache.pop(); item !== 0; item = this.#cache.pop()) this.#release(item + ITEM);
      memory.setPointer(this.#size, oldSize);
      return false;
    }
    memory.setU32(this.#cached, count);
    memory.setU32(this.#maxCached, count);
    return true;
  }

  #make(): number {
    const size = this.blockSize;
    const block = this.#memory.allocate(size, this.#heap.end);
    this.#memory.reserve(block + PAGE_SIZE, size - PAGE_SIZE, 'rw-');
    return block + size;
  }

  #release(stack: number): void {
    const size = this.blockSize;
    this.#memory.free(stack - size, size);
  }
}
