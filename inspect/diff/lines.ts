import { closeSync, openSync, readSync } from 'node:fs';
import { UsageError } from '../errors.js';

const CHUNK = 1 << 20;
const LINE_FEED = 10;

function refusal(path: string, error: unknown): UsageError {
  const { code } = error as NodeJS.ErrnoException;
  const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'that is a folder' : code;
  return new UsageError(`cannot read ${path}: ${why}`);
}

/** The lines of a file one at a time: it may be larger than memory. */
export class Lines {
  readonly path: string;
  readonly #file: number;
  readonly #buffer = Buffer.allocUnsafe(CHUNK);
  #rest: Buffer = Buffer.alloc(0);
  #number = 0;
  /** Whether the last line that was read ends as a line does. */
  isWhole = true;

  /** @throws UsageError */
  constructor(path: string) {
    this.path = path;
    try {
      this.#file = openSync(path, 'r');
    } catch (error) {
      throw refusal(path, error);
    }
  }

  /** Of the line that was read last, counting from 1. */
  get number(): number {
    return this.#number;
  }

  /** The next line without its end; undefined behind the last one. */
  next(): string | undefined {
    for (let from = 0; ; ) {
      const end = this.#rest.indexOf(LINE_FEED, from);
      if (end !== -1) {
        const line = this.#rest.toString('utf8', 0, end);
        this.#rest = this.#rest.subarray(end + 1);
        this.#number += 1;
        return line;
      }
      from = this.#rest.length;
      const more = this.#read();
      if (more.length === 0) break;
      this.#rest = Buffer.concat([this.#rest, more]);
    }
    if (this.#rest.length === 0) return undefined;
    const line = this.#rest.toString();
    this.#rest = Buffer.alloc(0);
    this.#number += 1;
    this.isWhole = false;
    return line;
  }

  /** What the next bytes begin with; to be asked before the first line. */
  startsWith(text: string): boolean {
    this.#rest = Buffer.concat([this.#rest, this.#read()]);
    return this.#rest.toString('latin1', 0, text.length) === text;
  }

  close(): void {
    closeSync(this.#file);
  }

  #read(): Buffer {
    try {
      return this.#buffer.subarray(0, readSync(this.#file, this.#buffer));
    } catch (error) {
      throw refusal(this.path, error);
    }
  }
}
