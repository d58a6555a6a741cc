import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DebugSections, type LineRange, readLineTable } from '../../../asm/elf/lines.js';

const NONE = new Uint8Array(0);

/** Bytes written as numbers, texts (which get their zero byte) and other bytes. */
function bytes(...parts: readonly (number | string | readonly number[])[]): number[] {
  return parts.flatMap((part) => (typeof part === 'string' ? [...new TextEncoder().encode(part), 0] : part));
}

const u16 = (value: number): number[] => [value & 0xff, value >> 8];
const u32 = (value: number): number[] => [...u16(value & 0xffff), ...u16(value >>> 16)];
const u64 = (value: number): number[] => [...u32(value), ...u32(0)];

/** A unit of DWARF32: version, what follows up to the length of the header, the rest of the header, the program. */
function unit32(version: number, sizes: readonly number[], header: readonly number[], program: readonly number[]) {
  const body = [...u16(version), ...sizes, ...u32(header.length), ...header, ...program];
  return [...u32(body.length), ...body];
}

/** The same in DWARF64. */
function unit64(version: number, sizes: readonly number[], header: readonly number[], program: readonly number[]) {
  const body = [...u16(version), ...sizes, ...u64(header.length), ...header, ...program];
  return [...u32(0xffffffff), ...u64(body.length), ...body];
}

const section = (...units: readonly number[][]): DebugSections => {
  return { line: Uint8Array.from(units.flat()), lineStr: NONE, str: NONE };
};

/** How many operands opcodes 1 to 12 have: DWARF 5, section 6.2.5.2. */
const OPERANDS = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1];

/** Version 3: instructions of 1 byte, statements by default, lines from -3, 12 of them, opcodes from 14. */
const HEADER_3 = bytes(1, 1, -3 & 0xff, 12, 14, OPERANDS, 2 /* opcode 13 has two operands */);

const TABLES_3 = bytes(
  ...['sub', '/usr/include', './', 'a//b/.', ''], // directories 1 to 4
  ...['main.c', 0, 0, 0], // file 1: no directory
  ...['x.h', 1, 0, 0],
  ...['stdio.h', 2, 0, 0],
  ...['./dot.h', 3, 0, 0],
  ...['deep.h', 4, 0, 0],
  ...['/home/me/absolute.h', 1, 0, 0], // file 6
  0,
);

// Special opcode 14 + 12 * address advance + (line advance + 3).
const PROGRAM_3 = bytes(
  ...[0, 9, 2, u64(0x1000)], // set_address 0x1000
  ...[17], // 0, +0: row 0x1000 main.c:1
  ...[14 + 12 * 2 + 3 + 8], // +2, +8: row 0x1002 main.c:9
  ...[3, 0x7b, 2, 4, 1], // line -5, address +4: row 0x1006 main.c:4, by copy
  ...[13, 0xff, 0x01, 0x80, 0x00, 1], // the unknown opcode 13, operands 255 and 0; copy: 0x1006 main.c:4 again
  ...[8, 4, 2, 1], // const_add_pc: (255 - 14) / 12 = 20; file 2: row 0x101a sub/x.h:4
  ...[0, 4, 0x80, 1, 2, 3], // an unknown extended opcode
  ...[9, 0x34, 0x12, 4, 3, 1], // fixed_advance_pc 0x1234: row 0x224e stdio.h:4
  ...[2, 0x80, 0x02, 4, 4, 1], // address +256: row 0x234e dot.h:4
  ...[2, 1, 4, 5, 1], // row 0x234f a/b/deep.h:4
  ...[2, 1, 3, 0x7c, 1], // line -4: row 0x2350, no line
  ...[0, 8, 3, bytes('n.c', 1, 0, 0)], // define_file: 7
  ...[2, 1, 4, 7, 3, 0xe8, 0x07, 1], // line +1000: row 0x2351 sub/n.c:1000
  ...[17, 17], // empty: two more rows at 0x2351
  ...[14 + 12 + 3], // +1, +0: row 0x2352, the same line
  ...[2, 1, 4, 6, 1], // row 0x2353 absolute.h:1000
  ...[2, 1, 4, 99, 1], // row 0x2354 of a file that is not there
  ...[2, 1, 0, 1, 1], // end_sequence at 0x2355
  ...[0, 9, 2, u64(0x500)], // the second sequence
  ...[5, 7, 6, 7, 10, 11, 12, 3, 17], // column, statement, block, prologue, epilogue, isa: row 0x500 main.c:1
  ...[2, 3, 0, 1, 1],
);
const UNIT_3 = unit32(3, [], [...HEADER_3, ...TABLES_3], PROGRAM_3);

