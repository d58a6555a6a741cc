import { readHeader, SECTION_HEADER } from './header.js';
import { Reader } from './reader.js';
import { SHT } from './section.js';

/** What is to be different in a section of an object. Offsets are within the section, sizes in bytes. */
export interface SectionChange {
  /** Its index among the object's sections. */
  readonly section: number;
  /** Other bytes in the place of those that are there. */
  readonly patches: readonly (readonly [offset: number, bytes: Uint8Array])[];
  /** Bytes behind its end; the section grows by them. */
  readonly appended: Uint8Array;
  /** Where a relocation of an offset belongs now; undefined if nowhere. */
  readonly relocated: (offset: number) => number | undefined;
}

/** R_X86_64_NONE: nothing is relocated. */
const NONE = 0n;
const RELOCATION = 24;
/** Fields of a section header (gABI, "Sections"). */
const FIELD = { type: 4, offset: 24, size: 32, info: 44, align: 48 } as const;

/**
 * A relocatable object with a section changed, all else being as it was: a section that has grown is moved to the
 * file's end.
 * @param object `name` is what messages call it
 * @throws ObjectError if the object is none that can be read
 * @throws RangeError for a change outside of the section
 */
export function rewriteObject(
  { name, bytes }: { name: string; bytes: Uint8Array },
  { section, patches, appended, relocated }: SectionChange,
): Uint8Array {
  const reader = new Reader(name, bytes);
  const { sections, sectionCount } = readHeader(reader);
  const what = `section ${section}`;
  const header = sections + section * SECTION_HEADER;
  const [start, size] = [reader.size(header + FIELD.offset, what), reader.size(header + FIELD.size, what)];
  const content = Uint8Array.from([...reader.part(start, size, what), ...appended]);
  for (const [offset, patch] of patches) {
    if (offset < 0 || offset + patch.length > size) throw new RangeError(`${what} has no bytes at ${offset} to change`);
    content.set(patch, offset);
  }
  const align = Math.max(1, reader.size(header + FIELD.align, what));
  const place = appended.length === 0 ? start : Math.ceil(bytes.length / align) * align;
  const file = new Uint8Array(Math.max(bytes.length, place + content.length));
  file.set(bytes);
  file.set(content, place);
  const view = new DataView(file.buffer);
  view.setBigUint64(header + FIELD.offset, BigInt(place), true);
  view.setBigUint64(header + FIELD.size, BigInt(content.length), true);

  for (let index = 0; index < sectionCount; index++) {
    const table = sections + index * SECTION_HEADER;
    if (reader.u32(table + FIELD.type, what) !== SHT.rela || reader.u32(table + FIELD.info, what) !== section) continue;
    const first = reader.size(table + FIELD.offset, what);
    const end = first + reader.size(table + FIELD.size, what);
    for (let entry = first; entry + RELOCATION <= end; entry += RELOCATION) {
      const offset = relocated(reader.size(entry, what));
      if (offset === undefined) view.setBigUint64(entry + 8, NONE, true);
      else view.setBigUint64(entry, BigInt(offset), true);
    }
  }
  return file;
}
