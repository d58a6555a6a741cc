import { checkFunctions } from './checks.js';
import { ctypeFunctions } from './ctype.js';
import { cxxFunctions } from './cxx.js';
import type { Host, HostFunctions } from './host.js';
import { memoryFunctions } from './memory.js';
import { numberFunctions } from './numbers.js';
import { stdioFunctions } from './stdio.js';
import { stdlibFunctions } from './stdlib.js';
import { stringFunctions } from './string.js';
import { timeFunctions } from './time.js';
import { waitFunctions } from './wait.js';

/** libc's functions that are host functions: asm/host.s has a door for each. */
export function libcFunctions(host: Host): HostFunctions {
  return {
    ...memoryFunctions(host),
    ...stringFunctions(host),
    ...ctypeFunctions(host),
    ...stdlibFunctions(host),
    ...timeFunctions(host),
    ...waitFunctions(host),
    ...cxxFunctions(host),
    ...checkFunctions,
    ...numberFunctions(host),
    ...stdioFunctions(host),
  };
}
