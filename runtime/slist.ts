import type { Memory } from '../emu/memory.js';
import { MillError } from './errors.js';

/*
 * mill_slist: first 0/8, last 8/8. mill_slist_item: next 0/8. An item is addressed as itself; which structure it is
 * in is the caller's knowledge, as with libmill's mill_cont.
 */
const LAST = 8;

/** The items of either kind of list, which both begin with a pointer to the first, and each item with one to the next. */
export function* items(memory: Memory, list: number): Generator<number> {
  // There is no room in memory for more: what goes on longer goes round.
  let left = memory.end / 8;
  for (let item = memory.pointer(list); item !== 0; item = memory.pointer(item)) {
    if (--left < 0) throw new MillError(`the list at 0x${list.toString(16)} has become a circle`);
    yield item;
  }
}

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

  /** @throws MillError if the program has made a circle of it */
  *[Symbol.iterator](): Generator<number> {
    yield* items(this.#memory, this.#list);
  }
}
