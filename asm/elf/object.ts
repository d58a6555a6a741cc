import { ObjectError, quote } from './errors.js';
import { readHeader } from './header.js';
import { Reader, Strings } from './reader.js';
import { isAlignment, isLoaded, NO_ALIGNMENT, type ObjectSection, readSections, SHT } from './section.js';

/** Symbol types (the lower half of st_info). */
export const STT = { noType: 0, object: 1, func: 2, section: 3, file: 4, common: 5, tls: 6, ifunc: 10 } as const;

/** An entry of an object file's symbol table. */
export interface ObjectSymbol {
  /** The section's name for the symbol of a section. */
  readonly name: string;
  readonly binding: 'local' | 'global' | 'weak';
  /** One of STT. */
  readonly type: number;
  /** An offset within `home` if that is a section, an alignment if it is 'common'. Signed. */
  readonly value: bigint;
  /** In bytes. */
  readonly size: bigint;
  /** Where it is defined. */
  readonly home: ObjectSection | 'undefined' | 'absolute' | 'common';
}

/** The relocations of one section. Entries count from 0. */
export class RelocationTable {
  readonly count: number;
  readonly #view: DataView;

  constructor(
    /** The section that they change. */
    readonly target: ObjectSection,
    bytes: Uint8Array,
  ) {
    this.count = bytes.length / RELOCATION;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Offset within the target. */
  offset(entry: number): number {
    const at = entry * RELOCATION;
    return this.#view.getUint32(at, true) + this.#view.getUint32(at + 4, true) * 2 ** 32;
  }

  /** Number of the type, an R_X86_64_ constant. */
  type(entry: number): number {
    return this.#view.getUint32(entry * RELOCATION + 8, true);
  }

  /** Index of the symbol. */
  symbol(entry: number): number {
    return this.#view.getUint32(entry * RELOCATION + 12, true);
  }

  addend(entry: number): bigint {
    return this.#view.getBigInt64(entry * RELOCATION + 16, true);
  }
}

/** Sections of which a link keeps only those of the first file that has them, known by the signature. */
export interface Comdat {
  readonly signature: string;
  readonly sections: readonly ObjectSection[];
}

/** A relocatable x86_64 ELF file, read but not changed. */
export interface ObjectFile {
  readonly name: string;
  /** The whole file. */
  readonly bytes: Uint8Array;
  readonly sections: readonly ObjectSection[];
  readonly symbols: readonly ObjectSymbol[];
  readonly relocations: readonly RelocationTable[];
  readonly comdats: readonly Comdat[];
}

const SYMBOL = 24;
const RELOCATION = 24;
const BINDINGS: Readonly<Record<number, ObjectSymbol['binding']>> = {
  0: 'local',
  1: 'global',
  2: 'weak',
  10: 'global',
};
const COMDAT = 1;

/** How many entries a table has. @throws ObjectError if its size is not that of whole entries */
function countOf(reader: Reader, { name, bytes }: ObjectSection, size: number): number {
  if (bytes.length % size !== 0) throw reader.damaged(`table ${quote(name)} has ${bytes.length} bytes`);
  return bytes.length / size;
}

/** Where the symbol with a number is defined. `far` has the section numbers that do not fit 16 bits. */
function readHome(
  reader: Reader,
  sections: readonly ObjectSection[],
  number: number,
  far: () => number,
): ObjectSymbol['home'] {
  if (number === 0) return 'undefined';
  if (number === 0xfff1) return 'absolute';
  // SHN_COMMON, and SHN_X86_64_LCOMMON of the larger code models
  if (number === 0xfff2 || number === 0xff02) return 'common';
  const home = number === 0xffff ? sections[far()] : number < 0xff00 ? sections[number] : undefined;
  if (home === undefined) throw reader.damaged(`a symbol is in section ${number}, which does not exist`);
  return home;
}

function checkSymbol(reader: Reader, { name, binding, type, home, value }: ObjectSymbol): void {
  if (type === STT.ifunc) {
    const what = 'is an indirect function (IFUNC), which is not supported: make it a plain one';
    throw new ObjectError(reader.file, `symbol ${quote(name)} ${what}`);
  }
  if (home === 'undefined' && binding === 'local') throw reader.damaged(`local symbol ${quote(name)} is not defined`);
  if (home !== 'common') return;
  if (binding === 'local') throw reader.damaged(`common symbol ${quote(name)} is local`);
  if (!isAlignment(Number(value))) {
    throw new ObjectError(reader.file, `symbol ${quote(name)} is aligned to ${value} bytes, which is ${NO_ALIGNMENT}`);
  }
}

function readSymbols(reader: Reader, sections: readonly ObjectSection[], table: number): ObjectSymbol[] {
  const section = sections[table];
  const names = sections[section.link];
  if (names?.type !== SHT.strtab) throw reader.damaged('the names of its symbols are missing');
  const strings = new Strings(reader, names.bytes);
  const count = countOf(reader, section, SYMBOL);
  const view = new DataView(section.bytes.buffer, section.bytes.byteOffset, section.bytes.byteLength);
  const far = sections.find(({ type, link }) => type === SHT.symtabShndx && link === table)?.bytes;
  const farReader = new Reader(reader.file, far ?? new Uint8Array());
  const symbols: ObjectSymbol[] = [
    { name: '', binding: 'local', type: STT.noType, value: 0n, size: 0n, home: 'absolute' },
  ];
  for (let index = 1; index < count; index++) {
    const at = index * SYMBOL;
    const info = view.getUint8(at + 4);
    const type = info & 15;
    const binding = BINDINGS[info >> 4];
    if (binding === undefined) throw reader.damaged(`symbol ${index} has the binding ${info >> 4}`);
    const home = readHome(reader, sections, view.getUint16(at + 6, true), () => {
      return farReader.u32(4 * index, 'the section of a symbol');
    });
    const own = strings.at(view.getUint32(at, true));
    const name = own === '' && type === STT.section && typeof home === 'object' ? home.name : own;
    const value = view.getBigInt64(at + 8, true);
    const symbol = { name, binding, type, value, size: view.getBigUint64(at + 16, true), home };
    checkSymbol(reader, symbol);
    symbols.push(symbol);
  }
  return symbols;
}

function readRelocations(reader: Reader, sections: readonly ObjectSection[], symbolTable: number): RelocationTable[] {
  return sections.flatMap((section) => {
    const { type, name, info, link, bytes } = section;
    const target = sections[info];
    if (type === SHT.rel || type === SHT.crel) {
      const kind = type === SHT.rel ? 'REL' : 'CREL';
      throw new ObjectError(reader.file, `${quote(name)} has ${kind} relocations, where x86_64 has RELA ones`);
    }
    if (type !== SHT.rela || bytes.length === 0) return [];
    if (target === undefined) throw reader.damaged(`${quote(name)} relocates section ${info}, which does not exist`);
    if (link !== symbolTable) throw reader.damaged(`${quote(name)} has no symbol table`);
    countOf(reader, section, RELOCATION);
    return [new RelocationTable(target, bytes)];
  });
}

function readComdats(
  reader: Reader,
  sections: readonly ObjectSection[],
  symbols: readonly ObjectSymbol[],
  symbolTable: number,
): Comdat[] {
  return sections.flatMap((section) => {
    if (section.type !== SHT.group) return [];
    const count = countOf(reader, section, 4);
    const view = new DataView(section.bytes.buffer, section.bytes.byteOffset, section.bytes.byteLength);
    if (count === 0 || (view.getUint32(0, true) & COMDAT) === 0) return [];
    const signature = symbols[section.info];
    if (section.link !== symbolTable || signature === undefined) throw reader.damaged('a section group has no name');
    const members: ObjectSection[] = [];
    for (let entry = 1; entry < count; entry++) {
      const member = sections[view.getUint32(4 * entry, true)];
      if (member === undefined) throw reader.damaged(`a section of group ${quote(signature.name)} does not exist`);
      members.push(member);
    }
    return [{ signature: signature.name, sections: members }];
  });
}

/** gcc -flto leaves nothing but its own intermediate language, unless it is told to. */
function checkCode(file: string, sections: readonly ObjectSection[]): void {
  const isLto = sections.some(({ name }) => name.startsWith('.gnu.lto_'));
  if (!isLto || sections.some((section) => isLoaded(section) && section.size > 0)) return;
  throw new ObjectError(file, 'without machine code: compile it without -flto, or with -ffat-lto-objects');
}

/**
 * Reads a relocatable object file for x86_64 (ELF64, little-endian, ET_REL), as gcc -c and clang -c make it.
 * @param file `name` is what messages call it
 * @throws ObjectError saying what is wrong and what to do
 */
export function readObject({ name, bytes }: { name: string; bytes: Uint8Array }): ObjectFile {
  const reader = new Reader(name, bytes);
  const sections = readSections(reader, readHeader(reader));
  checkCode(name, sections);
  const symbolTable = sections.findIndex(({ type }) => type === SHT.symtab);
  const symbols = symbolTable < 0 ? [] : readSymbols(reader, sections, symbolTable);
  const relocations = readRelocations(reader, sections, symbolTable);
  for (const { target } of relocations) {
    if (isLoaded(target) && target.type === SHT.nobits) {
      throw reader.damaged(`section ${quote(target.name)} is relocated, but has no bytes`);
    }
  }
  return { name, bytes, sections, symbols, relocations, comdats: readComdats(reader, sections, symbols, symbolTable) };
}
