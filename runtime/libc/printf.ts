import type { Memory } from '../../emu/memory.js';
import { Misuse } from '../errors.js';
import { binaryOfDouble, binaryOfLongDouble } from './binary.js';
import { type Amount, type Conversion, type Directive, parseFormat } from './conversion.js';
import { errorText } from './errno.js';
import { addCharacters, addNumber, plain } from './field.js';
import { floatingBody } from './floating.js';
import { ascii, stringAt, Text } from './text.js';
import type { LongDouble, Variadic } from './variadic.js';

const EINVAL = 22;
const EOVERFLOW = 75;
const EILSEQ = 84;

/** What a format has become. */
export interface Formatted {
  /** When it failed, what came before that: printf has written it by then. */
  readonly text: Text;
  /** 0, or the errno with which printf returns -1. */
  readonly failure: number;
}

/** A number as it was passed: an integer or a pointer, the bits of a double, or a long double. */
type Argument = bigint | LongDouble;

const BITS = { hh: 8, h: 16, '': 32, l: 64, L: 64 } as const;
const BASES: Readonly<Record<string, number>> = { o: 8, u: 10, x: 16, X: 16, b: 2, B: 2 };
const SIGN: Partial<Conversion> = { plus: false, space: false };

/**
 * printf: C11, 7.21.6.1, and what glibc adds, in the C locale.
 * @param errno what `%m` names
 * @throws BadAddress for strings that are none; Misuse for `%n`
 */
export function format(memory: Memory, errno: number, template: Uint8Array, given: Variadic): Formatted {
  const text = new Text();
  const { parts, types, failure } = parseFormat(template);
  const values: Argument[] = [];
  let count = 0;
  for (const place of types.keys()) count = Math.max(count, place + 1);
  for (let place = 0; place < count; place++) {
    const type = types.get(place);
    if (type === 'double') values.push(given.double());
    else if (type === 'longDouble') values.push(given.longDouble());
    else values.push(given.integer());
  }
  for (const part of parts) {
    const failed = part instanceof Uint8Array ? fits(text.add(part)) : convert(text, memory, errno, part, values);
    if (failed !== 0) return { text, failure: failed };
  }
  return { text, failure: failure === undefined ? 0 : failure === 'overflow' ? EOVERFLOW : EINVAL };
}

const fits = (fitting: boolean): number => (fitting ? 0 : EOVERFLOW);

/** @returns 0, or the errno with which printf fails */
function convert(text: Text, memory: Memory, errno: number, directive: Directive, values: readonly Argument[]): number {
  const conversion = resolve(directive, values);
  const { letter, length, precision } = conversion;
  const value = directive.argument === undefined ? 0n : values[directive.argument];
  const long = length === 'l' || length === 'L';
  switch (letter) {
    case '%':
      return fits(text.add(letter));
    case 'd':
    case 'i':
      return fits(addInteger(text, conversion, BigInt.asIntN(BITS[length], integer(value)), 10));
    case 'u':
    case 'o':
    case 'x':
    case 'X':
    case 'b':
    case 'B': {
      const unsigned = BigInt.asUintN(BITS[length], integer(value));
      return fits(addInteger(text, { ...conversion, ...SIGN }, unsigned, BASES[letter]));
    }
    case 'p': {
      if (integer(value) === 0n) return fits(addCharacters(text, conversion, ascii('(nil)')));
      return fits(addInteger(text, { ...conversion, alternate: true, letter: 'x' }, integer(value), 16));
    }
    case 'c':
    case 'C': {
      const wide = long || letter === 'C';
      const code = Number(BigInt.asUintN(wide ? 32 : 8, integer(value)));
      if (wide && code > 0x7f) return EILSEQ;
      return fits(addCharacters(text, conversion, Uint8Array.of(code)));
    }
    case 's':
    case 'S': {
      const address = Number(integer(value));
      if (address === 0) return fits(addCharacters(text, conversion, ascii((precision ?? 6) < 6 ? '' : '(null)')));
      const string =
        long || letter === 'S' ? wideString(memory, address, precision) : stringAt(memory, address, precision);
      return string === undefined ? EILSEQ : fits(addCharacters(text, conversion, string));
    }
    case 'm':
      return fits(addCharacters(text, conversion, ascii(errorText(errno).slice(0, precision))));
    case 'n':
      throw new Misuse('a format has %n, which writes to memory: as a hardened libc, this one does not do that');
    default:
      if (directive.argument === undefined) return fits(text.add(spelling(conversion)));
      return fits(addFloating(text, conversion, value));
  }
}

