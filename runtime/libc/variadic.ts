import type { Cpu } from '../../emu/cpu.js';
import type { Memory } from '../../emu/memory.js';
import { GENERAL_INDEX, type RegisterName } from '../../emu/registers.js';

const { rdi, rsi, rdx, rcx, r8, r9, rsp } = GENERAL_INDEX;
/** System V AMD64, 3.2.3: where arguments of class INTEGER and of class SSE are; the others are on the stack. */
export const INTEGER_REGISTERS = [rdi, rsi, rdx, rcx, r8, r9] as const;
const VECTOR_REGISTERS = ['xmm0', 'xmm1', 'xmm2', 'xmm3', 'xmm4', 'xmm5', 'xmm6', 'xmm7'] as const;
const WORD = 8;
const VECTOR = 16;

/** The fields of a va_list (3.5.7, figure 3.34). */
const GP_OFFSET = 0;
const FP_OFFSET = 4;
const OVERFLOW_ARG_AREA = 8;
const REG_SAVE_AREA = 16;

/** A `long double`: 64 bits of mantissa, its integer bit among them, and sign and exponent in 16. */
export interface LongDouble {
  readonly mantissa: bigint;
  readonly signAndExponent: number;
}

/** Arguments behind a `...`, taken one after the other, in the order and of the types that the callee expects. */
export class Variadic {
  #overflow: number;

  private constructor(
    private readonly memory: Memory,
    overflow: number,
    /** The next 64 bits that were passed in a general register; undefined when there are none left. */
    private readonly general: () => bigint | undefined,
    /** The same of the vector registers: their low halves. */
    private readonly vector: () => bigint | undefined,
  ) {
    this.#overflow = overflow;
  }

  /**
   * Of a call whose door is open. al, which says how many vector registers are in use at most, is lost in the door's
   * number and not needed: it only spares a callee that saves them all from doing so in vain.
   */
  static ofCall(cpu: Cpu, named: number): Variadic {
    let general = named;
    let vector = 0;
    return new Variadic(
      cpu.memory,
      cpu.pointer(rsp) + WORD,
      () => {
        const register = INTEGER_REGISTERS[general++];
        return register === undefined ? undefined : cpu.general64(register);
      },
      () => {
        const register: RegisterName | undefined = VECTOR_REGISTERS[vector++];
        return register === undefined ? undefined : BigInt.asUintN(64, cpu.read(register));
      },
    );
  }

  /** Of a `va_list`, which stays as it is: C leaves its value open after it was passed on. */
  static ofList(memory: Memory, list: number): Variadic {
    const saved = memory.pointer(list + REG_SAVE_AREA);
    const vectorEnd = INTEGER_REGISTERS.length * WORD + VECTOR_REGISTERS.length * VECTOR;
    const from = (field: number, end: number, size: number) => {
      let offset = memory.u32(list + field);
      return (): bigint | undefined => {
        if (offset + size > end) return undefined;
        offset += size;
        return memory.u64(saved + offset - size);
      };
    };
    return new Variadic(
      memory,
      memory.pointer(list + OVERFLOW_ARG_AREA),
      from(GP_OFFSET, INTEGER_REGISTERS.length * WORD, WORD),
      from(FP_OFFSET, vectorEnd, VECTOR),
    );
  }

  /** Any integer or pointer: 64 bits, of which only those of its type mean something. */
  integer(): bigint {
    return this.general() ?? this.#next();
  }

  /** An address. Inexact above 2^53, where no guest memory is, so that using it faults. */
  pointer(): number {
    return Number(this.integer());
  }

  /** A `double`, as its 64 bits. */
  double(): bigint {
    return this.vector() ?? this.#next();
  }

  /** A `long double`, which is always on the stack, at a multiple of 16. */
  longDouble(): LongDouble {
    this.#overflow = Math.ceil(this.#overflow / 16) * 16;
    const mantissa = this.#next();
    return { mantissa, signAndExponent: Number(this.#next() & 0xffffn) };
  }

  #next(): bigint {
    const value = this.memory.u64(this.#overflow);
    this.#overflow += WORD;
    return value;
  }
}
