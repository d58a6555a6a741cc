import type { Memory } from '../emu/memory.js';
import type { Census } from './debug.js';
import { MillError, Panic } from './errors.js';
import type { Listeners, ProcessEvents } from './events.js';
import type { Heap } from './heap.js';
import { MILL_CHAN, MILL_CLAUSE, MILL_EP, offsets } from './layout.js';
import { List } from './list.js';
import type { Symbols } from './symbols.js';

const CHAN = offsets(MILL_CHAN);
const EP = offsets(MILL_EP);
const CLAUSE = offsets(MILL_CLAUSE);

/** The values of mill_ep's `type`. */
export const SENDER = 0;
export const RECEIVER = 1;

/**
 * In front of each struct mill_chan, where no libmill program looks: the ids of the coroutines that last sent and last
 * received, plus 1; 0 for nobody. For reports only.
 */
const PREFIX = 16;
const LAST_USER = [-16, -12] as const;

/** What mill_choose_unblock does: the clause's coroutine goes on, with that clause. */
export type Unblock = (clause: number) => void;

/** libmill's chan.c: channels as such. Who waits for them is in `choose.ts`. */
export class Channels {
  readonly #memory: Memory;
  readonly #heap: Heap;
  readonly #census: Census;
  readonly #seqnum: number;
  readonly #events: Listeners<ProcessEvents>;

  constructor(memory: Memory, symbols: Symbols, heap: Heap, census: Census, events: Listeners<ProcessEvents>) {
    this.#events = events;
    this.#memory = memory;
    this.#heap = heap;
    this.#census = census;
    this.#seqnum = symbols('mill_choose_seqnum');
  }

