import { PAGE_SIZE } from '../../emu/memory.js';
import type { Process } from '../../runtime/process.js';

/** What a register's value means in one of two programs, whose functions and heaps may be elsewhere. */
export class Meaning {
  readonly #process: Process;
  readonly #heap: bigint;
  readonly #known = new Map<bigint, string>();

  constructor(process: Process) {
    this.#process = process;
    const ends = process.images.flatMap(({ sections }) => sections.map(({ address, size }) => address + BigInt(size)));
    const end = ends.reduce((last, one) => (one > last ? one : last), 0n);
    this.#heap = ((end + BigInt(PAGE_SIZE - 1)) / BigInt(PAGE_SIZE)) * BigInt(PAGE_SIZE);
  }

  /** A function or variable and an offset, or an offset in the heap, or the number itself. */
  of(value: bigint): string {
    const known = this.#known.get(value);
    if (known !== undefined) return known;
    const meaning = this.#find(value);
    this.#known.set(value, meaning);
    return meaning;
  }

  #find(value: bigint): string {
    const symbol = this.#process.imageAt(value)?.symbolAt(value);
    if (symbol !== undefined) return `${symbol.name}+${symbol.offset}`;
    // Stacks are up there, too, but at the same addresses in both.
    return value >= this.#heap && value < BigInt(this.#process.mainStack.low)
      ? `heap+${value - this.#heap}`
      : `${value}`;
  }
}
