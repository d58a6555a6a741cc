import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { ObjectError } from '../../../asm/elf/errors.js';
import { readObject } from '../../../asm/elf/object.js';
import { has, Workshop } from './compile.js';
import { writeObject } from './write.js';

const workshop = new Workshop();
afterAll(() => workshop.remove());

const SMALL = writeObject({
  sections: [
    { name: '.text', flags: 6, bytes: [0xe8, 0, 0, 0, 0, 0xc3], relocations: [{ offset: 1, type: 4, symbol: 'far' }] },
  ],
  symbols: [{ name: 'main', in: '.text', type: 2, size: 6 }, { name: 'far' }],
});

/** What reading says; undefined if it says nothing. */
function refusal(bytes: Uint8Array, name = 'prog.o'): string | undefined {
  try {
    readObject({ name, bytes });
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(ObjectError);
    return error instanceof ObjectError ? error.message : undefined;
  }
}

/** A copy of SMALL with other bytes at an offset. */
function changed(at: number, ...bytes: readonly number[]): Uint8Array {
  const copy = SMALL.slice();
  copy.set(bytes, at);
  return copy;
}

describe('reading an object file', () => {
  it('finds sections, symbols and relocations', () => {
    const { sections, symbols, relocations } = readObject({ name: 'prog.o', bytes: SMALL });
    expect(sections.map(({ name }) => name)).toEqual(['', '.text', '.rela.text', '.symtab', '.strtab', '.shstrtab']);
    expect(symbols.map(({ name, home }) => [name, typeof home === 'object' ? home.name : home])).toEqual([
      ['', 'absolute'],
      ['main', '.text'],
      ['far', 'undefined'],
    ]);
    const [table] = relocations;
    expect([table.target.name, table.count, table.offset(0), table.type(0), table.symbol(0)]).toEqual([
      '.text',
      1,
      1,
      4,
      2,
    ]);
  });

  it('finds section numbers that do not fit 16 bits', () => {
    // e_shnum 0 and e_shstrndx 0xffff: both are in the first section header.
    const at = Number(new DataView(SMALL.buffer).getBigUint64(40, true));
    const bytes = changed(60, 0, 0, 0xff, 0xff);
    bytes.set([6], at + 32);
    bytes.set([5], at + 40);
    expect(readObject({ name: 'prog.o', bytes }).symbols).toHaveLength(3);
  });

  it.each([
    ['an empty file', [], 'prog.o: empty: compile it for Linux on x86_64 with gcc -c or clang -c'],
    [
      'C',
      [...'int main;\n'],
      'prog.o: text and no object file: compile it for Linux on x86_64 with gcc -c or clang -c',
    ],
    [
      'bitcode',
      [...'BC\xc0\xde'],
      'prog.o: LLVM bitcode and no object file: compile it without -flto and without -emit-llvm',
    ],
    [
      'wrapped bitcode',
      [...'\xde\xc0\x17\x0b'],
      'prog.o: LLVM bitcode and no object file: compile it without -flto and without -emit-llvm',
    ],
    ['an archive', [...'!<arch>\nx'], 'prog.o: an archive: take the object files out of it with ar x'],
    [
      'Mach-O',
      [...'\xcf\xfa\xed\xfe'],
      'prog.o: a Mach-O file, for macOS: compile it for Linux on x86_64 with gcc -c or clang -c',
    ],
    ['PE', [...'MZ\x90'], 'prog.o: a PE file, for Windows: compile it for Linux on x86_64 with gcc -c or clang -c'],
    [
      'COFF',
      [...'\x64\x86\x03'],
      'prog.o: a COFF object file, for Windows: compile it for Linux on x86_64 with gcc -c or clang -c',
    ],
    [
      'something',
      [...'\x00\x01\x02'],
      'prog.o: not an ELF object file: compile it for Linux on x86_64 with gcc -c or clang -c',
    ],
  ])('says that it is not given one, but %s', (_, text, message) => {
    expect(refusal(Uint8Array.from(text, (letter) => letter.charCodeAt(0)))).toBe(message);
  });

  it.each([
    ['x32', changed(4, 1), 'prog.o: for x32, which is x86_64 with 32-bit pointers: compile it without -mx32'],
    [
      'big-endian',
      changed(5, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 62),
      'prog.o: big-endian, which x86_64 is not: compile it for x86_64',
    ],
    ['AArch64', changed(18, 183), 'prog.o: for AArch64 (64-bit): compile it for x86_64'],
    ['RISC-V', changed(18, 243), 'prog.o: for RISC-V (64-bit): compile it for x86_64'],
    ['an unknown machine', changed(18, 1, 2), 'prog.o: for machine 513 (64-bit): compile it for x86_64'],
    [
      'a core dump',
      changed(16, 4),
      'prog.o: a core dump and no object file: give the .o file that gcc -c or clang -c makes',
    ],
    [
      'an unknown type',
      changed(16, 9),
      'prog.o: an ELF file of type 9 and no object file: give the .o file that gcc -c or clang -c makes',
    ],
  ])('says what an ELF file is for: %s', (_, bytes, message) => {
    expect(refusal(bytes)).toBe(message);
  });

  it('says of every truncated file that it is', () => {
    for (let length = 4; length < SMALL.length; length++) {
      expect(refusal(SMALL.subarray(0, length)), `${length} bytes`).toMatch(
        /^prog\.o: truncated or damaged: .* should be at/,
      );
    }
    expect(refusal(SMALL)).toBeUndefined();
  });

  const section = (fields: object) => writeObject({ sections: [{ name: 'part', bytes: [0], ...fields }] });
  it.each([
    [
      'writable code',
      section({ flags: 7 }),
      'prog.o: section "part" is writable and executable: only one of them is possible',
    ],
    [
      'odd alignment',
      section({ align: 3 }),
      'prog.o: section "part" is aligned to 3 bytes, which is no power of two up to 65536',
    ],
    [
      'huge alignment',
      section({ align: 1 << 20 }),
      'prog.o: section "part" is aligned to 1048576 bytes, which is no power of two up to 65536',
    ],
    [
      'an unknown type',
      section({ type: 0x60000000 }),
      'prog.o: section "part" has the type 0x60000000, which is not known',
    ],
    ['compressed code', section({ flags: 0x802 }), 'prog.o: section "part" is compressed and yet part of the program'],
    [
      '.ctors',
      section({ name: '.ctors' }),
      'prog.o: section ".ctors" is the old way to run functions at start and end: compile it without -fno-use-init-array',
    ],
    ['REL', section({ type: 9, flags: 0 }), 'prog.o: "part" has REL relocations, where x86_64 has RELA ones'],
    [
      'CREL',
      section({ type: 0x40000014, flags: 0 }),
      'prog.o: "part" has CREL relocations, where x86_64 has RELA ones',
    ],
    [
      'a control character',
      section({ name: '\x1b[31m', flags: 7 }),
      'prog.o: section "\\x1b[31m" is writable and executable: only one of them is possible',
    ],
    [
      'IFUNC',
      writeObject({ symbols: [{ name: 'memcpy', type: 10 }] }),
      'prog.o: symbol "memcpy" is an indirect function (IFUNC), which is not supported: make it a plain one',
    ],
  ])('refuses %s', (_, bytes, message) => {
    expect(refusal(bytes)).toBe(message);
  });

  // Its sections: 1 .data, 2 .rela.data, 3 .group, 4 .symtab, 5 .strtab, 6 .shstrtab
  const GROUPED = writeObject({
    sections: [
      {
        name: '.data',
        flags: 3,
        bytes: [1, 0, 0, 0, 0, 0, 0, 0],
        relocations: [{ offset: 0, type: 1, symbol: 'f' }],
      },
    ],
    symbols: [
      { name: 'f', in: '.data' },
      { name: 'c', in: 'common', value: 4n, size: 4 },
    ],
    groups: [{ signature: 'f', sections: ['.data'] }],
  });
  /** A copy with four bytes of a section header (64 bytes) or of a section's contents changed. */
  const with32 = (index: number, where: 'header' | 'contents', offset: number, value: number) => {
    const bytes = GROUPED.slice();
    const view = new DataView(bytes.buffer);
    const header = Number(view.getBigUint64(40, true)) + 64 * index;
    const start = where === 'header' ? header : Number(view.getBigUint64(header + 24, true));
    view.setUint32(start + offset, value, true);
    return bytes;
  };
  it.each([
    ['a name behind its table', with32(4, 'contents', 24, 1000), 'a name is outside its string table'],
    ['half a symbol', with32(4, 'header', 32, 60), 'table ".symtab" has 60 bytes'],
    ['half a relocation', with32(2, 'header', 32, 12), 'table ".rela.data" has 12 bytes'],
    ['a symbol in no section', with32(4, 'contents', 28, 0x00090010), 'a symbol is in section 9, which does not exist'],
    [
      'a symbol in a far section without their table',
      with32(4, 'contents', 28, 0xffff0010),
      'the section of a symbol should be at 4 to 8, but the file has 0 bytes',
    ],
    ['an unknown binding', with32(4, 'contents', 28, 0x00010030), 'symbol 1 has the binding 3'],
    ['a local symbol that is nowhere', with32(4, 'contents', 28, 0), 'local symbol "f" is not defined'],
    ['a local common symbol', with32(4, 'contents', 52, 0xfff20000), 'common symbol "c" is local'],
    ['a group of nothing', with32(3, 'contents', 4, 77), 'a section of group "f" does not exist'],
    ['a group without a name', with32(3, 'header', 44, 77), 'a section group has no name'],
    ['a group with another symbol table', with32(3, 'header', 40, 1), 'a section group has no name'],
    ['relocations of nothing', with32(2, 'header', 44, 77), '".rela.data" relocates section 77, which does not exist'],
    ['relocations with another symbol table', with32(2, 'header', 40, 2), '".rela.data" has no symbol table'],
    ['symbols without names', with32(4, 'header', 40, 1), 'the names of its symbols are missing'],
    ['sections without names', with32(6, 'header', 4, 1), 'the names of its sections are missing'],
    ['relocations of what has no bytes', with32(1, 'header', 4, 8), 'section ".data" is relocated, but has no bytes'],
    ['a size beyond 2^53', with32(1, 'header', 36, 0x200000), 'section 1 has the size or offset 9007199254741000'],
  ])('refuses %s', (_, bytes, message) => {
    expect(refusal(GROUPED)).toBeUndefined();
    expect(refusal(bytes)).toBe(`prog.o: truncated or damaged: ${message}`);
  });

  it('does not let overlapping sections multiply a file', () => {
    const at = Number(new DataView(SMALL.buffer).getBigUint64(40, true));
    const bytes = SMALL.slice();
    const view = new DataView(bytes.buffer);
    // .text and .rela.text become the whole file
    for (const index of [1, 2]) {
      view.setBigUint64(at + 64 * index + 24, 0n, true);
      view.setBigUint64(at + 64 * index + 32, BigInt(bytes.length), true);
    }
    expect(refusal(bytes)).toBe('prog.o: truncated or damaged: its sections overlap');
  });

  it('does not let overlapping names multiply a file', () => {
    const count = 1000;
    const symbols = [{ name: 'n'.repeat(100 * count) }, ...Array.from({ length: count }, () => ({ name: '' }))];
    const bytes = writeObject({ symbols });
    const view = new DataView(bytes.buffer);
    const at = Number(view.getBigUint64(40, true));
    const table = Number(view.getBigUint64(at + 64 + 24, true));
    // Each name begins one byte behind the one before.
    for (let index = 2; index <= count; index++) view.setUint32(table + 24 * index, index, true);
    expect(refusal(bytes)).toBe('prog.o: truncated or damaged: the names overlap');
  });

  it('leaves the bytes alone', () => {
    const copy = SMALL.slice();
    readObject({ name: 'prog.o', bytes: copy });
    expect(copy).toEqual(SMALL);
  });
});

