/** Where scanf's bytes come from. */
export interface Source {
  /** @returns the next byte; -1 at the end */
  read(): number;
  /** Makes the byte that was read last the next one again. */
  putBack(byte: number): void;
}

/** errno, as it is in the guest's memory. */
export interface ErrorNumber {
  get(): number;
  set(errno: number): void;
}

/** What Input.byte is at the end. */
export const END = -1;

/** A source as glibc's scanf reads it. Once it has come to the end it does not ask again. */
export class Input {
  /** What was read last, though it may have been put back. */
  byte = 0;
  /** How many bytes were read, and not put back. */
  count = 0;
  #errnoAtEnd = 0;

  constructor(
    private readonly source: Source,
    private readonly errno: ErrorNumber,
  ) {}

  /** Reads a byte. At the end errno becomes, as in glibc, what it was when the end was found. */
  next(): number {
    if (this.byte === END) {
      this.errno.set(this.#errnoAtEnd);
      return END;
    }
    this.byte = this.source.read();
    if (this.byte === END) this.#errnoAtEnd = this.errno.get();
    else this.count++;
    return this.byte;
  }

  /** What was read last as a character in lower case; nothing at the end. */
  letter(): string {
    return this.byte === END ? '' : String.fromCharCode(this.byte).toLowerCase();
  }

  /** Puts back what was read last. */
  back(): void {
    if (this.byte === END) return;
    this.count--;
    this.source.putBack(this.byte);
  }
}
