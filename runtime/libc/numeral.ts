/** A number that a text begins with. */
export interface Numeral<Value> {
  readonly negative: boolean;
  readonly value: Value;
  /** How many bytes it takes, with the white space in front of it. */
  readonly length: number;
}

/** A fraction of integers, or what no fraction is; `nan` has a payload. */
export type Real =
  | { readonly kind: 'finite'; readonly numerator: bigint; readonly denominator: bigint }
  | { readonly kind: 'infinite' }
  | { readonly kind: 'nan'; readonly payload: bigint };

const ZERO: Real = { kind: 'finite', numerator: 0n, denominator: 1n };
/** No format needs more digits to tell which of its numbers is nearest; whether others follow is all that matters then. */
const DIGITS = 12_000;

/** How numbers are written: digits of a base, which count `step` in the exponent of a radix. */
interface Notation {
  readonly base: number;
  readonly radix: bigint;
  readonly step: number;
  /** Numbers above radix^limit are above those of all formats, and numbers below radix^-limit are no more than nothing. */
  readonly limit: number;
}
const DECIMAL: Notation = { base: 10, radix: 10n, step: 1, limit: 5_000 };
const HEXADECIMAL: Notation = { base: 16, radix: 2n, step: 4, limit: 17_000 };

const HEAD = /^[ \t-\r]*([+-]?)/;
const BASES: Readonly<Record<string, number>> = { '0x': 16, '0b': 2 };

/** No integer of 64 bits has more digits, in whatever base. */
const INTEGER_DIGITS = 64;

/**
 * As strtoul reads an integer. One above 2^64 has any such value: all that matters is that it is above.
 * @param text of which each character is a byte
 * @param base 0 for what the text says
 * @param binary whether `0b` says something: since C23 it does
 * @returns undefined if there is none
 */
export function readInteger(text: string, base: number, binary: boolean): Numeral<bigint> | undefined {
  const [head, sign] = HEAD.exec(text) ?? ['', ''];
  let at = head.length;
  const named = BASES[text.slice(at, at + 2).toLowerCase()];
  const prefixed = named !== undefined && (named === 16 || binary) && (base === 0 || base === named);
  const zero = text[at] === '0';
  if (prefixed && digitAt(text, at + 2) < named) at += 2;
  const used = base !== 0 ? base : prefixed && at > head.length ? named : zero ? 8 : 10;
  const start = at;
  while (digitAt(text, at) < used) at++;
  if (at === start) return undefined;
  const digits = text.slice(start, at).replace(/^0+(?=.)/, '');
  return { negative: sign === '-', value: parseDigits(digits.slice(0, INTEGER_DIGITS + 1), used), length: at };
}

/** As strtod reads a number. @returns undefined if there is none */
export function readReal(text: string): Numeral<Real> | undefined {
  const [head, sign] = HEAD.exec(text) ?? ['', ''];
  const rest = text.slice(head.length);
  const found = readWord(rest) ?? readHexadecimal(rest) ?? readDecimal(rest);
  return found && { negative: sign === '-', value: found.value, length: head.length + found.length };
}

type Found = { readonly value: Real; readonly length: number };

function readWord(text: string): Found | undefined {
  const infinite = /^inf(inity)?/i.exec(text);
  if (infinite) return { value: { kind: 'infinite' }, length: infinite[0].length };
  const nan = /^nan(?:\(([0-9a-z_]*)\))?/i.exec(text);
  if (!nan) return undefined;
  const payload = readInteger(nan[1] ?? '', 0, false);
  const whole = payload !== undefined && payload.length === nan[1]?.length;
  return { value: { kind: 'nan', payload: whole ? payload.value : 0n }, length: nan[0].length };
}

function readHexadecimal(text: string): Found | undefined {
  const found = /^0x(?=\.?[0-9a-f])([0-9a-f]*)\.?([0-9a-f]*)(?:p([+-]?[0-9]+))?/i.exec(text);
  if (!found) return undefined;
  const [all, whole, fraction, exponent = '0'] = found;
  return { value: scaled(whole, fraction, exponent, HEXADECIMAL), length: all.length };
}

function readDecimal(text: string): Found | undefined {
  const found = /^(?=\.?[0-9])([0-9]*)\.?([0-9]*)(?:e([+-]?[0-9]+))?/i.exec(text);
  if (!found) return undefined;
  const [all, whole, fraction, exponent = '0'] = found;
  return { value: scaled(whole, fraction, exponent, DECIMAL), length: all.length };
}

/** Digits × radix^exponent. */
function scaled(whole: string, fraction: string, power: string, { base, radix, step, limit }: Notation): Real {
  const all = whole + fraction;
  let first = 0;
  while (all[first] === '0') first++;
  let digits = all.slice(first);
  if (digits === '') return ZERO;
  let exponent = BigInt(power) - BigInt(step * fraction.length);
  if (digits.length > DIGITS) {
    exponent += BigInt(step * (digits.length - DIGITS - 1));
    // What follows is neither nothing nor half of anything.
    digits = `${digits.slice(0, DIGITS)}${/[1-9a-f]/i.test(digits.slice(DIGITS)) ? '1' : '0'}`;
  }
  const top = exponent + BigInt(step * digits.length);
  if (top > limit) return { kind: 'finite', numerator: radix ** BigInt(limit), denominator: 1n };
  if (top < -limit) return { kind: 'finite', numerator: 1n, denominator: radix ** BigInt(limit) };
  const numerator = parseDigits(digits, base);
  return exponent >= 0n
    ? { kind: 'finite', numerator: numerator * radix ** exponent, denominator: 1n }
    : { kind: 'finite', numerator, denominator: radix ** -exponent };
}

/** The value of a digit, and more than any digit's if there is none. */
function digitAt(text: string, at: number): number {
  const digit = Number.parseInt(text[at] ?? '', 36);
  return Number.isNaN(digit) ? 36 : digit;
}

const PREFIXES: Readonly<Record<number, string>> = { 2: '0b', 8: '0o', 10: '', 16: '0x' };

function parseDigits(digits: string, base: number): bigint {
  const prefix = PREFIXES[base];
  if (prefix !== undefined) return BigInt(prefix + digits);
  let value = 0n;
  for (const digit of digits) value = value * BigInt(base) + BigInt(Number.parseInt(digit, base));
  return value;
}
