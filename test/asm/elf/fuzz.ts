import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Archive, neededMembers } from '../../../asm/elf/archive.js';
import { LinkError, ObjectError, UnresolvedSymbols } from '../../../asm/elf/errors.js';
import { Link } from '../../../asm/elf/link.js';
import { type ObjectFile, readObject } from '../../../asm/elf/object.js';
import { COMPILERS, has, Workshop } from './compile.js';
import { writeArchive, writeObject } from './write.js';

/** Inputs that have once gone wrong. */
export const BROKEN: string = fileURLToPath(new URL('../../../fixtures/broken/', import.meta.url));
const FIXTURES = fileURLToPath(new URL('../../../fixtures/c/', import.meta.url));

/** Numbers from 0 up to, not including, `end`, the same for the same seed: mulberry32. */
export type Random = (end: number) => number;

export function random(seed: number): Random {
  let state = seed >>> 0;
  return (end) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 2 ** 32) * end);
  };
}

const NUMBERS = [
  0n,
  1n,
  2n,
  3n,
  7n,
  0x18n,
  0x40n,
  0xffn,
  0xff00n,
  0xfff1n,
  0xfff2n,
  0xffffn,
  1n << 16n,
  1n << 24n,
  1n << 31n,
];
const HUGE = [
  0xffffffffn,
  1n << 32n,
  1n << 40n,
  (1n << 53n) - 1n,
  1n << 53n,
  1n << 63n,
  (1n << 64n) - 1n,
  (1n << 64n) - 8n,
];

/** A number that is likely to be believed or to be too much. */
function lie(pick: Random, size: number): bigint {
  const any = [
    ...NUMBERS,
    ...HUGE,
    BigInt(size),
    BigInt(size) - 1n,
    BigInt(size) / 2n,
    BigInt(pick(size)),
    BigInt(pick(40)),
  ];
  return any[pick(any.length)] ?? 0n;
}

function put(view: DataView, at: number, width: number, value: bigint): void {
  for (let byte = 0; byte < width; byte++) {
    const place = at + byte;
    if (place < view.byteLength) view.setUint8(place, Number((value >> BigInt(8 * byte)) & 0xffn));
  }
}

/** Widths of the fields of a header, a section header, a symbol and a relocation, from the gABI. */
const HEADER = [1, 1, 1, 1, 1, 1, 1, 9, 2, 2, 4, 8, 8, 8, 4, 2, 2, 2, 2, 2, 2];
const SECTION = [4, 4, 8, 8, 8, 8, 4, 4, 8, 8];
const SYMBOL = [4, 1, 1, 2, 8, 8];
const RELOCATION = [8, 4, 4, 8];
const WORD = [4];

/** Sets one field of a record to a lie. */
function lieAbout(view: DataView, at: number, widths: readonly number[], pick: Random): void {
  const field = pick(widths.length);
  const start = widths.slice(0, field).reduce((sum, width) => sum + width, at);
  put(view, start, Math.min(8, widths[field]), lie(pick, view.byteLength));
}

