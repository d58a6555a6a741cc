/** strtod, strtol and the like, against glibc. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadProgram } from '../../../inspect/program.js';
import { listen, withProcess } from '../guest.js';
import { withCaller } from './calling.js';
import { cBytes, generator, hasGlibc, native } from './native.js';

const CASES = 20_000;

/** Texts that are, or nearly are, numbers: with halves between neighbours, ends of ranges, and what is left out. */
function makeTexts(): string[] {
  const below = generator(4711);
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)];
  const digits = (count: number, set = '0123456789'): string =>
    Array.from({ length: count }, () => pick([...set])).join('');
  const word = (): bigint => (BigInt(below(2 ** 32)) << 32n) | BigInt(below(2 ** 32));
  /** Exactly between two numbers, normal ones or subnormal ones, or a little beside that. */
  const half = (): string => {
    const [precision, smallest] = pick([
      [24, -150],
      [53, -1075],
      [64, -16446],
    ]);
    const tiny = below(64) < (smallest < -2000 ? 1 : 16);
    const full = (1n << BigInt(precision)) | (word() >> BigInt(64 - precision)) | 1n;
    const odd = tiny ? (full >> BigInt(below(precision))) | 1n : full;
    const exponent = tiny
      ? smallest - below(2) * below(precision)
      : pick([below(200) - 100, below(80) - 40, below(2000) - 1000]);
    const decimal = exponent >= 0 ? `${odd << BigInt(exponent)}` : `${odd * 5n ** BigInt(-exponent)}e${exponent}`;
    const [mantissa, power = '0'] = decimal.split('e');
    return pick([decimal, `${mantissa}1e${Number(power) - 1}`, `${BigInt(mantissa) * 10n - 1n}e${Number(power) - 1}`]);
  };
  const real = (): string => {
    const point = pick(['', '.', '.', '.']);
    const exponent = pick([
      '',
      '',
      `e${pick(['', '+', '-'])}${below(pick([5, 40, 330, 5200]))}`,
      'e',
      'e+',
      'E-x',
      'e99999999999',
    ]);
    return digits(below(pick([3, 20, 40]))) + point + digits(below(20)) + exponent;
  };
  const hexadecimal = (): string =>
    `0${pick(['x', 'X'])}${digits(below(18), '0123456789abcdefABCDEF')}${pick(['', '.'])}${digits(below(6), '08f')}` +
    pick(['', '', `p${pick(['', '+', '-'])}${below(pick([5, 200, 1100, 16500]))}`, 'p', 'p+']);
  const edge = (): string =>
    pick([
      ...[
        '',
        '-',
        '+',
        '.',
        '-.',
        'e5',
        '.e5',
        '0x',
        '0x.',
        '0x.p1',
        '0xg',
        '0b101',
        '0b2',
        '08',
        '09',
        '0',
        '-0',
        '00x1',
      ],
      ...[
        'inf',
        'INF',
        'infinity',
        'Infinit',
        'infinityx',
        'nan',
        'NaN',
        'nan()',
        'nan(12)',
        'nan(0x7f)',
        'nan(zz_9)',
        'nan(1 2)',
      ],
      ...['nan(', '-nan(5', '-inf', 'in', 'na', '--1', '+-1', '1.7976931348623157e308', '1.7976931348623158e308'],
      ...[
        '1.7976931348623159e308',
        '2.2250738585072014e-308',
        '2.2250738585072011e-308',
        '4.9e-324',
        '2.4e-324',
        '2.5e-324',
      ],
      ...[
        '3.4028235e38',
        '3.4028236e38',
        '1.17549435e-38',
        '1.17549431e-38',
        '1.4e-45',
        '7e-46',
        '1.18973149535723176502e4932',
      ],
      ...[
        '1.18973149535723176505e4932',
        '3.6e-4951',
        '1.8e-4951',
        '0x1.fffffffffffff8p1023',
        '0x1.fffffffffffff7p1023',
      ],
      ...[
        '0x1.fffffffffffffp-1023',
        '0x1.fffffffffffff8p-1023',
        '0x0.fffffffffffff8p-1022',
        '0x1.fffffep-127',
        '0x1.ffffffp-127',
      ],
      ...[
        '9223372036854775807',
        '9223372036854775808',
        '-9223372036854775808',
        '-9223372036854775809',
        '18446744073709551615',
      ],
      ...[
        '18446744073709551616',
        '-18446744073709551615',
        '-18446744073709551616',
        '7fffffffffffffff',
        'zz',
        '0e99999999999999999999',
      ],
      ...[
        `0.${'0'.repeat(400)}1e400`,
        `${'1'.repeat(400)}e-400`,
        `1${'0'.repeat(13_000)}1e-13000`,
        `.${'0'.repeat(5000)}1e5001`,
        `9007199254740993.${'0'.repeat(12_500)}1`,
      ],
    ]);
  return Array.from({ length: CASES }, () => {
    const body = pick([
      edge,
      half,
      half,
      real,
      real,
      real,
      hexadecimal,
      () => digits(1 + below(25)),
      () => digits(below(12), '0123456789abcdez'),
    ])();
    return (
      pick(['', '', '', ' ', '\t\n\v\f\r ']) +
      pick(['', '', '', '-', '+']) +
      body +
      pick(['', '', '', ' 1', 'x', 'e', '.', 'p3'])
    );
  });
}

