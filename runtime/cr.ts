import type { Memory } from '../emu/memory.js';
import type { Census } from './debug.js';
import { Deadlock, MillError, Panic } from './errors.js';
import type { Heap } from './heap.js';
import { CR_STATES, type CrState, MILL_CR, MILL_DEBUG_CR, MILL_TIMER, offsets } from './layout.js';
import type { Poller } from './poller.js';
import { Slist } from './slist.js';
import type { Stacks } from './stack.js';
import type { Symbols } from './symbols.js';

const CR = offsets(MILL_CR);
const TIMER = offsets(MILL_TIMER);
const CURRENT = CR.debug + offsets(MILL_DEBUG_CR).current;
/** Bytes of valbuf that the main coroutine has. */
const MAIN_VALBUF = 128;
/** How often the scheduler switches before it looks whether somebody's time has come. */
const SWITCHES_WITHOUT_POLL = 103;
const EAGAIN = 11;
const ENOMEM = 12;
const EINVAL = 22;

/** The lowest address that a stack may use, and the one behind its highest. */
export interface StackBounds {
  readonly low: number;
  readonly high: number;
}

/**
 * Refuses a ctx at an address whose low half is zero: the second return of mill_setjmp_ is that half, and would read
 * as "saved".
 * @throws MillError
 */
export function checkCtx(ctx: number): number {
  if (ctx % 0x100000000 !== 0) return ctx;
  throw new MillError(`a ctx at 0x${ctx.toString(16)} cannot be restored: the low half of its address is zero`);
}

/**
 * libmill's cr.c: who runs, who is ready, and what a coroutine is made of. It decides who is next; the registers are
 * moved by the sequences in the guest. All its state is in guest memory.
 */
export class Coroutines {
  readonly main: number;
  readonly #memory: Memory;
  readonly #stacks: Stacks;
  readonly #heap: Heap;
  readonly #census: Census;
  readonly #ready: Slist;
  readonly #running: number;
  readonly #valbufSize: number;
  readonly #mainValbuf: number;
  readonly #counter: number;
  readonly #errno: number;
  readonly #mainStack: StackBounds;

  constructor(memory: Memory, symbols: Symbols, stacks: Stacks, heap: Heap, census: Census, mainStack: StackBounds) {
    this.#memory = memory;
    this.#stacks = stacks;
    this.#heap = heap;
    this.#census = census;
    this.#ready = new Slist(memory, symbols('mill_ready'));
    this.main = symbols('mill_main');
    this.#running = symbols('mill_running');
    this.#valbufSize = symbols('mill_valbuf_size');
    this.#mainValbuf = symbols('mill_main_valbuf');
    this.#counter = symbols('mill_suspend_counter');
    this.#errno = symbols('errno');
    this.#mainStack = mainStack;
    census.register(this.main, 0, 0);
    memory.setU64(this.main + CR.timer + TIMER.expiry, -1n);
    memory.setU32(this.main + CR.fd, -1);
  }

  /** Address of the mill_cr of the coroutine that runs; 0 from the end of one until the next is restored. */
  get running(): number {
    return this.#memory.pointer(this.#running);
  }