/** Makes one change to an object file. */
function change(bytes: Uint8Array, pick: Random): Uint8Array {
  const view = new DataView(bytes.buffer);
  const size = bytes.length;
  if (size < 64) return bytes;
  const table = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  const header = (index: number) => Math.min(table + 64 * index, size);
  const anySection = () => header(pick(count + 1));
  const isWhole = (at: number) => at + 64 <= size;
  const tables: Readonly<Record<number, readonly number[]>> = { 2: SYMBOL, 4: RELOCATION, 17: WORD, 18: WORD };
  switch (pick(9)) {
    case 0:
      for (let flips = 1 + pick(8); flips > 0; flips--) bytes[pick(size)] ^= 1 << pick(8);
      return bytes;
    case 1:
      return bytes.slice(0, pick(size));
    case 2:
      lieAbout(view, 0, HEADER, pick);
      return bytes;
    case 3:
    case 4:
      lieAbout(view, anySection(), SECTION, pick);
      return bytes;
    case 5: {
      // Two sections trade places, or one takes the place of another.
      const [a, b] = [anySection(), anySection()];
      if (!isWhole(a) || !isWhole(b)) return bytes;
      const first = bytes.slice(a, a + 64);
      bytes.copyWithin(a, b, b + 64);
      if (pick(2) === 0) bytes.set(first, b);
      return bytes;
    }
    case 6:
    case 7: {
      // A lie in an entry of a table
      const candidates = Array.from({ length: count }, (_, index) => header(index)).filter((at) => {
        return isWhole(at) && tables[view.getUint32(at + 4, true)] !== undefined;
      });
      if (candidates.length === 0) return bytes;
      const at = candidates[pick(candidates.length)];
      const widths = tables[view.getUint32(at + 4, true)] ?? WORD;
      const length = widths.reduce((sum, width) => sum + width, 0);
      const entries = Math.floor(Number(view.getBigUint64(at + 32, true)) / length) || 1;
      lieAbout(view, Number(view.getBigUint64(at + 24, true)) + length * pick(Math.min(entries, size)), widths, pick);
      return bytes;
    }
    default: {
      const [from, to, length] = [pick(size), pick(size), pick(256)];
      bytes.copyWithin(to, from, from + length);
      return bytes;
    }
  }
}

/** A damaged copy. */
export function mutate(seed: Uint8Array, pick: Random): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(seed);
  for (let changes = 1 + pick(3); changes > 0; changes--) bytes = change(bytes, pick);
  return bytes;
}

/** An object with everything that a compiler would make on another day. */
const EVERYTHING = writeObject({
  sections: [
    {
      name: '.text',
      flags: 6,
      bytes: Array<number>(160).fill(0x90),
      align: 16,
      relocations: [1, 2, 4, 9, 10, 11, 24, 25, 26, 27, 29, 31, 32, 41, 42].map((type, at) => {
        return { offset: 10 * at, type, symbol: ['main', 'outside', 'common', 'weak'][at % 4], addend: -4n };
      }),
    },
    { name: '.text.f', flags: 6, bytes: [0xc3], relocations: [] },
    { name: '.rodata', bytes: [1, 2, 3, 4], align: 8 },
    { name: '.data', flags: 3, bytes: Array<number>(16).fill(7), relocations: [{ offset: 8, type: 1, symbol: 'f' }] },
    { name: '.bss', type: 8, flags: 3, size: 5000, align: 32 },
    { name: '.init_array.00100', type: 14, flags: 3, bytes: Array<number>(8).fill(0), align: 8 },
    { name: 'list', flags: 3, bytes: [1, 2, 3, 4], align: 4 },
    {
      name: '.tdata',
      flags: 0x403,
      bytes: Array<number>(64).fill(5),
      relocations: [17, 18].map((type, at) => ({ offset: 8 * at, type, symbol: 'thread' })),
    },
    { name: '.tbss', type: 8, flags: 0x403, size: 100, align: 64 },
  ],
  symbols: [
    { name: 'file.c', in: 'absolute', type: 4, binding: 'local' },
    { name: 'local', in: '.data', value: 8n, binding: 'local' },
    { name: 'main', in: '.text', type: 2, size: 16 },
    { name: 'f', in: '.text.f', type: 2, binding: 'weak' },
    { name: 'common', in: 'common', value: 16n, size: 100 },
    { name: 'thread', in: '.tdata', type: 6, size: 4 },
    { name: 'outside' },
    { name: 'weak', binding: 'weak' },
    { name: '__start_list' },
    { name: '__stop_list' },
  ],
  groups: [{ signature: 'f', sections: ['.text.f'] }],
});

/** Files to damage that are the same everywhere: one made here, and those of the fixtures. */
export function seeds(): Uint8Array[] {
  const found = readdirSync(FIXTURES).filter((name) => name.endsWith('.o'));
  return [EVERYTHING, ...found.map((name) => new Uint8Array(readFileSync(FIXTURES + name)))];
}