/** Puts the values of its `*` into a conversion. */
function resolve(directive: Directive, values: readonly Argument[]): Conversion {
  const amount = (given: Amount): number =>
    typeof given === 'number' ? given : Number(BigInt.asIntN(32, integer(values[given.argument])));
  const width = amount(directive.width);
  const precision = directive.precision === undefined ? -1 : amount(directive.precision);
  return {
    ...directive,
    left: directive.left || width < 0,
    width: Math.abs(width),
    precision: precision < 0 ? undefined : precision,
  };
}

/** A place that is named as two types has one value all the same. */
const integer = (value: Argument): bigint => (typeof value === 'bigint' ? value : value.mantissa);

function addInteger(text: Text, conversion: Conversion, value: bigint, base: number): boolean {
  const { alternate, letter, precision } = conversion;
  const magnitude = value < 0n ? -value : value;
  let digits = magnitude === 0n && precision === 0 ? '' : magnitude.toString(base);
  if (letter === 'X') digits = digits.toUpperCase();
  const leadingZeros = Math.max(0, (precision ?? 0) - digits.length);
  if (letter === 'o' && alternate && leadingZeros === 0 && digits[0] !== '0') digits = `0${digits}`;
  const based = alternate && magnitude !== 0n && (base === 16 || base === 2) ? `0${letter}` : '';
  const prefix = sign(conversion, value < 0n) + based;
  return addNumber(text, conversion, prefix, { ...plain(digits), leadingZeros }, precision === undefined);
}

function addFloating(text: Text, conversion: Conversion, value: Argument): boolean {
  const { alternate, letter, precision } = conversion;
  const number = typeof value === 'bigint' ? binaryOfDouble(value) : binaryOfLongDouble(value);
  const style = letter.toLowerCase();
  const cased = (spelt: string): string => (letter === style ? spelt : spelt.toUpperCase());
  let prefix = sign(conversion, number.negative);
  if (number.kind !== 'finite') {
    const name = cased(number.kind === 'nan' ? 'nan' : 'inf');
    return addNumber(text, conversion, prefix, plain(name), false);
  }
  if (style === 'a') prefix += cased('0x');
  const body = floatingBody(style, number, precision, alternate);
  return addNumber(text, conversion, prefix, { ...body, text: cased(body.text), suffix: cased(body.suffix) }, true);
}

function sign({ plus, space }: Conversion, negative: boolean): string {
  if (negative) return '-';
  return plus ? '+' : space ? ' ' : '';
}

/** A conversion that glibc does not know, as glibc prints it. */
function spelling(conversion: Conversion): string {
  const { alternate, group, plus, space, left, zero, locale, width, precision, letter } = conversion;
  return [
    '%',
    alternate ? '#' : '',
    group ? "'" : '',
    plus ? '+' : space ? ' ' : '',
    left ? '-' : '',
    zero ? '0' : '',
    locale ? 'I' : '',
    width === 0 ? '' : width,
    precision === undefined ? '' : `.${precision}`,
    letter,
  ].join('');
}

/** A string of wchar_t, of which the C locale has those below 128. @returns undefined if it has another */
function wideString(memory: Memory, address: number, precision = Number.POSITIVE_INFINITY): Uint8Array | undefined {
  const bytes: number[] = [];
  while (bytes.length < precision) {
    const code = memory.u32(address + 4 * bytes.length);
    if (code === 0) break;
    if (code > 0x7f) return undefined;
    bytes.push(code);
  }
  return Uint8Array.from(bytes);
}