describe.skipIf(!has('gcc'))('what compilers make that is no object for x86_64', () => {
  const TEXT = 'int worker(int x) { return x + 1; } int main(void) { return worker(0); }';

  const refused = (compiler: string, flags: readonly string[]) => {
    workshop.run(compiler, ...flags, '-o', 'made', 'prog.c');
    return refusal(readFileSync(workshop.path('made')));
  };
  const supports = (compiler: string, flags: readonly string[]) => {
    try {
      writeFileSync(workshop.path('prog.c'), TEXT);
      workshop.run(compiler, ...flags, '-o', 'made', 'prog.c');
      return true;
    } catch {
      return false;
    }
  };
  const LINKED = 'and no object file: give the .o file that gcc -c or clang -c makes';

  it.for([
    ['gcc', '-m32 -c', 'for i386 (32-bit): compile it for x86_64 (without -m32)'],
    ['gcc', '-mx32 -c', 'for x32, which is x86_64 with 32-bit pointers: compile it without -mx32'],
    ['gcc', '-shared -fPIC', `a shared library ${LINKED}`],
    ['gcc', '-pie -fPIE', `a linked program (a PIE) ${LINKED}`],
    ['gcc', '-no-pie', `a linked program ${LINKED}`],
    ['gcc', '-flto -c', 'without machine code: compile it without -flto, or with -ffat-lto-objects'],
    ['clang', '-flto -c', 'LLVM bitcode and no object file: compile it without -flto and without -emit-llvm'],
    ['clang', '-flto=thin -c', 'LLVM bitcode and no object file: compile it without -flto and without -emit-llvm'],
    ['clang', '--target=aarch64-linux-gnu -c', 'for AArch64 (64-bit): compile it for x86_64'],
    ['clang', '--target=powerpc64-linux-gnu -c', 'for PowerPC64 (64-bit, big-endian): compile it for x86_64'],
    ['clang', '--target=armv7-linux-gnueabi -c', 'for ARM (32-bit): compile it for x86_64'],
    [
      'clang',
      '--target=x86_64-apple-macos -c',
      'a Mach-O file, for macOS: compile it for Linux on x86_64 with gcc -c or clang -c',
    ],
    [
      'clang',
      '--target=x86_64-pc-windows-msvc -c',
      'a COFF object file, for Windows: compile it for Linux on x86_64 with gcc -c or clang -c',
    ],
    ['clang', '--target=wasm32 -c', 'a WebAssembly module: compile it for Linux on x86_64 with gcc -c or clang -c'],
  ])('%s %s', ([compiler, flags, message], { skip }) => {
    if (!supports(compiler, flags.split(' '))) skip(`no ${compiler} ${flags} here`);
    expect(refused(compiler, flags.split(' '))).toBe(`prog.o: ${message}`);
  });

  it('reads what gcc -ffat-lto-objects leaves for others', ({ skip }) => {
    if (!supports('gcc', ['-flto', '-ffat-lto-objects', '-c'])) skip('no gcc -flto here');
    expect(refusal(readFileSync(workshop.path('made')))).toBeUndefined();
  });

  it('reads more than 65,280 sections', () => {
    const text = Array.from(
      { length: 33_000 },
      (_, number) => `.section .text.f${number},"ax"\nf${number}: ret\n.quad f${number}\n`,
    );
    writeFileSync(workshop.path('prog.s'), text.join(''));
    workshop.run('gcc', '-c', 'prog.s', '-o', 'many.o');
    const { sections, symbols, relocations } = workshop.read('many.o');
    expect(sections.length).toBeGreaterThan(65_536);
    const last = symbols.find(({ name }) => name === 'f32999');
    expect(last && typeof last.home === 'object' && last.home.name).toBe('.text.f32999');
    expect(relocations.at(-1)?.target.name).toBe('.text.f32999');
  });
});
