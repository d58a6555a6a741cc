import { describe, expect, test } from 'vitest';
import { MillError, Misuse } from '../../../runtime/errors.js';
import { type Caller, withCaller } from './calling.js';
import { hasGlibc, native } from './native.js';

/** What rand() returns after srand(42), and before any srand, on Linux. */
const AFTER_42 = [71876166, 708592740, 1483128881, 907283241, 442951012];
const AT_START = [1804289383, 846930886, 1681692777, 1714636915, 1957747793];

const times = <Result>(count: number, make: (index: number) => Result): Result[] =>
  Array.from({ length: count }, (_, index) => make(index));

test('rand and random are those of glibc, from the start and after srand', () => {
  withCaller((caller) => {
    expect(times(5, () => caller.int('rand'))).toEqual(AT_START);
    caller.call('srand', 42);
    expect(times(5, (index) => caller.int(index % 2 === 0 ? 'rand' : 'random'))).toEqual(AFTER_42);
    caller.call('srandom', 1);
    expect(times(5, () => caller.int('random'))).toEqual(AT_START);
  });
});

test("before srand, the machine's seed decides, and choose() has numbers of its own", () => {
  const start = (seed: bigint): number[] => withCaller((caller) => times(5, () => caller.int('rand')), { seed });
  expect(start(42n), 'as if it had called srand(42)').toEqual(AFTER_42);
  expect(start(43n)).not.toEqual(AFTER_42);
  const chosen = (draws: number): number =>
    withCaller((caller) => {
      times(draws, () => caller.call('rand'));
      return caller.process.mill.random.next();
    });
  expect(chosen(3)).toBe(chosen(0));
});

test('what is drawn next is part of what is saved', () => {
  withCaller((caller) => {
    const draw = (): number[] => times(40, (index) => caller.int(index % 2 === 0 ? 'rand' : 'lrand48'));
    caller.call('srand48', 7);
    draw();
    const saved = caller.process.save();
    const first = draw();
    expect(draw()).not.toEqual(first);
    caller.process.restore(saved);
    expect(draw()).toEqual(first);
  });
});

test('quotients go towards zero, and remainders have the sign of what was divided', () => {
  withCaller((caller) => {
    const div = (a: number, b: number): [number, number] => {
      const both = caller.call('div', a, b);
      return [Number(BigInt.asIntN(32, both)), Number(BigInt.asIntN(32, both >> 32n))];
    };
    expect([div(7, 2), div(-7, 2), div(7, -2), div(-7, -2)]).toEqual([
      [3, 1],
      [-3, -1],
      [-3, 1],
      [3, -1],
    ]);
    for (const name of ['ldiv', 'lldiv', 'imaxdiv']) {
      expect(caller.long(name, -(10n ** 18n), 7n)).toBe(-142857142857142857n);
      expect(BigInt.asIntN(64, caller.process.cpu.read('rdx'))).toBe(-1n);
    }
    expect([caller.int('abs', -5), caller.int('abs', 5), caller.int('abs', -(2 ** 31))]).toEqual([5, 5, -(2 ** 31)]);
    for (const name of ['labs', 'llabs', 'imaxabs']) expect(caller.long(name, -(2n ** 40n))).toBe(2n ** 40n);
    expect([caller.int('ffs', 0), caller.int('ffs', 0x50), caller.int('ffs', -(2 ** 31))]).toEqual([0, 5, 32]);
    for (const name of ['ffsl', 'ffsll']) {
      expect([caller.int(name, 0), caller.int(name, 2n ** 40n), caller.int(name, -1)]).toEqual([0, 41, 1]);
    }
    expect(() => caller.call('div', 1, 0)).toThrow('divide error');
  });
});

