/** A binary floating-point format. */
export interface BinaryFormat {
  /** Bits of a full mantissa. */
  readonly precision: number;
  /** The exponent of the smallest number: 2^that. */
  readonly smallest: number;
  /** All numbers are below 2^that. */
  readonly limit: number;
}

/** IEEE 754's binary32. */
export const FLOAT: BinaryFormat = { precision: 24, smallest: -149, limit: 128 };
/** IEEE 754's binary64. */
export const DOUBLE: BinaryFormat = { precision: 53, smallest: -1074, limit: 1024 };
/** The x87's extended precision, whose integer bit is one of the 64. */
export const LONG_DOUBLE: BinaryFormat = { precision: 64, smallest: -16445, limit: 16384 };

/** mantissa × 2^exponent, or more than the format has. */
export interface Rounded {
  readonly mantissa: bigint;
  /** Not below the format's smallest; the mantissa has all its bits unless it is that. */
  readonly exponent: number;
  readonly range: 'inside' | 'above' | 'below';
}

/**
 * A fraction of positive numbers, rounded to the nearest of a format; of two that are equally near, to the even one.
 * `below` is what IEEE 754 calls underflow: inexact, and below the smallest normal number even if there were room for
 * all bits.
 */
export function roundFraction(numerator: bigint, denominator: bigint, format: BinaryFormat): Rounded {
  const { precision, smallest, limit } = format;
  const { mantissa, exponent, exact } = nearest(numerator, denominator, precision, smallest);
  if (exponent + precision > limit && mantissa >> BigInt(precision - 1) !== 0n) {
    return { mantissa, exponent, range: 'above' };
  }
  if (exact || exponent > smallest) return { mantissa, exponent, range: 'inside' };
  const free = nearest(numerator, denominator, precision, Number.NEGATIVE_INFINITY);
  return { mantissa, exponent, range: free.exponent < smallest ? 'below' : 'inside' };
}

function nearest(numerator: bigint, denominator: bigint, precision: number, smallest: number) {
  const estimate = bitLength(numerator) - bitLength(denominator) - precision;
  // The quotient has as many bits as the mantissa or one less: then the next lower exponent is right.
  for (const exponent of [estimate, estimate + 1]) {
    const at = Math.max(exponent, smallest);
    const [top, bottom] = at < 0 ? [numerator << BigInt(-at), denominator] : [numerator, denominator << BigInt(at)];
    const quotient = top / bottom;
    if (bitLength(quotient) > precision) continue;
    const twice = (top - quotient * bottom) * 2n;
    const up = twice > bottom || (twice === bottom && (quotient & 1n) === 1n);
    const mantissa = up ? quotient + 1n : quotient;
    const carried = bitLength(mantissa) > precision;
    return { mantissa: carried ? mantissa >> 1n : mantissa, exponent: carried ? at + 1 : at, exact: twice === 0n };
  }
  throw new RangeError('a quotient has more bits than its terms');
}

/** Of a number that is not negative; 0 has none. */
function bitLength(value: bigint): number {
  if (value === 0n) return 0;
  const digits = value.toString(16);
  return 4 * digits.length + 28 - Math.clz32(Number.parseInt(digits[0], 16));
}
