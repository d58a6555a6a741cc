import { SECTION_NAMES, type SectionName } from '../statement.js';
import { LinkError, quote } from './errors.js';
import { has, madeSection, type ObjectSection, SHF, SHT } from './section.js';

/** One of the four sections of the image. */
export interface Area {
  readonly name: SectionName;
  readonly address: number;
  /** In bytes. */
  readonly size: number;
  readonly parts: readonly ObjectSection[];
}

/** Where everything goes. */
export class Placement {
  constructor(
    readonly areas: readonly Area[],
    /** Of the sections that are part of the program. */
    readonly addresses: ReadonlyMap<ObjectSection, number>,
    /** First page-aligned address behind everything. */
    readonly end: number,
  ) {}

  /** Address of a section that is part of the program. */
  addressOf(section: ObjectSection): number {
    const address = this.addresses.get(section);
    if (address === undefined) throw new Error(`section ${quote(section.name)} has no address`);
    return address;
  }
}

const PAGE = 4096;
/** Bytes that are stored, gaps included: small sections with large alignments could ask for any amount. */
const LARGEST_CONTENT = 64 << 20;
/** Bytes of address space. */
const LARGEST = 256 << 20;
const POINTER = 8;
const ARRAYS = ['.preinit_array', '.init_array', '.fini_array'] as const;

const roundUp = (value: number, align: number) => Math.ceil(value / align) * align;

/** Whether `__start_` and `__stop_` enclose the sections of a name: those whose name is an identifier in C. */
export const isEnclosed = (section: ObjectSection): boolean =>
  /^[A-Za-z_]\w*$/.test(section.name) && !has(section, SHF.tls);

/** Which array of functions a section is a piece of, if it is one. */
function arrayOf({ name }: ObjectSection): (typeof ARRAYS)[number] | undefined {
  return ARRAYS.find((array) => name === array || name.startsWith(`${array}.`));
}

/** The pieces of an array in the order of their priorities, those without one last, as GNU ld sorts them. */
function byPriority(array: string, sections: readonly ObjectSection[]): ObjectSection[] {
  const priority = ({ name }: ObjectSection) => {
    const number = name.slice(array.length + 1);
    return /^\d{1,9}$/.test(number) ? Number(number) : Number.POSITIVE_INFINITY;
  };
  const least = new Map(sections.map((section) => [section, priority(section)]));
  const of = (section: ObjectSection) => least.get(section) ?? 0;
  return [...sections].sort((a, b) => (of(a) === of(b) ? 0 : of(a) - of(b)));
}

/** Which area a section belongs to by its flags. */
function areaOf(section: ObjectSection): SectionName {
  if (has(section, SHF.tls) || arrayOf(section)) return '.data';
  if (has(section, SHF.exec)) return '.text';
  if (section.type === SHT.nobits) return '.bss';
  return has(section, SHF.write) ? '.data' : '.rodata';
}

/** Brings sections of one name together, so that `__start_` and `__stop_` enclose them: one area, and one after another. */
function assign(sections: readonly ObjectSection[]): Map<SectionName, ObjectSection[]> {
  const runs = new Map<string | ObjectSection, ObjectSection[]>();
  for (const section of sections) {
    const key = isEnclosed(section) ? section.name : section;
    const run = runs.get(key);
    if (run) run.push(section);
    else runs.set(key, [section]);
  }
  const areas = new Map<SectionName, ObjectSection[]>(SECTION_NAMES.map((name) => [name, []]));
  for (const run of runs.values()) {
    const wanted = new Set(run.map(areaOf));
    const [first = '.data'] = wanted;
    if (wanted.size > 1 && wanted.has('.text')) {
      throw new LinkError(
        `sections named ${quote(run[0].name)} are code in one file and data in another: rename one of them`,
      );
    }
    const area = areas.get(wanted.size > 1 ? '.data' : first);
    for (const section of run) area?.push(section);
  }
  return areas;
}

/** Puts the sections of one area behind each other. */
class Row {
  readonly parts: ObjectSection[] = [];
  at: number;

  constructor(
    readonly start: number,
    private readonly limit: number,
    private readonly addresses: Map<ObjectSection, number>,
  ) {
    this.at = start;
  }

