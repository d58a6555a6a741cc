import type { Engine } from './engine.js';
import { OutOfMemory } from './errors.js';
import { ACCESSED, DIRTY, FRESH, PAGE_SIZE, PRESENT, type TableGeometry } from './page-table.js';

/** What one page table maps, 2 MiB: the table itself, and the contents of its present pages. Never changed. */
export interface SavedTable {
  readonly entries: Uint8Array;
  readonly pages: readonly (Uint8Array | undefined)[];
}

/**
 * The pages in use and the tables that say so, as a tree of two levels like theirs. What has not changed from one
 * snapshot of a machine to the next is the same object in both.
 */
export interface SavedMemory {
  /** Bytes of the machine. */
  readonly size: number;
  /** The kernel page, and the tables above the last level. */
  readonly top: Uint8Array;
  readonly tables: readonly SavedTable[];
}

const ENTRIES_OF_TABLE = 512;
/** Marks of a page that is not what the last snapshot has. */
const CHANGED = DIRTY | FRESH;
/**
 * What is no part of a snapshot. Which pages were looked at is the engine's doing: it reads code ahead of what executes,
 * and less of it in single steps.
 */
const MARKS = CHANGED | ACCESSED;
const WORDS_OF_TABLE = PAGE_SIZE / 4;

/** How many bytes of memory a program had touched. */
export function bytesInUse(saved: SavedMemory): number {
  return (
    saved.tables.reduce((sum, { pages }) => sum + pages.filter((page) => page !== undefined).length, 0) * PAGE_SIZE
  );
}

/**
 * Where two snapshots of machines of the same size begin to differ.
 * @returns a guest address, or one in the kernel's area behind it; undefined if they are the same
 */
export function firstDifference(one: SavedMemory, other: SavedMemory): number | undefined {
  for (let table = 0; table < one.tables.length; table++) {
    const { pages, entries } = one.tables[table];
    const second = other.tables[table];
    if (second === one.tables[table]) continue;
    for (let index = 0; index < ENTRIES_OF_TABLE; index++) {
      const address = (table * ENTRIES_OF_TABLE + index) * PAGE_SIZE;
      const first = pages[index];
      const copy = second?.pages[index];
      if (first === copy) continue;
      if (first === undefined || copy === undefined) return address;
      const at = firstDifferentByte(first, copy);
      if (at !== -1) return address + at;
    }
    const at = firstDifferentByte(entries, second.entries);
    if (at !== -1) return (table * ENTRIES_OF_TABLE + (at >> 3)) * PAGE_SIZE;
  }
  const at = firstDifferentByte(one.top, other.top);
  return at === -1 ? undefined : one.size - one.top.length + at;
}

/**
 * Saves and restores memory at the cost of what has changed since the last time. The processor keeps the account: it
 * marks an entry of the last level as dirty when the page is first written, and one of the level above as accessed when
 * it first looks at the table; both marks are taken away here, and the host sets them as the processor does.
 */
export class MemoryCopies {
  readonly #physical: Pick<Engine, 'size' | 'words' | 'bytes' | 'flushTranslations'>;
  readonly #geometry: TableGeometry;
  /** As last saved or restored; a page is still the same if its entry is present and has no mark. */
  #tables: readonly SavedTable[] = [];

  constructor(physical: Pick<Engine, 'size' | 'words' | 'bytes' | 'flushTranslations'>, geometry: TableGeometry) {
    this.#physical = physical;
    this.#geometry = geometry;
  }

  /** @param end where the guest's memory ends */
  save(end: number): SavedMemory {
    const { words, bytes, size } = this.#physical;
    const { directories, firstTable, tables } = this.#geometry;
    const saved: SavedTable[] = [];
    let looked = false;
    for (let table = 0; table < tables; table++) {
      const known = this.#tables[table];
      const directoryEntry = directories + table * 2;
      if (known !== undefined && (words[directoryEntry] & ACCESSED) === 0) {
        saved.push(known);
        continue;
      }
      looked = true;
      words[directoryEntry] = (words[directoryEntry] & ~ACCESSED) >>> 0;
      saved.push(this.#saveTable(table, known, end));
    }
    if (looked) this.#physical.flushTranslations();
    this.#tables = saved;
    return { size, top: bytes.slice(end, firstTable * 4), tables: saved };
  }

  #saveTable(table: number, known: SavedTable | undefined, end: number): SavedTable {
    const { words, bytes } = this.#physical;
    const first = this.#geometry.firstTable + table * WORDS_OF_TABLE;
    const pages = new Array<Uint8Array | undefined>(ENTRIES_OF_TABLE);
    let same = known !== undefined;
    for (let index = 0; index < ENTRIES_OF_TABLE; index++) {
      const low = words[first + index * 2];
      const address = (table * ENTRIES_OF_TABLE + index) * PAGE_SIZE;
      let copy: Uint8Array | undefined;
      if ((low & PRESENT) !== 0 && address < end) {
        copy = (low & CHANGED) === 0 ? known?.pages[index] : undefined;
        copy ??= bytes.slice(address, address + PAGE_SIZE);
        words[first + index * 2] = (low & ~MARKS) >>> 0;
      }
      same &&= copy === known?.pages[index];
      pages[index] = copy;
    }
    const entries = bytes.subarray(first * 4, first * 4 + PAGE_SIZE);
    if (same && known !== undefined && firstDifferentByte(entries, known.entries) === -1) return known;
    return { entries: entries.slice(), pages };
  }

  /** @throws OutOfMemory when a machine with another amount of memory was saved */
  restore(saved: SavedMemory, end: number): void {
    const { words, bytes, size } = this.#physical;
    const { directories, firstTable } = this.#geometry;
    if (saved.size !== size) {
      throw new OutOfMemory(`a machine with ${saved.size >> 20} MiB was saved, and this one has ${size >> 20}`);
    }
    saved.tables.forEach((wanted, table) => {
      const known = this.#tables[table];
      if (wanted === known && (words[directories + table * 2] & ACCESSED) === 0) return;
      const first = firstTable + table * WORDS_OF_TABLE;
      wanted.pages.forEach((copy, index) => {
        if (copy === undefined) return;
        const clean = (words[first + index * 2] & (PRESENT | CHANGED)) === PRESENT;
        if (!clean || copy !== known?.pages[index]) bytes.set(copy, (table * ENTRIES_OF_TABLE + index) * PAGE_SIZE);
      });
      bytes.set(wanted.entries, first * 4);
    });
    bytes.set(saved.top, end);
    this.#tables = saved.tables;
    this.#physical.flushTranslations();
  }
}

/** Whether a piece of memory may have been written between two snapshots: a page that is one object in both has not. */
export function mayDiffer(one: SavedMemory, other: SavedMemory, address: number, size: number): boolean {
  const pageOf = ({ tables }: SavedMemory, page: number) =>
    tables[Math.floor(page / ENTRIES_OF_TABLE)]?.pages[page % ENTRIES_OF_TABLE];
  for (let page = Math.floor(address / PAGE_SIZE); page * PAGE_SIZE < address + size; page++) {
    if (pageOf(one, page) !== pageOf(other, page)) return true;
  }
  return false;
}

/** @returns -1 if they are the same; both are of the same size, a multiple of four */
function firstDifferentByte(one: Uint8Array, other: Uint8Array): number {
  const words = wordsOf(one);
  const others = wordsOf(other);
  for (let at = 0; at < words.length; at++) {
    if (words[at] === others[at]) continue;
    return one.findIndex((byte, offset) => offset >= at * 4 && byte !== other[offset]);
  }
  return -1;
}

function wordsOf(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
}
