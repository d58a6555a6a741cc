import { readLineTable } from '../../asm/elf/lines.js';
import { type ObjectFile, readObject } from '../../asm/elf/object.js';
import { isLoaded, type ObjectSection } from '../../asm/elf/section.js';

/** What says which code is of which line; the rest of what -g writes is for debuggers, and most of an object. */
const LINES: readonly string[] = ['.debug_line', '.debug_line_str', '.debug_str', '.rela.debug_line'];

/** Whether the names of files are in .debug_str, where compilers keep all other names too. */
function needsNames({ sections }: ObjectFile): boolean {
  const bytes = (name: string): Uint8Array =>
    sections.find((section) => section.name === name)?.bytes ?? new Uint8Array();
  const [line, lineStr, str] = [bytes('.debug_line'), bytes('.debug_line_str'), bytes('.debug_str')];
  const table = (names: Uint8Array): string => JSON.stringify(readLineTable({ line, lineStr, str: names }));
  return table(str) !== table(new Uint8Array());
}

/**
 * An object with zeros for the debugging information that no program here is made of, so that it packs to half. It links
 * to the same program, with the same lines; a debugger finds no variables in it.
 * @throws ObjectError
 */
export function leanObject(name: string, bytes: Uint8Array): Uint8Array {
  const object = readObject({ name, bytes });
  const kept = needsNames(object) ? LINES : LINES.filter((section) => section !== '.debug_str');
  const isSpare = (section: ObjectSection): boolean =>
    !isLoaded(section) && /^(\.rela)?\.debug_/.test(section.name) && !kept.includes(section.name);
  const lean = new Uint8Array(bytes);
  for (const section of object.sections.filter(isSpare)) {
    const start = section.bytes.byteOffset - bytes.byteOffset;
    lean.fill(0, start, start + section.bytes.length);
  }
  return lean;
}
