import { ObjectError } from './errors.js';
import type { Reader } from './reader.js';

/** Where an object file's section headers are. */
export interface Header {
  /** Offset of the first section header. */
  readonly sections: number;
  readonly sectionCount: number;
  /** Index of the section with the sections' names. */
  readonly sectionNames: number;
}

/** Bytes of one section header. */
export const SECTION_HEADER = 64;

/** Values of e_machine, from the System V gABI's registry. */
const MACHINES: ReadonlyMap<number, string> = new Map([
  [2, 'SPARC'],
  [3, 'i386'],
  [4, 'Motorola 68000'],
  [8, 'MIPS'],
  [20, 'PowerPC'],
  [21, 'PowerPC64'],
  [22, 'S/390'],
  [40, 'ARM'],
  [43, 'SPARC V9'],
  [50, 'Itanium'],
  [62, 'x86_64'],
  [183, 'AArch64'],
  [243, 'RISC-V'],
  [247, 'BPF'],
  [258, 'LoongArch'],
]);
const X86_64 = 62;

const NO_LTO = 'compile it without -flto';
const COMPILE = 'compile it for Linux on x86_64 with gcc -c or clang -c';

/** Kinds of files that are no ELF files, by how they begin. */
const OTHERS: readonly (readonly [start: readonly number[], what: string])[] = [
  [[0x42, 0x43, 0xc0, 0xde], `LLVM bitcode and no object file: ${NO_LTO} and without -emit-llvm`],
  [[0xde, 0xc0, 0x17, 0x0b], `LLVM bitcode and no object file: ${NO_LTO} and without -emit-llvm`],
  [[...'!<arch>\n'].map((each) => each.charCodeAt(0)), 'an archive: take the object files out of it with ar x'],
  [[...'!<thin>\n'].map((each) => each.charCodeAt(0)), 'a thin archive: name the object files that it lists instead'],
  [[0xcf, 0xfa, 0xed, 0xfe], `a Mach-O file, for macOS: ${COMPILE}`],
  [[0xce, 0xfa, 0xed, 0xfe], `a Mach-O file, for macOS: ${COMPILE}`],
  [[0xca, 0xfe, 0xba, 0xbe], `a Mach-O file for several machines, or Java bytecode: ${COMPILE}`],
  [[0x4d, 0x5a], `a PE file, for Windows: ${COMPILE}`],
  [[0x64, 0x86], `a COFF object file, for Windows: ${COMPILE}`],
  [[0x00, 0x00, 0xff, 0xff], `a COFF object file, for Windows: ${COMPILE}`],
  [[0x00, 0x61, 0x73, 0x6d], `a WebAssembly module: ${COMPILE}`],
];

const starts = (bytes: Uint8Array, start: readonly number[]) => start.every((byte, at) => bytes[at] === byte);

function describeOther(bytes: Uint8Array): string {
  if (bytes.length === 0) return `empty: ${COMPILE}`;
  const other = OTHERS.find(([start]) => starts(bytes, start));
  if (other) return other[1];
  const isText = bytes.subarray(0, 512).every((byte) => byte >= 0x20 || (byte >= 9 && byte <= 13));
  return isText ? `text and no object file: ${COMPILE}` : `not an ELF object file: ${COMPILE}`;
}

/** What an ET_DYN file is: only an executable asks for an interpreter (PT_INTERP). */
function describeDynamic(reader: Reader): string {
  const [at, size, count] = [reader.size(32, 'the header'), reader.u16(54, 'the header'), reader.u16(56, 'the header')];
  for (let index = 0; index < count; index++) {
    if (reader.u32(at + index * size, 'a program header') === 3) return 'a linked program (a PIE)';
  }
  return 'a shared library';
}

function checkType(reader: Reader): void {
  const type = reader.u16(16, 'the header');
  if (type === 1) return;
  const kinds: Readonly<Record<number, string>> = { 2: 'a linked program', 4: 'a core dump' };
  const what = type === 3 ? describeDynamic(reader) : (kinds[type] ?? `an ELF file of type ${type}`);
  throw new ObjectError(reader.file, `${what} and no object file: give the .o file that gcc -c or clang -c makes`);
}

/** Reads the header of a relocatable x86_64 ELF file. @throws ObjectError saying what else the file is */
export function readHeader(reader: Reader): Header {
  const { bytes, file } = reader;
  if (!starts(bytes, [0x7f, 0x45, 0x4c, 0x46])) throw new ObjectError(file, describeOther(bytes));
  reader.part(0, 20, 'the header');
  const [bits, order, version] = bytes.subarray(4, 7);
  if (bits !== 1 && bits !== 2) throw reader.damaged(`its class is ${bits}, neither 32 nor 64 bits`);
  if (order !== 1 && order !== 2) throw reader.damaged(`its byte order is ${order}, neither 1 nor 2`);
  if (version !== 1) throw reader.damaged(`its ELF version is ${version}`);
  const code = order === 1 ? reader.u16(18, 'the header') : (bytes[18] << 8) | bytes[19];
  const machine = MACHINES.get(code) ?? `machine ${code}`;
  if (code === X86_64 && bits === 1) {
    throw new ObjectError(file, 'for x32, which is x86_64 with 32-bit pointers: compile it without -mx32');
  }
  if (code !== X86_64) {
    const hint = machine === 'i386' ? ' (without -m32)' : '';
    const how = `${bits === 1 ? '32' : '64'}-bit${order === 2 ? ', big-endian' : ''}`;
    throw new ObjectError(file, `for ${machine} (${how}): compile it for x86_64${hint}`);
  }
  if (order === 2) throw new ObjectError(file, 'big-endian, which x86_64 is not: compile it for x86_64');
  reader.part(0, 64, 'the header');
  checkType(reader);
  const sections = reader.size(40, 'the section headers');
  if (sections === 0) throw reader.damaged('it has no section headers');
  if (reader.u16(58, 'the header') !== SECTION_HEADER)
    throw reader.damaged('its section headers are not 64 bytes long');
  // Numbers that do not fit 16 bits are in the first section header (gABI, "ELF Header", e_shnum and e_shstrndx).
  const sectionCount = reader.u16(60, 'the header') || reader.size(sections + 32, 'the first section header');
  const names = reader.u16(62, 'the header');
  const sectionNames = names === 0xffff ? reader.u32(sections + 40, 'the first section header') : names;
  reader.part(sections, sectionCount * SECTION_HEADER, 'the section headers');
  return { sections, sectionCount, sectionNames };
}
