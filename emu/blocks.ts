import {
  decode,
  ENDS_BLOCK,
  LENGTH,
  LOSES_FLAGS,
  PORT,
  REPEATS,
  UNREPEATABLE,
  UNSOUND,
  VECTOR,
} from './instruction.js';
import { type Memory, PAGE_SIZE } from './memory.js';

/** The number of instructions in what {@link Blocks.at} returns. */
export const COUNT = 0xffff;
/** Set if a block must be single-stepped: it holds an instruction to be refused, or the engine cut it in two. */
export const SLOW = 1 << 16;
/** Set if a block ends in a `rep` instruction, which the engine reports as a block of its own for each iteration. */
export const CONTINUES = 1 << 17;

/** Instructions that are not left to the engine. */
export const REFUSED = VECTOR | UNREPEATABLE | UNSOUND | PORT;

const LONGEST_INSTRUCTION = 15;

/** A word for each guest address of a few pages, found out once and 0 until then. */
class ByAddress {
  readonly #pages = new Map<number, Int32Array>();
  #lastPage = -1;
  #lastTable: Int32Array = new Int32Array(0);

  /** The words of an address's page; index by `address % PAGE_SIZE`. */
  table(address: number): Int32Array {
    const page = Math.floor(address / PAGE_SIZE);
    if (page === this.#lastPage) return this.#lastTable;
    let table = this.#pages.get(page);
    if (table === undefined) {
      table = new Int32Array(PAGE_SIZE);
      this.#pages.set(page, table);
    }
    this.#lastPage = page;
    this.#lastTable = table;
    return table;
  }
}

/**
 * What decoding tells about guest code, by address: of single instructions and of the blocks the engine makes of them.
 * It holds for ever, since no page of a guest is both writable and executable.
 */
export class Blocks {
  readonly #memory: Memory;
  readonly #blocks = new ByAddress();
  readonly #instructions = new ByAddress();

  constructor(memory: Memory) {
    this.#memory = memory;
  }

  /**
   * @param size as the engine says: bytes, or 0 for a block that was cut for being too long
   * @returns {@link COUNT} and flags
   */
  at(address: number, size: number): number {
    const table = this.#blocks.table(address);
    const offset = address % PAGE_SIZE;
    const known = table[offset];
    if (known !== 0) return known;
    const found = size === 0 ? 1 | SLOW : this.#examine(address, size);
    table[offset] = found;
    return found;
  }

  /** As `decode` returns it; 0 if there is no instruction at that address, or none that may be executed. */
  instruction(address: number): number {
    const table = this.#instructions.table(address);
    const offset = address % PAGE_SIZE;
    const known = table[offset];
    if (known !== 0) return known;
    if (this.#memory.protectionAt(address) !== 'r-x') return 0;
    const here = PAGE_SIZE - offset;
    const whole = here >= LONGEST_INSTRUCTION || this.#memory.protectionAt(address + here) === 'r-x';
    const bytes = this.#memory.read(address, whole ? LONGEST_INSTRUCTION : here);
    const found = decode(bytes, 0);
    table[offset] = found;
    return found;
  }

  /** Address of the last instruction of a block of `count`. */
  last(address: number, count: number): number {
    let at = address;
    for (let i = 1; i < count; i++) at += this.instruction(at) & LENGTH;
    return at;
  }

  /** How many instructions of a block of `count` come before `rip`; `count` if `rip` is not one of them. */
  before(address: number, count: number, rip: number): number {
    let at = address;
    for (let i = 0; i < count; i++) {
      if (at === rip) return i;
      at += this.instruction(at) & LENGTH;
    }
    return count;
  }

  #examine(address: number, size: number): number {
    let count = 0;
    let flags = 0;
    for (let at = address; at < address + size; count++) {
      const instruction = this.instruction(at);
      // The engine will raise an invalid opcode exception when it gets there.
      if ((instruction & LENGTH) === 0) return (count + 1) | SLOW;
      if ((instruction & (REFUSED | LOSES_FLAGS)) !== 0) flags |= SLOW;
      flags = (instruction & REPEATS) !== 0 ? flags | CONTINUES : flags & ~CONTINUES;
      at += instruction & LENGTH;
    }
    return count | flags;
  }
}

/** Whether control may leave the straight line at an instruction. */
export function endsBlock(instruction: number): boolean {
  return (instruction & (ENDS_BLOCK | REPEATS)) !== 0;
}
