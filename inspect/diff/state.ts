import { PAGE_SIZE } from '../../emu/memory.js';
import { REGISTERS, type RegisterName } from '../../emu/registers.js';
import type { SavedMemory, SavedTable } from '../../emu/saved-memory.js';
import type { SavedProcess } from '../../runtime/process.js';

const WORD = 8;
const NONE: ReadonlySet<number> = new Set();
const UNTOUCHED = new Uint8Array(PAGE_SIZE);

/** Registers that do not hold the same. */
export function differingRegisters({ cpu: one }: SavedProcess, { cpu: other }: SavedProcess): RegisterName[] {
  return REGISTERS.filter((name) => one.registers[name] !== other.registers[name]);
}

function* pagesThatDiffer(one: SavedMemory, other: SavedMemory): Generator<readonly [number, Uint8Array, Uint8Array]> {
  for (const [table, { pages }] of one.tables.entries()) {
    const others: SavedTable['pages'] = other.tables[table].pages;
    for (let index = 0; index < pages.length; index++) {
      // A page that nobody has touched is all zeros, and engines touch pages for reasons of their own.
      const [first, second] = [pages[index] ?? UNTOUCHED, others[index] ?? UNTOUCHED];
      if (first === second || Buffer.compare(first, second) === 0) continue;
      yield [(table * pages.length + index) * PAGE_SIZE, first, second];
    }
  }
}

/**
 * Words of 8 bytes in which memory differs, by their addresses, ascending.
 * @param ignored the addresses of words that may
 */
export function* differingWords(
  one: SavedProcess,
  other: SavedProcess,
  ignored: ReadonlySet<number> = NONE,
): Generator<number> {
  for (const [address, first, second] of pagesThatDiffer(one.cpu.memory, other.cpu.memory)) {
    for (let at = 0; at < PAGE_SIZE; at += WORD) {
      if (ignored.has(address + at)) continue;
      for (let byte = at; byte < at + WORD; byte++) {
        if (first[byte] === second[byte]) continue;
        yield address + at;
        break;
      }
    }
  }
}

/** Whether registers and memory are the same. */
export function isSame(one: SavedProcess, other: SavedProcess, ignored: ReadonlySet<number>): boolean {
  return differingRegisters(one, other).length === 0 && differingWords(one, other, ignored).next().done === true;
}
