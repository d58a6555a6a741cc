import type { Memory } from '../../emu/memory.js';
import { bufferOverflow } from './checks.js';
import type { Host, HostFunctions } from './host.js';
import { indexOf } from './search.js';

/**
 * string.h's functions on bytes. memcpy is memmove, which C allows; where a glibc on some processor does otherwise with
 * ranges that overlap, the program was wrong.
 */
export function memoryFunctions({ memory }: Host): HostFunctions {
  const copy = (to: number, from: number, size: number): number => {
    memory.copy(to, from, size);
    return to;
  };
  const fill = (to: number, byte: number, size: number): number => {
    memory.fill(to, size, byte);
    return to;
  };
  return {
    memcpy: (call) => copy(call.pointer(0), call.pointer(1), call.pointer(2)),
    memmove: (call) => copy(call.pointer(0), call.pointer(1), call.pointer(2)),
    mempcpy: (call) => copy(call.pointer(0), call.pointer(1), call.pointer(2)) + call.pointer(2),
    bcopy: (call) => {
      memory.copy(call.pointer(1), call.pointer(0), call.pointer(2));
    },
    memset: (call) => fill(call.pointer(0), call.int(1), call.pointer(2)),
    bzero: (call) => memory.fill(call.pointer(0), call.pointer(1), 0),
    explicit_bzero: (call) => memory.fill(call.pointer(0), call.pointer(1), 0),

    memccpy: (call) => {
      const [to, from, size] = [call.pointer(0), call.pointer(1), call.pointer(3)];
      const found = memory.find(from, call.int(2) & 0xff, size);
      const copied = found === -1 ? size : found + 1 - from;
      memory.copy(to, from, copied);
      return found === -1 ? 0 : to + copied;
    },

    memcmp: (call) => compare(memory, call.pointer(0), call.pointer(1), call.pointer(2)),
    memchr: (call) => {
      const found = memory.find(call.pointer(0), call.int(1) & 0xff, call.pointer(2));
      return found === -1 ? 0 : found;
    },
    rawmemchr: (call) => memory.find(call.pointer(0), call.int(1) & 0xff),
    memrchr: (call) => {
      const [start, byte] = [call.pointer(0), call.int(1) & 0xff];
      for (let at = start + call.pointer(2) - 1; at >= start; at--) if (memory.u8(at) === byte) return at;
      return 0;
    },
    memmem: (call) => {
      const needle = memory.read(call.pointer(2), call.pointer(3));
      const offset = indexOf(memory.read(call.pointer(0), call.pointer(1)), needle);
      return offset === -1 ? 0 : call.pointer(0) + offset;
    },

    __memcpy_chk: (call) => {
      bufferOverflow('memcpy', call.pointer(2), call.pointer(3));
      return copy(call.pointer(0), call.pointer(1), call.pointer(2));
    },
    __memmove_chk: (call) => {
      bufferOverflow('memmove', call.pointer(2), call.pointer(3));
      return copy(call.pointer(0), call.pointer(1), call.pointer(2));
    },
    __mempcpy_chk: (call) => {
      bufferOverflow('mempcpy', call.pointer(2), call.pointer(3));
      return copy(call.pointer(0), call.pointer(1), call.pointer(2)) + call.pointer(2);
    },
    __memset_chk: (call) => {
      bufferOverflow('memset', call.pointer(2), call.pointer(3));
      return fill(call.pointer(0), call.int(1), call.pointer(2));
    },
    __explicit_bzero_chk: (call) => {
      bufferOverflow('explicit_bzero', call.pointer(1), call.pointer(2));
      memory.fill(call.pointer(0), call.pointer(1), 0);
    },
  };
}

/** What memcmp returns: the difference of the first two bytes that differ. */
function compare(memory: Memory, a: number, b: number, size: number): number {
  for (let offset = 0; offset < size; offset++) {
    const difference = memory.u8(a + offset) - memory.u8(b + offset);
    if (difference !== 0) return difference;
  }
  return 0;
}
