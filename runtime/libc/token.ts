import type { Host, HostFunctions } from './host.js';

/** string.h's functions that look for any byte of a set, and those that cut strings apart there. */
export function tokenFunctions({ memory, symbols }: Host): HostFunctions {
  /** How many bytes at the start of a string are in the set, or are not. The set is read to its zero. */
  const span = (string: number, set: number, inSet: boolean): number => {
    const bytes = memory.read(set, memory.find(set, 0) - set);
    for (let size = 0; ; size++) {
      const byte = memory.u8(string + size);
      if (byte === 0 || bytes.includes(byte) !== inSet) return size;
    }
  };

  /** @param next where the address is at which to go on */
  const token = (given: number, separators: number, next: number): number => {
    const from = given === 0 ? memory.pointer(next) : given;
    const start = from + span(from, separators, true);
    if (memory.u8(start) === 0) {
      memory.setPointer(next, start);
      return 0;
    }
    const end = start + span(start, separators, false);
    cut(end, next, end);
    return start;
  };
  /** Ends a string here and goes on behind, or `otherwise` if it ends here anyway. */
  const cut = (end: number, next: number, otherwise: number): void => {
    const last = memory.u8(end) === 0;
    if (!last) memory.setU8(end, 0);
    memory.setPointer(next, last ? otherwise : end + 1);
  };

  return {
    strspn: (call) => span(call.pointer(0), call.pointer(1), true),
    strcspn: (call) => span(call.pointer(0), call.pointer(1), false),
    strpbrk: (call) => {
      const found = call.pointer(0) + span(call.pointer(0), call.pointer(1), false);
      return memory.u8(found) === 0 ? 0 : found;
    },
    strtok: (call) => token(call.pointer(0), call.pointer(1), symbols('strtok_next')),
    strtok_r: (call) => token(call.pointer(0), call.pointer(1), call.pointer(2)),
    strsep: (call) => {
      const next = call.pointer(0);
      const start = memory.pointer(next);
      if (start !== 0) cut(start + span(start, call.pointer(1), false), next, 0);
      return start;
    },
  };
}