const RANGES_3: readonly LineRange[] = [
  { start: 0x1000, end: 0x1002, file: 'main.c', line: 1 },
  { start: 0x1002, end: 0x1006, file: 'main.c', line: 9 },
  { start: 0x1006, end: 0x101a, file: 'main.c', line: 4 },
  { start: 0x101a, end: 0x224e, file: 'sub/x.h', line: 4 },
  { start: 0x224e, end: 0x234e, file: 'stdio.h', line: 4 },
  { start: 0x234e, end: 0x234f, file: 'dot.h', line: 4 },
  { start: 0x234f, end: 0x2350, file: 'a/b/deep.h', line: 4 },
  { start: 0x2351, end: 0x2353, file: 'sub/n.c', line: 1000 },
  { start: 0x2353, end: 0x2354, file: 'absolute.h', line: 1000 },
  { start: 0x500, end: 0x503, file: 'main.c', line: 1 },
];

/** Version 5 in DWARF64: every form a table may use. Instructions of 4 bytes, one operation each. */
const HEADER_5 = bytes(
  ...[4, 1, 1, -5 & 0xff, 14, 13, OPERANDS],
  ...[1, 1, 0x1f], // a directory is a path (1) in .debug_line_str (line_strp)
  ...[3, u64(1), u64(7), u64(11)], // three of them: "/work", "sub", "/work" again
  // A file is, in this order: a block (0x2001, unknown), a path, a directory, size as data4, MD5 as data16, data8.
  ...[6, 0x81, 0x40, 0x09, 1, 0x08, 2, 0x0b, 4, 0x06, 5, 0x1e, 3, 0x07],
  ...[3],
  ...[2, 9, 9, 'zero.c', 0, u32(5), new Array<number>(16).fill(0xee), u64(1)],
  ...[0, 'one.c', 1, u32(5), new Array<number>(16).fill(0xee), u64(1)],
  ...[1, 9, 'two.ä', 2, u32(5), new Array<number>(16).fill(0xee), u64(1)],
);
const PROGRAM_5 = bytes(
  ...[0, 9, 2, u64(0x8000)],
  ...[18], // row 0x8000, file 1 at first: sub/one.c:1
  ...[4, 0, 13 + 14 * 1 + 5 + 1], // file 0, +1 instruction, +1 line: row 0x8004 zero.c:2
  ...[4, 2, 2, 3, 18], // +3 instructions: row 0x8010 two.ä:2
  ...[9, 2, 0], // +2 bytes, whatever the length of instructions
  ...[0, 1, 1],
);
const SECTIONS_5: DebugSections = {
  line: Uint8Array.from(unit64(5, [8, 0], HEADER_5, PROGRAM_5)),
  lineStr: Uint8Array.from(bytes('', '/work', 'sub', '/work')),
  str: NONE,
};
const RANGES_5: readonly LineRange[] = [
  { start: 0x8000, end: 0x8004, file: 'sub/one.c', line: 1 },
  { start: 0x8004, end: 0x8010, file: 'zero.c', line: 2 },
  { start: 0x8010, end: 0x8012, file: 'two.ä', line: 2 },
];

/** One row of two bytes and the end, at an address, in file 1. */
const tiny = (address: readonly number[]): number[] => [0, address.length + 1, 2, ...address, 17, 2, 2, 0, 1, 1];
const TINY_TABLES = bytes(0, 'f.c', 0, 0, 0, 0);
const tinyUnit = (address: number): number[] => unit32(3, [], [...HEADER_3, ...TINY_TABLES], tiny(u64(address)));

