import type { Memory } from '../emu/memory.js';
import { type Channels, RECEIVER, SENDER } from './chan.js';
import type { Coroutines } from './cr.js';
import { Panic } from './errors.js';
import { MILL_CHOOSEDATA, MILL_CLAUSE, MILL_CR, MILL_EP, offsets } from './layout.js';
import { List } from './list.js';
import type { Random } from './random.js';
import { Slist } from './slist.js';
import type { Symbols } from './symbols.js';
import { TIMER_CALLBACKS, type Timers } from './timer.js';

const CR = offsets(MILL_CR);
const DATA = offsets(MILL_CHOOSEDATA);
const EP = offsets(MILL_EP);
const CLAUSE = offsets(MILL_CLAUSE);

/** What a choose statement that ends by its deadline, or takes otherwise, returns. */
const NO_CLAUSE = -1;

/** The second half of libmill's chan.c: waiting for one of several channels. chs and chr are statements of one clause. */
export class Choose {
  readonly #memory: Memory;
  readonly #coroutines: Coroutines;
  readonly #channels: Channels;
  readonly #timers: Timers;
  readonly #random: Random;
  readonly #seqnum: number;

  constructor(
    memory: Memory,
    symbols: Symbols,
    coroutines: Coroutines,
    channels: Channels,
    timers: Timers,
    random: Random,
  ) {
    this.#memory = memory;
    this.#coroutines = coroutines;
    this.#channels = channels;
    this.#timers = timers;
    this.#random = random;
    this.#seqnum = symbols('mill_choose_seqnum');
  }

  /** mill_choose_init_: the running coroutine begins a statement. */
  init(): void {
    const memory = this.#memory;
    const data = this.#data(this.#coroutines.running);
    memory.setU64(data + DATA.clauses, 0n);
    memory.setU64(data + DATA.clauses + 8, 0n);
    memory.setU32(data + DATA.othws, 0);
    memory.setU64(data + DATA.ddline, -1n);
    memory.setU32(data + DATA.available, 0);
    memory.setU32(this.#seqnum, memory.u32(this.#seqnum) + 1);
  }

  /**
   * mill_choose_in_
   * @param clause address of 64 bytes of the caller's
   * @param size of an element in bytes, as the caller believes
   */
  in(clause: number, channel: number, size: number, index: number): void {
    const channels = this.#channels;
    channels.check(channel);
    if (channels.size(channel) !== size) throw new Panic('receive of a type not matching the channel');
    this.#add(clause, channel, RECEIVER, channels.canReceive(channel), 0, index);
  }

  /**
   * mill_choose_out_
   * @param value address of what is to be sent; read when it is sent
   */
  out(clause: number, channel: number, value: number, size: number, index: number): void {
    const channels = this.#channels;
    channels.check(channel);
    if (channels.done(channel)) throw new Panic('send to done-with channel');
    if (channels.size(channel) !== size) throw new Panic('send of a type not matching the channel');
    this.#add(clause, channel, SENDER, channels.canSend(channel), value, index);
  }

  /** mill_choose_deadline_: in ms; one below 0 is infinite and no clause at all. */
  deadline(deadline: number): void {
    const data = this.#data(this.#coroutines.running);
    this.#onlyOne(data);
    if (deadline >= 0) this.#memory.setU64(data + DATA.ddline, BigInt(deadline));
  }

  /** mill_choose_otherwise_ */
  otherwise(): void {
    const data = this.#data(this.#coroutines.running);
    this.#onlyOne(data);
    this.#memory.setU32(data + DATA.othws, 1);
  }

  /** mill_choose_wait_ up to its suspend: takes a clause that is ready, or otherwise, or registers all of them. */
  wait(): void {
    const memory = this.#memory;
    const running = this.#coroutines.running;
    const data = this.#data(running);
    const available = memory.u32(data + DATA.available);
    if (available > 0) {
      this.#take(running, this.#ready(data, available));
    } else if (memory.u32(data + DATA.othws) !== 0) {
      this.#coroutines.resume(running, NO_CLAUSE);
    } else {
      this.#register(running, data);
    }
  }

  /** mill_chdone_: no more will be sent than this value; every receiver that waits gets it. */
  done(channel: number, value: number, size: number): void {
    this.#channels.finish(
      channel,
      value,
      size,
      (cr) => this.#coroutines.valbuf(cr, size),
      (clause) => this.unblock(clause),
    );
  }

  /** The timer of a choose statement has fired. */
  timedOut(cr: number): void {
    this.#withdraw(cr);
    this.#coroutines.resume(cr, NO_CLAUSE);
  }

  /** mill_choose_unblock: the coroutine that waits with this clause goes on, with its index. */
  unblock(clause: number): void {
    const memory = this.#memory;
    const cr = memory.pointer(clause + CLAUSE.cr);
    this.#withdraw(cr);
    const timer = cr + CR.timer;
    if (this.#timers.expiryOf(timer) >= 0) this.#timers.remove(timer);
    this.#noteUse(clause);
    this.#coroutines.resume(cr, memory.i32(clause + CLAUSE.idx));
  }

  /** The clauses a coroutine's statement has recorded, as addresses of mill_clause. */
  *clauses(cr: number): Generator<number> {
    const list = new Slist(this.#memory, this.#data(cr) + DATA.clauses);
    for (const item of list) yield item - CLAUSE.chitem;
  }

  #data(cr: number): number {
    return cr + CR.choosedata;
  }

  #onlyOne(data: number): void {
    const memory = this.#memory;
    if (memory.u32(data + DATA.othws) !== 0 || BigInt.asIntN(64, memory.u64(data + DATA.ddline)) >= 0n) {
      throw new Panic("multiple 'otherwise' or 'deadline' clauses in a choose statement");
    }
  }

