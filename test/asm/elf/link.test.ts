import { describe, expect, it } from 'vitest';
import { LinkError, ObjectError, UnresolvedSymbols } from '../../../asm/elf/errors.js';
import { Link } from '../../../asm/elf/link.js';
import { readObject } from '../../../asm/elf/object.js';
import type { Image } from '../../../asm/image.js';
import { type ObjectText, type RelocationText, type SectionText, writeObject } from './write.js';

// Objects made byte by byte; what is expected of them is worked out by hand from the formulas of the AMD64 supplement.

const BASE = 0x400000n;
const NOBITS = 8;
const [WRITE, ALLOC, EXEC, TLS] = [1, 2, 4, 0x400];
const NONE = new Map<string, bigint>();

const load = (...texts: readonly ObjectText[]) => {
  return texts.map((text, at) => readObject({ name: `${'abcdef'[at]}.o`, bytes: writeObject(text) }));
};
const link = (...texts: readonly ObjectText[]) => new Link(load(...texts), { base: BASE });

/** What is thrown. */
function thrown(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

function read(image: Image, address: bigint, size: 1 | 2 | 4 | 8): bigint {
  const section = image.sectionAt(address);
  if (section === undefined) throw new Error(`nothing is at ${address}`);
  let value = 0n;
  for (let at = size - 1; at >= 0; at--)
    value = (value << 8n) | BigInt(section.bytes[Number(address - section.address) + at]);
  return value;
}

const zeros = (size: number) => Array<number>(size).fill(0);
const code = (bytes: readonly number[], relocations?: readonly RelocationText[]): SectionText => {
  return { name: '.text', flags: ALLOC | EXEC, bytes, ...(relocations ? { relocations } : {}) };
};
const data = (name: string, bytes: readonly number[], relocations?: readonly RelocationText[]): SectionText => {
  return { name, flags: ALLOC | WRITE, bytes, ...(relocations ? { relocations } : {}) };
};

describe('where a link puts things', () => {
  it('lays out four areas, each on pages of its own, in the order of the files and with their alignment', () => {
    const text = (size: number): ObjectText => ({
      sections: [
        code(zeros(size)),
        { name: '.rodata', bytes: zeros(size), align: 16 },
        data('.data', zeros(size)),
        { name: '.bss', type: NOBITS, flags: ALLOC | WRITE, size: 5000, align: 32 },
        { name: '.debug_info', flags: 0, bytes: zeros(100) },
        { name: '.note.gnu.property', type: 7, bytes: zeros(8) },
        { name: '.comment', flags: 0x30, bytes: zeros(8) },
      ],
      symbols: ['.text', '.rodata', '.data', '.bss'].map((name) => ({ name: `${name.slice(1)}${size}`, in: name })),
    });
    const made = link(text(3), text(5));
    expect(made.end).toBe(0x406000n);
    const image = made.finish(NONE);
    const at = ['text3', 'text5', 'rodata3', 'rodata5', 'data3', 'data5', 'bss3', 'bss5'].map((name) =>
      image.symbol(name),
    );
    expect(at).toEqual([0x400000n, 0x400003n, 0x401000n, 0x401010n, 0x402000n, 0x402003n, 0x403000n, 0x4043a0n]);
    expect(image.sections.map(({ name, address, size }) => [name, address, size])).toEqual([
      ['.text', 0x400000n, 8],
      ['.rodata', 0x401000n, 0x15],
      ['.data', 0x402000n, 0x80],
      ['.bss', 0x403000n, 5000 + 24 + 5000 - 24 + 0x18],
    ]);
  });

  it('makes the gaps between functions int3, those between data zero', () => {
    const image = link(
      { sections: [code([0xc3]), data('.data', [1])] },
      {
        sections: [
          { ...code([0xc3]), align: 4 },
          { ...data('.data', [1]), align: 4 },
        ],
      },
    ).finish(NONE);
    expect([...image.sections[0].bytes]).toEqual([0xc3, 0xcc, 0xcc, 0xcc, 0xc3]);
    expect([...image.sections[1].bytes.subarray(0, 5)]).toEqual([1, 0, 0, 0, 1]);
  });

  it('sorts the functions for start and end by priority, those without one last', () => {
    const word = (name: string, value: number): SectionText => ({
      ...data(name, [value, ...zeros(7)]),
      type: 14,
      align: 8,
    });
    const made = link(
      {
        sections: [
          word('.init_array', 1),
          word('.init_array.00200', 2),
          word('.init_array.00101', 3),
          word('.fini_array', 7),
        ],
      },
      {
        sections: [
          word('.init_array', 4),
          { ...word('.init_array.00150', 5), align: 64 },
          { ...word('.preinit_array', 6), align: 64 },
        ],
      },
    );
    const image = made.finish(NONE);
    const array = (name: string) => {
      const [start = 0n, end = 0n] = ['start', 'end'].map((edge) => made.symbols.get(`__${name}_${edge}`));
      return Array.from({ length: Number(end - start) / 8 }, (_, at) => read(image, start + BigInt(8 * at), 8));
    };
    expect(array('init_array')).toEqual([3n, 5n, 2n, 1n, 4n]);
    expect(array('preinit_array')).toEqual([6n]);
    expect(array('fini_array')).toEqual([7n]);
  });

  it('has the marks of the arrays and the thread pointer in every link', () => {
    const { symbols } = link({ sections: [code([0xc3])] });
    for (const name of ['preinit', 'init', 'fini']) {
      expect(symbols.get(`__${name}_array_start`)).toBeDefined();
      expect(symbols.get(`__${name}_array_start`)).toBe(symbols.get(`__${name}_array_end`));
    }
    expect(symbols.get('__thread_pointer')).toBe(0x401000n);
  });

  it('brings sections together whose name is an identifier, whatever is between them and however they are protected', () => {
    const words = (name: string, ...bytes: number[]) => data(name, bytes);
    const made = link(
      { sections: [words('list', 1, 2), words('.data', 9, 9), { name: 'list2', bytes: [1] }] },
      {
        sections: [words('.data', 8), words('list', 3), { ...words('.init', 0), relocations: [] }],
        symbols: ['__start_list', '__stop_list', '__start_none'].map((name) => ({ name, binding: 'weak' })),
      },
      { sections: [{ name: 'list', bytes: [4] }] },
    );
    const image = made.finish(NONE);
    const [start = 0n, stop = 0n] = ['__start_list', '__stop_list'].map((name) => made.symbols.get(name));
    expect([...image.sections[1].bytes.subarray(Number(start) & 0xfff, Number(stop) & 0xfff)]).toEqual([1, 2, 3, 4]);
    expect(made.symbols.has('__start_none')).toBe(false);
    expect(made.symbols.has('__start_list2')).toBe(false);
  });

  it('defines what GNU ld defines for those who ask', () => {
    const names = [
      '__executable_start',
      '_etext',
      'etext',
      '_edata',
      'edata',
      '__bss_start',
      '_end',
      'end',
      '__dso_handle',
    ];
    const { symbols } = link({
      sections: [
        code(zeros(7)),
        data('.data', zeros(3)),
        { name: '.bss', type: NOBITS, flags: ALLOC | WRITE, size: 20 },
      ],
      symbols: names.map((name) => ({ name })),
    });
    expect(names.map((name) => symbols.get(name))).toEqual(
      // .data has the control block from 0x401040 to 0x401080
      [0x400000n, 0x400007n, 0x400007n, 0x401080n, 0x401080n, 0x402000n, 0x402014n, 0x402014n, 0x400000n],
    );
    const own = link({ sections: [code(zeros(7))], symbols: [{ name: 'end', in: '.text', value: 5n }] });
    expect(own.symbols.get('end')).toBe(0x400005n);
  });

  it('places also what has flags that make no sense together', () => {
    const odd = [
      { name: '.tdata', flags: ALLOC | EXEC | TLS, bytes: [1] },
      { name: '.init_array', flags: ALLOC | EXEC, bytes: zeros(8), relocations: [{ offset: 0, type: 1, symbol: 'f' }] },
      { name: 'part', flags: ALLOC | TLS, bytes: zeros(8), relocations: [{ offset: 0, type: 1, symbol: 'f' }] },
    ];
    const image = link({ sections: odd, symbols: [{ name: 'f', in: '.init_array' }] }).finish(NONE);
    expect(image.sections.map(({ name }) => name)).toEqual(['.data']);
    expect(read(image, image.symbol('f'), 8)).toBe(image.symbol('f'));
  });

  it('refuses sections of one name of which one is code and one data', () => {
    const part = (flags: number): ObjectText => ({ sections: [{ name: 'part', flags, bytes: [0] }] });
    expect(String(thrown(() => link(part(ALLOC | EXEC), part(ALLOC))))).toBe(
      'LinkError: sections named "part" are code in one file and data in another: rename one of them',
    );
  });

  it('refuses what does not fit, without making room for it first', () => {
    const bss = (size: number): ObjectText => ({
      sections: [{ name: '.bss', type: NOBITS, flags: ALLOC | WRITE, size }],
    });
    expect(thrown(() => link(bss(2 ** 50)))).toBeInstanceOf(LinkError);
    expect(thrown(() => link(bss(200 << 20), bss(200 << 20)))).toBeInstanceOf(LinkError);
    expect(thrown(() => new Link(load(bss(8192)), { base: BASE, limit: BASE + 8192n }))).toBeInstanceOf(LinkError);
    expect(new Link(load(bss(4096)), { base: BASE, limit: BASE + 8192n }).end).toBe(BASE + 8192n);
    const tbss: ObjectText = {
      sections: [{ name: '.tbss', type: NOBITS, flags: ALLOC | WRITE | TLS, size: 65 << 20 }],
    };
    expect(thrown(() => link(tbss))).toBeInstanceOf(LinkError);
    const gaps = Array.from({ length: 1100 }, (): SectionText => ({ ...data('.data', [1]), align: 65536 }));
    expect(thrown(() => link({ sections: gaps }))).toBeInstanceOf(LinkError);
    expect(thrown(() => link({ sections: gaps.slice(100) }))).toBeInstanceOf(Link);
    const common: ObjectText = { symbols: [{ name: 'huge', in: 'common', value: 8n, size: 2 ** 45 }] };
    expect(thrown(() => link(common))).toBeInstanceOf(LinkError);
    expect(
      thrown(() => link({ sections: [code([])], symbols: [{ name: 'x', in: 'common', value: 3n }] })),
    ).toBeInstanceOf(ObjectError);
    expect(() => new Link([], { base: 1n })).toThrow(RangeError);
  });
});

describe('which definition counts', () => {
  /** A file that defines `x`, with a byte of its own in .data. */
  const strong: ObjectText = { sections: [data('.data', [1])], symbols: [{ name: 'x', in: '.data' }] };
  const weak: ObjectText = { sections: [data('.data', [2])], symbols: [{ name: 'x', in: '.data', binding: 'weak' }] };
  const common = (size: number, align = 1n): ObjectText => ({
    symbols: [{ name: 'x', in: 'common', size, value: align }],
  });
  const undefinedX: ObjectText = { symbols: [{ name: 'x' }] };
  const value = (...texts: readonly ObjectText[]) => {
    const image = link(...texts).finish(NONE);
    const section = image.sectionAt(image.symbol('x'));
    return section?.name === '.bss'
      ? `${section.size} bytes`
      : section?.bytes[Number(image.symbol('x') - section.address)];
  };

  it.each([
    ['strong, weak', [strong, weak], 1],
    ['weak, strong', [weak, strong], 1],
    ['weak, weak', [{ ...weak, sections: [data('.data', [3])] }, weak], 3],
    ['strong, common', [strong, common(8)], 1],
    ['common, strong', [common(8), strong], 1],
    // As GNU ld does: a common symbol comes before a weak one
    ['weak, common', [weak, common(8)], '8 bytes'],
    ['common, weak', [common(8), weak], '8 bytes'],
    ['common, larger common', [common(8), common(24)], '24 bytes'],
    ['common, smaller common', [common(24), common(8)], '24 bytes'],
    ['undefined, weak, undefined', [undefinedX, weak, undefinedX], 2],
  ])('%s', (_, texts, expected) => {
    expect(value(...texts)).toBe(expected);
  });

  it('aligns a common symbol as the strictest file wants', () => {
    const odd: ObjectText = { sections: [{ name: '.bss', type: NOBITS, flags: ALLOC | WRITE, size: 3 }] };
    const { symbols } = link(odd, common(8, 4n), common(4, 64n));
    expect(symbols.get('x')).toBe(0x401000n + 64n);
  });

  it('names the files that define a symbol twice', () => {
    const error = thrown(() => link(weak, strong, strong));
    expect(error).toBeInstanceOf(LinkError);
    expect(String(error)).toBe('LinkError: "x" is defined twice: in b.o and in c.o');
  });

  it('keeps local symbols to their files, and tells them apart by the file', () => {
    const own = (byte: number): ObjectText => ({
      sections: [data('.data', [byte, ...zeros(7)], [{ offset: 0, type: 1, symbol: 'x' }])],
      symbols: [
        { name: 'x', in: '.data', value: BigInt(byte), binding: 'local' },
        { name: '.Lhidden', in: '.data', binding: 'local' },
        { name: 'a.c', in: 'absolute', type: 4, binding: 'local' },
        { name: '', in: '.data', type: 3, binding: 'local' },
      ],
    });
    const image = link(own(1), own(2)).finish(NONE);
    expect([read(image, 0x400000n, 8), read(image, 0x400008n, 8)]).toEqual([0x400001n, 0x40000an]);
    const names = [...image.symbols].filter(([name]) => !name.startsWith('_'));
    expect(names).toEqual([
      ['x', 0x400001n],
      ['b.o:x', 0x40000an],
    ]);
  });

  it('keeps the first of equal groups; what refers to the others finds that one', () => {
    const group = (byte: number): ObjectText => ({
      sections: [
        { ...data('.data', zeros(8), [{ offset: 0, type: 1, symbol: 'f' }]), align: 8 },
        data('.data.f', [byte]),
        { name: '.eh_frame', bytes: zeros(8), relocations: [{ offset: 0, type: 1, symbol: 'own' }] },
      ],
      symbols: [
        { name: 'own', in: '.data.f', binding: 'local' },
        { name: 'f', in: '.data.f' },
      ],
      groups: [{ signature: 'f', sections: ['.data.f'] }],
    });
    const image = link(group(7), group(8)).finish(NONE);
    const [frames, values] = image.sections;
    expect([...values.bytes.subarray(8, 9)]).toEqual([7]);
    expect([read(image, values.address, 8), read(image, values.address + 16n, 8)]).toEqual([
      values.address + 8n,
      values.address + 8n,
    ]);
    // What describes code that is gone describes nothing.
    expect([read(image, frames.address, 8), read(image, frames.address + 8n, 8)]).toEqual([values.address + 8n, 0n]);
    const outsider = group(9);
    const [first, ...others] = outsider.sections ?? [];
    const bad = {
      ...outsider,
      sections: [{ ...first, relocations: [{ offset: 0, type: 1, symbol: 'own' }] }, ...others],
    };
    expect(String(thrown(() => link(group(7), bad).finish(NONE)))).toBe(
      'LinkError: b.o: .data+0x0: symbol "own" is in section ".data.f" of b.o, which is not part of the program',
    );
  });

  it('prefers the program to what is outside, and the outside to a weak nothing', () => {
    const text: ObjectText = {
      sections: [
        data('.data', zeros(32), [
          { offset: 0, type: 1, symbol: 'own' },
          { offset: 8, type: 1, symbol: 'given' },
          { offset: 16, type: 1, symbol: 'maybe' },
          { offset: 24, type: 1, symbol: 'nowhere' },
        ]),
      ],
      symbols: [
        { name: 'own', in: '.data' },
        { name: 'given' },
        { name: 'maybe', binding: 'weak' },
        { name: 'nowhere', binding: 'weak' },
        { name: 'unused' },
      ],
    };
    const made = link(text);
    expect([...made.wanted]).toEqual([['given', ['a.o']]]);
    const outside = new Map([
      ['own', 1n],
      ['given', 0x1000n],
      ['maybe', 0x2000n],
    ]);
    const image = made.finish(outside);
    expect([0n, 8n, 16n, 24n].map((at) => read(image, BASE + at, 8))).toEqual([BASE, 0x1000n, 0x2000n, 0n]);
    // The link itself has not changed.
    expect(read(made.finish(new Map([['given', 5n]])), BASE + 16n, 8)).toBe(0n);
  });

  it('names all that nobody defines at once, with who needs it and what it may have been meant to be', () => {
    const needs = (...names: readonly string[]): ObjectText => ({
      sections: [
        code(
          zeros(4 + 4 * names.length),
          names.map((symbol, at) => ({ offset: 4 * at + 4, type: 2, symbol })),
        ),
      ],
      symbols: [{ name: `f${names.length}`, in: '.text', type: 2 }, ...names.map((name) => ({ name }))],
    });
    const error = thrown(() => link(needs('worker', 'mil_go'), needs('worker')).finish(new Map([['mill_go', 1n]])));
    expect(error).toBeInstanceOf(UnresolvedSymbols);
    if (!(error instanceof UnresolvedSymbols)) return;
    expect(error.message.split('\n')).toEqual([
      'undefined symbol "worker", needed by a.o in f2+0x4 and by b.o in f1+0x4',
      'undefined symbol "mil_go", needed by a.o in f2+0x8; did you mean "mill_go"?',
    ]);
    expect(error.missing.map(({ symbol, neededBy, near }) => [symbol, neededBy, near])).toEqual([
      ['worker', ['a.o', 'b.o'], []],
      ['mil_go', ['a.o'], ['mill_go']],
    ]);
  });
});

describe('relocations', () => {
  // .text at 0x400000; behind it .data, with `x` (24 bytes large) 0x20 into it, and the table at 0x401040.
  const X = 0x401020n;
  const GOT = 0x401040n;
  const P = 0x400008n;
  const one = (type: number, addend: bigint, symbol: string | number = 'x'): ObjectText => ({
    sections: [code(zeros(24), [{ offset: 8, type, symbol, addend }]), data('.data', zeros(0x40))],
    symbols: [
      { name: 'x', in: '.data', value: 0x20n, size: 24 },
      { name: 'number', in: 'absolute', value: -2n },
      { name: 'out' },
    ],
  });
  const signed = (width: number, value: bigint) => BigInt.asUintN(8 * width, value);

  it.each([
    ['64', 1, 8, 5n, X + 5n],
    ['PC32', 2, 4, -4n, X - 4n - P],
    ['GOT32', 3, 4, 0n, 0n],
    ['PLT32', 4, 4, -4n, X - 4n - P],
    ['GOTPCREL', 9, 4, -4n, GOT - 4n - P],
    ['32', 10, 4, 5n, X + 5n],
    ['32S', 11, 4, -5n, X - 5n],
    ['16', 12, 2, -X + 0xffffn, 0xffffn],
    ['PC16', 13, 2, -4n, X - 4n - P],
    ['8', 14, 1, -X - 128n, -128n],
    ['PC8', 15, 1, P - X - 3n, -3n],
    ['PC64', 24, 8, 0x100000000n, X + 0x100000000n - P],
    ['GOTOFF64', 25, 8, 1n, X + 1n - GOT],
    ['GOTPC32', 26, 4, 4n, GOT + 4n - P],
    ['GOT64', 27, 8, 3n, 3n],
    ['GOTPCREL64', 28, 8, 3n, GOT + 3n - P],
    ['GOTPC64', 29, 8, 4n, GOT + 4n - P],
    ['PLTOFF64', 31, 8, 4n, X + 4n - GOT],
    ['SIZE32', 32, 4, 1n, 25n],
    ['SIZE64', 33, 8, -1n, 23n],
    ['GOTPCRELX', 41, 4, -4n, GOT - 4n - P],
    ['REX_GOTPCRELX', 42, 4, -4n, GOT - 4n - P],
  ] as const)('R_X86_64_%s', (_, type, width, addend, expected) => {
    const image = link(one(type, addend)).finish(NONE);
    expect(image.symbol('_GLOBAL_OFFSET_TABLE_')).toBe(GOT);
    expect(read(image, P, width)).toBe(signed(width, expected));
    // Nothing else changes.
    const { bytes } = image.sections[0];
    expect([...bytes.subarray(0, 8), ...bytes.subarray(8 + width)]).toEqual(zeros(24 - width));
    if ([3, 9, 27, 28, 41, 42].includes(type)) expect(read(image, GOT, 8)).toBe(X);
  });

  it('leaves R_X86_64_NONE alone, takes symbol 0 for 0 and a negative number for what it is', () => {
    expect(read(link(one(0, 5n)).finish(NONE), P, 8)).toBe(0n);
    expect(read(link(one(10, 77n, 0)).finish(NONE), P, 4)).toBe(77n);
    const image = link(one(1, 0n, 'number')).finish(NONE);
    expect(read(image, P, 8)).toBe(0xfffffffffffffffen);
    expect(image.symbols.get('number')).toBe(-2n);
  });

  it('makes one entry for a symbol however often it is asked for, and one for each symbol', () => {
    const asks = (symbol: string, offset: number) => ({ offset, type: 9, symbol, addend: -4n });
    const text: ObjectText = {
      sections: [
        code(zeros(24), [asks('x', 0), asks('out', 4), asks('x', 8), asks('out', 12)]),
        data('.data', zeros(0x40)),
      ],
      symbols: [{ name: 'x', in: '.data', value: 0x20n }, { name: 'out' }],
    };
    const image = link(text).finish(new Map([['out', 0x12345678n]]));
    const entry = (at: bigint) => BASE + at + 4n + BigInt.asIntN(32, read(image, BASE + at, 4));
    expect([0n, 4n, 8n, 12n].map(entry)).toEqual([GOT, GOT + 8n, GOT, GOT + 8n]);
    expect([read(image, GOT, 8), read(image, GOT + 8n, 8)]).toEqual([X, 0x12345678n]);
  });

  it.each([
    ['32', 10, -X - 1n, 'makes the value -1 for R_X86_64_32, which is no unsigned 32-bit number'],
    ['32', 10, 0x100000000n - X, 'makes the value 4294967296 for R_X86_64_32, which is no unsigned 32-bit number'],
    ['32S', 11, 0x80000000n - X, 'makes the value 2147483648 for R_X86_64_32S, which is no signed 32-bit number'],
    [
      'PC32',
      2,
      -0x80000001n - X + P,
      'makes the value -2147483649 for R_X86_64_PC32, which is no signed 32-bit number',
    ],
    ['16', 12, 0x10000n - X, 'makes the value 65536 for R_X86_64_16, which is no 16-bit number'],
    ['PC8', 15, 128n - X + P, 'makes the value 128 for R_X86_64_PC8, which is no signed 8-bit number'],
    ['TPOFF32', 23, 0n, 'is no thread-local variable, but is used as one'],
  ])('says that a value does not fit: R_X86_64_%s', (_, type, addend, message) => {
    const error = thrown(() => link(one(type, addend)).finish(NONE));
    expect(String(error)).toBe(`LinkError: a.o: .text+0x8: symbol "x" ${message}`);
    // The last value that fits
    const fitting = addend < -X ? addend + 1n : addend - 1n;
    if (type !== 23) expect(() => link(one(type, fitting)).finish(NONE)).not.toThrow();
  });

  it.each([
    [6, 'R_X86_64_GLOB_DAT: it is for shared libraries and linked programs'],
    [34, 'R_X86_64_GOTPC32_TLSDESC: TLS descriptors are not supported: compile with -mtls-dialect=gnu'],
    [99, '99: it is not known'],
  ])('refuses type %s', (type, message) => {
    const error = thrown(() => link(one(type, 0n)));
    expect(String(error)).toBe(`LinkError: a.o: .text+0x8: cannot apply relocation ${message}`);
  });

  it.each([
    ['a place outside of its section', one(1, 0n), 17],
    ['a place outside of its section', one(2, 0n), 21],
    ['a place outside of its section', one(2, 0n), 2 ** 52],
  ])('refuses %s', (_, text, offset) => {
    const [{ relocations = [], ...first }, ...others] = text.sections ?? [];
    const moved = (to: number) => ({
      ...text,
      sections: [{ ...first, relocations: [{ ...relocations[0], offset: to }] }, ...others],
    });
    expect(String(thrown(() => link(moved(offset))))).toBe(
      'ObjectError: a.o: truncated or damaged: a relocation of ".text" names a place outside of its section',
    );
    if (offset < 100) expect(() => link(moved(offset - 1))).not.toThrow();
  });

  it('refuses a symbol that is not in the table', () => {
    expect(String(thrown(() => link(one(1, 0n, 4))))).toBe(
      'ObjectError: a.o: truncated or damaged: a relocation of ".text" names symbol 4, which does not exist',
    );
  });

  it('does not change the objects: two links of them at two addresses are each right', () => {
    const objects = load(one(1, 0n));
    const values = [BASE, BASE * 2n, BASE].map((base) => read(new Link(objects, { base }).finish(NONE), base + 8n, 8));
    expect(values).toEqual([X, X + BASE, X]);
  });

  it('works on a part of a Buffer, as Node reads files, and changes none of it', () => {
    const bytes = writeObject({
      ...one(1, 0n),
      sections: [
        ...(one(1, 0n).sections ?? []),
        { name: '.debug_line', flags: 0, bytes: zeros(8), relocations: [{ offset: 0, type: 1, symbol: 'x' }] },
      ],
    });
    const buffer = Buffer.alloc(bytes.length + 7, 0xee);
    buffer.set(bytes, 7);
    const before = Uint8Array.from(buffer);
    const image = new Link([readObject({ name: 'a.o', bytes: buffer.subarray(7) })], { base: BASE }).finish(NONE);
    expect(read(image, P, 8)).toBe(X);
    expect(Uint8Array.from(buffer)).toEqual(before);
  });
});

describe('thread-local variables', () => {
  // .tdata has 12 bytes and .tbss 4, aligned to 32: the block has 32 bytes and ends at the thread pointer.
  const text = (relocations: readonly RelocationText[]): ObjectText => ({
    sections: [
      code(zeros(32), relocations),
      { name: '.tbss', type: NOBITS, flags: ALLOC | WRITE | TLS, size: 4, align: 4 },
      { name: '.tdata', flags: ALLOC | WRITE | TLS, bytes: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], align: 32 },
    ],
    symbols: [
      { name: 'd', in: '.tdata', value: 4n, type: 6, size: 4 },
      { name: 'z', in: '.tbss', type: 6, size: 4 },
      { name: 'w', type: 6, binding: 'weak' },
    ],
  });
  const D = -32n + 4n;
  const Z = -32n + 12n;
  const finish = (...relocations: readonly RelocationText[]) => {
    const made = link(text(relocations));
    return { image: made.finish(NONE), TP: made.symbols.get('__thread_pointer') ?? 0n };
  };
  const int32 = (image: Image, at: bigint) => BigInt.asIntN(32, read(image, at, 4));
  const word = (image: Image, at: bigint) => BigInt.asIntN(64, read(image, at, 8));

  it('are a block that ends at the thread pointer, with a control block behind it', () => {
    const { image, TP } = finish();
    expect(TP % 64n).toBe(0n);
    const { address, bytes, size } = image.sections[1];
    const at = Number(TP - address);
    expect([...bytes.subarray(at - 32, at)]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, ...zeros(20)]);
    expect(size).toBe(at + 64);
    expect([word(image, TP), word(image, TP + 0x28n)]).toEqual([TP, 0x6d696c6c73636f00n]);
    expect([image.symbol('d'), image.symbol('z')]).toEqual([TP + D, TP + Z]);
  });

  it('are aligned as they want, however much that is', () => {
    const tbss: SectionText = { name: '.tbss', type: NOBITS, flags: ALLOC | WRITE | TLS, size: 300, align: 256 };
    const made = link({ sections: [data('.data', zeros(3)), tbss], symbols: [{ name: 'v', in: '.tbss', type: 6 }] });
    expect(made.symbols.get('v')).toBe(0x400100n);
    expect(made.symbols.get('__thread_pointer')).toBe(0x400300n);
  });

  it('are reached by their offsets from the thread pointer', () => {
    const { image } = finish(
      { offset: 0, type: 23, symbol: 'd' },
      { offset: 4, type: 21, symbol: 'z', addend: 2n },
      { offset: 8, type: 18, symbol: 'z' },
      { offset: 16, type: 17, symbol: 'd', addend: 1n },
    );
    expect([int32(image, BASE), int32(image, BASE + 4n)]).toEqual([D, Z + 2n]);
    expect([word(image, BASE + 8n), word(image, BASE + 16n)]).toEqual([Z, D + 1n]);
  });

  it('are reached through the global offset table', () => {
    const asks = (offset: number, type: number, symbol: string) => ({ offset, type, symbol, addend: -4n });
    const { image } = finish(
      asks(0, 22, 'z'),
      asks(4, 19, 'd'),
      asks(8, 20, 'd'),
      asks(12, 20, 'z'),
      asks(16, 22, 'z'),
    );
    const entry = (at: bigint) => BASE + at + 4n + int32(image, BASE + at);
    expect(word(image, entry(0n))).toBe(Z);
    expect([word(image, entry(4n)), word(image, entry(4n) + 8n)]).toEqual([1n, D]);
    expect([word(image, entry(8n)), word(image, entry(8n) + 8n)]).toEqual([1n, 0n]);
    expect([entry(12n), entry(16n)]).toEqual([entry(8n), entry(0n)]);
  });

  it('have the address 0 if they are weak and nobody defines them', () => {
    const { image, TP } = finish(
      { offset: 0, type: 18, symbol: 'w' },
      { offset: 8, type: 22, symbol: 'w', addend: -4n },
    );
    expect(TP + word(image, BASE)).toBe(0n);
    expect(TP + word(image, BASE + 12n + int32(image, BASE + 8n))).toBe(0n);
  });

  it('cannot be used as if they were none, nor others as if they were some', () => {
    expect(String(thrown(() => finish({ offset: 0, type: 1, symbol: 'd' })))).toBe(
      'LinkError: a.o: .text+0x0: symbol "d" is a thread-local variable, but is used as if it were none',
    );
    const other: ObjectText = {
      sections: [code(zeros(8), [{ offset: 0, type: 23, symbol: 'errno' }])],
      symbols: [{ name: 'errno', type: 6 }],
    };
    expect(String(thrown(() => link(other).finish(new Map([['errno', 0x1000n]]))))).toBe(
      'LinkError: a.o: .text+0x0: symbol "errno" is no thread-local variable, but is used as one',
    );
  });
});
