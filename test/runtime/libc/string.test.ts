import { expect, test } from 'vitest';
import { Misuse } from '../../../runtime/errors.js';
import { withCaller } from './calling.js';
import { cBytes, generator, hasGlibc, native } from './native.js';

/** Bytes of each of the two buffers that a case is about; strings in them end before the middle. */
const SIZE = 64;
const CASES = 300;

interface Case {
  readonly a: Uint8Array;
  readonly b: Uint8Array;
  readonly n: number;
  readonly c: number;
}

/**
 * What is called, by name: what its result is (P: an address, I: an int, L: a long, T: the text at an address, nothing),
 * and its arguments: the buffers a and b, with an offset or not, the number n and the character c.
 */
const FUNCTIONS = `
  memcpy P a b n | mempcpy P a b n | memmove P a a+5 n | memmove P a+5 a n | memset P a c n | bzero - a n | bcopy - a b n
  explicit_bzero - a n | memccpy P a b c n | memcmp I a b n | bcmp B a b n | memchr P a c n | memrchr P a c n
  rawmemchr P a 0 | memmem P a n b 2 | memmem P a 40 b n&3
  strlen L a | strnlen L a n | strcpy P a b | stpcpy P a b | strncpy P a b n | stpncpy P a b n | strcat P a b
  strncat P a b n | strxfrm L a b n | strdup T a | strndup T a n | strcmp I a b | strncmp I a b n | strcoll I a b
  strcasecmp I a b | strncasecmp I a b n | strchr P a c | index P a c | strrchr P a c | rindex P a c | strchr P a 0
  strrchr P a 0 | strchrnul P a c | strstr P a b | strcasestr P a b | strspn L a b | strcspn L a b | strpbrk P a b
  __strdup T a | __strndup T a n | __stpcpy P a b | __mempcpy P a b n | __rawmemchr P a 0
`
  .trim()
  .split(/\s*(?:\||\n)\s*/)
  .map((text) => {
    const [name, result, ...args] = text.split(' ');
    return { text, name, result, args };
  });

function cases(): Case[] {
  const random = generator(2024);
  const alphabet = [...new TextEncoder().encode('aAbB,Zz[@'), 0xff, 0x80, 0x41, 0x61, 0x61, 0x61];
  const any = (): number => alphabet[random(alphabet.length)];
  const buffer = (longest: number): Uint8Array => {
    const bytes = Uint8Array.from({ length: SIZE }, any);
    bytes[random(longest)] = 0;
    bytes[longest] = 0;
    bytes[SIZE - 1] = 0;
    return bytes;
  };
  return Array.from({ length: CASES }, (_, index) => {
    const a = buffer(24);
    const b = buffer(index % 3 === 0 ? 24 : 4);
    // Some that begin alike, and some that are alike.
    if (index % 5 === 0) b.set(a.subarray(0, 1 + random(23)));
    b[24] = 0;
    return { a, b, n: random(30), c: any() + (random(2) === 0 ? 0 : 0x100) };
  });
}

const argument = (text: string, { n, c }: Case, a: number, b: number): number => {
  const [name, offset = '0'] = text.split('+');
  if (text === 'n&3') return n & 3;
  return ({ a, b, n, c }[name] ?? Number(name)) + Number(offset);
};

/** What our functions make of all cases, in the C program's words. */
function ours(all: readonly Case[]): string[] {
  return withCaller((caller) => {
    const [a, b] = [caller.room(SIZE), caller.room(SIZE)];
    const hex = (at: number): string => Buffer.from(caller.memory.read(at, SIZE)).toString('hex');
    const place = (address: number): string => {
      if (address === 0) return 'NULL';
      if (address >= a && address <= a + SIZE) return `a+${address - a}`;
      return address >= b && address <= b + SIZE ? `b+${address - b}` : 'elsewhere';
    };
    const say = (result: string, rax: bigint): string => {
      if (result === 'P') return place(Number(rax));
      if (result === 'I') return String(BigInt.asIntN(32, rax));
      if (result === 'B') return BigInt.asIntN(32, rax) === 0n ? 'same' : 'other';
      if (result === 'L') return String(rax);
      if (result === '-') return '';
      const [start, end] = [Number(rax), caller.memory.find(Number(rax), 0)];
      const text = Buffer.from(caller.memory.read(start, end - start)).toString('hex');
      caller.call('free', rax);
      return text;
    };
    return FUNCTIONS.flatMap(({ name, result, args }) =>
      all.map((one) => {
        caller.memory.write(a, one.a);
        caller.memory.write(b, one.b);
        const rax = caller.call(name, ...args.map((text) => argument(text, one, a, b)));
        return `${say(result, rax)} ${hex(a)} ${hex(b)}`;
      }),
    );
  });
}

