import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { Link } from '../../../asm/elf/link.js';
import type { Image } from '../../../asm/image.js';
import { COMPILERS, has, Workshop } from './compile.js';

// GNU ld is told to put every section where it is here. Then every symbol has to have the same address and every byte
// the same value. Only the entries of the global offset table are in an order of ld's own: of those the contents count.

const VARIANTS: readonly (readonly string[])[] = [
  ['-O0'],
  ['-O1', '-fno-pie'],
  ['-O2', '-fPIE'],
  ['-O3', '-fPIC'],
  ['-O1', '-fPIC', '-fno-plt'],
  ['-Os', '-fno-pie', '-fno-plt'],
  ['-O2', '-ffunction-sections', '-fdata-sections'],
  ['-O1', '-fstack-protector-all', '-fcf-protection'],
  ['-O1', '-mcmodel=medium', '-fPIC'],
  ['-O1', '-mcmodel=large', '-fno-pie'],
  ['-O2', '-mcmodel=large', '-fPIC'],
  ['-O0', '-fno-asynchronous-unwind-tables'],
];
const FILES = ['start', 'one', 'two'];
// ld makes accesses to thread-local variables faster than their relocations say, and cannot be told not to.
const NO_THREADS = '-D__thread=';

/** What weak references find; ld would replace instructions if it were nothing. */
const OUTSIDE = new Map([
  ['nowhere', 0x123450n],
  ['no_function', 0x345678n],
]);

const workshop = new Workshop();
afterAll(() => workshop.remove());

interface Row {
  readonly file: string;
  readonly name: string;
  readonly type: string;
  readonly flags: string;
}

/** The sections of an object that a program has in memory. */
function sectionsOf(file: string): Row[] {
  const pattern = /^ *\[ *\d+\] (\S+) +([A-Z_0-9]+) +[0-9a-f]+ [0-9a-f]+ [0-9a-f]+ [0-9a-f]+ +([A-Za-z]+) /gm;
  return [...workshop.run('readelf', '-SW', file).matchAll(pattern)]
    .map(([, name = '', type = '', flags = '']) => ({ file, name, type, flags }))
    .filter(({ type, flags }) => flags.includes('A') && type !== 'NOTE');
}

const isArray = ({ name }: Row) => /^\.(init|fini)_array/.test(name);

/** A script for ld with the sections of an image, each input section in its place. */
function script(rows: readonly Row[], image: Image): string {
  const address = (name: string) => `0x${image.sections.find((each) => each.name === name)?.address.toString(16) ?? 0}`;
  const pick = (wanted: (row: Row) => boolean) => {
    const own = rows.filter((row) => wanted(row) && !isArray(row));
    return own.map(({ file, name }, at) => {
      if (name !== 'registry') return `${file}(${name})`;
      const isFirst = own.findIndex((row) => row.name === name) === at;
      return isFirst ? '__start_registry = .; *(registry) __stop_registry = .;' : '';
    });
  };
  const array = (name: string) => [
    '. = ALIGN(8);',
    `__${name}_start = .;`,
    `*(SORT_BY_INIT_PRIORITY(.${name}.*)) *(.${name})`,
    `__${name}_end = .;`,
  ];
  const isCode = ({ flags }: Row) => flags.includes('X');
  const isZero = ({ type }: Row) => type === 'NOBITS';
  const lines = [
    'SECTIONS {',
    `.text ${address('.text')} : {`,
    ...pick(isCode),
    '} =0xcccccccc',
    `.rodata ${address('.rodata')} : {`,
    ...pick((row) => !isCode(row) && !isZero(row) && !row.flags.includes('W')),
    '}',
    `.data ${address('.data')} : {`,
    ...pick((row) => !isCode(row) && !isZero(row) && row.flags.includes('W')),
    ...['preinit_array', 'init_array', 'fini_array'].flatMap(array),
    '}',
    // Offsets from the table are right only if it is a section of its own, and begins with what ld calls .got.plt.
    `.got 0x${image.symbol('_GLOBAL_OFFSET_TABLE_').toString(16)} : { *(.got.plt) *(.got) }`,
    `.bss ${address('.bss')} : {`,
    ...pick(isZero),
    '*(COMMON)',
    '}',
    '/DISCARD/ : { *(.note*) *(.comment) }',
    '}',
  ];
  return lines.join('\n');
}

/** Addresses of the places where linked code has the offset of an entry of the global offset table. */
function entryPlaces(program: string): { at: bigint; type: string }[] {
  const pattern = /^([0-9a-f]{16}) +[0-9a-f]+ R_X86_64_(\S*GOT(?:PCREL|32|64)\S*) /gm;
  return [...workshop.run('readelf', '-rW', program).matchAll(pattern)].map(([, at, type = '']) => {
    return { at: BigInt(`0x${at}`), type };
  });
}

