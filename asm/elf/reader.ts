import { ObjectError } from './errors.js';

/** Reads little-endian fields of a file. What is asked for outside of it is an ObjectError, never undefined. */
export class Reader {
  readonly #view: DataView;

  constructor(
    /** What messages call the file. */
    readonly file: string,
    readonly bytes: Uint8Array,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The error for a file that contradicts itself. */
  damaged(how: string): ObjectError {
    return new ObjectError(this.file, `truncated or damaged: ${how}`);
  }

  /** `size` bytes from the offset `at` on; `what` says in an error what they are. @throws ObjectError */
  part(at: number, size: number, what: string): Uint8Array {
    if (at + size > this.bytes.length) {
      throw this.damaged(`${what} should be at ${at} to ${at + size}, but the file has ${this.bytes.length} bytes`);
    }
    return this.bytes.subarray(at, at + size);
  }

  /** @throws ObjectError */
  u16(at: number, what: string): number {
    this.part(at, 2, what);
    return this.#view.getUint16(at, true);
  }

  /** @throws ObjectError */
  u32(at: number, what: string): number {
    this.part(at, 4, what);
    return this.#view.getUint32(at, true);
  }

  /** An offset or a size: 64 bits that are a whole number below 2^53, as no file is larger. @throws ObjectError */
  size(at: number, what: string): number {
    this.part(at, 8, what);
    const value = this.#view.getUint32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true);
    if (value > Number.MAX_SAFE_INTEGER) throw this.damaged(`${what} has the size or offset ${value}`);
    return value;
  }
}

/** A string table: names that end with a zero byte, found by their offset. */
export class Strings {
  readonly #text: string;
  /** How many more characters may be read: names may share their ends, but a table is no source of endless text. */
  #left: number;

  constructor(
    private readonly reader: Reader,
    private readonly table: Uint8Array,
  ) {
    this.#text = new TextDecoder('latin1').decode(table);
    this.#left = 4 * reader.bytes.length;
  }

  /** @throws ObjectError */
  at(offset: number): string {
    const end = this.#text.indexOf('\0', offset);
    if (offset >= this.table.length || end < 0) throw this.reader.damaged('a name is outside its string table');
    this.#left -= end - offset;
    if (this.#left < 0) throw this.reader.damaged('the names overlap');
    const name = this.#text.slice(offset, end);
    return /^[ -~]*$/.test(name) ? name : new TextDecoder().decode(this.table.subarray(offset, end));
  }
}
