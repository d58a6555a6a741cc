import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type ObjectFile, readObject } from '../../asm/elf/object.js';
import { rewriteObject } from '../../asm/elf/rewrite.js';
import { has, type ObjectSection, SHF } from '../../asm/elf/section.js';
import type { Image } from '../../asm/image.js';
import type { Disassembler } from '../../emu/disassembler.js';
import { compile, isCompiled } from '../compile.js';
import { UsageError } from '../errors.js';
import type { Fault } from './fault.js';
import type { SwitchInstruction } from './instruction.js';
import { type Move, nops, placed } from './placed.js';

/** An object that mutants are made of. */
export interface MutableObject {
  /** As it was given. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly object: ObjectFile;
}

/** Where in an object an address of the linked code comes from. */
interface Home {
  readonly file: MutableObject;
  readonly section: ObjectSection;
  /** Address of the section in the linked code. */
  readonly start: number;
}

/** New code begins at a multiple of so many bytes. */
const ALIGN = 16;

/**
 * The objects among the files, those compiled here included.
 * @throws UsageError if the files are none that mutants can be made of
 */
export function mutableObjects(paths: readonly string[], flags: string): MutableObject[] {
  const text = paths.find((path) => path.endsWith('.s'));
  if (text !== undefined) {
    const made = basename(text).replace(/\.s$/, '.o');
    throw new UsageError(
      `${text}: a test command is given an object with a fault in it: make one first (gcc -c ${text} -o ${made})`,
    );
  }
  const archive = paths.find((path) => path.endsWith('.a'));
  if (archive !== undefined) {
    throw new UsageError(
      `${archive}: a test command is given an object with a fault in it: take it out of the archive first (ar x ${archive})`,
    );
  }
  return paths.map((path) => {
    const bytes = isCompiled(path) ? compile(path, flags) : new Uint8Array(readFileSync(path));
    return { path, bytes, object: readObject({ name: basename(path), bytes }) };
  });
}

/** The section that an address was linked from: known by the symbol in front of it, and by its bytes. */
function homeOf(address: number, length: number, image: Image, files: readonly MutableObject[]): Home | undefined {
  const nearest = image.symbolAt(BigInt(address));
  if (nearest === undefined) return undefined;
  const linked = image.sectionAt(BigInt(address));
  if (linked === undefined) return undefined;
  const own = linked.bytes.subarray(address - Number(linked.address), address - Number(linked.address) + length);
  for (const file of files) {
    for (const { name, home, value } of file.object.symbols) {
      if (typeof home !== 'object' || !has(home, SHF.exec)) continue;
      if (nearest.name !== name && nearest.name !== `${file.object.name}:${name}`) continue;
      const offset = Number(value + nearest.offset);
      const bytes = home.bytes.subarray(offset, offset + length);
      const isRelocated = relocationsIn(file.object, home, offset, length);
      if (isRelocated || Buffer.compare(bytes, own) === 0) return { file, section: home, start: address - offset };
    }
  }
  return undefined;
}

function relocationsIn(object: ObjectFile, section: ObjectSection, offset: number, length: number): boolean {
  return object.relocations.some((table) => {
    if (table.target !== section) return false;
    for (let entry = 0; entry < table.count; entry++) {
      const at = table.offset(entry);
      if (at >= offset && at < offset + length) return true;
    }
    return false;
  });
}

/** Where what was at an address is now. */
function movedTo(moves: readonly Move[], address: number): number | undefined {
  const move = moves.find(({ from, length }) => address >= from && address < from + length);
  if (move === undefined) return address;
  return move.to === undefined ? undefined : move.to + (address - move.from);
}

/**
 * The object that a fault is in, with the fault.
 * @param run the straight line that the fault is in
 * @param image what the objects were linked to
 * @returns undefined if there is no machine code for it, or it is in none of the objects
 */
export function mutantObject(
  { edit }: Fault,
  run: readonly SwitchInstruction[],
  image: Image,
  files: readonly MutableObject[],
  disassembler: Disassembler,
): { file: MutableObject; bytes: Uint8Array } | undefined {
  if (edit === undefined) return undefined;
  const home = homeOf(edit.address, edit.length, image, files);
  if (home === undefined) return undefined;
  const { file, section, start } = home;
  const end = Math.ceil(section.size / ALIGN) * ALIGN;
  const ground = {
    read: (address: number, length: number) => section.bytes.subarray(address - start, address - start + length),
    relocated: (address: number, length: number) => relocationsIn(file.object, section, address - start, length),
    free: start + end,
  };
  const made = placed(edit, run, ground, disassembler);
  if (made === undefined) return undefined;
  const { changes, annex, moves } = made;
  const bytes = rewriteObject(
    { name: file.object.name, bytes: file.bytes },
    {
      section: file.object.sections.indexOf(section),
      patches: changes.map(([address, patch]) => [address - start, patch] as const),
      appended: annex === undefined ? new Uint8Array() : Uint8Array.from([...nops(end - section.size), ...annex.bytes]),
      relocated: (offset) => {
        const address = movedTo(moves, start + offset);
        return address === undefined ? undefined : address - start;
      },
    },
  );
  return { file, bytes };
}
