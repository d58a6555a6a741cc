/** printf's conversions. Expectations are glibc's: those of the generated calls are in fixtures/libc. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { BadAddress } from '../../../emu/errors.js';
import { Memory } from '../../../emu/memory.js';
import { compact } from '../../../fixtures/libc/compact.js';
import { CASES, makeCases, STRINGS, STRINGS_AT } from '../../../fixtures/libc/printf-cases.js';
import { Misuse } from '../../../runtime/errors.js';
import { type Formatted, format } from '../../../runtime/libc/printf.js';
import { Variadic } from '../../../runtime/libc/variadic.js';
import { Physical } from '../../emu/physical.js';

/** Where the va_list and the arguments are: the page behind the arguments is not mapped. */
const LIST = 0x100000;
const ARGUMENTS = 0x101000;
const PAGE = 4096;

/** Formats with arguments that are all on the stack. */
function formatter(): (template: Uint8Array, stack: Uint8Array, errno: number) => Formatted {
  const memory = new Memory(new Physical(16));
  memory.reserve(LIST, 2 * PAGE, 'rw-');
  memory.reserve(Number(STRINGS_AT), PAGE, 'rw-');
  memory.write(Number(STRINGS_AT), STRINGS);
  // The last byte in front of what is not mapped, which is no end of a string.
  memory.setU8(Number(STRINGS_AT) + PAGE - 1, 0x7a);
  return (template, stack, errno) => {
    memory.setU32(LIST, 48);
    memory.setU32(LIST + 4, 176);
    memory.setPointer(LIST + 8, ARGUMENTS);
    memory.write(ARGUMENTS, stack);
    return format(memory, errno, template, Variadic.ofList(memory, LIST));
  };
}

const run = formatter();
const bits = (double: number): bigint => new BigUint64Array(Float64Array.of(double).buffer)[0];

/** Doubles are numbers, integers BigInts; the result is the text, or what failed behind it. */
function formatted(template: string, ...args: readonly (number | bigint)[]): string {
  const words = args.map((word) => (typeof word === 'bigint' ? BigInt.asUintN(64, word) : bits(word)));
  const stack = new Uint8Array(BigUint64Array.from(words).buffer);
  const { text, failure } = run(new TextEncoder().encode(template), stack, 0);
  const printed = Buffer.concat([...text.chunks()]).toString('latin1');
  return failure === 0 ? printed : `${printed} and errno ${failure}`;
}