const bitsOf = (double: number): bigint => new BigUint64Array(Float64Array.of(double).buffer)[0];

/**
 * Whether the bits of a double, of a float, are those of a subnormal number: glibc before 2.41 rounds some of them wrongly
 * (its bug 30220). Then the processor is asked, which rounds what strtold returns; and for doubles JavaScript, always.
 */
const SUBNORMAL = [(bits: bigint) => ((bits >> 52n) & 0x7ffn) === 0n, (bits: bigint) => ((bits >> 23n) & 0xffn) === 0n];

const BASES = [0, 0, 10, 10, 16, 8, 2, 36, 7, 1, 37, -1];

test.skipIf(!hasGlibc)(`${CASES} texts are the same numbers as in glibc`, async () => {
  const texts = makeTexts();
  const source = `
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static const char *texts[] = { ${texts.map((text) => cBytes(new TextEncoder().encode(text))).join(',\n')} };
static const int bases[] = { ${BASES.join(', ')} };
#define CALL(format, before, ...) do { char *end = (char *)s; errno = 0; before; \\
    int error = errno; printf(format " %ld %d", __VA_ARGS__, end - s, error); } while (0)
int main(void) {
    for (int i = 0; i < ${CASES}; i++) {
        const char *s = texts[i];
        int base = bases[i % ${BASES.length}];
        CALL("%lx", double d = strtod(s, &end); long b; memcpy(&b, &d, 8), b);
        printf(" | ");
        CALL("%x", float f = strtof(s, &end); int b; memcpy(&b, &f, 4), b);
        printf(" | ");
        CALL("%x:%lx", long double l = strtold(s, &end); long b[2]; memcpy(b, &l, 16), (unsigned)(b[1] & 0xffff), b[0]);
        printf(" | ");
        CALL("%lx", long n = strtol(s, &end, base), n);
        printf(" | ");
        CALL("%lx", long n = strtoul(s, &end, base), n);
        double d = strtold(s, NULL);
        float f = strtold(s, NULL);
        long b[2] = {0};
        memcpy(&b[0], &d, 8);
        memcpy(&b[1], &f, 4);
        printf(" | %lx | %lx\\n", b[0], b[1]);
    }
}`;
  const expected = native(source);
  const got = await guest(source);
  const wrong: string[] = [];
  texts.forEach((text, index) => {
    const fields = got[index].split(' | ');
    const decimal = /^[ \t-\r]*([-+]?(?!0x)(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[-+]?[0-9]+)?)/i.exec(text);
    if (decimal) expect(fields[0].split(' ', 1)[0], text).toBe(bitsOf(Number(decimal[1])).toString(16));
    expected[index].split(' | ').forEach((field, which) => {
      if (field === fields[which]) return;
      const [bits] = fields[which].split(' ', 1);
      if (SUBNORMAL[which]?.(BigInt(`0x${bits}`)) && bits === expected[index].split(' | ')[which + 5]) return;
      wrong.push(`${JSON.stringify(text.slice(0, 60))} ${index}: ${fields[which]}, glibc: ${field}`);
    });
  });
  expect(got).toHaveLength(CASES);
  expect(wrong.length, wrong.slice(0, 12).join('\n')).toBe(0);
});

/** The lines that a C program prints here. */
async function guest(source: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'numbers-'));
  try {
    const path = join(folder, 'numbers.c');
    writeFileSync(path, source);
    const program = await loadProgram([path], '-w -fno-builtin');
    return await withProcess(program, (process) => {
      const written = listen(process);
      expect(process.run()).toEqual({ kind: 'exit', status: 0 });
      return written.join('').trimEnd().split('\n');
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('pinned', () => {
  test('doubles', () => {
    withCaller((caller) => {
      expect(caller.double('strtod', '  -12.5e1x', 0)).toBe(-125);
      expect(caller.double('atof', '0x1.8p1')).toBe(3);
      expect(caller.double('atof', 'nothing')).toBe(0);
      expect(caller.double('strtod', '1e400', 0)).toBe(Number.POSITIVE_INFINITY);
      expect(caller.errno).toBe(34);
    });
  });

  test('integers', () => {
    withCaller((caller) => {
      expect(caller.int('atoi', ' -42abc')).toBe(-42);
      expect(caller.long('atol', '99999999999999999999')).toBe(2n ** 63n - 1n);
      expect(caller.long('strtol', '0x7f', 0, 0)).toBe(127n);
      expect(caller.long('strtol', '0b11', 0, 0)).toBe(0n);
      expect(caller.long('__isoc23_strtol', '0b11', 0, 0)).toBe(3n);
      expect(caller.call('strtoul', '-1', 0, 10)).toBe(2n ** 64n - 1n);
      expect(caller.long('strtol', '1', 0, 1)).toBe(0n);
      expect(caller.errno).toBe(22);
    });
  });
});