describe('a line table written by hand', () => {
  it('gives the ranges of version 3: every standard opcode, unknown ones skipped', () => {
    expect(readLineTable(section(UNIT_3))).toEqual(RANGES_3);
  });

  it('gives the ranges of version 5 in DWARF64: entries as their formats say', () => {
    expect(readLineTable(SECTIONS_5)).toEqual(RANGES_5);
  });

  it('reads paths in .debug_str, directories as udata and as data2', () => {
    const paths = [1, 1, 0x0e, 2, u32(0), u32(5)].flat(); // two directories, strp: "/top", "in"
    const files = [2, 1, 0x0e, 2, 0x0f, 1, u32(8), 1].flat(); // one file, strp and udata: "a.c" in directory 1
    const files2 = [2, 2, 0x05, 1, 0x0e, 2, u16(0), u32(8), u16(1), u32(8)].flat(); // data2 and strp: two files
    const str = Uint8Array.from(bytes('/top', 'in', 'a.c'));
    const header = [1, 1, 1, -3 & 0xff, 12, 14, ...OPERANDS, 0];
    const read = (table: number[]) => {
      const program = [0, 9, 2, ...u64(16), 4, table === files ? 0 : 1, 17, 2, 1, 0, 1, 1];
      return readLineTable({ ...section(unit32(5, [8, 0], [...header, ...paths, ...table], program)), str });
    };
    const expected = [{ start: 16, end: 17, file: 'in/a.c', line: 1 }];
    expect(read(files)).toEqual(expected);
    expect(read(files2)).toEqual(expected);
  });

  it('shows no directory if it is the one the compiler ran in, even when that is a relative one', () => {
    // What -fdebug-prefix-map=/home/me=src leaves: directory 0 is "src", and so is 1, but 2 is "src/in".
    const directories = bytes(1, 1, 0x08, 3, 'src', 'src', 'src/in');
    const files = bytes(2, 1, 0x08, 2, 0x0b, 3, 'a.c', 0, 'b.c', 1, 'c.c', 2);
    const header = [1, 1, 1, -3 & 0xff, 12, 14, ...OPERANDS, 0, ...directories, ...files];
    const program = [0, 9, 2, ...u64(16), 4, 0, 17, 2, 1, 4, 1, 17, 2, 1, 4, 2, 17, 2, 1, 0, 1, 1];
    const names = readLineTable(section(unit32(5, [8, 0], header, program))).map(({ file }) => file);
    expect(names).toEqual(['a.c', 'b.c', 'src/in/c.c']);
  });

  it('reads units one after the other, whatever their versions, and skips one of an unknown version', () => {
    const unknown = [...UNIT_3];
    unknown[4] = 6;
    const padding = [0, 0, 0, 0];
    const { line } = SECTIONS_5;
    const sections = { ...SECTIONS_5, line: Uint8Array.from([...UNIT_3, ...unknown, ...line, ...padding, ...UNIT_3]) };
    expect(readLineTable(sections)).toEqual([...RANGES_3, ...RANGES_5, ...RANGES_3]);
  });

  it('starts the program where the header says it ends, behind what nobody knows', () => {
    const more = unit32(3, [], [...HEADER_3, ...TABLES_3, 0xaa, 0xbb, 0xcc], PROGRAM_3);
    expect(readLineTable(section(more))).toEqual(RANGES_3);
  });

  it('is empty for empty sections', () => {
    expect(readLineTable({ line: NONE, lineStr: NONE, str: NONE })).toEqual([]);
  });
});

