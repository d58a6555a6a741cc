import type { Host, HostFunction, HostFunctions } from './host.js';

/** The bits of glibc's table (ctype.h), as a little-endian processor has them. */
const UPPER = 0x0100;
const LOWER = 0x0200;
const ALPHA = 0x0400;
const DIGIT = 0x0800;
const XDIGIT = 0x1000;
const SPACE = 0x2000;
const PRINT = 0x4000;
const GRAPH = 0x8000;
const BLANK = 0x0001;
const CNTRL = 0x0002;
const PUNCT = 0x0004;
const ALNUM = 0x0008;

const TESTS: Readonly<Record<string, number>> = {
  isupper: UPPER,
  islower: LOWER,
  isalpha: ALPHA,
  isdigit: DIGIT,
  isxdigit: XDIGIT,
  isspace: SPACE,
  isprint: PRINT,
  isgraph: GRAPH,
  isblank: BLANK,
  iscntrl: CNTRL,
  ispunct: PUNCT,
  isalnum: ALNUM,
};

/** The tables' indices: all of a char, signed or not, and EOF. */
const FIRST = -128;
const LAST = 255;
const EOF = -1;
const ALL = Array.from({ length: LAST - FIRST + 1 }, (_, index) => index + FIRST);

/** The classes that a character is in, in the C locale (C11, 7.4.1), where only ASCII is in any. */
function classesOf(character: number): number {
  const within = (first: string, last: string): boolean =>
    character >= first.charCodeAt(0) && character <= last.charCodeAt(0);
  if (within('A', 'F') || within('a', 'f')) return classesOfLetter(character) | XDIGIT;
  if (within('A', 'Z') || within('a', 'z')) return classesOfLetter(character);
  if (within('0', '9')) return DIGIT | XDIGIT | ALNUM | GRAPH | PRINT;
  if (within('!', '~')) return PUNCT | GRAPH | PRINT;
  if (within(' ', ' ')) return SPACE | BLANK | PRINT;
  if (within('\t', '\t')) return SPACE | BLANK | CNTRL;
  if (within('\n', '\r')) return SPACE | CNTRL;
  return within('\0', '\x1f') || within('\x7f', '\x7f') ? CNTRL : 0;
}

function classesOfLetter(character: number): number {
  return (character < 0x60 ? UPPER : LOWER) | ALPHA | ALNUM | GRAPH | PRINT;
}

/** As glibc's tables have it: characters below EOF are those of a signed char. */
const asUnsigned = (character: number): number => (character < EOF ? character + 0x100 : character);
const toLower = (character: number): number => ((classesOf(character) & UPPER) === 0 ? character : character + 0x20);
const toUpper = (character: number): number => ((classesOf(character) & LOWER) === 0 ? character : character - 0x20);

/** ctype.h's functions, and the tables that glibc's own ctype.h uses instead. The locale is C. */
export function ctypeFunctions({ memory, symbols }: Host): HostFunctions {
  /** The address of the pointer to a table's middle. All tables are written when the first is asked for. */
  const table = (name: string): number => {
    if (memory.u32(symbols('ctype_ready')) === 0) {
      const write = (to: string, content: Uint16Array | Int32Array): void =>
        memory.write(symbols(to), new Uint8Array(content.buffer));
      write('ctype_b', Uint16Array.from(ALL, classesOf));
      write(
        'ctype_tolower',
        Int32Array.from(ALL, (one) => toLower(asUnsigned(one))),
      );
      write(
        'ctype_toupper',
        Int32Array.from(ALL, (one) => toUpper(asUnsigned(one))),
      );
      memory.setU32(symbols('ctype_ready'), 1);
    }
    return symbols(`${name}_middle`);
  };
  const tests = Object.entries(TESTS).map(([name, bit]): [string, HostFunction] => [
    name,
    (call) => classesOf(call.int(0)) & bit,
  ]);
  const inTable = (character: number): boolean => character >= FIRST && character <= LAST;
  return {
    ...Object.fromEntries(tests),
    tolower: (call) => (inTable(call.int(0)) ? toLower(asUnsigned(call.int(0))) : call.int(0)),
    toupper: (call) => (inTable(call.int(0)) ? toUpper(asUnsigned(call.int(0))) : call.int(0)),
    __ctype_b_loc: () => table('ctype_b'),
    __ctype_tolower_loc: () => table('ctype_tolower'),
    __ctype_toupper_loc: () => table('ctype_toupper'),
    __ctype_get_mb_cur_max: () => 1,
  };
}
