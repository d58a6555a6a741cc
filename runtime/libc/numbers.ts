import type { Call } from './call.js';
import { encodeInteger, encodeReal } from './encoding.js';
import type { Host, HostFunction, HostFunctions } from './host.js';
import { readInteger, readReal } from './numeral.js';
import { type BinaryFormat, DOUBLE, FLOAT, LONG_DOUBLE } from './rounding.js';
import { characters, isSpace } from './text.js';

const EINVAL = 22;
const ERANGE = 34;

/** Of `+-.()_`, digits and letters; a NaN's payload has all of them. */
const isOfNumeral = (byte: number): boolean =>
  (byte >= 0x28 && byte <= 0x39 && byte !== 0x2a && byte !== 0x2c && byte !== 0x2f) ||
  (byte >= 0x41 && byte <= 0x5a) ||
  byte === 0x5f ||
  (byte >= 0x61 && byte <= 0x7a);

/** stdlib.h's functions that read numbers, in the C locale. Floating-point results are bits: asm/stdlib.s makes them numbers. */
export function numberFunctions({ memory, symbols, fail }: Host): HostFunctions {
  /** White space, and all of what follows that could be a number's: a program may have only one number read of many. */
  const text = (call: Call): string => {
    const start = call.pointer(0);
    let end = start;
    while (isSpace(memory.u8(end))) end++;
    while (isOfNumeral(memory.u8(end))) end++;
    return characters(memory.read(start, end - start));
  };
  const setEnd = (call: Call, length: number): void => {
    if (call.pointer(1) !== 0) memory.setPointer(call.pointer(1), call.pointer(0) + length);
  };

  const integer =
    (signed: boolean, binary: boolean): HostFunction =>
    (call) => {
      const base = call.int(2);
      if (base < 0 || base === 1 || base > 36) {
        fail(EINVAL);
        return 0;
      }
      const found = readInteger(text(call), base, binary);
      setEnd(call, found?.length ?? 0);
      if (found === undefined) return 0;
      const { bits, outOfRange } = encodeInteger(found, signed);
      if (outOfRange) fail(ERANGE);
      return bits;
    };

  const real = (call: Call, format: BinaryFormat): bigint => {
    const found = readReal(text(call));
    setEnd(call, found?.length ?? 0);
    if (found === undefined) return 0n;
    const { bits, outOfRange } = encodeReal(found, format);
    if (outOfRange) fail(ERANGE);
    return bits;
  };

  return {
    strtol: integer(true, false),
    strtoul: integer(false, false),
    __isoc23_strtol: integer(true, true),
    __isoc23_strtoul: integer(false, true),
    __strtod_bits: (call) => real(call, DOUBLE),
    __strtof_bits: (call) => real(call, FLOAT),
    __strtold_bits: (call) => {
      const bits = real(call, LONG_DOUBLE);
      memory.setU64(symbols('strtold_result'), BigInt.asUintN(64, bits));
      memory.setU32(symbols('strtold_result') + 8, Number(bits >> 64n));
    },
  };
}
