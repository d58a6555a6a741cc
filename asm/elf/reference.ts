import { LinkError, ObjectError, quote, shown } from './errors.js';
import type { ObjectFile, RelocationTable } from './object.js';
import { NO_RELOCATION, RELOCATIONS, type Relocation, whyRefused } from './relocation.js';
import type { Meaning, Resolution } from './resolve.js';
import { isLoaded, type ObjectSection } from './section.js';

/** One place that refers to a symbol. An object that is used again for the next one. */
export interface Reference {
  file: string;
  section: ObjectSection;
  /** In the section, in bytes. */
  offset: number;
  relocation: Relocation;
  meaning: Meaning;
  /** Whether the file is content if nobody defines the symbol. */
  weak: boolean;
  addend: bigint;
}

/** A place for messages: `prog.o: .text+0x12`. */
export function placeOf(file: string, { name }: ObjectSection, offset: number): string {
  return `${shown(file)}: ${shown(name)}+0x${offset.toString(16)}`;
}

/** @throws ObjectError, LinkError for what cannot be relocated whatever the values are */
function visitTable(
  { name: file, symbols }: ObjectFile,
  meanings: readonly Meaning[],
  table: RelocationTable,
  visit: (reference: Reference) => void,
): void {
  const section = table.target;
  let reference: Reference | undefined;
  for (let entry = 0; entry < table.count; entry++) {
    const type = table.type(entry);
    if (type === NO_RELOCATION) continue;
    const offset = table.offset(entry);
    const relocation = RELOCATIONS.get(type);
    if (relocation === undefined) {
      throw new LinkError(`${placeOf(file, section, offset)}: cannot apply relocation ${whyRefused(type)}`);
    }
    const index = table.symbol(entry);
    // Symbol 0 stands for the value 0; a file without a symbol table has it too.
    const symbol = symbols[index];
    if (symbol === undefined || offset + relocation.width > section.size) {
      const how = symbol === undefined ? `symbol ${index}, which does not exist` : 'a place outside of its section';
      throw new ObjectError(file, `truncated or damaged: a relocation of ${quote(section.name)} names ${how}`);
    }
    const weak = symbol.binding === 'weak' && symbol.home === 'undefined';
    const [meaning, addend] = [meanings[index], table.addend(entry)];
    if (reference === undefined) reference = { file, section, offset, relocation, meaning, weak, addend };
    else {
      reference.offset = offset;
      reference.relocation = relocation;
      reference.meaning = meaning;
      reference.weak = weak;
      reference.addend = addend;
    }
    visit(reference);
  }
}

/** Calls `visit` for each place of the program that is to be relocated. @throws ObjectError, LinkError */
export function visitReferences(
  objects: readonly ObjectFile[],
  { meanings, discarded }: Resolution,
  visit: (reference: Reference) => void,
): void {
  objects.forEach((object, number) => {
    for (const table of object.relocations) {
      const { target } = table;
      if (isLoaded(target) && !discarded.has(target)) visitTable(object, meanings[number], table, visit);
    }
  });
}