/** More of them, by the compilers of this machine. */
export function compiledSeeds(): Uint8Array[] {
  const workshop = new Workshop();
  const flags = ['-O0', '-O1 -g', '-O2 -fPIC -ffunction-sections -g', '-O2 -fPIC -mcmodel=large', '-Os -fno-plt -fPIC'];
  try {
    return COMPILERS.filter((each) => has(each)).flatMap((compiler) =>
      flags.map((each) => {
        workshop.run(compiler, ...each.split(' '), '-c', '-o', 'seed.o', workshop.source('one.c'));
        return new Uint8Array(readFileSync(workshop.path('seed.o')));
      }),
    );
  } finally {
    workshop.remove();
  }
}

/** What a damaged file is linked with: it shares some names. */
const HEALTHY = {
  name: 'healthy.o',
  bytes: writeObject({
    sections: [
      { name: '.text', flags: 6, bytes: Array<number>(8).fill(0), relocations: [{ offset: 0, type: 1, symbol: 'f' }] },
      { name: '.text.f', flags: 6, bytes: [0xc3] },
      { name: 'list', flags: 3, bytes: [1] },
      { name: '.tbss', type: 8, flags: 0x403, size: 3 },
    ],
    symbols: [
      { name: 'f', in: '.text.f', binding: 'weak' },
      { name: 'main', in: '.text', binding: 'weak' },
      { name: 'common', in: 'common', value: 4n, size: 200 },
    ],
    groups: [{ signature: 'f', sections: ['.text.f'] }],
  }),
};

/** How a link ended, and what is wrong with that if anything is. */
export interface Probed {
  readonly outcome: string;
  readonly fault: string | undefined;
}

/** Links each list of files that `files` gives. */
function probeLinks(files: () => readonly (readonly ObjectFile[])[]): Probed {
  try {
    const images = files().map((objects) => {
      const link = new Link(objects, { base: 0x400000n });
      return link.finish(new Map([...link.wanted.keys()].map((name) => [name, 0x1000n])));
    });
    for (const { address, size, bytes: content, name } of images.flatMap(({ sections }) => sections)) {
      const isRight = address >= 0x400000n && address + BigInt(size) <= 1n << 31n;
      if (!isRight || content.length !== (name === '.bss' ? 0 : size))
        return { outcome: 'linked', fault: `${name} is wrong` };
    }
    return { outcome: 'linked', fault: undefined };
  } catch (error) {
    const isTyped = error instanceof ObjectError || error instanceof LinkError || error instanceof UnresolvedSymbols;
    const outcome = error instanceof Error ? error.name : 'thrown';
    return { outcome, fault: isTyped ? undefined : error instanceof Error ? error.stack : String(error) };
  }
}

/** Links a file alone and together with a healthy one. */
export function probe(bytes: Uint8Array): Probed {
  return probeLinks(() => {
    const objects = [readObject({ name: 'damaged.o', bytes })];
    return [objects, [readObject(HEALTHY), ...objects]];
  });
}

/** Members that need each other in a circle, name what others define, or are no objects. */
const MEMBERS = [
  { name: 'everything.o', bytes: EVERYTHING, defines: ['main', 'f', 'common', 'thread'] },
  { name: 'text', bytes: new TextEncoder().encode('odd') },
  ...['ring0', 'ring1', 'ring2'].map((name, at, ring) => ({
    name: `${name}-with-a-long-name.o`,
    defines: [name],
    bytes: writeObject({
      sections: [
        { name: '.data', flags: 3, bytes: Array<number>(8).fill(0), relocations: [{ offset: 0, type: 1, symbol: 1 }] },
      ],
      symbols: [{ name: ring[(at + 1) % ring.length] }, { name, in: '.data', size: 8 }],
    }),
  })),
  { name: 'outside.o', bytes: HEALTHY.bytes, defines: ['main', 'f', 'common'] },
];