describe.skipIf(!hasGlibc)('random numbers as in glibc', () => {
  const seeds = [0, 1, 42, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 123456789, 0xdeadbeef];

  test('of all seeds', () => {
    const expected = native(`#include <stdio.h>
#include <stdlib.h>
static unsigned seeds[] = { ${seeds.map((seed) => `${seed}u`).join(', ')} };
int main(void) {
  for (int s = 0; s < ${seeds.length}; s++) {
    srand(seeds[s]);
    for (int i = 0; i < 100; i++) printf("%d ", rand());
    unsigned r = seeds[s];
    for (int i = 0; i < 50; i++) printf("%d ", rand_r(&r));
    printf("%u\\n", r);
  }
}`);
    withCaller((caller) => {
      const state = caller.room(4);
      seeds.forEach((seed, index) => {
        caller.call('srand', seed);
        const numbers = times(100, () => caller.int('rand'));
        caller.memory.setU32(state, seed);
        numbers.push(...times(50, () => caller.int('rand_r', state)), caller.memory.u32(state));
        expect(numbers.join(' ')).toBe(expected[index]);
      });
    });
  });

  test('of 48 bits, with states of their own and other factors too', () => {
    const draws = ['drand48', 'lrand48', 'mrand48', 'erand48', 'nrand48', 'jrand48'] as const;
    const expected = native(`#include <stdio.h>
#include <stdlib.h>
static unsigned short own[3];
static void draw(void) {
  for (int i = 0; i < 10; i++)
    printf("%a %ld %ld %a %ld %ld ", drand48(), lrand48(), mrand48(), erand48(own), nrand48(own), jrand48(own));
  printf("%d %d %d\\n", own[0], own[1], own[2]);
}
int main(void) {
  long seeds[] = { ${seeds.join('L, ')}L, -1, 1L << 40 };
  setvbuf(stdout, 0, _IOFBF, 1 << 16);
  draw();
  for (int s = 0; s < ${seeds.length + 2}; s++) { srand48(seeds[s]); draw(); }
  unsigned short three[3] = { 1, 2, 3 }, seven[7] = { 1, 2, 3, 4, 5, 6, 7 };
  unsigned short *before = seed48(three);
  printf("%d %d %d ", before[0], before[1], before[2]); draw();
  lcong48(seven); draw();
  srand48(3); draw();
}`);
    withCaller((caller) => {
      const own = caller.room(6);
      const shorts = (at: number): number[] => times(3, (index) => caller.memory.u32(at + 2 * index) & 0xffff);
      const draw = (): string => {
        // The compiler evaluates arguments from the last to the first.
        const rounds = times(10, () => {
          const values = draws.toReversed().map((name) => {
            const state = /^[enj]/.test(name) ? [own] : [];
            return /^[de]/.test(name) ? hexDouble(caller.double(name, ...state)) : String(caller.long(name, ...state));
          });
          return values.toReversed().join(' ');
        });
        return `${rounds.join(' ')} ${shorts(own).join(' ')}`;
      };
      const found = [draw()];
      for (const seed of [...seeds, -1, 2 ** 40]) {
        caller.call('srand48', seed);
        found.push(draw());
      }
      const words = (count: number): number =>
        caller.put(Uint8Array.from({ length: 2 * count }, (_, index) => (index % 2 === 0 ? index / 2 + 1 : 0)));
      const before = Number(caller.call('seed48', words(3)));
      found.push(`${shorts(before).join(' ')} ${draw()}`);
      caller.call('lcong48', words(7));
      found.push(draw());
      caller.call('srand48', 3);
      found.push(draw());
      expect(found).toEqual(expected);
    });
  });
});

/** As printf's %a. */
function hexDouble(value: number): string {
  if (value === 0) return '0x0p+0';
  const bits = new BigUint64Array(Float64Array.of(value).buffer)[0];
  const fraction = (bits & ((1n << 52n) - 1n)).toString(16).padStart(13, '0').replace(/0+$/, '');
  const exponent = Number((bits >> 52n) & 0x7ffn) - 1023;
  return `0x1${fraction === '' ? '' : `.${fraction}`}p${exponent < 0 ? '' : '+'}${exponent}`;
}

