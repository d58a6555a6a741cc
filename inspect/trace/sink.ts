import { closeSync, openSync, realpathSync } from 'node:fs';
import { UsageError } from '../errors.js';
import { NobodyReads, writeAll } from '../write-all.js';

/** Bytes that are collected before they are written. */
const CHUNK = 1 << 20;
/** A record shorter than that always fits. */
const ROOM = 64 << 10;
const STANDARD_OUTPUT = 1;
const DIGITS = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
const ZERO = DIGITS[0];

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such folder',
  ENOTDIR: 'what comes in front of it is no folder',
  EISDIR: 'that is a folder',
  EACCES: 'that is not allowed',
  EROFS: 'nothing can be written there',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'no file may be that large',
};

/**
 * Refuses to write over a program; any other file may be written over.
 * @param paths of the program
 * @throws UsageError
 */
export function refuseToOverwrite(paths: readonly string[], output: string): void {
  const real = (path: string): string | undefined => {
    try {
      return realpathSync(path);
    } catch {
      return undefined;
    }
  };
  const target = real(output);
  if (target !== undefined && paths.some((path) => real(path) === target)) {
    throw new UsageError(`-o ${output} would write over the program: give another name`);
  }
}

/** A file, or standard output, that is written in large pieces, each of whole records. */
export class Sink {
  readonly path: string;
  readonly #advice: string;
  #file: number | undefined;
  readonly #buffer = Buffer.allocUnsafe(CHUNK + ROOM);
  #used = 0;
  #written = 0;

  /**
   * @param path or `-` for standard output
   * @param advice if there is no room for all of it
   */
  constructor(path: string, advice = 'trace less, by --from, --to and --events') {
    this.path = path;
    this.#advice = advice;
  }

  /** To be done before anything is written; what is in the file is gone then. @throws UsageError if that cannot be done */
  open(): void {
    try {
      this.#file = this.path === '-' ? STANDARD_OUTPUT : openSync(this.path, 'w');
    } catch (error) {
      throw this.#refusal(error);
    }
  }

  /** Bytes so far. */
  get size(): number {
    return this.#written + this.#used;
  }

  text(text: string): void {
    if (text.length * 3 > ROOM) this.#long(Buffer.from(text));
    else this.#used += this.#buffer.write(text, this.#used);
  }

  /** At most {@link ROOM} of them. */
  bytes(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** A whole number below 2^53 in decimal. */
  decimal(value: number): void {
    let digits = 1;
    for (let rest = value; rest >= 10; rest /= 10) digits += 1;
    let at = this.#used + digits;
    this.#used = at;
    let rest = value;
    for (; rest > 0xffffffff; rest = Math.floor(rest / 10)) this.#buffer[--at] = ZERO + (rest % 10);
    let small = rest >>> 0;
    do {
      const next = (small / 10) >>> 0;
      this.#buffer[--at] = ZERO + small - next * 10;
      small = next;
    } while (small > 0);
  }

  /** A value of 64 bits, given as its halves, in hexadecimal with 0x in front. */
  hex(low: number, high: number): void {
    const buffer = this.#buffer;
    let at = this.#used;
    buffer[at++] = ZERO;
    buffer[at++] = 0x78;
    if (high !== 0) {
      for (let shift = 28 - (Math.clz32(high) & ~3); shift >= 0; shift -= 4)
        buffer[at++] = DIGITS[(high >>> shift) & 15];
      for (let shift = 28; shift >= 0; shift -= 4) buffer[at++] = DIGITS[(low >>> shift) & 15];
    } else {
      for (let shift = 28 - (Math.clz32(low | 1) & ~3); shift >= 0; shift -= 4) {
        buffer[at++] = DIGITS[(low >>> shift) & 15];
      }
    }
    this.#used = at;
  }

  /** What was given is a record. @throws UsageError, NobodyReads */
  endRecord(): void {
    if (this.#used >= CHUNK) this.#flush();
  }

  /** Writes what is left. @throws UsageError, NobodyReads */
  close(): void {
    try {
      this.#flush();
    } finally {
      this.abandon();
    }
  }

  /** Leaves the file as it is; does nothing if it is closed. */
  abandon(): void {
    if (this.#file !== undefined && this.#file !== STANDARD_OUTPUT) closeSync(this.#file);
    this.#file = undefined;
  }

  #flush(): void {
    const used = this.#used;
    this.#used = 0;
    this.#write(this.#buffer.subarray(0, used));
  }

  #long(bytes: Uint8Array): void {
    this.#flush();
    this.#write(bytes);
  }

  #write(bytes: Uint8Array): void {
    if (this.#file === undefined) return;
    try {
      writeAll(this.#file, bytes);
    } catch (error) {
      throw error instanceof NobodyReads ? error : this.#refusal(error);
    }
    this.#written += bytes.length;
  }

  #refusal(error: unknown): UsageError {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const where = this.path === '-' ? 'standard output' : this.path;
    const full = ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code);
    const sofar = full ? ` (behind ${this.#written} bytes): ${this.#advice}` : '';
    return new UsageError(`cannot write ${where}: ${WHY[code] ?? code}${sofar}`);
  }
}