  /**
   * mill_chmake_
   * @param size of an element in bytes
   * @param capacity how many elements are buffered
   * @param created address of a string, or 0
   * @returns the channel, or 0 if there is no memory for it
   */
  make(size: number, capacity: number, created: number): number {
    const memory = this.#memory;
    const block = this.#heap.malloc(PREFIX + MILL_CHAN.size + size * (capacity + 1));
    if (block === 0) return 0;
    const channel = block + PREFIX;
    memory.write(block, new Uint8Array(PREFIX + MILL_CHAN.size));
    memory.setU64(channel + CHAN.sz, BigInt(size));
    memory.setU64(channel + CHAN.bufsz, BigInt(capacity));
    memory.setU32(channel + CHAN.refcount, 1);
    const seqnum = memory.u32(this.#seqnum);
    [CHAN.sender, CHAN.receiver].forEach((endpoint, type) => {
      memory.setU32(channel + endpoint + EP.type, type);
      memory.setU32(channel + endpoint + EP.seqnum, seqnum);
    });
    this.#census.register(channel, created);
    return channel;
  }

  /** mill_chdup_ */
  dup(channel: number): number {
    this.check(channel);
    this.#memory.setU32(channel + CHAN.refcount, this.refcount(channel) + 1);
    return channel;
  }

  /** mill_chclose_ */
  close(channel: number): void {
    this.check(channel);
    const memory = this.#memory;
    const handles = this.refcount(channel) - 1;
    memory.setU32(channel + CHAN.refcount, handles);
    if (handles > 0) return;
    if (!this.waiting(channel, SENDER).empty || !this.waiting(channel, RECEIVER).empty) {
      throw new Panic('attempt to close a channel while it is still being used');
    }
    this.#census.unregister(channel);
    this.#heap.free(channel - PREFIX);
  }

  /** mill_chdone_. Every waiting receiver gets the value. */
  finish(channel: number, value: number, size: number, valbuf: (cr: number) => number, unblock: Unblock): void {
    this.check(channel);
    const memory = this.#memory;
    if (memory.u32(channel + CHAN.done) !== 0) throw new Panic('chdone on already done-with channel');
    if (this.size(channel) !== size) throw new Panic('send of a type not matching the channel');
    if (!this.waiting(channel, SENDER).empty) throw new Panic('send to done-with channel');
    const bytes = memory.read(value, size);
    memory.setU32(channel + CHAN.done, 1);
    memory.write(this.#element(channel, this.capacity(channel)), bytes);
    for (let clause = this.first(channel, RECEIVER); clause !== 0; clause = this.first(channel, RECEIVER)) {
      const receiver = memory.pointer(clause + CLAUSE.cr);
      memory.write(valbuf(receiver), bytes);
      this.#transferred(channel, 0, receiver, true);
      unblock(clause);
    }
  }

  /**
   * Refuses what is no channel.
   * @throws Panic for NULL, MillError for a channel that has been closed
   */
  check(channel: number): void {
    if (channel === 0) throw new Panic('null channel used');
    if (this.refcount(channel) <= 0) throw new MillError('a channel is used that has been closed');
  }

  /** Whether a receive could complete at once. */
  canReceive(channel: number): boolean {
    return this.done(channel) || !this.waiting(channel, SENDER).empty || this.items(channel) > 0;
  }

  /** Whether a send could complete at once. */
  canSend(channel: number): boolean {
    return !this.waiting(channel, RECEIVER).empty || this.items(channel) < this.capacity(channel);
  }

  /**
   * mill_enqueue: to the first receiver that waits, otherwise into the buffer.
   * @param sender the coroutine that runs, which sends
   * @param value address of what is sent
   * @param valbuf of a coroutine, large enough for an element
   */
  enqueue(channel: number, sender: number, value: number, valbuf: (cr: number) => number, unblock: Unblock): void {
    const memory = this.#memory;
    const bytes = memory.read(value, this.size(channel));
    const receiver = this.first(channel, RECEIVER);
    if (receiver !== 0) {
      const coroutine = memory.pointer(receiver + CLAUSE.cr);
      memory.write(valbuf(coroutine), bytes);
      this.#transferred(channel, sender, coroutine);
      unblock(receiver);
    } else {
      this.#append(channel, sender, bytes);
    }
  }

  /**
   * mill_dequeue: from the buffer, into which the first sender that waits may then put its value; otherwise from that
   * sender; otherwise chdone's value.
   * @param receiver the coroutine that runs, which receives
   * @param value address of where it goes
   */
  dequeue(channel: number, receiver: number, value: number, unblock: Unblock): void {
    const memory = this.#memory;
    const size = this.size(channel);
    const sender = this.first(channel, SENDER);
    const sent = sender === 0 ? undefined : memory.read(memory.pointer(sender + CLAUSE.val), size);
    const from = sender === 0 ? 0 : memory.pointer(sender + CLAUSE.cr);
    const items = this.items(channel);
    if (items > 0) {
      const first = Number(memory.u64(channel + CHAN.first));
      memory.write(value, memory.read(this.#element(channel, first), size));
      memory.setU64(channel + CHAN.first, BigInt((first + 1) % this.capacity(channel)));
      memory.setU64(channel + CHAN.items, BigInt(items - 1));
      this.#transferred(channel, 0, receiver);
      if (sent !== undefined) this.#append(channel, from, sent);
    } else {
      memory.write(value, sent ?? memory.read(this.#element(channel, this.capacity(channel)), size));
      this.#transferred(channel, from, receiver, sent === undefined);
    }
    if (sender !== 0) unblock(sender);
  }

  /** Bytes of an element. */
  size(channel: number): number {
    return this.#memory.pointer(channel + CHAN.sz);
  }

  /** How many elements can be buffered. */
  capacity(channel: number): number {
    return this.#memory.pointer(channel + CHAN.bufsz);
  }

  /** How many elements are buffered. */
  items(channel: number): number {
    return this.#memory.pointer(channel + CHAN.items);
  }

  refcount(channel: number): number {
    return this.#memory.i32(channel + CHAN.refcount);
  }

  done(channel: number): boolean {
    return this.#memory.u32(channel + CHAN.done) !== 0;
  }

  /** Address of an endpoint. */
  endpoint(channel: number, type: number): number {
    return channel + (type === SENDER ? CHAN.sender : CHAN.receiver);
  }

  /** mill_getchan: the channel that an endpoint is in. */
  channelOf(endpoint: number): number {
    return endpoint - (this.#memory.u32(endpoint + EP.type) === SENDER ? CHAN.sender : CHAN.receiver);
  }

  /** Items of the clauses that wait at an endpoint. */
  waiting(channel: number, type: number): List {
    return new List(this.#memory, this.endpoint(channel, type) + EP.clauses);
  }

  /** The first clause that waits at an endpoint, or 0. */
  first(channel: number, type: number): number {
    const item = this.#memory.pointer(this.endpoint(channel, type) + EP.clauses);
    return item === 0 ? 0 : item - CLAUSE.epitem;
  }

  /** Notes who has used an endpoint. */
  setLastUser(channel: number, type: number, id: number): void {
    this.#memory.setU32(channel + LAST_USER[type], id + 1);
  }

  /** Id of the coroutine that has last used an endpoint, or undefined. */
  lastUser(channel: number, type: number): number | undefined {
    const id = this.#memory.u32(channel + LAST_USER[type]);
    return id === 0 ? undefined : id - 1;
  }

  #element(channel: number, index: number): number {
    return channel + MILL_CHAN.size + index * this.size(channel);
  }

  #transferred(channel: number, from: number, to: number, done = false): void {
    if (this.#events.has('transfer')) this.#events.tell('transfer', { channel, from, to, done });
  }

  #append(channel: number, sender: number, bytes: Uint8Array): void {
    const memory = this.#memory;
    const items = this.items(channel);
    const position = (Number(memory.u64(channel + CHAN.first)) + items) % this.capacity(channel);
    memory.write(this.#element(channel, position), bytes);
    memory.setU64(channel + CHAN.items, BigInt(items + 1));
    this.#transferred(channel, sender, 0);
  }
}
