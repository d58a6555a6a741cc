import type { Memory } from '../../emu/memory.js';

/** An `int` counts what is printed, so there cannot be more. */
export const INT_MAX = 0x7fffffff;
/** Bytes that {@link Text.chunks} makes at a time of what is repeated. */
const CHUNK = 1 << 16;
/** How many arguments a call may have anywhere. */
const AT_ONCE = 1 << 12;

interface Run {
  readonly byte: number;
  readonly count: number;
}

/** Bytes on their way out. A byte that is repeated costs nothing until it is written: a width may be in the billions. */
export class Text {
  readonly #pieces: (Uint8Array | Run)[] = [];
  #length = 0;

  /** In bytes, {@link INT_MAX} at most. */
  get length(): number {
    return this.#length;
  }

  /** @returns whether there was room */
  add(bytes: Uint8Array | string): boolean {
    if (this.#length + bytes.length > INT_MAX) return false;
    if (bytes.length > 0) this.#pieces.push(typeof bytes === 'string' ? ascii(bytes) : bytes);
    this.#length += bytes.length;
    return true;
  }

  /** @returns whether there was room; a count of zero or less adds nothing */
  repeat(character: string, count: number): boolean {
    if (count <= 0) return true;
    if (this.#length + count > INT_MAX) return false;
    this.#pieces.push({ byte: character.charCodeAt(0), count });
    this.#length += count;
    return true;
  }

  /** The bytes, or the first of them: in one piece if that is small, as it mostly is. */
  *chunks(limit = this.#length): Generator<Uint8Array> {
    let left = Math.min(limit, this.#length);
    let chunk = new Uint8Array(Math.min(left, CHUNK));
    let used = 0;
    for (const piece of this.#pieces) {
      const run = !(piece instanceof Uint8Array);
      const size = Math.min(run ? piece.count : piece.length, left);
      for (let done = 0; done < size; ) {
        const part = Math.min(size - done, chunk.length - used);
        if (run) chunk.fill(piece.byte, used, used + part);
        else chunk.set(piece.subarray(done, done + part), used);
        done += part;
        used += part;
        left -= part;
        if (used < chunk.length) continue;
        yield chunk;
        chunk = new Uint8Array(Math.min(left, CHUNK));
        used = 0;
      }
    }
  }
}

/** Characters below 256 as bytes. */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Bytes as the characters below 256, whatever they mean: the way back from {@link ascii}. */
export function characters(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += AT_ONCE) text += String.fromCharCode(...bytes.subarray(at, at + AT_ONCE));
  return text;
}

/** C11, 7.4.1.10, in the C locale. */
export const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);

/** A string in memory without its end; no byte behind the first `limit` is read. @throws BadAddress */
export function stringAt(memory: Memory, address: number, limit?: number): Uint8Array {
  const end = memory.find(address, 0, limit);
  return memory.read(address, end === -1 ? (limit ?? 0) : end - address);
}