describe('a damaged line table', () => {
  it('gives what could be read up to where it is cut off', () => {
    for (let length = 0; length < UNIT_3.length; length++) {
      const ranges = readLineTable(section(UNIT_3.slice(0, length)));
      expect(ranges.length).toBeLessThan(RANGES_3.length);
      // The last one may have lost the rows that made it longer.
      expect(ranges.slice(0, -1)).toEqual(RANGES_3.slice(0, Math.max(ranges.length - 1, 0)));
    }
    const cut = UNIT_3.slice(0, -1); // All but the opcode of the last end_sequence.
    expect(readLineTable(section(cut))).toEqual(RANGES_3.slice(0, -1));
  });

  it('ends a unit that is longer than the section with the section, and goes on behind a unit that is too short', () => {
    const long = [...u32(0x7fffffff), ...UNIT_3.slice(4)];
    expect(readLineTable(section(long))).toEqual(RANGES_3);
    const short = [...u32(2), 3, 0];
    expect(readLineTable(section(short, UNIT_3))).toEqual(RANGES_3);
  });

  it('stops at a reserved length', () => {
    const reserved = [...u32(0xfffffff0), ...UNIT_3.slice(4)];
    expect(readLineTable(section(UNIT_3, reserved))).toEqual(RANGES_3);
  });

  it('does nothing for an extended opcode that is cut off', () => {
    const program = [0, 9, 2, ...u64(16), 17, 2, 2, 0, 5, 1 /* end_sequence, but of 5 bytes */];
    expect(readLineTable(section(unit32(3, [], [...HEADER_3, ...TINY_TABLES], program)))).toEqual([]);
  });

  it('has no ranges where addresses are too large for a number, or wrap around', () => {
    const ones = new Array<number>(8).fill(0xff);
    for (const address of [ones, [...u32(0), ...u32(0x200000)], new Array<number>(300).fill(0xff)]) {
      const length = address.length + 1;
      const set = [0, ...(length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7]), 2, ...address];
      const program = [
        ...set,
        17,
        2,
        2,
        1,
        ...[2, ...new Array<number>(40).fill(0xff), 0x7f],
        1,
        0,
        1,
        1,
        ...tiny(u64(4)),
      ];
      expect(readLineTable(section(unit32(3, [], [...HEADER_3, ...TINY_TABLES], program)))).toEqual([
        { start: 4, end: 6, file: 'f.c', line: 1 },
      ]);
    }
    const far = [0, 9, 2, ...u64(16), 17, 2, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0, 1, 1];
    expect(readLineTable(section(unit32(3, [], [...HEADER_3, ...TINY_TABLES], far)))).toEqual([
      { start: 16, end: 2 ** 40 + 16, file: 'f.c', line: 1 },
    ]);
    // The last addresses that a number can hold: 2^53 - 3 and two bytes behind it.
    const last = [...u32(0xfffffffd), ...u32(0x1fffff)];
    expect(readLineTable(section(unit32(3, [], [...HEADER_3, ...TINY_TABLES], tiny(last))))).toEqual([
      { start: 2 ** 53 - 3, end: 2 ** 53 - 1, file: 'f.c', line: 1 },
    ]);
  });

  it('keeps lines within 32 bits, and reads numbers that are written longer than they need to be', () => {
    const line = (...advance: number[]) => {
      const program = [0, 9, 2, ...u64(16), 3, ...advance, 17, 2, 0x81, 0x80, 0x80, 0x00, 0, 0x81, 0x00, 1];
      return readLineTable(section(unit32(3, [], [...HEADER_3, ...TINY_TABLES], program)));
    };
    const nine = new Array<number>(9).fill(0xff);
    expect(line(0x84, 0x80, 0x80, 0x00)).toEqual([{ start: 16, end: 17, file: 'f.c', line: 5 }]);
    expect(line(0x84, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01)[0]?.line).toBe(5); // +(2^42 + 4)
    expect(line(...nine, 0x7f)).toEqual([]); // -1, so line 0
    expect(line(0xfe, ...nine, 0x7f)[0]?.line).toBe(2 ** 32 - 1); // -2
    expect(line(0xff, 0xff, 0xff, 0xff, 0x0f)[0]?.line).toBeUndefined(); // +(2^32 - 1): line 0 again
  });

  it('reads no more entries than there are bytes, however many there are said to be', () => {
    const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
    const header = [1, 1, 1, -3 & 0xff, 12, 14, ...OPERANDS, 0];
    const read = (...tables: (number | string | readonly number[])[]) =>
      readLineTable(section(unit32(5, [8, 0], [...header, ...bytes(...tables)], tiny(u64(8))), tinyUnit(16)));
    const expected = [{ start: 16, end: 18, file: 'f.c', line: 1 }];
    expect(read(0, huge, 0, huge)).toEqual(expected); // entries without fields take no bytes at all
    expect(read(1, 1, 0x08, huge, 'd', 'e')).toEqual(expected);
    expect(read(1, 1, 0x7e, huge, 1, 2)).toEqual(expected); // an unknown form
    expect(read(1, 1, 0x09, 1, huge)).toEqual(expected); // a huge block
  });

  it('has no lines where special opcodes divide by a line range of 0', () => {
    const header = [1, 1, -3 & 0xff, 0, 14, ...OPERANDS, 2, ...TINY_TABLES];
    expect(readLineTable(section(unit32(3, [], header, tiny(u64(8))), tinyUnit(16)))).toHaveLength(1);
  });

  it('reads a section of strings a few times at most, though every entry may start a new one anywhere', () => {
    // 200,000 files whose names all go on to the end of one megabyte: 100 GB if each of them were read.
    const count = 200_000;
    const size = 1 << 20;
    const header = bytes(1, 1, 1, -3 & 0xff, 12, 14, OPERANDS, 0, 0, 0, 1, 1, 0x1f, [0xc0, 0x9a, 0x0c]);
    for (let index = 0; index < count; index++) header.push(...u32(index * 5));
    const lineStr = new Uint8Array(size).fill(0x61);
    const unit = unit32(5, [8, 0], header, tiny(u64(16)));
    expect(readLineTable({ line: Uint8Array.from(unit), lineStr, str: NONE })).toEqual([]); // they have no end
    lineStr[size - 1] = 0;
    const [range] = readLineTable({ line: Uint8Array.from(unit), lineStr, str: NONE });
    expect(range?.file).toHaveLength(size - 1 - 5); // file 1
  });

  it('does not copy a long directory for each of its files, or compare them letter by letter', () => {
    // A directory of a megabyte, and 50,000 files in it that take turns, row by row: 50 GB if each had its own copy.
    const count = 50_000;
    const tables = bytes('d'.repeat(1 << 20), 0);
    for (let index = 0; index < count; index++) tables.push(...bytes(String(100_000 + index), 1, 0, 0));
    const program = bytes(0, 9, 2, u64(16));
    for (let index = 1; index <= count; index++) {
      program.push(4, (index & 0x7f) | 0x80, ((index >> 7) & 0x7f) | 0x80, index >> 14, 14 + 12 + 3);
    }
    const ranges = readLineTable(section(unit32(3, [], [...HEADER_3, ...tables, 0], program)));
    expect(ranges).toHaveLength(count - 1);
    expect(ranges[7]?.file).toHaveLength((1 << 20) + 1 + 6);
  });
});

