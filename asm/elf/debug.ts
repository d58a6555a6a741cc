import type { Line } from '../image.js';
import { readLineTable } from './lines.js';
import type { ObjectFile } from './object.js';
import { store } from './relocation.js';
import type { Meaning, Resolution } from './resolve.js';
import { has, isLoaded, type ObjectSection, SHF } from './section.js';

/** Bytes that R_X86_64_64 and R_X86_64_32 change; line tables have no others. */
const WIDTHS: Readonly<Record<number, number>> = { 1: 8, 10: 4 };

/** The address of code, or an offset within a section of debugging information; 0 for what was discarded. */
function target({ section, value, address }: Meaning): bigint {
  if (section === undefined || isLoaded(section)) return address ?? 0n;
  return value;
}

/** A section's bytes with its relocations applied as far as they can be. */
function relocated(object: ObjectFile, meanings: readonly Meaning[], section: ObjectSection): Uint8Array {
  // Not slice: a Buffer's would share the file's memory.
  const bytes = new Uint8Array(section.bytes);
  const view = new DataView(bytes.buffer);
  for (const table of object.relocations.filter((each) => each.target === section)) {
    for (let entry = 0; entry < table.count; entry++) {
      const width = WIDTHS[table.type(entry)];
      const offset = table.offset(entry);
      const meaning = meanings[table.symbol(entry)];
      if (width === undefined || meaning === undefined || offset + width > bytes.length) continue;
      store(view, offset, width, target(meaning) + table.addend(entry));
    }
  }
  return bytes;
}

/** Where the code of a placed program was written, as far as its files say, in the order of addresses. */
export function linesOf(
  objects: readonly ObjectFile[],
  { meanings }: Resolution,
  code: { readonly address: number; readonly size: number },
): Line[] {
  const lines = objects.flatMap((object, unit): Line[] => {
    const plain = (name: string) => object.sections.find((each) => each.name === name && !has(each, SHF.compressed));
    const section = plain('.debug_line');
    if (section === undefined) return [];
    const rows = readLineTable({
      line: relocated(object, meanings[unit], section),
      lineStr: plain('.debug_line_str')?.bytes ?? new Uint8Array(),
      str: plain('.debug_str')?.bytes ?? new Uint8Array(),
    });
    return rows
      .filter(({ start, end }) => start >= code.address && end <= code.address + code.size && start < end)
      .map(({ start, end, file, line }) => ({ start, end, file, line, from: { file, line }, unit }));
  });
  return lines.sort((a, b) => a.start - b.start);
}
