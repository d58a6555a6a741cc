import { type Memory, PAGE_SIZE } from '../../emu/memory.js';
import { bufferOverflow } from './checks.js';
import { errorText, signalText, writeTexts } from './errno.js';
import type { Host, HostFunctions } from './host.js';
import { indexOf } from './search.js';
import { tokenFunctions } from './token.js';

const ENOMEM = 12;
const EINVAL = 22;
const ERANGE = 34;

/** An ASCII byte as a small letter. */
const lower = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);
const asItIs = (byte: number): number => byte;

/**
 * What strcmp returns: the difference of the first two bytes that differ.
 * @param key what a byte counts as
 */
function compare(memory: Memory, a: number, b: number, size: number, key: (byte: number) => number): number {
  for (let offset = 0; offset < size; offset++) {
    const byte = memory.u8(a + offset);
    const difference = key(byte) - key(memory.u8(b + offset));
    if (difference !== 0 || byte === 0) return difference;
  }
  return 0;
}

/** string.h's functions on strings. The locale is C. */
export function stringFunctions(host: Host): HostFunctions {
  const { memory, symbols, heap, fail } = host;
  const length = (string: number): number => memory.find(string, 0) - string;
  const lengthUpTo = (string: number, size: number): number => {
    const end = memory.find(string, 0, size);
    return end === -1 ? size : end - string;
  };
  const bytes = (string: number): Uint8Array => memory.read(string, length(string));

  /** Returns the end of the copy, which is its zero. */
  const copy = (to: number, from: number): number => {
    const size = length(from);
    memory.copy(to, from, size + 1);
    return to + size;
  };
  /** Copies `size` bytes exactly, zeros behind the string. Returns the first of these, or the end. */
  const copyPadded = (to: number, from: number, size: number): number => {
    const copied = lengthUpTo(from, size);
    memory.copy(to, from, copied);
    memory.fill(to + copied, size - copied, 0);
    return to + copied;
  };
  const append = (to: number, from: number, size: number): void => {
    const end = to + length(to);
    const copied = lengthUpTo(from, size);
    memory.copy(end, from, copied);
    memory.setU8(end + copied, 0);
  };
  /** As much as has room, and a zero. Returns the length that it would have. */
  const copyBounded = (to: number, from: number, room: number): number => {
    const size = length(from);
    if (room === 0) return size;
    const copied = Math.min(size, room - 1);
    memory.copy(to, from, copied);
    memory.setU8(to + copied, 0);
    return size;
  };
  const duplicate = (from: number, size: number): number => {
    const copied = heap.malloc(size + 1);
    if (copied === 0) {
      fail(ENOMEM);
      return 0;
    }
    memory.copy(copied, from, size);
    memory.setU8(copied + size, 0);
    return copied;
  };
  /** The first such byte, or the string's end. By the page: a string may be long and what is looked for near. */
  const findOrEnd = (string: number, byte: number): number => {
    for (let at = string; ; at += PAGE_SIZE - (at % PAGE_SIZE)) {
      const rest = PAGE_SIZE - (at % PAGE_SIZE);
      const end = memory.find(at, 0, rest);
      const found = memory.find(at, byte, end === -1 ? rest : end - at);
      if (found !== -1 || end !== -1) return found === -1 ? end : found;
    }
  };
  const search = (haystack: number, needle: number, key: (byte: number) => number): number => {
    const offset = indexOf(bytes(haystack).map(key), bytes(needle).map(key));
    return offset === -1 ? 0 : haystack + offset;
  };

  /** The address of an error's text: of its own, or for numbers that have none one that they share. */
  const error = (errno: number): number =>
    writeTexts(memory, symbols('strerror_texts'), errno) ?? put(symbols('strerror_text'), errorText(errno));
  const put = (to: number, text: string): number => {
    memory.write(to, new TextEncoder().encode(`${text}\0`));
    return to;
  };

  return {
    ...tokenFunctions(host),

    strlen: (call) => length(call.pointer(0)),
    strnlen: (call) => lengthUpTo(call.pointer(0), call.pointer(1)),

    strcpy: (call) => {
      copy(call.pointer(0), call.pointer(1));
      return call.pointer(0);
    },
    stpcpy: (call) => copy(call.pointer(0), call.pointer(1)),
    strncpy: (call) => {
      copyPadded(call.pointer(0), call.pointer(1), call.pointer(2));
      return call.pointer(0);
    },
    stpncpy: (call) => copyPadded(call.pointer(0), call.pointer(1), call.pointer(2)),
    strcat: (call) => {
      copy(call.pointer(0) + length(call.pointer(0)), call.pointer(1));
      return call.pointer(0);
    },
    strncat: (call) => {
      append(call.pointer(0), call.pointer(1), call.pointer(2));
      return call.pointer(0);
    },
    strlcpy: (call) => copyBounded(call.pointer(0), call.pointer(1), call.pointer(2)),
    strlcat: (call) => {
      const [to, room] = [call.pointer(0), call.pointer(2)];
      const size = lengthUpTo(to, room);
      return size + copyBounded(to + size, call.pointer(1), room - size);
    },
    strxfrm: (call) => {
      const [to, from, size] = [call.pointer(0), call.pointer(1), call.pointer(2)];
      if (size !== 0) copyPadded(to, from, Math.min(length(from) + 1, size));
      return length(from);
    },
    strdup: (call) => duplicate(call.pointer(0), length(call.pointer(0))),
    strndup: (call) => duplicate(call.pointer(0), lengthUpTo(call.pointer(0), call.pointer(1))),

    strcmp: (call) => compare(memory, call.pointer(0), call.pointer(1), Number.POSITIVE_INFINITY, asItIs),
    strncmp: (call) => compare(memory, call.pointer(0), call.pointer(1), call.pointer(2), asItIs),
    strcasecmp: (call) => compare(memory, call.pointer(0), call.pointer(1), Number.POSITIVE_INFINITY, lower),
    strncasecmp: (call) => compare(memory, call.pointer(0), call.pointer(1), call.pointer(2), lower),

    strchr: (call) => {
      const byte = call.int(1) & 0xff;
      const found = findOrEnd(call.pointer(0), byte);
      return memory.u8(found) === byte ? found : 0;
    },
    strchrnul: (call) => findOrEnd(call.pointer(0), call.int(1) & 0xff),
    strrchr: (call) => {
      const [string, byte] = [call.pointer(0), call.int(1) & 0xff];
      const offset = memory.read(string, length(string) + 1).lastIndexOf(byte);
      return offset === -1 ? 0 : string + offset;
    },
    strstr: (call) => search(call.pointer(0), call.pointer(1), asItIs),
    strcasestr: (call) => search(call.pointer(0), call.pointer(1), lower),

    strerror: (call) => error(call.int(0)),
    strerror_r: (call) => {
      const [errno, to, room] = [call.int(0), call.pointer(1), call.pointer(2)];
      const text = error(errno);
      if (text !== symbols('strerror_text')) return text;
      copyBounded(to, text, room);
      return to;
    },
    __xpg_strerror_r: (call) => {
      const [errno, to, room] = [call.int(0), call.pointer(1), call.pointer(2)];
      const text = error(errno);
      const size = copyBounded(to, text, room);
      if (text === symbols('strerror_text')) return EINVAL;
      return size < room ? 0 : ERANGE;
    },
    strsignal: (call) => put(symbols('strsignal_text'), signalText(call.int(0))),

    __strcpy_chk: (call) => {
      bufferOverflow('strcpy', length(call.pointer(1)) + 1, call.pointer(2));
      copy(call.pointer(0), call.pointer(1));
      return call.pointer(0);
    },
    __stpcpy_chk: (call) => {
      bufferOverflow('stpcpy', length(call.pointer(1)) + 1, call.pointer(2));
      return copy(call.pointer(0), call.pointer(1));
    },
    __strncpy_chk: (call) => {
      bufferOverflow('strncpy', call.pointer(2), call.pointer(3));
      copyPadded(call.pointer(0), call.pointer(1), call.pointer(2));
      return call.pointer(0);
    },
    __stpncpy_chk: (call) => {
      bufferOverflow('stpncpy', call.pointer(2), call.pointer(3));
      return copyPadded(call.pointer(0), call.pointer(1), call.pointer(2));
    },
    __strcat_chk: (call) => {
      const to = call.pointer(0);
      bufferOverflow('strcat', length(to) + length(call.pointer(1)) + 1, call.pointer(2));
      copy(to + length(to), call.pointer(1));
      return to;
    },
    __strncat_chk: (call) => {
      const [to, from, size] = [call.pointer(0), call.pointer(1), call.pointer(2)];
      bufferOverflow('strncat', length(to) + lengthUpTo(from, size) + 1, call.pointer(3));
      append(to, from, size);
      return to;
    },
  };
}
