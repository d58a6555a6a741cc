import { Bytes } from './bytes.js';
import { type Directive, directives, type Specification } from './directive.js';
import { type Encoded, encodeInteger, encodeReal } from './encoding.js';
import { integerField, realField } from './entry.js';
import type { Host } from './host.js';
import { END, type ErrorNumber, Input, type Source } from './input.js';
import { readInteger, readReal } from './numeral.js';
import { DOUBLE, FLOAT, LONG_DOUBLE } from './rounding.js';
import { isSpace } from './text.js';
import type { Variadic } from './variadic.js';

const ENOMEM = 12;
const ERANGE = 34;
const EILSEQ = 84;
const POINTER = 8;
const WIDE = 4;

/** Which of glibc's scanf functions it is: those before C99 have `%as`, those since C23 read `0b`. */
export type Dialect = '' | '__isoc99_' | '__isoc23_';

/** Why it goes no further: the input has ended, it does not match, or there is no memory. */
type Failure = 'end' | 'mismatch' | 'memory';

const SIZES = { hh: 1, h: 2, '': 4, l: 8, L: 8 } as const;
const BASES: Readonly<Record<string, number>> = { d: 10, i: 0, u: 10, o: 8, x: 16, X: 16, p: 16, b: 2 };
const SIGNED = 'di';
const FLOATING = 'aAeEfFgG';
/** These take white space as it comes. */
const VERBATIM = 'cC[n';

/**
 * scanf: C11, 7.21.6.2, and what glibc adds, in the C locale, with what glibc makes of input that C leaves open.
 * @param format of which each character is a byte
 * @returns how many conversions have given their argument a value, or -1 if the input ended before the first
 * @throws BadAddress for arguments that are none
 */
export function scan(host: Host, dialect: Dialect, source: Source, format: string, given: Variadic): number {
  const scanner = new Scanner(host, dialect, source, given);
  for (const directive of directives(format, dialect === '')) {
    const failure = scanner.follow(directive);
    if (failure !== undefined) return scanner.fail(failure);
  }
  return scanner.finish();
}

class Scanner {
  #done = 0;
  /** White space in the format, which is skipped when something follows that wants to read. */
  #space = false;
  readonly #input: Input;
  readonly #errno: ErrorNumber;
  /** All arguments are pointers: those that were taken so far. */
  readonly #arguments: number[] = [];
  #next = 1;
  /** Where the addresses of allocated room were put. */
  readonly #allocated: number[] = [];

  constructor(
    private readonly host: Host,
    private readonly dialect: Dialect,
    source: Source,
    private readonly given: Variadic,
  ) {
    const address = host.symbols('errno');
    this.#errno = { get: () => host.memory.i32(address), set: (errno) => host.fail(errno) };
    this.#input = new Input(source, this.#errno);
  }

