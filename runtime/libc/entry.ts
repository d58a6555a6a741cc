import { Bytes } from './bytes.js';
import type { Input } from './input.js';
import { characters } from './text.js';

/*
 * What scanf takes from its input for a number, as glibc does: a byte at a time, with one that can be put back, so that
 * what has turned out to be no number is lost. What was read last when these are called is the first byte.
 */

const DECIMAL = '0123456789';
const HEXADECIMAL = `${DECIMAL}abcdef`;
const NIL = '(nil)';
/** An integer with more digits, zeros in front aside, is out of range in whatever base, and stays so without them. */
const DIGITS_KEPT = 80;

const isSign = (letter: string): boolean => letter === '+' || letter === '-';

/**
 * @param width undefined if there is no limit
 * @param from the base; 0 for what the input says
 * @param accepted `pointer`: `(nil)` is 0; `binary`: `0b` says something
 * @returns the sign and the digits, without what says the base; undefined if there are none
 */
export function integerField(
  input: Input,
  width: number | undefined,
  from: number,
  accepted: { readonly pointer: boolean; readonly binary: boolean },
): { readonly text: string; readonly base: number } | undefined {
  let left = width ?? Number.POSITIVE_INFINITY;
  let base = from;
  let text = '';
  let sign = '';
  const pass = (): void => {
    left--;
    input.next();
  };
  const keep = (): void => {
    const letter = input.letter();
    if (text.length < DIGITS_KEPT && !(letter === '0' && text === `${sign}0`)) text += letter;
    pass();
  };
  const namedBase = (): number => {
    if (left > 0 && input.letter() === 'x') return 16;
    return left > 0 && input.letter() === 'b' && accepted.binary ? 2 : 8;
  };

  if (isSign(input.letter())) keep();
  sign = text;
  if (left > 0 && input.letter() === '0') {
    keep();
    const named = namedBase();
    if (base === 0) base = named;
    if (base === named && named !== 8) pass();
  }
  if (base === 0) base = 10;
  while (left > 0 && Number.parseInt(input.letter(), 36) < base) keep();

  if (text === '' && accepted.pointer && left >= NIL.length) {
    const nil = [...NIL].every((letter, index) => {
      if (index > 0) input.next();
      return input.letter() === letter;
    });
    if (nil) return { text: '0', base };
  }
  input.back();
  return text === sign ? undefined : { text, base };
}

/**
 * @param width undefined if there is no limit
 * @returns what strtod is to read; undefined if it cannot be a number
 */
export function realField(input: Input, width: number | undefined): string | undefined {
  let left = (width ?? Number.POSITIVE_INFINITY) - 1;
  let sign = '';
  /** @returns whether the field goes on, with what was read now */
  const more = (): boolean => {
    if (left === 0 || input.next() < 0) return false;
    left--;
    return true;
  };
  /** Whether the rest of a word follows. */
  const follows = (rest: string): boolean => [...rest].every((letter) => more() && input.letter() === letter);

  if (isSign(input.letter())) {
    sign = input.letter();
    if (!more()) return undefined;
  }
  if (input.letter() === 'n') return follows('an') ? `${sign}nan` : undefined;
  if (input.letter() === 'i') {
    if (!follows('nf')) return undefined;
    if (more()) {
      if (input.letter() !== 'i') input.back();
      else if (!follows('nity')) return undefined;
    }
    return `${sign}inf`;
  }

  let [digits, exponent] = [DECIMAL, 'e'];
  let [found, point, scaled] = [false, false, false];
  const entry = new Bytes();
  let last = '';
  const keep = (letter: string): void => {
    entry.add(letter.charCodeAt(0));
    last = letter;
  };
  if (left > 0 && input.letter() === '0') {
    keep('0');
    found = true;
    more();
    if (left > 0 && input.letter() === 'x') {
      keep('x');
      found = false;
      [digits, exponent] = [HEXADECIMAL, 'p'];
      more();
    }
  }
  for (;;) {
    const letter = input.letter();
    if (letter !== '' && digits.includes(letter)) found = true;
    else if (letter === '.' && !point) point = true;
    else if (letter === exponent && found && !scaled) [digits, point, scaled] = [DECIMAL, true, true];
    else if (!(isSign(letter) && scaled && last === exponent)) {
      input.back();
      break;
    }
    keep(letter);
    if (!more()) break;
  }
  const text = characters(entry.all);
  return text === '' || text === '0x' ? undefined : sign + text;
}
