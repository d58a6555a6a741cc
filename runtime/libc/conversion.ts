import { INT_MAX } from './text.js';

/** How an argument is passed; integers and pointers are the same. */
export type ArgumentType = 'integer' | 'double' | 'longDouble';

/** A number that the format has itself, or the place (from 0) of the argument that has it. */
export type Amount = number | { readonly argument: number };

/** What all conversions share, when its `*` have their values. */
export interface Conversion<Number = number> {
  readonly left: boolean;
  readonly plus: boolean;
  readonly space: boolean;
  readonly alternate: boolean;
  readonly zero: boolean;
  /** `'` and `I`: nothing in the C locale, but printed where the conversion is unknown. */
  readonly group: boolean;
  readonly locale: boolean;
  readonly width: Number;
  /** undefined: C's own */
  readonly precision: Number | undefined;
  /** `L` stands for `ll` and `q` too, as glibc has it, and `l` for `z`, `t` and `j`, which are as long. */
  readonly length: '' | 'hh' | 'h' | 'l' | 'L';
  /** One character; of which glibc knows some and prints the others as they are. */
  readonly letter: string;
}

/** A conversion as a format has it, and the place of its argument. */
export interface Directive extends Conversion<Amount> {
  /** undefined: it takes none */
  readonly argument: number | undefined;
}

/** A format taken apart. */
export interface Format {
  /** Text and conversions, up to the first that cannot be. */
  readonly parts: readonly (Uint8Array | Directive)[];
  /** Of the arguments that are used, by place. */
  readonly types: ReadonlyMap<number, ArgumentType>;
  /** What stopped it: the format ends within a conversion, or a number in it is above INT_MAX. */
  readonly failure: 'incomplete' | 'overflow' | undefined;
}

const PERCENT = 0x25;
const FLAGS: Readonly<Record<string, 'left' | 'plus' | 'space' | 'alternate' | 'zero' | 'group' | 'locale'>> = {
  '-': 'left',
  '+': 'plus',
  ' ': 'space',
  '#': 'alternate',
  '0': 'zero',
  "'": 'group',
  I: 'locale',
};
const LENGTHS: Readonly<Record<string, Conversion['length']>> = {
  hh: 'hh',
  h: 'h',
  ll: 'L',
  l: 'l',
  L: 'L',
  q: 'L',
  z: 'l',
  Z: 'l',
  t: 'l',
  j: 'l',
};
const INTEGERS = 'diouxXbBcCsSpn';
const FLOATING = 'aAeEfFgG';

/**
 * Takes a format apart. Arguments are counted as glibc does: `%2$d` names its place, all others take the next one,
 * whatever others have named.
 */
export function parseFormat(format: Uint8Array): Format {
  return new Parser(format).parse();
}

class Parser {
  #at = 0;
  #next = 0;
  #overflow = false;
  readonly #types = new Map<number, ArgumentType>();

  constructor(private readonly format: Uint8Array) {}

  parse(): Format {
    const parts: (Uint8Array | Directive)[] = [];
    const { format } = this;
    while (this.#at < format.length) {
      const percent = format.indexOf(PERCENT, this.#at);
      const end = percent < 0 ? format.length : percent;
      if (end > this.#at) parts.push(format.subarray(this.#at, end));
      this.#at = end + 1;
      if (percent < 0) break;
      const directive = this.#directive();
      if (this.#overflow) return { parts, types: this.#types, failure: 'overflow' };
      if (directive.letter === '') return { parts, types: this.#types, failure: 'incomplete' };
      parts.push(directive);
    }
    return { parts, types: this.#types, failure: undefined };
  }

  /** What comes behind a `%`. */
  #directive(): Directive {
    const place = this.#place();
    const flags = {
      left: false,
      plus: false,
      space: false,
      alternate: false,
      zero: false,
      group: false,
      locale: false,
    };
    for (let flag = FLAGS[this.#peek()]; flag !== undefined; flag = FLAGS[this.#peek()]) {
      flags[flag] = true;
      this.#at++;
    }
    const width = this.#amount() ?? 0;
    const precision = this.#take('.') ? (this.#amount() ?? 0) : undefined;
    const double = LENGTHS[this.#peek(2)];
    const length = double ?? LENGTHS[this.#peek()];
    if (length !== undefined) this.#at += double === undefined ? 1 : 2;
    const letter = this.#peek();
    this.#at++;
    const argument = this.#argument(letter, length === 'L', place);
    const zero = flags.zero && !flags.left;
    return { ...flags, zero, width, precision, length: length ?? '', letter, argument };
  }

  #argument(letter: string, long: boolean, place: number | undefined): number | undefined {
    const floating = FLOATING.includes(letter);
    if (letter === '' || !(floating || INTEGERS.includes(letter))) return undefined;
    const argument = place ?? this.#next++;
    this.#types.set(argument, floating ? (long ? 'longDouble' : 'double') : 'integer');
    return argument;
  }

  /** A number, `*`, or nothing. */
  #amount(): Amount | undefined {
    if (!this.#take('*')) return this.#number();
    const argument = this.#place() ?? this.#next++;
    this.#types.set(argument, 'integer');
    return { argument };
  }

  /** `1$` and so on. */
  #place(): number | undefined {
    const start = this.#at;
    const number = this.#number();
    if (number !== undefined && number > 0 && this.#take('$')) return number - 1;
    this.#at = start;
    this.#overflow = false;
    return undefined;
  }

  #number(): number | undefined {
    const start = this.#at;
    let value = 0;
    for (let digit = this.#peek(); digit >= '0' && digit <= '9'; digit = this.#peek()) {
      value = Math.min(value * 10 + Number(digit), INT_MAX + 1);
      this.#at++;
    }
    if (value > INT_MAX) this.#overflow = true;
    return this.#at === start ? undefined : value;
  }

  #take(character: string): boolean {
    const taken = this.#peek() === character;
    if (taken) this.#at++;
    return taken;
  }

  /** The next characters; fewer at the end. */
  #peek(count = 1): string {
    return String.fromCharCode(...this.format.subarray(this.#at, this.#at + count));
  }
}
