import { INT_MAX, isSpace } from './text.js';

/** A conversion of scanf's. */
export interface Specification {
  readonly kind: 'conversion';
  /** `*`: what is read goes nowhere */
  readonly suppressed: boolean;
  /** The place of its argument, from 1; 0 for the next one. */
  readonly place: number;
  /** undefined: no limit, for `%c` one byte */
  readonly width: number | undefined;
  /** `L` stands for `ll` and `q` too, and `l` for `z`, `t` and `j`, which are as long. */
  readonly length: '' | 'hh' | 'h' | 'l' | 'L';
  /** `m`: the argument is where the address of allocated room goes */
  readonly allocated: boolean;
  /** One character, which need not be a conversion's; nothing if the format ends here. */
  readonly letter: string;
  /** For `%[`: whether it takes each byte; undefined if its `]` is missing. */
  readonly set: readonly boolean[] | undefined;
}

/** Any amount of white space, a byte that has to come, or a conversion. */
export type Directive = { readonly kind: 'space' } | { readonly kind: 'byte'; readonly byte: number } | Specification;

const PERCENT = 0x25;
const LENGTHS: Readonly<Record<string, Specification['length']>> = {
  hh: 'hh',
  h: 'h',
  ll: 'L',
  l: 'l',
  L: 'L',
  q: 'L',
  z: 'l',
  t: 'l',
  j: 'l',
};

/**
 * Takes scanf's formats apart as glibc does.
 * @param format of which each character is a byte
 * @param gnu whether `%as`, `%aS` and `%a[` are what `%ms`, `%mS` and `%m[` are, as they were before C99
 */
export function* directives(format: string, gnu: boolean): Generator<Directive> {
  let at = 0;
  const take = (characters: string): boolean => {
    const taken = at < format.length && characters.includes(format[at]);
    if (taken) at++;
    return taken;
  };
  const number = (): number | undefined => {
    const [digits] = /^[0-9]*/.exec(format.slice(at, at + INT_MAX)) ?? [''];
    at += digits.length;
    return digits === '' || Number(digits) > INT_MAX ? undefined : Number(digits);
  };

  const conversion = (): Specification => {
    let place = 0;
    let suppressed = false;
    const first = number();
    const placed = first !== undefined && take('$');
    let width = first;
    if (first === undefined || placed) {
      place = first ?? 0;
      while ("*'I".includes(format[at] ?? '?')) suppressed = format[at++] === '*' || suppressed;
      width = number();
    }
    let allocated = take('m');
    if (!allocated && gnu && /^a[sS[]/.test(format.slice(at, at + 2))) allocated = take('a');
    let length: Specification['length'] = '';
    if (allocated) {
      if (take('l')) length = 'l';
    } else {
      const [modifier] = /^(?:hh|ll|[hlLqztj])/.exec(format.slice(at, at + 2)) ?? [''];
      length = LENGTHS[modifier] ?? '';
      at += modifier.length;
    }
    const letter = format[at++] ?? '';
    const set = letter === '[' ? scanSet() : undefined;
    return { kind: 'conversion', suppressed, place, width: width || undefined, length, allocated, letter, set };
  };

  const scanSet = (): boolean[] | undefined => {
    const inverted = take('^');
    const set: boolean[] = Array(256).fill(inverted);
    const start = at;
    for (; at < format.length; at++) {
      const character = format[at];
      if (character === ']' && at > start) {
        at++;
        return set;
      }
      const [from, to] = [format.charCodeAt(at - 1), format.charCodeAt(at + 1)];
      const range = character === '-' && at > start && at + 1 < format.length && format[at + 1] !== ']' && from <= to;
      if (range) set.fill(!inverted, from, to);
      else set[character.charCodeAt(0)] = !inverted;
    }
    return undefined;
  };

  while (at < format.length) {
    const byte = format.charCodeAt(at++);
    if (byte === PERCENT) yield conversion();
    else yield isSpace(byte) ? { kind: 'space' } : { kind: 'byte', byte };
  }
}
