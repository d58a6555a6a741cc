import type { Binary } from './binary.js';
import { type Decimal, decimalOf, roundDecimal, trailing } from './decimal.js';
import type { Body } from './field.js';

/** How C prints a number when it says nothing about its digits. */
const PRECISION = 6;

/**
 * A finite number as `%e`, `%f`, `%g` or `%a` writes it, without its sign: exact, rounded to nearest, ties to even.
 * @param style in lower case
 * @param precision undefined for C's own
 * @param alternate `#`: a point always, and `%g` keeps its zeros
 */
export function floatingBody(style: string, number: Binary, precision: number | undefined, alternate: boolean): Body {
  if (style === 'a') return hexadecimal(number, precision, alternate);
  const decimal = decimalOf(number.mantissa, number.exponent);
  if (style === 'f') return fixed(decimal, precision ?? PRECISION, alternate);
  if (style === 'e') return exponential(decimal, precision ?? PRECISION, alternate);
  const places = Math.max(precision ?? PRECISION, 1);
  const rounded = roundDecimal(decimal, places);
  const significant = rounded.digits.length - trailing(rounded.digits, '0');
  const exponent = exponentOf(rounded);
  if (exponent < -4 || exponent >= places) {
    return exponential(rounded, alternate ? places - 1 : Math.max(significant - 1, 0), alternate);
  }
  return fixed(rounded, alternate ? places - 1 - exponent : Math.max(significant - 1 - exponent, 0), alternate);
}

/** Of the first digit. */
const exponentOf = ({ digits, point }: Decimal): number => (digits === '' ? 0 : point - 1);

function fixed(decimal: Decimal, precision: number, alternate: boolean): Body {
  const { digits, point } = roundDecimal(decimal, decimal.point + precision);
  const whole = point <= 0 ? '0' : digits.slice(0, point).padEnd(point, '0');
  const fraction = '0'.repeat(Math.max(0, Math.min(-point, precision))) + digits.slice(Math.max(0, point));
  return fractional(whole, fraction, precision, alternate, '');
}

function exponential(decimal: Decimal, precision: number, alternate: boolean): Body {
  const rounded = roundDecimal(decimal, precision + 1);
  const exponent = exponentOf(rounded);
  const suffix = `e${signed(exponent, String(Math.abs(exponent)).padStart(2, '0'))}`;
  return fractional(rounded.digits[0] ?? '0', rounded.digits.slice(1), precision, alternate, suffix);
}

/** As glibc: a double has one bit in front of the point, none if it is subnormal, a long double has four. */
function hexadecimal(number: Binary, precision: number | undefined, alternate: boolean): Body {
  const all = number.fractionBits / 4;
  let exponent = number.mantissa === 0n ? 0 : number.exponent + number.fractionBits;
  let mantissa = number.mantissa;
  const kept = Math.min(precision ?? all, all);
  const dropped = BigInt(4 * (all - kept));
  if (dropped > 0n) {
    const half = 1n << (dropped - 1n);
    const even = (mantissa >> dropped) & 1n;
    mantissa = (mantissa + half - 1n + even) >> dropped;
  }
  const bits = BigInt(4 * kept);
  let leading = mantissa >> bits;
  if (leading > 15n) [leading, exponent] = [1n, exponent + 4];
  let fraction = kept === 0 ? '' : BigInt.asUintN(Number(bits), mantissa).toString(16).padStart(kept, '0');
  if (precision === undefined) fraction = fraction.slice(0, kept - trailing(fraction, '0'));
  const suffix = `p${signed(exponent, String(Math.abs(exponent)))}`;
  return fractional(leading.toString(16), fraction, precision ?? fraction.length, alternate, suffix);
}

const signed = (number: number, magnitude: string): string => (number < 0 ? '-' : '+') + magnitude;

/** `fraction` is filled up with zeros. */
function fractional(whole: string, fraction: string, precision: number, alternate: boolean, suffix: string): Body {
  const text = precision > 0 || alternate ? `${whole}.${fraction}` : whole;
  return { leadingZeros: 0, text, trailingZeros: precision - fraction.length, suffix };
}
