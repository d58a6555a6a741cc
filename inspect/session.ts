import type { RegisterName } from '../emu/registers.js';
import { CTX_SLOTS, type CtxSlot, MILL_CR, offsets, SLOT_BYTES } from '../runtime/layout.js';
import type { Outcome, Process } from '../runtime/process.js';
import { UsageError } from './errors.js';
import { History, type HistoryOptions, type MoveOptions, type Search } from './history.js';
import { addressesOf } from './places.js';
import {
  atAddresses,
  atCall,
  atMemoryChange,
  atOperation,
  atRegisterChange,
  atReturn,
  atReturnOf,
  atSwitch,
  atWrite,
  isReturn,
} from './searches.js';
import { atLine } from './source-lines.js';
import { coroutineOf } from './survey.js';

/** What a run stops at. */
export type Watched =
  | { readonly kind: 'place'; readonly place: string }
  | { readonly kind: 'memory'; readonly address: number; readonly size: number }
  | { readonly kind: 'register'; readonly register: RegisterName }
  /** A slot of the ctx of the coroutine with this id. */
  | { readonly kind: 'slot'; readonly coroutine: number; readonly slot: CtxSlot };

/** A breakpoint or a watchpoint. */
export interface Watchpoint {
  /** Counting from 1; never given again. */
  readonly number: number;
  readonly watched: Watched;
}

/**
 * One run, moved to any of its moments, in both directions: what every screen stands on. Moves come back when the guest
 * is where they lead, or at the end or the start of the run if there is no such moment.
 */
export class Session {
  readonly process: Process;
  readonly history: History;
  #watchpoints: readonly (Watchpoint & { readonly search: Search })[] = [];
  #numbers = 0;

  /** @param process that has not run yet */
  constructor(process: Process, options: HistoryOptions = {}) {
    this.process = process;
    this.history = new History(process, options);
  }

  get moment(): number {
    return this.history.moment;
  }

  /** How the run has ended; undefined if it can go on from here. */
  get outcome(): Outcome | undefined {
    return this.history.outcome;
  }

  /** Breakpoints and watchpoints, in the order in which they were set. */
  get watchpoints(): readonly Watchpoint[] {
    return this.#watchpoints;
  }

  /** Goes to a moment; to the end of the run if that comes first. */
  async go(moment: number, options: MoveOptions = {}): Promise<void> {
    await this.history.go(Math.max(0, moment), options);
  }

  async step(count = 1, options: MoveOptions = {}): Promise<void> {
    await this.go(this.moment + count, options);
  }

  async stepBack(count = 1, options: MoveOptions = {}): Promise<void> {
    await this.go(this.moment - count, options);
  }

  /** One instruction, and if that is a call, all that it does until it returns; or the next breakpoint in between. */
  async stepOver(options: MoveOptions = {}): Promise<void> {
    const returnAddress = this.#callReturnsTo();
    if (returnAddress === undefined) await this.step(1, options);
    else await this.#forward(atReturnOf(this.process, returnAddress), options);
  }

