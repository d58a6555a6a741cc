import type { EntryKind } from './relocation.js';
import type { Meaning } from './resolve.js';

/** One entry of a global offset table: a word, or the two words of a pair. */
export interface Entry {
  readonly meaning: Meaning;
  readonly kind: EntryKind;
  /** In bytes, from the start of the table. */
  readonly offset: number;
}

/** The global offset table: what code reaches through a pointer instead of directly, as many relocations ask for. */
export class GlobalOffsetTable {
  readonly entries: Entry[] = [];
  /** In bytes. */
  size = 0;
  readonly #offsets: Readonly<Record<EntryKind, Map<Meaning | undefined, number>>> = {
    address: new Map(),
    'thread offset': new Map(),
    'thread pair': new Map(),
    'module pair': new Map(),
  };

  /** Offset of the entry for a symbol, which is made if there is none yet. */
  offset(meaning: Meaning, kind: EntryKind): number {
    // There is one module, so one pair for all its symbols.
    const key = kind === 'module pair' ? undefined : meaning;
    const known = this.#offsets[kind].get(key);
    if (known !== undefined) return known;
    const offset = this.size;
    this.size += kind === 'thread pair' || kind === 'module pair' ? 16 : 8;
    this.#offsets[kind].set(key, offset);
    this.entries.push({ meaning, kind, offset });
    return offset;
  }
}