/** The C program that does the same. */
function program(all: readonly Case[]): string {
  const rows = all.map(({ a, b, n, c }) => `{${cBytes(a)}, ${cBytes(b)}, ${n}, ${c}},`).join('\n');
  const print: Readonly<Record<string, (call: string) => string>> = {
    P: (call) => `place(${call})`,
    I: (call) => `printf("%d", ${call})`,
    B: (call) => `printf(${call} ? "other" : "same")`,
    L: (call) => `printf("%lu", (unsigned long)${call})`,
    T: (call) => `char *t = ${call}; hex(t, strlen(t)); free(t)`,
    '-': (call) => call,
  };
  const runs = FUNCTIONS.map(({ name, result, args }) => {
    return `for (int i = 0; i < ${all.length}; i++) { take(i); ${print[result](`${name}(${args.join(', ')})`)}; give(); }`;
  });
  return `#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
extern char *__strndup(const char *, size_t), *__strdup(const char *), *__stpcpy(char *, const char *);
extern void *__mempcpy(void *, const void *, size_t), *__rawmemchr(const void *, int);
static struct { char a[${SIZE + 1}], b[${SIZE + 1}]; int n, c; } cases[] = {
${rows}
};
static char a[${SIZE}], b[${SIZE}];
static int n, c;
static void take(int i) { memcpy(a, cases[i].a, ${SIZE}); memcpy(b, cases[i].b, ${SIZE}); n = cases[i].n; c = cases[i].c; }
static void hex(char *p, int size) { for (int i = 0; i < size; i++) printf("%02x", (unsigned char)p[i]); }
static void give(void) { printf(" "); hex(a, ${SIZE}); printf(" "); hex(b, ${SIZE}); printf("\\n"); }
static void place(void *p) {
  if (!p) printf("NULL");
  else if ((char *)p >= a && (char *)p <= a + ${SIZE}) printf("a+%d", (int)((char *)p - a));
  else if ((char *)p >= b && (char *)p <= b + ${SIZE}) printf("b+%d", (int)((char *)p - b));
  else printf("elsewhere");
}
int main(void) {
  ${runs.join('\n  ')}
}`;
}

test.skipIf(!hasGlibc)('all functions do what those of glibc do, with thousands of random strings', () => {
  const all = cases();
  const [expected, found] = [native(program(all)), ours(all)];
  expect(expected.length).toBe(FUNCTIONS.length * CASES);
  FUNCTIONS.forEach(({ text }, index) => {
    for (let one = index * CASES; one < (index + 1) * CASES; one++) expect(found[one], text).toBe(expected[one]);
  });
});

test('strings are measured, compared and searched', () => {
  withCaller((caller) => {
    expect(caller.int('strlen', 'hello')).toBe(5);
    expect([caller.int('strnlen', 'hello', 3), caller.int('strnlen', 'hello', -1)]).toEqual([3, 5]);
    expect(caller.int('strcmp', 'abc', 'abd')).toBe(-1);
    expect(caller.int('strcmp', 'a\xff', 'a'), 'bytes are unsigned').toBeGreaterThan(0);
    expect(caller.int('strncmp', 'abcX', 'abcY', 3)).toBe(0);
    expect(caller.int('strncmp', 'abc', 'abc', -1)).toBe(0);
    expect([caller.int('strcasecmp', 'HeLLo', 'hEllO'), caller.int('strcasecmp', '[', '{') < 0]).toEqual([0, true]);
    const text = caller.put('a needle in a haystack');
    expect(caller.call('strstr', text, 'in a h')).toBe(BigInt(text + 9));
    expect(caller.call('strstr', text, '')).toBe(BigInt(text));
    expect(caller.call('strstr', text, 'needles')).toBe(0n);
    expect(caller.call('strcasestr', text, 'HAY')).toBe(BigInt(text + 14));
    expect(caller.call('strchr', text, 0)).toBe(BigInt(text + 22));
    expect(caller.call('strrchr', text, 0x61)).toBe(BigInt(text + 19));
    expect(caller.call('strchrnul', text, 0x7a)).toBe(BigInt(text + 22));
    expect([caller.int('strspn', '  x', ' '), caller.int('strcspn', 'key=1', '=;')]).toEqual([2, 3]);
    expect(caller.call('strpbrk', text, 'xyz')).toBe(BigInt(text + 16));
  });
});