describe('ctype.h', () => {
  const TESTS = 'alnum alpha blank cntrl digit graph lower print punct space upper xdigit'.split(' ');
  const entries = (caller: Caller, name: string, size: 2 | 4): number[] => {
    const middle = caller.memory.pointer(Number(caller.call(`__ctype_${name}_loc`)));
    return times(384, (index) => {
      const at = middle + (index - 128) * size;
      return size === 4 ? caller.memory.i32(at) : caller.memory.u8(at) | (caller.memory.u8(at + 1) << 8);
    });
  };

  test('knows letters, digits and the rest of ASCII, and nothing else', () => {
    withCaller((caller) => {
      const all = (name: string): string =>
        times(384, (index) => index - 128)
          .filter((character) => caller.int(`is${name}`, character) !== 0)
          .map((character) => String.fromCharCode(character))
          .join('');
      expect(all('digit')).toBe('0123456789');
      expect(all('xdigit')).toBe('0123456789ABCDEFabcdef');
      expect(all('upper')).toBe('ABCDEFGHIJKLMNOPQRSTUVWXYZ');
      expect(all('space')).toBe('\t\n\v\f\r ');
      expect(all('blank')).toBe('\t ');
      expect(all('punct')).toBe('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~');
      expect(all('cntrl').length).toBe(33);
      expect([caller.int('toupper', 0x61), caller.int('tolower', 0x5a), caller.int('toupper', 0xe4)]).toEqual([
        0x41, 0x7a, 0xe4,
      ]);
      expect([caller.int('tolower', -1), caller.int('toupper', 1000)]).toEqual([-1, 1000]);
      expect(caller.int('__ctype_get_mb_cur_max')).toBe(1);
      expect(entries(caller, 'toupper', 4)[128 + 0x7a]).toBe(0x5a);
    });
  });

  test.skipIf(!hasGlibc)('has the tables of glibc, and the functions say what they say', () => {
    const expected = native(`#include <ctype.h>
#include <stdio.h>
int main(void) {
  for (int i = -128; i < 256; i++) printf("%d %d %d\\n", (*__ctype_b_loc())[i], (*__ctype_tolower_loc())[i], (*__ctype_toupper_loc())[i]);
  for (int i = -128; i < 256; i++)
    printf("%d %d ${TESTS.map(() => '%d').join(' ')}\\n", tolower(i), toupper(i), ${TESTS.map((name) => `(is${name})(i)`).join(', ')});
}`);
    withCaller((caller) => {
      const [b, lower, upper] = [entries(caller, 'b', 2), entries(caller, 'tolower', 4), entries(caller, 'toupper', 4)];
      const found = b.map((classes, index) => `${classes} ${lower[index]} ${upper[index]}`);
      for (let one = -128; one < 256; one++) {
        const names = ['tolower', 'toupper', ...TESTS.map((name) => `is${name}`)];
        found.push(names.map((name) => caller.int(name, one)).join(' '));
      }
      expect(found).toEqual(expected);
    });
  });
});

describe('C++', () => {
  test('has operators new and delete', () => {
    withCaller((caller) => {
      for (const array of ['_Znwm', '_Znam']) {
        const block = caller.call(array, 0);
        expect([block % 16n, block === caller.call(array, 0)]).toEqual([0n, false]);
        caller.call('_ZdlPvm', block, 0);
      }
      expect(caller.call('_ZnwmSt11align_val_t', 10, 128) % 128n).toBe(0n);
      expect(caller.call('_ZnwmRKSt9nothrow_t', -1, 0)).toBe(0n);
      const block = caller.call('_Znam', 8);
      caller.call('_ZdaPv', block);
      expect(() => caller.call('_ZdaPv', block)).toThrow('double free');
    });
    withCaller((caller) => expect(() => caller.call('_Znwm', -1)).toThrow('there is no room'));
  });

  test('initialises a local static once', () => {
    withCaller((caller) => {
      const guard = caller.room(8);
      expect([caller.int('__cxa_guard_acquire', guard), caller.int('__cxa_guard_acquire', guard)]).toEqual([1, 1]);
      caller.call('__cxa_guard_abort', guard);
      expect(caller.int('__cxa_guard_acquire', guard)).toBe(1);
      caller.call('__cxa_guard_release', guard);
      expect(caller.int('__cxa_guard_acquire', guard)).toBe(0);
    });
  });

  test.each([
    ['__cxa_throw', 'the program throws an exception, and there are no C++ exceptions here'],
    ['_Unwind_Resume', 'unwinds the stack'],
    ['__cxa_begin_catch', 'catches an exception'],
    ['_ZSt20__throw_length_errorPKc', 'std::length_error'],
    ['__cxa_pure_virtual', 'a pure virtual function was called'],
    ['_ZSt9terminatev', 'std::terminate was called'],
  ])('%s ends the program with a sentence', (name, sentence) => {
    withCaller((caller) => {
      const call = (): unknown => caller.call(name);
      expect(call).toThrow(MillError);
      expect(call).toThrow(sentence);
    });
  });
});

test.each([
  ['__stack_chk_fail', 'stack smashing detected: a function has overwritten the guard above its local arrays'],
  ['__chk_fail', 'buffer overflow detected'],
])('%s says what was found', (name, sentence) => {
  withCaller((caller) => {
    const call = (): unknown => caller.call(name);
    expect(call).toThrow(Misuse);
    expect(call).toThrow(sentence);
  });
});
