/** sscanf and its family. Expectations are glibc's: those of the generated calls are in fixtures/libc. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { compactResult } from '../../../fixtures/libc/compact.js';
import { CASES, type Case, makeCases } from '../../../fixtures/libc/scanf-cases.js';
import { type Caller, withCaller } from './calling.js';

/** As in fixtures/libc/scanf.c. */
const SIZE = 2048;
const UNTOUCHED = 0xaa;

/** Calls vsscanf as scanf.c does. @returns what that prints */
function run(caller: Caller, one: Case): string {
  const { memory } = caller;
  const values = [...one.kinds].map(() => {
    const value = caller.room(SIZE);
    memory.fill(value, SIZE, UNTOUCHED);
    return value;
  });
  const pointers = caller.room(8 * values.length + 8);
  values.forEach((value, index) => {
    memory.setPointer(pointers + 8 * index, one.kinds[index] === '0' ? 0 : value);
  });
  const list = caller.room(24);
  memory.setU32(list, 48);
  memory.setU32(list + 4, 176);
  memory.setPointer(list + 8, pointers);
  const string = (bytes: Uint8Array): number => caller.put(Uint8Array.of(...bytes, 0));
  memory.setU32(Number(caller.process.symbol('errno')), one.errno);
  const name = one.old ? 'vsscanf' : '__isoc99_vsscanf';
  const result = caller.int(name, string(one.input), string(one.format), list);

  const hex = (at: number, size: number): string => Buffer.from(memory.read(at, size)).toString('hex');
  const shown = values.map((value, index) => {
    const size = memory.read(value, SIZE).findLastIndex((byte) => byte !== UNTOUCHED) + 1;
    const kind = one.kinds[index];
    if (kind === 'v' || kind === '0' || size === 0 || memory.pointer(value) === 0) return hex(value, size);
    const room = memory.pointer(value);
    let length = 1;
    if (kind === 's') length = memory.find(room, 0) + 1 - room;
    if (kind === 'w') {
      while (memory.u32(room + 4 * (length - 1)) !== 0) length++;
      length *= 4;
    }
    const content = hex(room, length);
    caller.call('free', room);
    return content;
  });
  return [result, caller.errno, ...shown].join(' ');
}

test(`${CASES} generated calls give what glibc gives`, () => {
  const fixture = readFileSync(new URL('../../../fixtures/libc/scanf.txt.gz', import.meta.url));
  const [version, ...expected] = gunzipSync(fixture).toString().replace(/\n$/, '').split('\n');
  expect(version).toContain('GLIBC 2.36');
  expect(expected).toHaveLength(CASES);
  withCaller((caller) => {
    const wrong: string[] = [];
    makeCases().forEach((one, index) => {
      const line = run(caller, one);
      caller.clear();
      if (compactResult(line) === expected[index]) return;
      const [input, format] = [one.input, one.format].map((bytes) =>
        JSON.stringify(Buffer.from(bytes).toString('latin1')),
      );
      wrong.push(`${index}: sscanf(${input}, ${format}): ${line}, glibc: ${expected[index]}`);
    });
    caller.process.mill.heap.check();
    expect(wrong.length, wrong.slice(0, 20).join('\n')).toBe(0);
  });
});

describe('pinned', () => {
  /** @returns the result, and the arguments as ints */
  function ints(input: string, format: string, count: number): number[] {
    return withCaller((caller) => {
      const values = Array.from({ length: count }, () => caller.room(8));
      const result = caller.int('__isoc99_sscanf', input, format, ...values);
      return [result, ...values.map((value) => caller.memory.i32(value))];
    });
  }

  test('what C says', () => {
    expect(ints('12 -7 0x1f 017', '%d%d%i%i', 4)).toEqual([4, 12, -7, 31, 15]);
    expect(ints('10:20', '%d:%d%n', 3)).toEqual([2, 10, 20, 5]);
    expect(ints('10;20', '%d:%d', 2)).toEqual([1, 10, 0]);
    expect(ints('1234', '%2d%*1d%d', 2)).toEqual([2, 12, 4]);
    expect(ints('1 2 3', '%2$d %1$d %3$d', 3)).toEqual([3, 2, 1, 3]);
    expect(ints('', '%d', 1)).toEqual([-1, 0]);
    expect(ints('x', '%d', 1)).toEqual([0, 0]);
  });

  test('arguments in registers and on the stack; floats, doubles and long doubles', () => {
    withCaller((caller) => {
      const values = Array.from({ length: 4 }, () => caller.room(16));
      const result = caller.int('sscanf', '0.1 0.1 0.1 word', '%f %lf %Lf %s', ...values);
      expect(result).toBe(4);
      const hex = values.map((value) => Buffer.from(caller.memory.read(value, 10)).toString('hex'));
      // gdb: p/x of 0.1f, 0.1, 0.1l
      expect(hex[0].slice(0, 8)).toBe('cdcccc3d');
      expect(hex[1].slice(0, 16)).toBe('9a9999999999b93f');
      expect(hex[2]).toBe('cdccccccccccccccfb3f');
      expect(caller.text(values[3])).toBe('word');
    });
  });

  test('since C23 0b says that a number is binary', () => {
    withCaller((caller) => {
      const value = caller.room(8);
      for (const [name, format, expected] of [
        ['__isoc23_sscanf', '%i', 5],
        ['__isoc23_sscanf', '%b', 5],
        ['__isoc99_sscanf', '%i', 0],
      ] as const) {
        expect(caller.int(name, '0b101', format, value)).toBe(1);
        expect(caller.memory.i32(value)).toBe(expected);
      }
      expect(caller.int('__isoc99_sscanf', '0b101', '%b', value)).toBe(0);
    });
  });

  test('standard input is at its end, but for what was put back', () => {
    withCaller((caller) => {
      const { memory } = caller;
      const stdin = memory.pointer(Number(caller.process.symbol('stdin')));
      const value = caller.room(8);
      expect(caller.int('__isoc99_scanf', '%d', value)).toBe(-1);
      expect(caller.int('feof', stdin)).toBe(1);
      caller.call('ungetc', '7'.charCodeAt(0), stdin);
      expect(caller.int('__isoc99_fscanf', stdin, '%d', value)).toBe(1);
      expect(memory.i32(value)).toBe(7);
      caller.call('ungetc', 'x'.charCodeAt(0), stdin);
      expect(caller.int('fscanf', stdin, '%d', value)).toBe(0);
      expect(caller.int('getc', stdin), 'what did not match is still there').toBe('x'.charCodeAt(0));
      const stdout = memory.pointer(Number(caller.process.symbol('stdout')));
      expect(caller.int('fscanf', stdout, '%d', value)).toBe(-1);
      expect(caller.errno, 'EBADF').toBe(9);
    });
  });

  test('when there is no memory for %ms, what was allocated before is free again', () => {
    withCaller((caller) => {
      const [one, other] = [caller.room(8), caller.room(8)];
      const small = caller.call('malloc', 2);
      for (const size of [1 << 20, 1 << 12, 1]) while (caller.call('malloc', size) !== 0n);
      caller.call('free', small);
      caller.memory.setU32(Number(caller.process.symbol('errno')), 0);
      const long = 'y'.repeat(5000);
      expect(caller.int('sscanf', `x ${long}`, '%ms %ms', one, other)).toBe(-1);
      expect(caller.errno, 'ENOMEM').toBe(12);
      expect([caller.memory.pointer(one), caller.memory.pointer(other)]).toEqual([0, 0]);
      expect(caller.call('malloc', 2)).toBe(small);
    });
  });
});
