import type { Memory } from '../emu/memory.js';
import { MILL_CHAN, MILL_CR, MILL_DEBUG_CHAN, offsets } from './layout.js';
import { List } from './list.js';
import type { Symbols } from './symbols.js';

/** mill_debug_cr begins with the same fields. */
const DEBUG = offsets(MILL_DEBUG_CHAN);

/**
 * libmill's debug.c: all coroutines, or all channels, in the order in which they were made. Ids are never used twice.
 */
export class Census {
  readonly #memory: Memory;
  readonly #all: List;
  readonly #nextId: number;
  readonly #debug: number;

  /**
   * @param list address of the list's head
   * @param nextId address of the next id
   * @param debug offset of the debug structure in what is counted
   */
  private constructor(memory: Memory, list: number, nextId: number, debug: number) {
    this.#memory = memory;
    this.#all = new List(memory, list);
    this.#nextId = nextId;
    this.#debug = debug;
  }

  /** Of struct mill_cr. The main coroutine is to be registered with the id 0. */
  static ofCoroutines(memory: Memory, symbols: Symbols): Census {
    return new Census(memory, symbols('mill_all_crs'), symbols('mill_next_cr_id'), offsets(MILL_CR).debug);
  }

  /** Of struct mill_chan. */
  static ofChannels(memory: Memory, symbols: Symbols): Census {
    return new Census(memory, symbols('mill_all_chans'), symbols('mill_next_chan_id'), offsets(MILL_CHAN).debug);
  }

  /**
   * @param created address of a string that says where, or 0
   * @param id if not the next one
   */
  register(object: number, created: number, id?: number): void {
    const memory = this.#memory;
    if (id === undefined) {
      const next = memory.u32(this.#nextId);
      memory.setU32(this.#nextId, next + 1);
      memory.setU32(object + this.#debug + DEBUG.id, next);
    } else {
      memory.setU32(object + this.#debug + DEBUG.id, id);
    }
    memory.setPointer(object + this.#debug + DEBUG.created, created);
    this.#all.push_back(object + this.#debug + DEBUG.item);
  }

  unregister(object: number): void {
    this.#all.erase(object + this.#debug + DEBUG.item);
  }

  /** Ids count from 1; the main coroutine has 0. */
  id(object: number): number {
    return this.#memory.u32(object + this.#debug + DEBUG.id);
  }

  /** Address of the string that says where it was made, or 0. */
  created(object: number): number {
    return this.#memory.pointer(object + this.#debug + DEBUG.created);
  }

  /** How many there are. */
  get count(): number {
    let count = 0;
    for (const _ of this.#all) count += 1;
    return count;
  }

  /** Their addresses. */
  *all(): Generator<number> {
    for (const item of this.#all) yield item - this.#debug - DEBUG.item;
  }
}