/** Numbers from 0 up to but not including `below`, the same ones for the same seed (a linear congruential generator). */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function mutated(bytes: Uint8Array, number: (below: number) => number): Uint8Array {
  let changed = [...bytes];
  for (let left = number(6); left > 0 && changed.length > 0; left--) {
    const at = number(changed.length);
    const kind = number(6);
    if (kind === 0) changed = changed.slice(0, at);
    else if (kind === 1) changed.splice(at, number(9));
    else if (kind === 2) changed.splice(at, 0, ...changed.slice(at, at + number(40)));
    else if (kind === 3) changed.fill(0xff, at, at + number(9));
    else changed[at] = number(256);
  }
  return Uint8Array.from(changed);
}

/** Holds for every table, damaged or not. */
function expectSound(ranges: readonly LineRange[], { line }: DebugSections): void {
  expect(ranges.length).toBeLessThanOrEqual(line.length);
  const wrong = ranges.filter(
    ({ start, end, file, line: number }) =>
      !(start >= 0 && start < end && Number.isSafeInteger(end) && number > 0 && number < 2 ** 32) ||
      !Number.isSafeInteger(start) ||
      file === '' ||
      file.startsWith('/'),
  );
  expect(wrong).toEqual([]);
}

/** Damages tables, a given number of times, and how many of the results still had ranges. */
function damage(tables: readonly DebugSections[], times: number): number {
  let readable = 0;
  for (let seed = 0; seed < times; seed++) {
    const number = numbersFrom(seed);
    const table = tables[seed % tables.length];
    if (table === undefined) throw new RangeError('no table to damage');
    const sections = {
      line: mutated(table.line, number),
      lineStr: number(3) === 0 ? mutated(table.lineStr, number) : table.lineStr,
      str: number(3) === 0 ? mutated(table.str, number) : table.str,
    };
    const ranges = readLineTable(sections);
    expectSound(ranges, sections);
    if (ranges.length > 0) readable++;
  }
  return readable;
}

describe('any damage', () => {
  it('throws nothing and gives sound ranges, 2,000 times', () => {
    const { line } = SECTIONS_5;
    const both = { ...SECTIONS_5, line: Uint8Array.from([...UNIT_3, ...line]) };
    expect(damage([section(UNIT_3), SECTIONS_5, both], 2000)).toBeGreaterThan(500);
  });
});