test('copies end in a zero, or are filled up with zeros, as each function has it', () => {
  withCaller((caller) => {
    const to = caller.room(16);
    const after = (name: string, ...args: readonly (number | string)[]): [bigint, string] => {
      caller.memory.fill(to, 16, 0x2e);
      caller.memory.write(to, new TextEncoder().encode('ab\0'));
      const rax = caller.call(name, to, ...args);
      return [rax - BigInt(to), Buffer.from(caller.memory.read(to, 8)).toString().replaceAll('\0', '0')];
    };
    expect(after('strcpy', 'xyz')).toEqual([0n, 'xyz0....']);
    expect(after('stpcpy', 'xyz')).toEqual([3n, 'xyz0....']);
    expect(after('strncpy', 'xyz', 2)).toEqual([0n, 'xy0.....']);
    expect(after('strncpy', 'xyz', 6)).toEqual([0n, 'xyz000..']);
    expect(after('stpncpy', 'xyz', 6)).toEqual([3n, 'xyz000..']);
    expect(after('strcat', 'xyz')).toEqual([0n, 'abxyz0..']);
    expect(after('strncat', 'xyz', 1)).toEqual([0n, 'abx0....']);
    expect(after('mempcpy', 'xyz', 2)).toEqual([2n, 'xy0.....']);
    // BSD's two, which return the length that they would have liked to make.
    expect(after('strlcpy', 'xyz', 3)[1]).toBe('xy0.....');
    expect(caller.int('strlcpy', to, 'xyz', 0)).toBe(3);
    expect(after('strlcat', 'xyz', 5)[1]).toBe('abxy0...');
    expect(after('strlcat', 'xyz', 2)[1], 'no zero within the room').toBe('ab0.....');
    expect([caller.int('strlcat', to, 'xyz', 2), caller.int('strlcat', to, 'xyz', 8)]).toEqual([5, 5]);
  });
});

test('strtok, strtok_r and strsep cut a string apart; only strsep sees empty pieces', () => {
  withCaller((caller) => {
    const pieces = (next: (first: boolean) => bigint): string[] => {
      const found = [];
      for (let piece = next(true); piece !== 0n; piece = next(false)) found.push(caller.text(piece));
      return found;
    };
    const text = caller.put(',a,,bc;d,');
    expect(pieces((first) => caller.call('strtok', first ? text : 0, ',;'))).toEqual(['a', 'bc', 'd']);
    expect(caller.call('strtok', 0, ',;'), 'the end stays the end').toBe(0n);
    const [save, other] = [caller.room(8), caller.put(',a,,bc;d,')];
    expect(pieces((first) => caller.call('__strtok_r', first ? other : 0, ',;', save))).toEqual(['a', 'bc', 'd']);
    caller.memory.setPointer(save, caller.put(',a,,bc;d,'));
    expect(pieces(() => caller.call('strsep', save, ',;'))).toEqual(['', 'a', '', 'bc', 'd', '']);
    expect(caller.memory.pointer(save)).toBe(0);
  });
});

test("errors and signals have glibc's texts, each at an address of its own", () => {
  withCaller((caller) => {
    const [none, range] = [caller.call('strerror', 2), caller.call('strerror', 34)];
    expect([caller.text(none), caller.text(range)]).toEqual([
      'No such file or directory',
      'Numerical result out of range',
    ]);
    expect(caller.text(caller.call('strerror', 133))).toBe('Memory page has hardware error');
    expect(caller.text(caller.call('strerror', 41))).toBe('Unknown error 41');
    expect(caller.text(caller.call('strerror', -1))).toBe('Unknown error -1');
    const buffer = caller.room(32);
    expect(caller.call('strerror_r', 2, buffer, 32)).toBe(none);
    expect(caller.call('strerror_r', 999, buffer, 10)).toBe(BigInt(buffer));
    expect(caller.text(buffer)).toBe('Unknown e');
    expect([caller.int('__xpg_strerror_r', 2, buffer, 32), caller.text(buffer)]).toEqual([
      0,
      'No such file or directory',
    ]);
    expect([caller.int('__xpg_strerror_r', 2, buffer, 5), caller.text(buffer)]).toEqual([34, 'No s']);
    expect(caller.int('__xpg_strerror_r', 999, buffer, 32)).toBe(22);
    expect(caller.text(caller.call('strsignal', 11))).toBe('Segmentation fault');
  });
});

