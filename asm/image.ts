import { UndefinedSymbol } from './errors.js';
import { nearNames } from './near.js';
import type { SectionName } from './statement.js';

/** A section at its address. `size` is in bytes; `bytes` is that long, but empty for .bss, which is all zeros. */
export interface Section {
  readonly name: SectionName;
  readonly address: bigint;
  readonly size: number;
  readonly bytes: Uint8Array;
}

/** A name: the address of a label, or the value of a `.set`, which may be negative. */
export interface ImageSymbol {
  readonly name: string;
  readonly value: bigint;
  readonly kind: 'label' | 'constant';
  readonly global: boolean;
}

/** A line of a file, counting from 1. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
}

/** One statement's bytes, from `start` up to but not including `end`, and where it is written. */
export interface Line extends SourceLine {
  readonly start: number;
  readonly end: number;
  /** The line of a source that brought the statement in, by a macro call or an include; itself, if it is in a source. */
  readonly from: SourceLine;
  /** Numbers the inclusions: the same for statements that one visit to `file` brought in. */
  readonly unit: number;
}

/** An image as JSON keeps it: bytes in base64, BigInts as text. */
export interface ImageJson {
  readonly sections: readonly { name: SectionName; address: string; size: number; bytes: string }[];
  readonly symbols: readonly { name: string; value: string; kind: 'label' | 'constant'; global: boolean }[];
  readonly files: readonly string[];
  /** Each line as [start, end, index into files, line, index and line of where it is brought in, unit]. */
  readonly lines: readonly (readonly [number, number, number, number, number, number, number])[];
}

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}

/** The last element for which `key` is at most `value`, of elements sorted by `key`. */
function lastAtMost<T>(sorted: readonly T[], value: bigint, key: (element: T) => bigint): T | undefined {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const element = sorted[middle];
    if (element !== undefined && key(element) <= value) low = middle + 1;
    else high = middle;
  }
  return sorted[low - 1];
}

/** An assembled program: bytes at addresses, names, and the way back to the text. */
export class Image {
  /** Labels and `.set` constants by name; numeric and `.L` labels are left out. */
  readonly symbols: ReadonlyMap<string, bigint>;
  /** The names that are `.globl`. */
  readonly globals: ReadonlySet<string>;
  readonly #labels: readonly ImageSymbol[];

  constructor(
    /** In the order of their addresses; empty ones are left out. */
    readonly sections: readonly Section[],
    private readonly named: readonly ImageSymbol[],
    /** One entry for each statement that has bytes, in the order of their addresses. */
    readonly lines: readonly Line[],
  ) {
    this.symbols = new Map(named.map(({ name, value }) => [name, value]));
    this.globals = new Set(named.filter(({ global }) => global).map(({ name }) => name));
    // Of several labels at one address the first global one is found: it comes last.
    this.#labels = named
      .filter(({ kind }) => kind === 'label')
      .reverse()
      .sort((a, b) => Number(a.value - b.value) || Number(a.global) - Number(b.global));
  }

  /** The value of a symbol. @throws UndefinedSymbol */
  symbol(name: string): bigint {
    const value = this.symbols.get(name);
    if (value === undefined) throw new UndefinedSymbol(name, nearNames(name, this.symbols.keys()));
    return value;
  }

  /** The section that an address is in. */
  sectionAt(address: bigint): Section | undefined {
    return this.sections.find(
      (section) => address >= section.address && address < section.address + BigInt(section.size),
    );
  }