  /** What {@link stepOver} does, undone: if a call has just returned, back to it. */
  async stepOverBack(options: MoveOptions = {}): Promise<void> {
    const here = this.moment;
    const search = atCall(this.process, true);
    await this.stepBack(1, options);
    if (!this.#atReturn()) return;
    await this.go(here, options);
    await this.#back(search, options);
  }

  /**
   * To the first instruction of another line of the program's source; or of the same one in another call of its function.
   * It goes where the machine goes: into calls of what has lines (through the rest to where it comes back), and, if the
   * line switches, on in the coroutine that runs then. The next breakpoint in between is where it stops.
   * @throws UsageError if nothing is known of lines in this program
   */
  async stepLine(options: MoveOptions = {}): Promise<void> {
    await this.#forward(atLine(this.process), options);
  }

  /** Back to where the line before this one began, or this one, if the guest is in its middle. */
  async stepLineBack(options: MoveOptions = {}): Promise<void> {
    await this.#back(atLine(this.process), options);
  }

  /** To where the function that the guest is in has returned, or the next breakpoint. */
  async stepOut(options: MoveOptions = {}): Promise<void> {
    await this.#forward(atReturn(this.process), options);
  }

  /** Back to the call of the function that the guest is in. */
  async stepOutBack(options: MoveOptions = {}): Promise<void> {
    await this.#back(atCall(this.process, false), options);
  }

  /** To the next breakpoint or watchpoint. @returns whether there was one */
  async run(options: MoveOptions = {}): Promise<boolean> {
    return this.history.forward(this.#stops(), options);
  }

  async runBack(options: MoveOptions = {}): Promise<boolean> {
    return this.history.back(this.#stops(), options);
  }

  /**
   * To the first instruction of whoever goes on with the next switch; of a coroutine only, by its id, if that is given.
   * @returns whether there was one
   */
  async nextSwitch(coroutine?: number, options: MoveOptions = {}): Promise<boolean> {
    const { switches } = this.history;
    for (let index = switches.after(this.moment); index < switches.length; index++) {
      const { moment, from, to } = switches.at(index);
      if (coroutine !== undefined && from !== coroutine && to !== coroutine) continue;
      await this.go(moment, options);
      return true;
    }
    await this.go(this.history.furthest, options);
    return this.history.forward(atSwitch(this.process, coroutine), options);
  }

  async previousSwitch(coroutine?: number, options: MoveOptions = {}): Promise<boolean> {
    const { switches } = this.history;
    for (let index = switches.after(this.moment - 1) - 1; index >= 0; index--) {
      const { moment, from, to } = switches.at(index);
      if (coroutine !== undefined && from !== coroutine && to !== coroutine) continue;
      await this.go(moment, options);
      return true;
    }
    await this.go(0, options);
    return false;
  }

  /** To where something has been done next with a channel, by its id. @returns whether there was something */
  async nextOperation(channel: number, options: MoveOptions = {}): Promise<boolean> {
    return this.history.forward(atOperation(this.process, channel), options);
  }

  async previousOperation(channel: number, options: MoveOptions = {}): Promise<boolean> {
    return this.history.back(atOperation(this.process, channel), options);
  }

  /**
   * To where memory has been written next, with another value or the same, by an instruction or what it asked of the host.
   * @param size in bytes
   * @returns whether it was
   */
  async nextWrite(address: number, size: number, options: MoveOptions = {}): Promise<boolean> {
    return this.history.forward(atWrite(this.process, address, size), options);
  }

  /** Back to behind the last write of it in front of this moment: the write that made it what it is now is there, or here. */
  async previousWrite(address: number, size: number, options: MoveOptions = {}): Promise<boolean> {
    return this.history.back(atWrite(this.process, address, size), options);
  }

  /** To where a register has changed next. @returns whether it did */
  async nextChange(register: RegisterName, options: MoveOptions = {}): Promise<boolean> {
    return this.history.forward(atRegisterChange(this.process, register), options);
  }

  /**
   * To the next time that the guest is at a place: an address, a symbol, or a line.
   * @returns whether it came there
   * @throws UsageError or UndefinedSymbol if there is no such place
   */
  async to(place: string, options: MoveOptions = {}): Promise<boolean> {
    return this.history.forward(atAddresses(this.process, addressesOf(this.process, place)), options);
  }

  async backTo(place: string, options: MoveOptions = {}): Promise<boolean> {
    return this.history.back(atAddresses(this.process, addressesOf(this.process, place)), options);
  }

  /**
   * Sets a breakpoint or a watchpoint.
   * @throws UsageError or UndefinedSymbol if what it is to watch is not there
   */
  watch(watched: Watched): Watchpoint {
    const search = this.#searchOf(watched);
    this.#numbers += 1;
    const watchpoint = { number: this.#numbers, watched, search };
    this.#watchpoints = [...this.#watchpoints, watchpoint];
    return watchpoint;
  }

  /** Takes one away. @throws UsageError if there is none of that number */
  unwatch(number: number): void {
    if (!this.#watchpoints.some((one) => one.number === number)) {
      const numbers = this.#watchpoints.map((one) => one.number).join(', ');
      throw new UsageError(`there is no breakpoint ${number}${numbers === '' ? '' : `: there are ${numbers}`}`);
    }
    this.#watchpoints = this.#watchpoints.filter((one) => one.number !== number);
  }

  #searchOf(watched: Watched): Search {
    const { process } = this;
    if (watched.kind === 'place') return atAddresses(process, addressesOf(process, watched.place));
    if (watched.kind === 'register') return atRegisterChange(process, watched.register);
    if (watched.kind === 'slot') return this.#slotSearch(watched);
    const { address, size } = watched;
    for (const at of [address, address + size - 1]) {
      if (process.cpu.memory.protectionAt(at) === undefined) {
        throw new UsageError(
          `0x${at.toString(16)} cannot be watched: nothing is mapped there at moment ${this.moment}`,
        );
      }
    }
    return atMemoryChange(process, address, size);
  }

  #slotSearch({ coroutine, slot }: Watched & { readonly kind: 'slot' }): Search {
    const { process } = this;
    const { census } = process.mill;
    const cr = coroutineOf(process, coroutine);
    const address = cr + offsets(MILL_CR).ctx + CTX_SLOTS.indexOf(slot) * SLOT_BYTES;
    // Its memory is another coroutine's before and behind its life.
    const isThere = (): boolean =>
      process.cpu.memory.protectionAt(address) !== undefined && census.id(cr) === coroutine;
    return atMemoryChange(process, address, SLOT_BYTES, isThere);
  }

  #stops(): Search[] {
    return this.#watchpoints.map(({ search }) => search);
  }

  async #forward(search: Search, options: MoveOptions): Promise<boolean> {
    return this.history.forward([search, ...this.#stops()], options);
  }

  async #back(search: Search, options: MoveOptions): Promise<boolean> {
    return this.history.back([search, ...this.#stops()], options);
  }

  /** Where the instruction that comes next returns to, if it is a call. */
  #callReturnsTo(): number | undefined {
    const { cpu } = this.process;
    return cpu.returnAddressOf(cpu.rip);
  }

  /** Whether the instruction that comes next is a return. */
  #atReturn(): boolean {
    const { cpu } = this.process;
    return cpu.memory.protectionAt(cpu.rip) === 'r-x' && isReturn(cpu.memory, cpu.rip);
  }
}
