import { Misuse } from '../errors.js';
import type { HostFunctions } from './host.js';

/**
 * What the functions that end in _chk do first: gcc calls them under -D_FORTIFY_SOURCE where it knows how large the
 * destination is.
 * @param name of the function that the program has called
 * @param size how many bytes it would write
 * @param room how many there are; (size_t)-1 for one that is not known
 * @throws Misuse if they do not fit
 */
export function bufferOverflow(name: string, size: number, room: number): void {
  if (size <= room) return;
  throw new Misuse(
    `buffer overflow detected: ${name} would write ${size} bytes, and there is room for ${room}: make the room larger, ` +
      'or give a smaller size',
  );
}

/** What compilers call when a check that they have put into the program has failed. */
export const checkFunctions: HostFunctions = {
  __stack_chk_fail: () => {
    throw new Misuse(
      'stack smashing detected: a function has overwritten the guard above its local arrays: look for a write past the ' +
        'end of one of them',
    );
  },
  __chk_fail: () => {
    throw new Misuse('buffer overflow detected: a libc function would have written past the end of its destination');
  },
  __fortify_fail: (call) => {
    throw new Misuse(`${call.cpu.memory.text(call.pointer(0))} detected`);
  },
};