const SQUARE_H = `static inline int square(int x) {
  int y = x * x;
  return y + 1;
}
`;
const FAR_H = `static inline int far(int x) {
  if (x > 3)
    x -= 2;
  return x;
}
`;
const MAIN_C = `#include "sub/square.h"
#include <far.h>
int other(int x);
int table[100];

static int long_code(int x) {
  __asm__ volatile(".skip 1000, 0x90");
  return x + 1;
}

int lines_far_apart(int x) {
#line 100000
  x = square(x);
#line 20
  x += table[x];
#line 5 "grammar.y"
  return x * 3 + long_code(x);
}
#line 22 "main.c"

void _start(void) {
  for (int i = 0; i < 100; i++) {
    table[i] = square(i) + far(i);
    if (table[i] & 1) table[i] = other(table[i]);
    else table[i] = lines_far_apart(i);
  }
  for (;;) {}
}
`;
const OTHER_C = `#include "square.h"
int other(int x) {
  int y = square(x);
  while (y > 10) {
    y /= 3;
    x += y;
  }
  return x;
}
`;

interface Row {
  readonly address: number;
  readonly file: string;
  /** Nothing at a sequence's end. */
  readonly line: number | undefined;
}

/** The rows that readelf reads, with the last part of each file's name. */
function readelfRows(executable: string): Row[] {
  const listing = execFileSync('readelf', ['-W', '--debug-dump=decodedline', executable], { encoding: 'utf8' });
  return [...listing.matchAll(/^(\S.*?)\s+(\d+|-)\s+0x([0-9a-f]+)(?:\s|$)/gm)].map(
    ([, file = '', line = '', at = '']) => {
      return { address: Number.parseInt(at, 16), file: basename(file), line: line === '-' ? undefined : Number(line) };
    },
  );
}

/** `file:line` of each byte of code that rows cover. */
function byteLines(rows: readonly Row[]): Map<number, string> {
  const lines = new Map<number, string>();
  rows.forEach(({ address, file, line }, index) => {
    if (line === undefined || line === 0) return;
    for (let at = address; at < (rows[index + 1]?.address ?? 0); at++) lines.set(at, `${file}:${line}`);
  });
  return lines;
}

/** `path:line` of each address, with the whole path. */
function symbolizedLines(command: readonly [string, ...string[]], executable: string, addresses: readonly number[]) {
  const [tool, ...options] = command;
  const hexadecimal = addresses.map((address) => `0x${address.toString(16)}`);
  const said = execFileSync(tool, [...options, '-e', executable, ...hexadecimal], { encoding: 'utf8' });
  return said
    .replaceAll(/ \(.*\)$/gm, '')
    .replaceAll('/./', '/')
    .trim()
    .split(/\n+/);
}

const works = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0 && process.arch === 'x64';
const hasBinutils = ['readelf', 'objcopy', 'ld'].every(works);

/** Tools that know whole paths: with the directory that the compiler ran in, which .debug_info says. */
const SYMBOLIZERS = [
  // Of version 5, binutils 2.40 takes file 0 for a sequence's first one instead of 1 (their PR 30783).
  { tool: 'addr2line', options: [], newest: 4 },
  { tool: 'llvm-symbolizer', options: ['--output-style=GNU', '--functions=none', '--no-inlines'], newest: 5 },
] as const;

/** gcc lets the assembler make the table, or writes another one itself; clang's is the third kind. */
const COMPILERS = [
  { name: 'gcc', compiler: 'gcc', options: [] },
  { name: 'gcc without .loc', compiler: 'gcc', options: ['-gno-as-loc-support'] },
  { name: 'clang', compiler: 'clang', options: [] },
] as const;