interface Part {
  readonly name: string;
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/** The bytes of a section that ld has made. */
function contents(name: string): Uint8Array {
  if (name === '.bss') return new Uint8Array();
  workshop.run('objcopy', '-O', 'binary', '-j', name, 'theirs', 'part');
  return new Uint8Array(readFileSync(workshop.path('part')));
}

/** What is in the entries that the code refers to; takes the references out of the bytes. */
function takeEntries(sections: readonly Part[], table: bigint, places: ReturnType<typeof entryPlaces>): bigint[] {
  const view = (address: bigint) => {
    const { address: start, bytes } = sections.find((each) => {
      return address >= each.address && address < each.address + BigInt(each.bytes.length);
    }) ?? { address, bytes: new Uint8Array() };
    const from = Number(address - start);
    return new DataView(bytes.buffer, bytes.byteOffset + from, 8);
  };
  return places.map(({ at, type }) => {
    const place = view(at);
    const isLong = type.endsWith('64');
    const value = isLong ? place.getBigInt64(0, true) : BigInt(place.getInt32(0, true));
    // Behind the field comes the next instruction, which the processor counts from.
    const entry = type.includes('PCREL') && !isLong ? at + 4n + value : table + value;
    const content = view(entry).getBigUint64(0, true);
    if (isLong) place.setBigInt64(0, 0n);
    else place.setInt32(0, 0);
    return content;
  });
}

const LINKERS_OWN =
  /^(nowhere|no_function|_GLOBAL_OFFSET_TABLE_|__thread_pointer|__(preinit|init|fini)_array_(start|end)|__st.*_registry)$/;

/** Symbols of a program as nm sees them, each as `name address`. */
function theirSymbols(program: string): string[] {
  return [...workshop.run('nm', program).matchAll(/^([0-9a-f]+) \w (\S+)$/gm)]
    .filter(([, , name = '']) => !name.startsWith('.L') && !LINKERS_OWN.test(name))
    .map(([, value, name]) => `${name} ${BigInt(`0x${value}`)}`)
    .sort();
}

function ourSymbols(image: Image): string[] {
  return [...image.symbols]
    .filter(([name]) => !LINKERS_OWN.test(name))
    .map(([name, value]) => `${name.replace(/^.*:/, '')} ${value}`)
    .sort();
}

describe.skipIf(!has('gcc', 'ld', 'readelf', 'objcopy', 'nm'))('GNU ld and this linker', () => {
  it.for(COMPILERS.flatMap((compiler) => VARIANTS.map((flags) => [compiler, flags.join(' ')])))(
    'make the same program of objects by %s %s',
    ([compiler, joined], { skip }) => {
      skip(!has(compiler), `there is no ${compiler}`);
      const files = FILES.map((name) => `${name}.o`);
      for (const name of FILES) {
        workshop.run(
          compiler,
          ...joined.split(' '),
          NO_THREADS,
          '-ffreestanding',
          '-c',
          '-o',
          `${name}.o`,
          workshop.source(`${name}.c`),
        );
        const merged = sectionsOf(`${name}.o`).filter(({ flags }) => flags.includes('M'));
        const flags = merged.map((row) => `${row.name}=alloc,readonly,data,contents`);
        // ld keeps only one of several equal strings and constants; here all are kept.
        workshop.run('objcopy', ...flags.flatMap((each) => ['--set-section-flags', each]), `${name}.o`);
      }
      const link = new Link(
        files.map((name) => workshop.read(name)),
        { base: 0x400000n },
      );
      const image = link.finish(OUTSIDE);
      writeFileSync(workshop.path('script'), script(files.flatMap(sectionsOf), image));
      const pointer = `--defsym=__thread_pointer=${link.symbols.get('__thread_pointer')}`;
      const outside = [...OUTSIDE].map(([name, value]) => `--defsym=${name}=${value}`);
      const options = [
        '-static',
        '--no-relax',
        '--traditional-format',
        '--emit-relocs',
        '-T',
        'script',
        pointer,
        ...outside,
      ];
      workshop.run('ld', ...options, '-e', '_start', '-o', 'theirs', ...files);

      expect(ourSymbols(image)).toEqual(theirSymbols('theirs'));

      const table = image.symbol('_GLOBAL_OFFSET_TABLE_');
      const ours = image.sections.map(({ name, address, bytes }): Part => {
        // Behind the arrays of functions .data has what the two linkers lay out differently.
        return { name, address, bytes: name === '.data' ? bytes.subarray(0, Number(table - address)) : bytes };
      });
      const theirs = ours.map(({ name, address }): Part => ({ name, address, bytes: contents(name) }));
      const places = entryPlaces('theirs');
      const tables: Part[] = [
        { name: '.got', address: table, bytes: image.sections[2].bytes.subarray(Number(table - ours[2].address)) },
        { name: '.got', address: table, bytes: contents('.got') },
      ];
      expect(takeEntries([...ours, tables[0]], table, places)).toEqual(
        takeEntries([...theirs, tables[1]], table, places),
      );
      for (const [at, { name, bytes }] of ours.entries()) {
        expect(bytes.length, name).toBe(theirs[at].bytes.length);
        expect(Buffer.compare(bytes, theirs[at].bytes), name).toBe(0);
      }
    },
  );
});
