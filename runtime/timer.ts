import type { Memory } from '../emu/memory.js';
import { MillError } from './errors.js';
import type { Heap } from './heap.js';
import { MILL_TIMER, offsets } from './layout.js';
import type { Symbols } from './symbols.js';

const TIMER = offsets(MILL_TIMER);
/*
 * libmill keeps its timers in a sorted list and searches it from the front. Here they are in a binary heap, and the two
 * pointers of the list item hold the timer's index in it and the order in which it was set, which decides between equal
 * deadlines.
 */
const INDEX = TIMER.item;
const SEQUENCE = TIMER.item + 8;
const NOT_ARMED = -1n;
const FIRST_CAPACITY = 64;

/** What happens when a timer fires: the value of its callback field. */
export const TIMER_CALLBACKS = { msleep: 1, choose: 2 } as const;

/** libmill's timer.c: deadlines in the order in which they come, those that are equal in the order they were set in. */
export class Timers {
  readonly #memory: Memory;
  readonly #heap: Heap;
  readonly #array: number;
  readonly #count: number;
  readonly #capacity: number;
  readonly #sequence: number;

  constructor(memory: Memory, symbols: Symbols, heap: Heap) {
    this.#memory = memory;
    this.#heap = heap;
    this.#array = symbols('mill_timers');
    this.#count = symbols('mill_timers_count');
    this.#capacity = symbols('mill_timers_capacity');
    this.#sequence = symbols('mill_timers_sequence');
  }

  get count(): number {
    return this.#memory.u32(this.#count);
  }

  /** The earliest deadline in ms, or undefined without timers. */
  get next(): number | undefined {
    return this.count === 0 ? undefined : this.#expiry(this.#at(0));
  }

  /** All that are armed, in the order in which they come. */
  armed(): number[] {
    const timers = Array.from({ length: this.count }, (_, index) => this.#at(index));
    return timers.sort((a, b) => (this.#before(a, b) ? -1 : 1));
  }

  /** @param expiry in ms, not negative */
  add(timer: number, expiry: number, callback: number): void {
    const memory = this.#memory;
    const count = this.count;
    this.#reserve(count + 1);
    const sequence = memory.u64(this.#sequence);
    memory.setU64(this.#sequence, sequence + 1n);
    memory.setU64(timer + SEQUENCE, sequence);
    memory.setU64(timer + TIMER.expiry, BigInt(expiry));
    memory.setU64(timer + TIMER.callback, BigInt(callback));
    memory.setU32(this.#count, count + 1);
    this.#rise(timer, count);
  }

  /** @param timer that is armed */
  remove(timer: number): void {
    const memory = this.#memory;
    const index = memory.u32(timer + INDEX);
    const count = this.count - 1;
    memory.setU32(this.#count, count);
    memory.setU64(timer + TIMER.expiry, NOT_ARMED);
    const last = this.#at(count);
    if (last === timer) return;
    this.#rise(last, index);
    this.#sink(last, memory.u32(last + INDEX));
  }

  /** Takes the earliest timer off if its deadline has come. */
  expire(now: number): { timer: number; callback: number } | undefined {
    const next = this.next;
    if (next === undefined || next > now) return undefined;
    const timer = this.#at(0);
    this.remove(timer);
    return { timer, callback: this.callbackOf(timer) };
  }

  /** In a child process: drops all timers. */
  postfork(): void {
    while (this.count > 0) this.remove(this.#at(this.count - 1));
  }

  /** Deadline of an armed timer in ms, -1 of another. */
  expiryOf(timer: number): number {
    return Number(BigInt.asIntN(64, this.#memory.u64(timer + TIMER.expiry)));
  }

  /** One of {@link TIMER_CALLBACKS}. */
  callbackOf(timer: number): number {
    return this.#memory.u32(timer + TIMER.callback);
  }

  #expiry(timer: number): number {
    return Number(this.#memory.u64(timer + TIMER.expiry));
  }

  #at(index: number): number {
    return this.#memory.pointer(this.#memory.pointer(this.#array) + index * 8);
  }

  #put(timer: number, index: number): void {
    this.#memory.setPointer(this.#memory.pointer(this.#array) + index * 8, timer);
    this.#memory.setU64(timer + INDEX, BigInt(index));
  }

  #before(a: number, b: number): boolean {
    const difference = this.#expiry(a) - this.#expiry(b);
    return difference < 0 || (difference === 0 && this.#memory.u64(a + SEQUENCE) < this.#memory.u64(b + SEQUENCE));
  }

  /** Puts a timer at an index or, past those that come later, above it. */
  #rise(timer: number, index: number): void {
    let at = index;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#at(parent);
      if (!this.#before(timer, above)) break;
      this.#put(above, at);
      at = parent;
    }
    this.#put(timer, at);
  }

  /** Lets a timer that is at an index sink past those that come earlier. */
  #sink(timer: number, index: number): void {
    const count = this.count;
    let at = index;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= count) break;
      if (child + 1 < count && this.#before(this.#at(child + 1), this.#at(child))) child += 1;
      const below = this.#at(child);
      if (!this.#before(below, timer)) break;
      this.#put(below, at);
      at = child;
    }
    this.#put(timer, at);
  }

  #reserve(count: number): void {
    const memory = this.#memory;
    const capacity = memory.u32(this.#capacity);
    if (count <= capacity) return;
    const larger = Math.max(FIRST_CAPACITY, 2 * capacity);
    const array = this.#heap.malloc(larger * 8);
    if (array === 0) throw new MillError('no memory left for another timer');
    const old = memory.pointer(this.#array);
    if (old !== 0) {
      memory.write(array, memory.read(old, capacity * 8));
      this.#heap.free(old);
    }
    memory.setPointer(this.#array, array);
    memory.setU32(this.#capacity, larger);
  }
}