  /** The nearest label at or below an address, in the same section, and how many bytes behind it the address is. */
  symbolAt(address: bigint): { name: string; offset: bigint } | undefined {
    const section = this.sectionAt(address);
    const nearest = lastAtMost(this.#labels, address, ({ value }) => value);
    if (!section || !nearest || nearest.value < section.address) return undefined;
    return { name: nearest.name, offset: address - nearest.value };
  }

  /** The statement that an address belongs to. What is in a macro is written in its body. */
  lineAt(address: bigint): Line | undefined {
    const found = lastAtMost(this.lines, address, ({ start }) => BigInt(start));
    return found && address < BigInt(found.end) ? found : undefined;
  }

  /**
   * The address ranges, `end` not included, of what was written in a file, one for each time it was included. Something
   * that the file itself includes divides its range.
   */
  occurrences(file: string): { start: bigint; end: bigint }[] {
    const ranges: { start: bigint; end: bigint }[] = [];
    this.lines.forEach((line, at) => {
      if (line.file !== file) return;
      const before = this.lines[at - 1];
      const last = ranges.at(-1);
      const start = BigInt(line.start);
      const goes = before?.unit === line.unit && before.file === file && this.#sameSection(before.start, line.start);
      if (last && goes) last.end = BigInt(line.end);
      else ranges.push({ start, end: BigInt(line.end) });
    });
    return ranges;
  }

  #sameSection(a: number, b: number): boolean {
    return this.sectionAt(BigInt(a)) === this.sectionAt(BigInt(b));
  }

  /**
   * An address for a person: `worker+0x4 (file.s:12)`, the address alone if nothing is known of it, and
   * `(file.s:12, macro.inc:3)` for what line 12 of a source brings in from elsewhere.
   */
  describe(address: bigint): string {
    const symbol = this.symbolAt(address);
    const line = this.lineAt(address);
    const offset = symbol && symbol.offset > 0n ? `+0x${symbol.offset.toString(16)}` : '';
    const where = symbol ? `${symbol.name}${offset}` : `0x${address.toString(16)}`;
    if (!line) return where;
    const places = [line.from, line].map(({ file, line: number }) => `${file}:${number}`);
    return `${where} (${[...new Set(places)].join(', ')})`;
  }

  /** The same image with other bytes at some addresses. @throws RangeError for one that is in no section */
  patched(changes: Iterable<readonly [address: number, bytes: Uint8Array]>): Image {
    const sections = this.sections.map((section) => ({ ...section, bytes: section.bytes.slice() }));
    for (const [address, bytes] of changes) {
      const home = sections.find(({ address: start, size }) => {
        return address >= Number(start) && address + bytes.length <= Number(start) + size;
      });
      if (home === undefined) throw new RangeError(`nothing to change at 0x${address.toString(16)}`);
      if (home.bytes.length < home.size) home.bytes = new Uint8Array(home.size);
      home.bytes.set(bytes, address - Number(home.address));
    }
    return new Image(sections, this.named, this.lines);
  }

  /** Images that do not overlap, as one. */
  static join(images: readonly Image[]): Image {
    const sections = images.flatMap((image) => image.sections);
    return new Image(
      sections.sort((a, b) => Number(a.address - b.address)),
      images.flatMap((image) => image.named),
      images.flatMap((image) => image.lines).sort((a, b) => a.start - b.start),
    );
  }

  /** Everything, for JSON.stringify; Image.fromJSON makes the same image of it, without Keystone. */
  toJSON(): ImageJson {
    const files = [...new Set(this.lines.flatMap(({ file, from }) => [file, from.file]))];
    const index = (file: string): number => files.indexOf(file);
    return {
      sections: this.sections.map(({ name, address, size, bytes }) => {
        return { name, address: `0x${address.toString(16)}`, size, bytes: toBase64(bytes) };
      }),
      symbols: this.named.map((symbol) => ({ ...symbol, value: symbol.value.toString() })),
      files,
      lines: this.lines.map(({ start, end, file, line, from, unit }) => {
        return [start, end, index(file), line, index(from.file), from.line, unit];
      }),
    };
  }

  /** The image that toJSON was called on. */
  static fromJSON({ sections, symbols, files, lines }: ImageJson): Image {
    return new Image(
      sections.map((section) => ({ ...section, address: BigInt(section.address), bytes: fromBase64(section.bytes) })),
      symbols.map((symbol) => ({ ...symbol, value: BigInt(symbol.value) })),
      lines.map(([start, end, file, line, fromFile, fromLine, unit]) => {
        return { start, end, file: files[file], line, from: { file: files[fromFile], line: fromLine }, unit };
      }),
    );
  }
}