  /** Bounds of a coroutine's stack. */
  stackOf(cr: number): StackBounds {
    if (cr === this.main) return this.#mainStack;
    return { low: this.#stacks.low(cr + MILL_CR.size), high: cr - this.#memory.pointer(this.#valbufSize) };
  }

  /**
   * Appends a coroutine to the ready queue; its pending mill_suspend will return `result`.
   * @throws MillError if it is in the queue already, as libmill asserts
   */
  resume(cr: number, result: number): void {
    const memory = this.#memory;
    if (this.isReady(cr)) throw new MillError(`coroutine ${this.idOf(cr)} was to be resumed twice`);
    memory.setU32(cr + CR.result, result);
    memory.setU32(cr + CR.state, 0);
    memory.setU32(cr + CR.is_ready, 1);
    this.#ready.push_back(cr + CR.ready);
  }

  /** The ready queue, the head first: addresses of mill_cr. */
  *ready(): Generator<number> {
    for (const item of this.#ready) yield item - CR.ready;
  }

  /** In a child process: nobody is ready but the one that runs. */
  postfork(): void {
    this.#ready.clear();
  }

  /**
   * The second half of mill_suspend: makes the head of the ready queue the running coroutine.
   * @returns its mill_cr, or 0 if nobody will be ready before `poller.until`
   * @throws Deadlock if nobody ever will be
   */
  next(poller: Poller): number {
    const memory = this.#memory;
    if (memory.u32(this.#counter) >= SWITCHES_WITHOUT_POLL) {
      poller.poll();
      memory.setU32(this.#counter, 0);
    }
    let item = this.#ready.pop();
    while (item === 0) {
      const waited = poller.wait();
      if (waited === 'nobody') throw new Deadlock();
      if (waited === 'too early') return 0;
      memory.setU32(this.#counter, 0);
      item = this.#ready.pop();
    }
    memory.setU32(this.#counter, memory.u32(this.#counter) + 1);
    const cr = item - CR.ready;
    memory.setU32(cr + CR.is_ready, 0);
    memory.setPointer(this.#running, cr);
    return cr;
  }

  /** Id of a coroutine; the main one has 0. */
  idOf(cr: number): number {
    return this.#census.id(cr);
  }

  /** Notes what a coroutine is about to wait for, and where. For people only. */
  setWaiting(cr: number, state: CrState, current: number): void {
    this.#memory.setU32(cr + CR.state, CR_STATES.indexOf(state));
    this.setCurrent(cr, current);
  }

  /** Address of the string that says where a coroutine waits, or 0. */
  current(cr: number): number {
    return this.#memory.pointer(cr + CURRENT);
  }

  setCurrent(cr: number, current: number): void {
    this.#memory.setPointer(cr + CURRENT, current);
  }

  state(cr: number): CrState {
    return CR_STATES[this.#memory.u32(cr + CR.state)];
  }

  isReady(cr: number): boolean {
    return this.#memory.u32(cr + CR.is_ready) !== 0;
  }

  /** What mill_longjmp_ has to restore to go on with a coroutine. */
  ctx(cr: number): number {
    return cr + CR.ctx;
  }

  /**
   * mill_prologue_: makes a coroutine and lets it run in its parent's place.
   * @param created address of a string, or 0
   * @returns its mill_cr
   */
  prologue(created: number): number {
    const memory = this.#memory;
    const cr = this.#stacks.allocate() - MILL_CR.size;
    checkCtx(this.ctx(cr));
    this.#census.register(cr, created);
    memory.setPointer(cr + CURRENT, 0);
    memory.setU32(cr + CR.state, 0);
    memory.setU32(cr + CR.is_ready, 0);
    memory.setPointer(cr + CR.valbuf, 0);
    memory.setU64(cr + CR.valbuf_sz, 0n);
    memory.setPointer(cr + CR.clsval, 0);
    memory.setU64(cr + CR.timer + TIMER.expiry, -1n);
    memory.setU32(cr + CR.fd, -1);
    memory.setU32(cr + CR.events, 0);
    this.resume(this.running, 0);
    memory.setPointer(this.#running, cr);
    return cr;
  }

  /** Where the stack of a new coroutine begins: what mill_prologue_ returns. */
  stackTop(cr: number): number {
    return this.stackOf(cr).high;
  }

  /** mill_epilogue_ up to its suspend: the running coroutine is no more. */
  epilogue(): void {
    const memory = this.#memory;
    const cr = this.running;
    if (cr === this.main) throw new MillError('mill_epilogue_ was called in the main coroutine');
    this.#census.unregister(cr);
    this.#heap.free(memory.pointer(cr + CR.valbuf));
    this.#stacks.free(cr + MILL_CR.size);
    memory.setPointer(this.#running, 0);
  }

  /** mill_yield_ up to its suspend. */
  yield(current: number): void {
    const running = this.running;
    this.setCurrent(running, current);
    this.resume(running, 0);
  }

  /**
   * mill_goprepare_; sets errno to EAGAIN while there are coroutines, to ENOMEM if there is no memory, to EINVAL for a
   * negative count.
   */
  goprepare(count: number, stackSize: number, valbufSize: number): void {
    const memory = this.#memory;
    let errno = 0;
    if (this.#census.count > 1) {
      errno = EAGAIN;
    } else if (count < 0) {
      errno = EINVAL;
    } else {
      const rounded = Math.ceil(valbufSize / 16) * 16;
      const size = stackSize + rounded + MILL_CR.size;
      const fits = size < memory.end && this.#getValbuf(this.main, rounded) !== 0;
      if (fits && this.#stacks.prepare(count, size)) memory.setPointer(this.#valbufSize, rounded);
      else errno = ENOMEM;
    }
    memory.setU32(this.#errno, errno);
  }

  /**
   * A buffer of at least `size` bytes that belongs to a coroutine.
   * @throws Panic when there is no memory for it
   */
  valbuf(cr: number, size: number): number {
    const address = this.#getValbuf(cr, size);
    if (address === 0) throw new Panic('not enough memory to receive from channel');
    return address;
  }

  #getValbuf(cr: number, size: number): number {
    const memory = this.#memory;
    if (cr === this.main) {
      if (size <= MAIN_VALBUF) return this.#mainValbuf;
    } else {
      const own = memory.pointer(this.#valbufSize);
      if (size <= own) return cr - own;
    }
    // libmill reuses a heap buffer that is smaller than asked for; only one that is large enough will do.
    const buffer = memory.pointer(cr + CR.valbuf);
    if (buffer !== 0 && memory.pointer(cr + CR.valbuf_sz) >= size) return buffer;
    const larger = this.#heap.malloc(size);
    if (larger === 0) return 0;
    this.#heap.free(buffer);
    memory.setPointer(cr + CR.valbuf, larger);
    memory.setPointer(cr + CR.valbuf_sz, size);
    return larger;
  }
}
