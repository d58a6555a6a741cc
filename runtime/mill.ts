import type { Memory } from '../emu/memory.js';
import { Channels } from './chan.js';
import { Choose } from './choose.js';
import { type Clock, RealClock, VirtualClock } from './clock.js';
import { Coroutines, type StackBounds } from './cr.js';
import { Census } from './debug.js';
import type { Listeners, ProcessEvents } from './events.js';
import { Heap } from './heap.js';
import { MILL_CR, offsets } from './layout.js';
import { Processes } from './mfork.js';
import { Poller } from './poller.js';
import { Random } from './random.js';
import { Stacks } from './stack.js';
import type { Symbols } from './symbols.js';
import { TIMER_CALLBACKS, Timers } from './timer.js';

const CR = offsets(MILL_CR);
const TIMED_OUT = -1;

/** libmill, put together over one guest's memory. All of its state is there. */
export class Mill {
  readonly heap: Heap;
  readonly processes: Processes;
  readonly stacks: Stacks;
  readonly census: Census;
  readonly channelCensus: Census;
  readonly random: Random;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly poller: Poller;
  readonly coroutines: Coroutines;
  readonly channels: Channels;
  readonly choose: Choose;

  /**
   * @param heapStart where the heap may begin, a multiple of the page size
   * @param mainStack of the coroutine that runs already
   * @param events who is told of what happens
   */
  constructor(
    memory: Memory,
    symbols: Symbols,
    heapStart: number,
    mainStack: StackBounds,
    clock: 'virtual' | 'real',
    events: Listeners<ProcessEvents>,
  ) {
    this.heap = new Heap(memory, symbols, heapStart);
    this.processes = new Processes(memory, symbols);
    this.stacks = new Stacks(memory, symbols, this.heap);
    this.census = Census.ofCoroutines(memory, symbols);
    this.channelCensus = Census.ofChannels(memory, symbols);
    this.random = new Random(memory, symbols);
    this.clock = clock === 'virtual' ? new VirtualClock(memory, symbols) : new RealClock(memory, symbols);
    this.timers = new Timers(memory, symbols, this.heap);
    this.coroutines = new Coroutines(memory, symbols, this.stacks, this.heap, this.census, mainStack);
    this.channels = new Channels(memory, symbols, this.heap, this.channelCensus, events);
    this.choose = new Choose(memory, symbols, this.coroutines, this.channels, this.timers, this.random);
    this.poller = new Poller(this.clock, this.timers, (timer, callback) => {
      const cr = timer - CR.timer;
      if (events.has('timer')) {
        events.tell('timer', { coroutine: cr, kind: callback === TIMER_CALLBACKS.choose ? 'choose' : 'msleep' });
      }
      if (callback === TIMER_CALLBACKS.choose) this.choose.timedOut(cr);
      else this.coroutines.resume(cr, TIMED_OUT);
    });
  }

  /** What a child of mfork() does first: nobody is ready but itself, and nobody waits for a time. */
  postfork(): void {
    this.coroutines.postfork();
    this.timers.postfork();
  }

  /** mill_msleep_ up to its suspend: in ms; a deadline below 0 never comes. */
  msleep(deadline: number): void {
    if (deadline >= 0) this.timers.add(this.coroutines.running + CR.timer, deadline, TIMER_CALLBACKS.msleep);
  }
}
