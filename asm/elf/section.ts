import { ObjectError, quote } from './errors.js';
import { type Header, SECTION_HEADER } from './header.js';
import { type Reader, Strings } from './reader.js';

/** Section types (sh_type) of the gABI and of the AMD64 supplement. */
export const SHT = {
  null: 0,
  progbits: 1,
  symtab: 2,
  strtab: 3,
  rela: 4,
  note: 7,
  nobits: 8,
  rel: 9,
  initArray: 14,
  finiArray: 15,
  preinitArray: 16,
  group: 17,
  symtabShndx: 18,
  crel: 0x40000014,
  unwind: 0x70000001,
} as const;

/** Section flags (sh_flags). */
export const SHF = {
  write: 0x1,
  alloc: 0x2,
  exec: 0x4,
  tls: 0x400,
  compressed: 0x800,
  exclude: 0x80000000,
} as const;

/** A section of an object file, or one that a link makes. */
export interface ObjectSection {
  readonly name: string;
  /** One of SHT. */
  readonly type: number;
  /** The lower half of sh_flags, of SHF. */
  readonly flags: number;
  /** In bytes. */
  readonly size: number;
  /** A power of two, at least 1. */
  readonly align: number;
  /** What is in the file, `size` bytes; nothing for SHT.nobits. */
  readonly bytes: Uint8Array;
  readonly link: number;
  readonly info: number;
}

/** Whether a section has a flag. */
export function has(section: ObjectSection, flag: number): boolean {
  return (section.flags & flag) !== 0;
}

/** Whether a section becomes part of a program's memory. Notes are for linkers and loaders, of which there are none. */
export function isLoaded(section: ObjectSection): boolean {
  return has(section, SHF.alloc) && !has(section, SHF.exclude) && section.type !== SHT.note;
}

/** A section that a link makes for itself, writable and of zero bytes unless told otherwise. */
export function madeSection(
  name: string,
  fields: Partial<Pick<ObjectSection, 'type' | 'flags' | 'size' | 'align'>> = {},
): ObjectSection {
  const { type = SHT.progbits, flags = SHF.alloc | SHF.write, size = 0, align = 8 } = fields;
  return { name, type, flags, size, align, bytes: new Uint8Array(), link: 0, info: 0 };
}

const MOST_ALIGN = 65536;

/** What is wrong if {@link isAlignment} is not true. */
export const NO_ALIGNMENT = `no power of two up to ${MOST_ALIGN}`;

/** Whether something can be aligned to so many bytes; 0 is as good as 1. */
export function isAlignment(bytes: number): boolean {
  return bytes >= 0 && bytes <= MOST_ALIGN && (bytes & (bytes - 1)) === 0;
}

const LOADABLE: readonly number[] = [
  SHT.progbits,
  SHT.nobits,
  SHT.initArray,
  SHT.finiArray,
  SHT.preinitArray,
  SHT.unwind,
];

/** @throws ObjectError for a section that cannot be loaded as it asks for */
function check(file: string, section: ObjectSection, align: number): void {
  const refuse = (reason: string) => new ObjectError(file, `section ${quote(section.name)} ${reason}`);
  if (!isAlignment(align)) throw refuse(`is aligned to ${align} bytes, which is ${NO_ALIGNMENT}`);
  if (!LOADABLE.includes(section.type)) throw refuse(`has the type 0x${section.type.toString(16)}, which is not known`);
  if (has(section, SHF.compressed)) throw refuse('is compressed and yet part of the program');
  if (has(section, SHF.exec) && has(section, SHF.write)) {
    throw refuse('is writable and executable: only one of them is possible');
  }
  if (has(section, SHF.exec) && section.type === SHT.nobits) throw refuse('is executable, but has no bytes');
  if (/^\.[cd]tors(\.|$)/.test(section.name)) {
    throw refuse('is the old way to run functions at start and end: compile it without -fno-use-init-array');
  }
}

/** Reads the section headers. @throws ObjectError */
export function readSections(reader: Reader, header: Header): ObjectSection[] {
  const headers: { name: number; align: number; section: ObjectSection }[] = [];
  let total = 0;
  for (let index = 0; index < header.sectionCount; index++) {
    const at = header.sections + index * SECTION_HEADER;
    const what = `section ${index}`;
    const type = index === 0 ? SHT.null : reader.u32(at + 4, what);
    const stored = type !== SHT.null && type !== SHT.nobits;
    const size = type === SHT.null ? 0 : reader.size(at + 32, what);
    const bytes = stored ? reader.part(reader.size(at + 24, what), size, what) : new Uint8Array();
    total += bytes.length;
    // Sections that overlap could multiply a small file into an endless one.
    if (total > reader.bytes.length) throw reader.damaged('its sections overlap');
    const align = reader.size(at + 48, what);
    headers.push({
      name: reader.u32(at, what),
      align,
      section: {
        name: '',
        type,
        flags: reader.u32(at + 8, what),
        size,
        align: Math.max(1, align),
        bytes,
        link: reader.u32(at + 40, what),
        info: reader.u32(at + 44, what),
      },
    });
  }
  const names = headers[header.sectionNames]?.section;
  if (names?.type !== SHT.strtab) throw reader.damaged('the names of its sections are missing');
  const strings = new Strings(reader, names.bytes);
  return headers.map(({ name, align, section }, index) => {
    const named = index === 0 ? section : { ...section, name: strings.at(name) };
    if (isLoaded(named)) check(reader.file, named, align);
    return named;
  });
}
