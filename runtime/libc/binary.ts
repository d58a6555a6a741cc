import type { LongDouble } from './variadic.js';

/** A floating-point number taken apart. */
export interface Binary {
  readonly negative: boolean;
  readonly kind: 'finite' | 'infinite' | 'nan';
  /** Its value, if it is finite, is mantissa × 2^exponent. */
  readonly mantissa: bigint;
  readonly exponent: number;
  /** How many bits of a full mantissa are behind the point when `%a` writes it. */
  readonly fractionBits: 52 | 60;
}

/** IEEE 754 binary64, of its 64 bits. */
export function binaryOfDouble(bits: bigint): Binary {
  const fraction = BigInt.asUintN(52, bits);
  const biased = Number((bits >> 52n) & 0x7ffn);
  return {
    negative: bits >> 63n !== 0n,
    kind: biased !== 0x7ff ? 'finite' : fraction === 0n ? 'infinite' : 'nan',
    mantissa: biased === 0 ? fraction : fraction | (1n << 52n),
    exponent: Math.max(biased, 1) - 1023 - 52,
    fractionBits: 52,
  };
}

/** The x87's 80 bits (Intel SDM, volume 1, 8.2.2), whose mantissa has its integer bit written out. */
export function binaryOfLongDouble({ mantissa, signAndExponent }: LongDouble): Binary {
  const biased = signAndExponent & 0x7fff;
  return {
    negative: signAndExponent >= 0x8000,
    kind: biased !== 0x7fff ? 'finite' : BigInt.asUintN(63, mantissa) === 0n ? 'infinite' : 'nan',
    mantissa,
    exponent: Math.max(biased, 1) - 16383 - 63,
    fractionBits: 60,
  };
}
