import { GENERAL_INDEX } from '../../emu/registers.js';
import { MillError } from '../errors.js';
import type { Call } from './call.js';
import type { Host, HostFunctions } from './host.js';
import { randomFunctions } from './random.js';

const ENOMEM = 12;
const EINVAL = 22;
const PAGE = 4096;
const POINTER = 8;
const EQUALS = '='.charCodeAt(0);
/** What malloc's addresses are multiples of anyway. */
const ALIGNMENT = 16;

/** Where the guest goes on behind its call. */
const caller = (call: Call): number => call.cpu.memory.pointer(call.cpu.pointer(GENERAL_INDEX.rsp));

const isPowerOfTwo = (value: number): boolean => value > 0 && Number.isInteger(Math.log2(value));

/** stdlib.h's functions, and C++'s operators new and delete. */
export function stdlibFunctions(host: Host): HostFunctions {
  const { memory, symbols, heap, fail } = host;
  const orNoMemory = (address: number): number => {
    if (address === 0) fail(ENOMEM);
    return address;
  };
  const realloc = (call: Call, size: number): number => {
    const address = call.pointer(0);
    if (address === 0) return orNoMemory(heap.malloc(size));
    if (size !== 0) return orNoMemory(heap.realloc(address, size, caller(call)));
    heap.free(address, caller(call));
    return 0;
  };
  const aligned = (alignment: number, size: number): number => {
    if (!isPowerOfTwo(alignment)) {
      fail(EINVAL);
      return 0;
    }
    return orNoMemory(heap.malloc(size, Math.max(alignment, ALIGNMENT)));
  };
  const create = (size: number, alignment = ALIGNMENT): number => {
    const address = heap.malloc(size, alignment);
    if (address !== 0) return address;
    throw new MillError(
      `operator new of ${size} bytes: there is no room, and no C++ exception (std::bad_alloc) here to say so: give the ` +
        'machine more memory, or ask for less',
    );
  };

  return {
    ...randomFunctions(host),

    malloc: (call) => orNoMemory(heap.malloc(call.pointer(0))),
    // A product that is inexact is too large anyway.
    calloc: (call) => orNoMemory(heap.calloc(call.pointer(0) * call.pointer(1))),
    realloc: (call) => realloc(call, call.pointer(1)),
    reallocarray: (call) => realloc(call, call.pointer(1) * call.pointer(2)),
    free: (call) => heap.free(call.pointer(0), caller(call)),
    memalign: (call) => aligned(call.pointer(0), call.pointer(1)),
    valloc: (call) => aligned(PAGE, call.pointer(0)),
    posix_memalign: (call) => {
      const [alignment, size] = [call.pointer(1), call.pointer(2)];
      if (!isPowerOfTwo(alignment) || alignment % POINTER !== 0) return EINVAL;
      const address = heap.malloc(size, Math.max(alignment, ALIGNMENT));
      if (address === 0) return ENOMEM;
      memory.setPointer(call.pointer(0), address);
      return 0;
    },
    malloc_usable_size: (call) => (call.pointer(0) === 0 ? 0 : heap.size(call.pointer(0))),

    // The host's environment is not the guest's: a run is not to depend on where it is made.
    getenv: (call) => {
      const name = memory.text(call.pointer(0));
      const variables = memory.pointer(symbols('environ'));
      for (let at = variables; at !== 0 && memory.pointer(at) !== 0; at += 8) {
        const variable = memory.pointer(at);
        if (memory.text(variable).startsWith(`${name}=`)) return memory.find(variable, EQUALS) + 1;
      }
      return 0;
    },

    _Znwm: (call) => create(call.pointer(0)),
    _ZnwmSt11align_val_t: (call) => create(call.pointer(0), call.pointer(1)),
    _ZnwmRKSt9nothrow_t: (call) => heap.malloc(call.pointer(0)),
    _ZnwmSt11align_val_tRKSt9nothrow_t: (call) => heap.malloc(call.pointer(0), call.pointer(1)),
    _ZdlPv: (call) => heap.free(call.pointer(0), caller(call)),
  };
}
