import type { Memory } from '../emu/memory.js';
import { items } from './slist.js';

/* mill_list: first 0/8, last 8/8. mill_list_item: next 0/8, prev 8/8. */
const LAST = 8;
const PREV = 8;

/** A doubly-linked list in guest memory. */
export class List {
  readonly #memory: Memory;
  readonly #list: number;

  /** @param list address of the mill_list */
  constructor(memory: Memory, list: number) {
    this.#memory = memory;
    this.#list = list;
  }

  get empty(): boolean {
    return this.#memory.pointer(this.#list) === 0;
  }

  push_back(item: number): void {
    const memory = this.#memory;
    const last = memory.pointer(this.#list + LAST);
    memory.setPointer(item, 0);
    memory.setPointer(item + PREV, last);
    memory.setPointer(last === 0 ? this.#list : last, item);
    memory.setPointer(this.#list + LAST, item);
  }

  erase(item: number): void {
    const memory = this.#memory;
    const next = memory.pointer(item);
    const prev = memory.pointer(item + PREV);
    memory.setPointer(prev === 0 ? this.#list : prev, next);
    memory.setPointer(next === 0 ? this.#list + LAST : next + PREV, prev);
  }

  /** @throws MillError if the program has made a circle of it */
  *[Symbol.iterator](): Generator<number> {
    yield* items(this.#memory, this.#list);
  }
}
