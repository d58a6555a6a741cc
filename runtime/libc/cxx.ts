import { MillError } from '../errors.js';
import type { Host, HostFunction, HostFunctions } from './host.js';

/** What compiled C++ calls when it throws or catches, by what it then does. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  __cxa_allocate_exception: 'throws an exception',
  __cxa_free_exception: 'throws an exception',
  __cxa_throw: 'throws an exception',
  __cxa_rethrow: 'throws an exception again',
  __cxa_begin_catch: 'catches an exception',
  __cxa_end_catch: 'catches an exception',
  _Unwind_Resume: 'unwinds the stack for an exception',
  __gxx_personality_v0: 'unwinds the stack for an exception',
  __cxa_throw_bad_array_new_length: 'throws std::bad_array_new_length: new[] of a negative or too large number',
  __cxa_bad_cast: 'throws std::bad_cast: a dynamic_cast to a reference of another type',
  __cxa_bad_typeid: 'throws std::bad_typeid: typeid of what a null pointer points to',
  _ZSt17__throw_bad_allocv: 'throws std::bad_alloc',
  _ZSt20__throw_length_errorPKc: 'throws std::length_error',
  _ZSt19__throw_logic_errorPKc: 'throws std::logic_error',
  _ZSt20__throw_out_of_rangePKc: 'throws std::out_of_range',
  _ZSt24__throw_out_of_range_fmtPKcz: 'throws std::out_of_range',
  _ZSt25__throw_bad_function_callv: 'throws std::bad_function_call: a std::function that is empty was called',
};

/** The part of C++'s own library (Itanium C++ ABI, 2.8 and 3.3) that programs need which throw nothing. */
export function cxxFunctions({ memory }: Host): HostFunctions {
  const exceptions = Object.entries(EXCEPTIONS).map(([name, what]): [string, HostFunction] => [
    name,
    () => {
      throw new MillError(
        `the program ${what}, and there are no C++ exceptions here: mend what it is thrown for, or report it otherwise`,
      );
    },
  ]);
  return {
    ...Object.fromEntries(exceptions),
    // The first byte of the guard says whether the variable is initialised; a second thread there is not.
    __cxa_guard_acquire: (call) => (memory.u8(call.pointer(0)) === 0 ? 1 : 0),
    __cxa_guard_release: (call) => memory.setU8(call.pointer(0), 1),
    __cxa_guard_abort: () => {},
    __cxa_pure_virtual: () => {
      throw new MillError(
        'a pure virtual function was called: an object was used before its constructor, or after its destructor, was done',
      );
    },
    _ZSt9terminatev: () => {
      throw new MillError('std::terminate was called: an exception in a noexcept function, and there are none here');
    },
  };
}