/** Archives to damage: with an index of either kind, and without. */
export function archiveSeeds(): Uint8Array[] {
  return ([0, 4, 8] as const).map((width) => writeArchive(MEMBERS, width));
}

/** Fields of a member's header: name, date, user, group, mode, size, end. */
const MEMBER_HEADER = [16, 12, 6, 6, 8, 10, 2];
const NAMES = ['/', '//', '/SYM64/', '/0', '/1', '/99999999999', '#1/0', '#1/8', '#1/4096', '#1/999999999999', ''];
const SIZES = ['0', '1', '2', '59', '60', '4294967295', '9999999999', '-1', '1e9', '0x10', ' 8', ''];

/** Makes one change to an archive. */
function changeArchive(bytes: Uint8Array, pick: Random): Uint8Array {
  const size = bytes.length;
  const view = new DataView(bytes.buffer);
  // Where headers end; what looks like one by chance is as good.
  const headers = [8];
  for (let at = 8; at + 60 <= size; at++) if (view.getUint16(at + 58) === 0x600a) headers.push(at);
  const header = headers[pick(headers.length)];
  const write = (field: number, text: string): void => {
    const start = MEMBER_HEADER.slice(0, field).reduce((sum, width) => sum + width, header);
    const content = new TextEncoder().encode(text.padEnd(MEMBER_HEADER[field])).subarray(0, MEMBER_HEADER[field]);
    if (start + content.length <= size) bytes.set(content, start);
  };
  switch (pick(9)) {
    case 0:
      return bytes.slice(0, pick(size));
    case 1:
      write(0, NAMES[pick(NAMES.length)]);
      return bytes;
    case 2:
      write(5, SIZES[pick(SIZES.length)]);
      return bytes;
    case 3:
      write(5, String(pick(2 * size)));
      return bytes;
    case 4: {
      // The index: its count, or where a member is.
      const lies = [...headers, 0, 7, size, 2 ** 31, 2 ** 32 - 1, pick(size), pick(100)];
      const at = 68 + 4 * pick(12);
      if (at + 4 <= size) view.setUint32(at, lies[pick(lies.length)]);
      return bytes;
    }
    case 5: {
      // A member, or half of one, takes the place of another: overlapping, twice, or in itself.
      const [from, to] = [header, headers[pick(headers.length)]];
      bytes.copyWithin(to, from, from + 60 + pick(size));
      return bytes;
    }
    case 6: {
      const twice = new Uint8Array(size + header - 8);
      twice.set(bytes);
      twice.set(bytes.subarray(8, header), size);
      return twice;
    }
    case 7: {
      // A damaged object in place of a healthy one
      const start = header + 60;
      const member = mutate(bytes.slice(start, Math.min(size, start + pick(4000))), pick);
      bytes.set(member.subarray(0, Math.max(0, size - start)), Math.min(start, size));
      return bytes;
    }
    default:
      for (let flips = 1 + pick(8); flips > 0; flips--) if (size > 0) bytes[pick(size)] ^= 1 << pick(8);
      return bytes;
  }
}

/** A damaged copy. */
export function mutateArchive(seed: Uint8Array, pick: Random): Uint8Array {
  let bytes: Uint8Array = Uint8Array.from(seed);
  for (let changes = 1 + pick(3); changes > 0; changes--) bytes = changeArchive(bytes, pick);
  return bytes;
}

/** Links what a healthy file and a list of names need of an archive, alone and behind itself as it once was. */
export function probeArchive(bytes: Uint8Array): Probed {
  return probeLinks(() => {
    const damaged = new Archive('damaged.a', bytes);
    const healthy = new Archive('healthy.a', writeArchive(MEMBERS));
    const main = readObject(HEALTHY);
    return [[damaged], [healthy, damaged], [damaged, healthy]].map((archives) => [
      main,
      ...neededMembers([main], ['ring0', 'thread', 'g'], archives, new Set(['outside'])),
    ]);
  });
}