  add(section: ObjectSection, align = section.align): void {
    this.at = roundUp(this.at, align);
    this.addresses.set(section, this.at);
    this.parts.push(section);
    this.at += section.size;
    if (this.at > this.limit) {
      throw new LinkError(`the program is too large: section ${quote(section.name)} ends at 0x${this.at.toString(16)}`);
    }
  }
}

/** What a link itself puts between the sections of the files. Those without a size mark a place. */
export class Marks {
  readonly textStart = madeSection('(start of .text)', { align: 1 });
  readonly textEnd = madeSection('(end of .text)', { align: 1 });
  readonly dataEnd = madeSection('(end of .data)', { align: 1 });
  readonly bssStart = madeSection('(start of .bss)', { align: 1 });
  readonly bssEnd = madeSection('(end of .bss)', { align: 1 });
  readonly arrays = ARRAYS.map((name) => {
    return { name, start: madeSection(`(start of ${name})`), end: madeSection(`(end of ${name})`) };
  });
  readonly gotStart = madeSection('(global offset table)');
  /** What the thread pointer points to, as a thread-local place. */
  readonly tlsEnd = madeSection('(end of the thread-local block)', {
    flags: SHF.alloc | SHF.write | SHF.tls,
    align: 1,
  });
  readonly controlBlock = madeSection('(thread control block)', { size: 64, align: 64 });
}

function placeArrays(row: Row, marks: Marks, sections: readonly ObjectSection[]): void {
  for (const { name, start, end } of marks.arrays) {
    row.add(start);
    const pieces = sections.filter((section) => arrayOf(section) === name);
    // A larger alignment would leave a gap, which would be called as a function.
    for (const piece of byPriority(name, pieces)) row.add(piece, POINTER);
    row.add(end);
  }
}

/**
 * Variant II of the ABI's "ELF Handling For Thread-Local Storage": the block ends at the thread pointer, and its size is
 * rounded up to its alignment. There is one thread, so the initial block is the one that is used.
 */
function placeThreadLocals(row: Row, marks: Marks, sections: readonly ObjectSection[]): void {
  const block = [
    ...sections.filter(({ type }) => type !== SHT.nobits),
    ...sections.filter(({ type }) => type === SHT.nobits),
  ];
  const trial = new Row(0, LARGEST_CONTENT, new Map());
  for (const section of block) trial.add(section);
  const align = block.reduce((most, section) => Math.max(most, section.align), 1);
  const size = roundUp(trial.at, align);
  const pointer = roundUp(row.at + size, Math.max(align, marks.controlBlock.align));
  row.at = pointer - size;
  for (const section of block) row.add(section);
  row.at = pointer;
  row.add(marks.tlsEnd);
  row.add(marks.controlBlock);
}

/**
 * Gives every section an address: four areas from `base` on, each starting a page.
 * @param sections in the order of the command line
 * @param options `tableSize` is that of the global offset table, in bytes
 * @throws LinkError if they need too much room
 */
export function place(
  sections: readonly ObjectSection[],
  marks: Marks,
  { base, limit, tableSize }: { base: number; limit: number; tableSize: number },
): Placement {
  const addresses = new Map<ObjectSection, number>();
  const assigned = assign(sections);
  let at = base;
  let content = 0;
  const areas = SECTION_NAMES.map((name): Area => {
    const row = new Row(roundUp(at, PAGE), Math.min(limit, base + LARGEST), addresses);
    const own = assigned.get(name) ?? [];
    if (name === '.text') row.add(marks.textStart);
    if (name === '.bss') row.add(marks.bssStart);
    for (const section of own) if (!arrayOf(section) && !has(section, SHF.tls)) row.add(section);
    if (name === '.data') {
      placeArrays(row, marks, own);
      row.add(marks.gotStart);
      row.add(madeSection('(global offset table)', { size: tableSize }));
      placeThreadLocals(
        row,
        marks,
        own.filter((section) => has(section, SHF.tls)),
      );
      row.add(marks.dataEnd);
    }
    if (name === '.text') row.add(marks.textEnd);
    if (name === '.bss') row.add(marks.bssEnd);
    if (name !== '.bss') content += row.at - row.start;
    if (content > LARGEST_CONTENT)
      throw new LinkError('the program is too large: it has more than 64 MiB of code and data');
    at = row.at;
    return { name, address: row.start, size: row.at - row.start, parts: row.parts };
  });
  return new Placement(areas, addresses, roundUp(at, PAGE));
}
