import type { Memory } from '../emu/memory.js';

/*
 * mill_slist: first 0/8, last 8/8. mill_slist_item: next 0/8. An item is addressed as itself; which structure it is
 * in is the caller's knowledge, as with libmill's mill_cont.
 */
const LAST = 8;

/** A singly-linked list in guest memory: a queue. */
export class Slist {
  readonly #memory: Memory;
  readonly #list: number;

  /** @param list address of the mill_slist */
  constructor(memory: Memory, list: number) {
    this.#memory = memory;
    this.#list = list;
  }

  get empty(): boolean {
    return this.#memory.pointer(this.#list) === 0;
  }

  push_back(item: number): void {
    const memory = this.#memory;
    memory.setPointer(item, 0);
    const last = memory.pointer(this.#list + LAST);
    memory.setPointer(last === 0 ? this.#list : last, item);
    memory.setPointer(this.#list + LAST, item);
  }

  /** Takes the first item off; 0 if there is none. */
  pop(): number {
    const memory = this.#memory;
    const first = memory.pointer(this.#list);
    if (first === 0) return 0;
    const next = memory.pointer(first);
    memory.setPointer(this.#list, next);
    if (next === 0) memory.setPointer(this.#list + LAST, 0);
    return first;
  }

  *[Symbol.iterator](): Generator<number> {
    for (let item = this.#memory.pointer(this.#list); item !== 0; item = this.#memory.pointer(item)) yield item;
  }
}