describe.each(COMPILERS)('what $name compiled', ({ name, compiler, options }) => {
  const variants = [2, 3, 4, 5].flatMap((version) =>
    ['-O0', '-O2'].flatMap((level) =>
      [32, 64]
        // DWARF64 came with version 3. GNU as writes tables of DWARF32 whatever gcc is told.
        .filter((bits) => bits === 32 || (version > 2 && name !== 'gcc'))
        .map((bits) => ({ version, level, bits })),
    ),
  );
  type Variant = (typeof variants)[number];

  let directory = '';
  const path = (file: string): string => join(directory, file);

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'lines-'));
    for (const folder of ['sub', 'abs']) mkdirSync(path(folder));
    writeFileSync(path('sub/square.h'), SQUARE_H);
    writeFileSync(path('abs/far.h'), FAR_H);
    writeFileSync(path('main.c'), MAIN_C);
    writeFileSync(path('sub/other.c'), OTHER_C);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  /** The executable of a variant, linked and so relocated, compiled at the first call. */
  function compiled({ version, level, bits }: Variant): string {
    const program = path(`${version}${level}-${bits}`);
    if (existsSync(program)) return program;
    const linked = ['-nostdlib', '-static', '-ffreestanding', '-Wl,-Ttext=0x400000,--build-id=none'];
    const debug = ['-g', `-gdwarf-${version}`, ...(bits === 64 ? ['-gdwarf64'] : []), ...options];
    const code = [level, ...(level === '-O2' ? ['-ffunction-sections'] : []), `-I${path('abs')}`];
    const files = ['-o', program, 'main.c', 'sub/other.c'];
    execFileSync(compiler, [...linked, ...debug, ...code, ...files], { cwd: directory, stdio: 'pipe' });
    return program;
  }

  function debugSections(executable: string): DebugSections {
    const read = (section: string): Uint8Array => {
      const flags = [`--only-section=${section}`, '--set-section-flags', `${section}=alloc`];
      execFileSync('objcopy', ['-O', 'binary', ...flags, executable, path('section')], { stdio: 'pipe' });
      return new Uint8Array(readFileSync(path('section')));
    };
    return { line: read('.debug_line'), lineStr: read('.debug_line_str'), str: read('.debug_str') };
  }

  const available = hasBinutils && works(compiler);

  it.skipIf(!available).each(variants)(
    'has the lines that readelf reads: -gdwarf-$version $level, $bits',
    (variant) => {
      const { version, bits } = variant;
      const executable = compiled(variant);
      const sections = debugSections(executable);
      // It is the kind of table that this test is about, but that GNU as writes version 3 if told to write 2.
      expect(sections.line[bits === 64 ? 12 : 4]).toBeOneOf(name === 'gcc' && version === 2 ? [2, 3] : [version]);
      expect(sections.line[0] === 0xff).toBe(bits === 64);

      const ranges = readLineTable(sections);
      expectSound(ranges, sections);
      const rows = ranges.flatMap(({ start, end, file, line }) => [
        { address: start, file: basename(file), line },
        { address: end, file, line: undefined },
      ]);
      const read = byteLines(readelfRows(executable));
      expect(read.size).toBeGreaterThan(1100);
      expect([...byteLines(rows)].sort()).toEqual([...read].sort());

      const continued = (a: LineRange, b: LineRange | undefined) =>
        a.end === b?.start && a.line === b.line && a.file === b.file;
      expect(ranges.filter((range, index) => continued(range, ranges[index + 1]))).toEqual([]);
    },
  );

  for (const { tool, options, newest } of SYMBOLIZERS) {
    const known = variants.filter(({ version }) => version <= newest);
    it.skipIf(!available || !works(tool)).each(known)(
      `has the files that ${tool} says: -gdwarf-$version $level, $bits`,
      (variant) => {
        const executable = compiled(variant);
        const ranges = readLineTable(debugSections(executable));
        const names = new Set(ranges.map(({ file }) => file));
        // clang takes the directory it runs in off a path that starts with it; gcc leaves the path absolute.
        const far = names.has('abs/far.h') ? 'abs/far.h' : 'far.h';
        expect([...names].sort()).toEqual([far, 'grammar.y', 'main.c', 'sub/other.c', 'sub/square.h'].sort());
        const ends = ranges.flatMap(({ start, end }) => [start, end - 1]);
        expect(symbolizedLines([tool, ...options], executable, ends)).toEqual(
          ranges.flatMap(({ file, line }) => {
            const said = `${path(file === far ? 'abs/far.h' : file)}:${line}`;
            return [said, said];
          }),
        );
      },
    );
  }

  it.skipIf(!available)('throws nothing when it is damaged', () => {
    const tables = variants.map((variant) => debugSections(compiled(variant)));
    expect(damage(tables, 600)).toBeGreaterThan(150);
  });
});