  #add(clause: number, channel: number, type: number, ready: boolean, value: number, index: number): void {
    const memory = this.#memory;
    const running = this.#coroutines.running;
    const data = this.#data(running);
    const available = memory.u32(data + DATA.available) + (ready ? 1 : 0);
    memory.setU32(data + DATA.available, available);
    // Behind one that is ready, only others that are too can be taken.
    if (!ready && available > 0) return;
    const endpoint = this.#channels.endpoint(channel, type);
    memory.setPointer(clause + CLAUSE.cr, running);
    memory.setPointer(clause + CLAUSE.ep, endpoint);
    memory.setPointer(clause + CLAUSE.val, value);
    memory.setU32(clause + CLAUSE.idx, index);
    memory.setU32(clause + CLAUSE.available, ready ? 1 : 0);
    memory.setU32(clause + CLAUSE.used, 1);
    new Slist(memory, data + DATA.clauses).push_back(clause + CLAUSE.chitem);
    const seqnum = memory.u32(this.#seqnum);
    if (memory.u32(endpoint + EP.seqnum) === seqnum) {
      memory.setU32(endpoint + EP.refs, memory.u32(endpoint + EP.refs) + 1);
      return;
    }
    memory.setU32(endpoint + EP.seqnum, seqnum);
    memory.setU32(endpoint + EP.refs, 1);
    memory.setU32(endpoint + EP.tmp, -1);
  }

  /** One of the statement's clauses that are ready, each as likely as the others. */
  #ready(data: number, available: number): number {
    const memory = this.#memory;
    let chosen = available === 1 ? 0 : this.#random.below(available);
    for (const item of new Slist(memory, data + DATA.clauses)) {
      const clause = item - CLAUSE.chitem;
      if (memory.u32(clause + CLAUSE.available) === 0) continue;
      if (chosen === 0) return clause;
      chosen -= 1;
    }
    throw new Panic('a choose statement has lost its clauses');
  }

  #take(running: number, clause: number): void {
    const memory = this.#memory;
    const channels = this.#channels;
    const endpoint = memory.pointer(clause + CLAUSE.ep);
    const channel = channels.channelOf(endpoint);
    const size = channels.size(channel);
    const valbuf = (cr: number): number => this.#coroutines.valbuf(cr, size);
    const unblock = (peer: number): void => this.unblock(peer);
    if (memory.u32(endpoint + EP.type) === SENDER) {
      channels.enqueue(channel, running, memory.pointer(clause + CLAUSE.val), valbuf, unblock);
    } else {
      channels.dequeue(channel, running, valbuf(running), unblock);
    }
    this.#noteUse(clause);
    this.#coroutines.resume(running, memory.i32(clause + CLAUSE.idx));
  }

  #register(running: number, data: number): void {
    const memory = this.#memory;
    const deadline = BigInt.asIntN(64, memory.u64(data + DATA.ddline));
    if (deadline >= 0n) this.#timers.add(running + CR.timer, Number(deadline), TIMER_CALLBACKS.choose);
    for (const item of new Slist(memory, data + DATA.clauses)) {
      const clause = item - CLAUSE.chitem;
      const endpoint = memory.pointer(clause + CLAUSE.ep);
      if (this.#passedOver(endpoint)) memory.setU32(clause + CLAUSE.used, 0);
      else new List(memory, endpoint + EP.clauses).push_back(clause + CLAUSE.epitem);
    }
  }

  /** Of several clauses on one endpoint only one, drawn at random, waits there. */
  #passedOver(endpoint: number): boolean {
    const memory = this.#memory;
    const refs = memory.u32(endpoint + EP.refs);
    if (refs <= 1) return false;
    if (memory.i32(endpoint + EP.tmp) === -1) memory.setU32(endpoint + EP.tmp, this.#random.below(refs));
    const left = memory.i32(endpoint + EP.tmp);
    if (left !== 0) {
      // -2 after one was taken: all others are passed over, however many they are.
      memory.setU32(endpoint + EP.tmp, left - 1);
      return true;
    }
    memory.setU32(endpoint + EP.tmp, -2);
    return false;
  }

  /** Takes all clauses of a coroutine's statement that wait off their endpoints. */
  #withdraw(cr: number): void {
    const memory = this.#memory;
    for (const clause of this.clauses(cr)) {
      // libmill asserts here that each is used, which fails when a deadline fires on two clauses of one endpoint.
      if (memory.u32(clause + CLAUSE.used) === 0) continue;
      new List(memory, memory.pointer(clause + CLAUSE.ep) + EP.clauses).erase(clause + CLAUSE.epitem);
    }
  }

  #noteUse(clause: number): void {
    const memory = this.#memory;
    const endpoint = memory.pointer(clause + CLAUSE.ep);
    const user = this.#coroutines.idOf(memory.pointer(clause + CLAUSE.cr));
    this.#channels.setLastUser(this.#channels.channelOf(endpoint), memory.u32(endpoint + EP.type), user);
  }
}
