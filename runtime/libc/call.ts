import type { Cpu } from '../../emu/cpu.js';
import { GENERAL_INDEX } from '../../emu/registers.js';
import { INTEGER_REGISTERS, Variadic } from './variadic.js';

const { rsp } = GENERAL_INDEX;
const WORD = 8;

/**
 * The call of a host function that is behind its door: its arguments, counting from 0, as System V passes them. Valid
 * only while the door is open.
 */
export class Call {
  constructor(readonly cpu: Cpu) {}

  /** An address, or a size_t. Inexact above 2^53, where no guest memory is, so that using it faults. */
  pointer(argument: number): number {
    const register = INTEGER_REGISTERS[argument];
    return register === undefined ? this.cpu.memory.pointer(this.#onStack(argument)) : this.cpu.pointer(register);
  }

  /** An `int`. */
  int(argument: number): number {
    return this.unsigned(argument) | 0;
  }

  /** An `unsigned int`. */
  unsigned(argument: number): number {
    const register = INTEGER_REGISTERS[argument];
    return register === undefined ? this.cpu.memory.u32(this.#onStack(argument)) : this.cpu.low(register);
  }

  /** A `long`. */
  long(argument: number): bigint {
    const register = INTEGER_REGISTERS[argument];
    const value = register === undefined ? this.cpu.memory.u64(this.#onStack(argument)) : this.cpu.general64(register);
    return BigInt.asIntN(64, value);
  }

  /** What a function with `named` arguments, none of them a floating-point number, was given behind its `...`. */
  variadic(named: number): Variadic {
    return Variadic.ofCall(this.cpu, named);
  }

  /** What a `va_list` argument still has to give. */
  list(argument: number): Variadic {
    return Variadic.ofList(this.cpu.memory, this.pointer(argument));
  }

  #onStack(argument: number): number {
    return this.cpu.pointer(rsp) + WORD * (1 + argument - INTEGER_REGISTERS.length);
  }
}