test(`${CASES} generated calls give what glibc gives`, () => {
  const fixture = readFileSync(new URL('../../../fixtures/libc/printf.txt.gz', import.meta.url));
  const [version, ...expected] = gunzipSync(fixture).toString().trimEnd().split('\n');
  expect(version).toContain('GLIBC 2.36');
  expect(expected).toHaveLength(CASES);
  const wrong: string[] = [];
  makeCases().forEach((one, index) => {
    const { text, failure } = run(one.format, one.arguments, one.errno);
    const got = compact(failure === 0 ? text.length : -1, failure, Buffer.concat([...text.chunks()]));
    const call = `${Buffer.from(one.format).toString('latin1')} of ${Buffer.from(one.arguments).toString('hex')}`;
    if (got !== expected[index]) wrong.push(`${call}: ${got}, glibc: ${expected[index]}`);
  });
  // C keeps the zeros of %#g. glibc 2.36 loses them where rounding makes the number one digit longer.
  const known = wrong.filter((line) => /%#.*[gG] of/.test(line));
  expect(wrong).toEqual(known);
  expect(known.map((line) => line.split(' of ', 1)[0])).toEqual(['%#16.6G', '%#+52G%.54G']);
});

describe('pinned', () => {
  test.each<[string, string, ...(number | bigint)[]]>([
    ['%d %5d|%-5d|%05d|%+d|% d', '1    -2|3    |00004|+5| 6', 1n, -2n, 3n, 4n, 5n, 6n],
    ['%hhd %hu %d %ld %llx', '44 1 -1 -1 ffffffffffffffff', 300n, 65537n, 0xffffffffn, -1n, -1n],
    ['%x %#x %#X %#o %#b %#x', 'ff 0xff 0XFF 0377 0b11111111 0', 255n, 255n, 255n, 255n, 255n, 0n],
    ['%.0d|%.3d|%8.3d|%-8.3d|%#.3o', '|001|     001|001     |010', 0n, 1n, 1n, 1n, 8n],
    ['%.0f %.0f %.0f %.2f %.1f', '0 2 2 1.00 0.2', 0.5, 1.5, 2.5, 1.005, 0.25],
    ['%.20f', '0.10000000000000000555', 0.1],
    ['%e %.0e %#.0e %E', '1.234560e+05 1e+05 1.e+05 1.234560E+05', 123456, 123456, 123456, 123456],
    ['%g %g %g %g %#g', '100000 1e+06 0.0001 1e-05 1.00000', 1e5, 1e6, 1e-4, 1e-5, 1],
    ['%a %a %.1a %a', '0x1p+0 0x1.999999999999ap-4 0x1.ap-4 0x0.0000000000001p-1022', 1, 0.1, 0.1, 5e-324],
    ['%f %F %+f %08f|%-5f|', '-inf INF +inf      nan|nan  |', -1 / 0, 1 / 0, 1 / 0, Number.NaN, Number.NaN],
    ['%.1f %f %g', '-0.0 -0.000000 -0', -0, -0, -0],
    ['%c%c|%3c|%-3c|', 'ab|  c|d  |', 97n, 98n, 99n, 100n],
    ['%s|%.3s|%.5s|%p|%8p|', '(null)|||(nil)|   (nil)|', 0n, 0n, 0n, 0n, 0n],
    ['%p %+p', '0x1234 +0x1234', 0x1234n, 0x1234n],
    ['%*d|%-*d|%.*f|%.*f', '    1|2   |2.75|2.751200', 5n, 1n, 4n, 2n, 2n, 2.7512, -1n, 2.7512],
    ['%2$d %1$d %2$*1$d', '2 1 2', 1n, 2n],
    ['100%% %5%', '100% %'],
    ["%'d %Id", '1000 1000', 1000n, 1000n],
    ['%m', 'Success'],
    ['%y %5-d %lld', '%y %5-d 7', 7n],
    ['%lc%C', 'ab', 97n, 98n],
  ])('%j', (template, expected, ...args) => {
    expect(formatted(template, ...args)).toBe(expected);
  });
});

describe('what goes wrong', () => {
  test('a wide character that the C locale has not', () => {
    expect(formatted('ab%lc', 0x20acn)).toBe('ab and errno 84');
  });

  test('a format that ends in a conversion', () => {
    expect(formatted('ab%')).toBe('ab and errno 22');
    expect(formatted('ab%-5.3l')).toBe('ab and errno 22');
  });

  test('more than an int can count', () => {
    expect(formatted('a%2147483648d', 1n)).toBe('a and errno 75');
    expect(formatted('a%.99999999999d', 1n)).toBe('a and errno 75');
    for (const template of ['a%2147483647d', 'a%-2147483647d', 'a%.2147483647d', '%2147483647da']) {
      const { text, failure } = run(new TextEncoder().encode(template), new Uint8Array(8), 0);
      expect([text.length < 2 ** 31, failure], template).toEqual([true, 75]);
    }
  });

  test('widths in the billions cost nothing until they are written', () => {
    for (const template of ['%2147483647d', '%.2147483647d', '%.2147483645f', '%2147483647s', '%.2147483640a']) {
      const { text, failure } = run(new TextEncoder().encode(template), new Uint8Array(8), 0);
      expect([text.length > 2 ** 31 - 10, failure], template).toEqual([true, 0]);
      expect(Buffer.concat([...text.chunks(3)])).toHaveLength(3);
    }
  });

  test('5000 digits behind the point, the last of them right', () => {
    // 2^-1074 has 1074 digits behind the point, and ends in 5.
    const digits = formatted('%.5000f', 5e-324);
    expect(digits).toHaveLength(5002);
    expect(digits.slice(2 + 1073)).toBe(`5${'0'.repeat(5000 - 1074)}`);
    expect(BigInt(digits.slice(2, 2 + 1074))).toBe(5n ** 1074n);
  });

  test('%s with a precision reads no byte too many', () => {
    const last = STRINGS_AT + BigInt(PAGE - 1);
    expect(formatted('%.1s', last)).toBe('z');
    expect(() => formatted('%.2s', last)).toThrow(BadAddress);
    expect(() => formatted('%s', last)).toThrow(BadAddress);
  });

  test('more arguments than a JavaScript function can be called with', () => {
    const many = new TextEncoder().encode('%d'.repeat(200_000));
    expect(() => run(many, new Uint8Array(8), 0), 'it is the guest that has not given them').toThrow(BadAddress);
  });

  test('%n is refused', () => {
    expect(() => formatted('%n', STRINGS_AT)).toThrow(Misuse);
    expect(() => formatted('%1$hhn', STRINGS_AT)).toThrow(/%n/);
  });
});