  /** Behind the last directive. @returns scanf's result */
  finish(): number {
    if (this.#space) this.#skip();
    return this.#done;
  }

  /** @returns scanf's result */
  fail(failure: Failure): number {
    if (failure === 'memory') this.#errno.set(ENOMEM);
    if (failure !== 'memory' && (failure !== 'end' || this.#done > 0)) return this.#done;
    const { memory, heap } = this.host;
    for (const pointer of this.#allocated) {
      heap.free(memory.pointer(pointer));
      memory.setPointer(pointer, 0);
    }
    return -1;
  }

  follow(directive: Directive): Failure | undefined {
    if (directive.kind === 'space') {
      this.#space = true;
      return undefined;
    }
    if (directive.kind === 'conversion') return this.#convert(directive);
    // glibc asks whether a character of more bytes begins here, which in the C locale is none.
    if (directive.byte > 0x7f) this.#errno.set(EILSEQ);
    this.#input.next();
    if (this.#space) while (isSpace(this.#input.byte)) this.#input.next();
    this.#space = false;
    return this.#expect(directive.byte);
  }

  #convert(one: Specification): Failure | undefined {
    const { letter } = one;
    if (letter === '') return 'mismatch';
    if (this.#space || !VERBATIM.includes(letter)) {
      const errno = this.#errno.get();
      this.#errno.set(0);
      if (this.#input.byte !== END) this.#skip();
      this.#errno.set(errno);
      this.#space = false;
    }
    if (letter === '%') {
      this.#input.next();
      return this.#expect(letter.charCodeAt(0));
    }
    if (letter === 'n') {
      if (!one.suppressed) this.#store(this.#argument(one), BigInt(this.#input.count), SIZES[one.length]);
      return undefined;
    }
    if ('cCsS['.includes(letter)) return this.#characters(one);
    if (FLOATING.includes(letter)) return this.#real(one);
    const base = BASES[letter];
    if (base === undefined || (letter === 'b' && this.dialect !== '__isoc23_')) return 'mismatch';
    return this.#integer(one, base);
  }

  /** Reads past white space. */
  #skip(): void {
    while (isSpace(this.#input.next()));
    this.#input.back();
  }

  /** Whether what was read last is what has to be there. */
  #expect(byte: number): Failure | undefined {
    if (this.#input.byte === END) return 'end';
    if (this.#input.byte === byte) return undefined;
    this.#input.back();
    return 'mismatch';
  }

  #argument({ place }: Specification): number {
    const wanted = place === 0 ? this.#next++ : place;
    while (this.#arguments.length < wanted) this.#arguments.push(this.given.pointer());
    return this.#arguments[wanted - 1];
  }

  #store(address: number, bits: bigint, size: number): void {
    const bytes = new Uint8Array(BigUint64Array.of(bits, bits >> 64n).buffer);
    this.host.memory.write(address, bytes.subarray(0, size));
  }

  /** `%c`, `%s`, `%[`: as bytes or as wchar_t, into the argument or into room of their own. */
  #characters(one: Specification): Failure | undefined {
    const { suppressed, allocated, letter } = one;
    const input = this.#input;
    const pointer = suppressed ? 0 : this.#argument(one);
    if (pointer === 0 && !suppressed) return 'mismatch';
    if (allocated && !suppressed) this.host.memory.setPointer(pointer, 0);
    if (letter === '[' && one.set === undefined) return 'mismatch';
    if (input.next() === END) return 'end';

    const single = letter === 'c' || letter === 'C';
    const wide = letter === 'C' || letter === 'S' || one.length === 'l' || one.length === 'L';
    const belongs = (byte: number): boolean => one.set?.[byte] ?? (single || !isSpace(byte));
    const taken = new Bytes();
    let width = one.width ?? (single ? 1 : Number.POSITIVE_INFINITY);
    do {
      if (!belongs(input.byte)) {
        input.back();
        break;
      }
      if (wide && letter === '[' && !suppressed && input.byte > 0x7f) this.#errno.set(EILSEQ);
      taken.add(input.byte);
      width--;
    } while (width > 0 && input.next() !== END);
    if (letter === '[' && taken.length === 0) return 'mismatch';
    if (!single) taken.add(0);
    const bytes = taken.all;
    const invalid = wide && letter !== '[' ? bytes.findIndex((byte) => byte > 0x7f) : -1;
    if (invalid !== -1) {
      this.#errno.set(EILSEQ);
      if (!suppressed && !allocated) this.#write(pointer, bytes.subarray(0, invalid), WIDE);
      return 'mismatch';
    }
    if (suppressed) return undefined;
    const size = wide ? WIDE : 1;
    const address = allocated ? this.host.heap.malloc(bytes.length * size) : pointer;
    if (address === 0) return 'memory';
    this.#write(address, bytes, size);
    if (allocated) {
      this.host.memory.setPointer(pointer, address);
      this.#allocated.push(pointer);
    }
    this.#done++;
    return undefined;
  }

  /** In as many bytes each. What is no character of the C locale leaves its place in a wide string as it was. */
  #write(address: number, bytes: Uint8Array, size: number): void {
    const { memory } = this.host;
    if (size === 1) {
      memory.write(address, bytes);
      return;
    }
    bytes.forEach((byte, index) => {
      if (byte < 0x80) memory.setU32(address + index * size, byte);
    });
  }

  /** `%d` and the like, of a base; 0 for what the input says. */
  #integer(one: Specification, base: number): Failure | undefined {
    if (this.#input.next() === END) return 'end';
    const field = integerField(this.#input, one.width, base, {
      pointer: one.letter === 'p',
      binary: this.dialect === '__isoc23_',
    });
    const number = field && readInteger(field.text, field.base, false);
    if (number === undefined) return 'mismatch';
    const size = one.letter === 'p' ? POINTER : SIZES[one.length];
    this.#assign(one, encodeInteger(number, SIGNED.includes(one.letter)), size);
    return undefined;
  }

  /** `%e` and the like. */
  #real(one: Specification): Failure | undefined {
    if (this.#input.next() === END) return 'end';
    const text = realField(this.#input, one.width);
    const number = text === undefined ? undefined : readReal(text);
    if (number === undefined) return 'mismatch';
    const [format, size] = one.length === 'L' ? [LONG_DOUBLE, 10] : one.length === 'l' ? [DOUBLE, 8] : [FLOAT, 4];
    this.#assign(one, encodeReal(number, format), size);
    return undefined;
  }

  #assign(one: Specification, { bits, outOfRange }: Encoded, size: number): void {
    if (outOfRange) this.#errno.set(ERANGE);
    if (one.suppressed) return;
    this.#store(this.#argument(one), bits, size);
    this.#done++;
  }
}