test.skipIf(!hasGlibc)('and they are the same for all numbers', () => {
  const [first, last] = [-2, 140];
  const expected = native(`#include <stdio.h>
#include <string.h>
int main(void) { for (int i = ${first}; i <= ${last}; i++) printf("%s/%s\\n", strerror(i), strsignal(i)); }`);
  withCaller((caller) => {
    const found = expected.map((_, index) => {
      const error = caller.text(caller.call('strerror', first + index));
      return `${error}/${caller.text(caller.call('strsignal', first + index))}`;
    });
    expect(found).toEqual(expected);
    expect(found.length).toBe(last - first + 1);
  });
});

test('nothing is read behind the end of what is asked for, and what is not mapped there is a fault', () => {
  withCaller((caller) => {
    const end = caller.end;
    const last = end - 3;
    caller.memory.write(last, Uint8Array.of(0x61, 0x62, 0x63));
    expect(caller.int('strnlen', last, 3)).toBe(3);
    expect(caller.int('memcmp', last, 'abd', 3)).toBe(-1);
    expect(caller.int('memcmp', last, 'abd', -1), 'they differ before').toBe(-1);
    expect(caller.int('strncmp', last, 'abc', 3)).toBe(0);
    expect(caller.call('memchr', last, 0x63, -1)).toBe(BigInt(end - 1));
    expect(caller.call('memrchr', last, 0x61, 3)).toBe(BigInt(last));
    expect(caller.text(caller.call('strndup', last, 3))).toBe('abc');
    for (const [name, ...args] of [
      ['strlen', last],
      ['memcpy', caller.room(8), last, 4],
      ['memset', last, 0, -1],
      ['strcpy', last, 'abc'],
      ['memchr', last, 0x7a, 4],
    ] as const) {
      withCaller((other) => {
        other.memory.write(last, Uint8Array.of(0x61, 0x62, 0x63));
        const access = ['memset', 'strcpy'].includes(name) ? 'write' : 'read';
        expect(() => other.call(name, ...args), name).toThrow(`fault: bad pointer, ${access} of 0x${end.toString(16)}`);
      });
    }
  });
});

test('the twins with a known room do the same while there is room, and end the program where there is not', () => {
  for (const [name, args, text] of [
    ['strcpy', ['12345678'], '12345678'],
    ['stpcpy', ['12345678'], '12345678'],
    ['strncpy', ['1234', 9], '1234'],
    ['stpncpy', ['1234', 9], '1234'],
    ['strcat', ['345678'], 'ab345678'],
    ['strncat', ['345678x', 6], 'ab345678'],
    ['memcpy', ['12345678', 9], '12345678'],
    ['memmove', ['12345678', 9], '12345678'],
    ['mempcpy', ['12345678', 9], '12345678'],
    ['memset', [0x2d, 9], '---------'],
    ['explicit_bzero', [9], ''],
  ] as const) {
    withCaller((caller) => {
      const to = caller.put('ab'.padEnd(16, '\0'));
      caller.call(`__${name}_chk`, to, ...args, 9);
      expect(caller.text(to), name).toBe(text);
      caller.memory.write(to, new TextEncoder().encode('ab\0\0\0\0\0\0\0\0\0\0'));
      caller.call(`__${name}_chk`, to, ...args, -1);
      expect(caller.text(to), `${name}, with a room that is not known`).toBe(text);
      caller.memory.write(to, new TextEncoder().encode('ab\0\0\0\0\0\0\0\0\0\0'));
      const call = (): unknown => caller.call(`__${name}_chk`, to, ...args, 8);
      expect(call).toThrow(Misuse);
      expect(call).toThrow(`buffer overflow detected: ${name} would write 9 bytes, and there is room for 8`);
      expect(caller.text(to), 'nothing was written').toBe('ab');
    });
  }
});
