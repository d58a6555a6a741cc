import type { Memory } from '../emu/memory.js';
import { MillError } from './errors.js';

/*
 * mill_slist: first 0/8, last 8/8. mill_slist_item: next 0/8. An item is addressed as itself; which structure it is
 * in is the caller's knowledge, as with libmill's mill_cont.
 */
const LAST = 8;

/** The items of either kind of list, which both begin with a pointer to the first, and each item with one to the next. */
export function* items(memory: Memory, list: number): Generator<number> {
  // Brent's way to notice a circle: remember an item, and after twice as many steps a later one.
  let remembered = 0;
  let steps = 0;
  let next = 1;
  for (let item = memory.pointer(list); item !== 0; item = memory.pointer(item)) {
    if (item === remembered) throw new MillError(`the list at 0x${list.toString(16)} has become a circle`);
    yield item;
    steps += 1;
    if (steps < next) continue;
    remembered = item;
    steps = 0;
    next *= 2;
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

  /** Forgets all items. */
  clear(): void {
    this.#memory.setPointer(this.#list, 0);
    this.#memory.setPointer(this.#list + LAST, 0);
  }

  /** @throws MillError if the program has made a circle of it */
  *[Symbol.iterator](): Generator<number> {
    yield* items(this.#memory, this.#list);
  }
}
