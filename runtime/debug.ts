import type { Memory } from '../emu/memory.js';
import { MILL_CR, MILL_DEBUG_CR, offsets } from './layout.js';
import { List } from './list.js';
import type { Symbols } from './symbols.js';

const DEBUG = offsets(MILL_CR).debug;
const { item: ITEM, id: ID, created: CREATED, current: CURRENT } = offsets(MILL_DEBUG_CR);

/** libmill's debug.c: the list of all coroutines, in the order in which they were made. Ids are never used twice. */
export class Census {
  readonly #memory: Memory;
  readonly #all: List;
  readonly #nextId: number;
  readonly #main: number;

  constructor(memory: Memory, symbols: Symbols) {
    this.#memory = memory;
    this.#all = new List(memory, symbols('mill_all_crs'));
    this.#nextId = symbols('mill_next_cr_id');
    this.#main = symbols('mill_main');
  }

  /** @param created address of a string that says where, or 0 */
  register(cr: number, created: number): void {
    const memory = this.#memory;
    if (cr !== this.#main) {
      const id = memory.u32(this.#nextId);
      memory.setU32(this.#nextId, id + 1);
      memory.setU32(cr + DEBUG + ID, id);
    }
    memory.setPointer(cr + DEBUG + CREATED, created);
    memory.setPointer(cr + DEBUG + CURRENT, 0);
    this.#all.push_back(cr + DEBUG + ITEM);
  }

  unregister(cr: number): void {
    this.#all.erase(cr + DEBUG + ITEM);
  }

  /** Notes where a coroutine waits: address of a string, or 0. */
  setCurrent(cr: number, current: number): void {
    this.#memory.setPointer(cr + DEBUG + CURRENT, current);
  }

  /** 0 for the main coroutine; the others count from 1. */
  id(cr: number): number {
    return this.#memory.u32(cr + DEBUG + ID);
  }

  /** How many coroutines there are, the main one included. */
  get count(): number {
    return [...this.#all].length;
  }

  /** All coroutines as addresses of mill_cr, the main one first. */
  *coroutines(): Generator<number> {
    for (const item of this.#all) yield item - DEBUG - ITEM;
  }
}
