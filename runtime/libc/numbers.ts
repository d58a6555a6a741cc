import type { Call } from './call.js';
import type { Host, HostFunction, HostFunctions } from './host.js';
import { type Real, readInteger, readReal } from './numeral.js';
import { type BinaryFormat, DOUBLE, FLOAT, LONG_DOUBLE, roundFraction } from './rounding.js';
import { stringAt } from './text.js';
import type { LongDouble } from './variadic.js';

const EINVAL = 22;
const ERANGE = 34;
const LATIN_1 = 'latin1';

/** Sign, exponent and mantissa as a format keeps them, its integer bit written out. */
interface Encoded {
  readonly negative: boolean;
  readonly biased: number;
  readonly mantissa: bigint;
  readonly outOfRange: boolean;
}

/** stdlib.h's functions that read numbers, in the C locale. Floating-point results are bits: asm/stdlib.s makes them numbers. */
export function numberFunctions({ memory, symbols, fail }: Host): HostFunctions {
  const text = (call: Call): string => new TextDecoder(LATIN_1).decode(stringAt(memory, call.pointer(0)));
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
      const { negative, value } = found;
      const most = signed ? (1n << 63n) - (negative ? 0n : 1n) : (1n << 64n) - 1n;
      if (value > most) fail(ERANGE);
      const limited = value > most ? most : value;
      return BigInt.asIntN(64, negative && (signed || value <= most) ? -limited : limited);
    };

  const real = (call: Call, format: BinaryFormat): Encoded => {
    const found = readReal(text(call));
    setEnd(call, found?.length ?? 0);
    const encoded = encode(found?.value, found?.negative ?? false, format);
    if (encoded.outOfRange) fail(ERANGE);
    return encoded;
  };

  return {
    strtol: integer(true, false),
    strtoul: integer(false, false),
    __isoc23_strtol: integer(true, true),
    __isoc23_strtoul: integer(false, true),
    __strtod_bits: (call) => packed(real(call, DOUBLE), 52, 11),
    __strtof_bits: (call) => packed(real(call, FLOAT), 23, 8),
    __strtold_bits: (call) => {
      const { mantissa, signAndExponent } = longDoubleOf(real(call, LONG_DOUBLE));
      memory.setU64(symbols('strtold_result'), mantissa);
      memory.setU32(symbols('strtold_result') + 8, signAndExponent);
    },
  };
}

function encode(value: Real | undefined, negative: boolean, { precision, smallest, limit }: BinaryFormat): Encoded {
  const top = 1n << BigInt(precision - 1);
  const special = 2 * limit - 1;
  if (value === undefined) return { negative: false, biased: 0, mantissa: 0n, outOfRange: false };
  if (value.kind === 'infinite') return { negative, biased: special, mantissa: top, outOfRange: false };
  if (value.kind === 'nan') {
    const quiet = top | (top >> 1n);
    const payload = BigInt.asUintN(precision - 2, BigInt.asUintN(64, value.payload));
    return { negative, biased: special, mantissa: quiet | payload, outOfRange: false };
  }
  if (value.numerator === 0n) return { negative, biased: 0, mantissa: 0n, outOfRange: false };
  const rounded = roundFraction(value.numerator, value.denominator, { precision, smallest, limit });
  if (rounded.range === 'above') return { negative, biased: special, mantissa: top, outOfRange: true };
  const { mantissa, exponent } = rounded;
  const biased = mantissa < top ? 0 : exponent - smallest + 1;
  return { negative, biased, mantissa, outOfRange: rounded.range === 'below' };
}

/** IEEE 754's interchange format: the integer bit is left out. */
function packed({ negative, biased, mantissa }: Encoded, fractionBits: number, exponentBits: number): bigint {
  const signed = (BigInt(negative) << BigInt(exponentBits)) | BigInt(biased);
  return BigInt.asIntN(64, (signed << BigInt(fractionBits)) | BigInt.asUintN(fractionBits, mantissa));
}

const longDoubleOf = ({ negative, biased, mantissa }: Encoded): LongDouble => ({
  mantissa,
  signAndExponent: biased | (negative ? 0x8000 : 0),
});
