import type { Numeral, Real } from './numeral.js';
import { type BinaryFormat, roundFraction } from './rounding.js';

/** A number as its type has it in memory, lowest bits first; `outOfRange` is what errno says as ERANGE. */
export interface Encoded {
  readonly bits: bigint;
  readonly outOfRange: boolean;
}

/** An integer as strtol (signed) or strtoul returns it: 64 bits, the nearest if it is out of range. */
export function encodeInteger({ negative, value }: Numeral<bigint>, signed: boolean): Encoded {
  const most = signed ? (1n << 63n) - (negative ? 0n : 1n) : (1n << 64n) - 1n;
  const outOfRange = value > most;
  const limited = outOfRange ? most : value;
  return { bits: BigInt.asUintN(64, negative && (signed || !outOfRange) ? -limited : limited), outOfRange };
}

/** A number as strtod returns it in a format: IEEE 754's interchange formats, and the x87's 80 bits. */
export function encodeReal({ negative, value }: Numeral<Real>, format: BinaryFormat): Encoded {
  const { precision, smallest, limit } = format;
  const top = 1n << BigInt(precision - 1);
  const special = 2 * limit - 1;
  const pack = (biased: number, mantissa: bigint, outOfRange = false): Encoded => {
    // Only the x87 keeps the integer bit.
    const kept = precision === 64 ? precision : precision - 1;
    const signed = (BigInt(negative) << BigInt(Math.log2(2 * limit))) | BigInt(biased);
    return { bits: (signed << BigInt(kept)) | BigInt.asUintN(kept, mantissa), outOfRange };
  };

  if (value.kind === 'infinite') return pack(special, top);
  if (value.kind === 'nan') {
    // glibc reads it by strtoull, which stops there and says so.
    const most = 2n ** 64n - 1n;
    const payload = value.payload > most ? most : value.payload;
    return pack(special, top | (top >> 1n) | BigInt.asUintN(precision - 2, payload), value.payload > most);
  }
  if (value.numerator === 0n) return pack(0, 0n);
  const { mantissa, exponent, range } = roundFraction(value.numerator, value.denominator, format);
  if (range === 'above') return pack(special, top, true);
  return pack(mantissa < top ? 0 : exponent - smallest + 1, mantissa, range === 'below');
}
