import { LinkError, quote, shown } from './errors.js';
import { type ObjectFile, type ObjectSymbol, STT } from './object.js';
import { has, isLoaded, madeSection, type ObjectSection, SHF, SHT } from './section.js';

/** How much a definition counts: a stronger one of the same name replaces a weaker one, as in GNU ld. */
const RANK = { none: 0, weak: 1, common: 2, strong: 3 } as const;

/** What a symbol stands for in one link: one for each global name, and one for each local symbol. */
export interface Meaning {
  readonly name: string;
  readonly global: boolean;
  /** Of RANK; none until a definition is found. */
  rank: number;
  /** The file that defines it; empty for what the linker does. */
  file: string;
  /** What it is defined in; undefined for a value that is no address. */
  section: ObjectSection | undefined;
  /** Offset in the section, or the value itself. */
  value: bigint;
  /** In bytes. */
  size: bigint;
  /** One of STT. */
  type: number;
  /** Where it is, or its value, once everything is placed; undefined if it comes from outside or is not loaded. */
  address: bigint | undefined;
}

/** Whether an object file or the linker defines it. */
export function isDefined({ rank }: Meaning): boolean {
  return rank !== RANK.none;
}

/** Whether each thread would have one of its own. */
export function isThreadLocal({ section }: Meaning): boolean {
  return section !== undefined && has(section, SHF.tls);
}

/** Defines a name to be `value` bytes behind the start of a section. */
export function define(meaning: Meaning, section: ObjectSection, value = 0): void {
  meaning.rank = RANK.strong;
  meaning.section = section;
  meaning.value = BigInt(value);
}

/** The symbols of several files, brought together. */
export interface Resolution {
  readonly globals: ReadonlyMap<string, Meaning>;
  /** For each file, in order, what each of its symbols stands for. */
  readonly meanings: readonly (readonly Meaning[])[];
  /** Sections of groups that an earlier file has too. */
  readonly discarded: ReadonlySet<ObjectSection>;
}

const DUPLICATES_SHOWN = 20;

function discardGroups(objects: readonly ObjectFile[]): Set<ObjectSection> {
  const discarded = new Set<ObjectSection>();
  const seen = new Set<string>();
  for (const { signature, sections } of objects.flatMap(({ comdats }) => comdats)) {
    if (seen.has(signature)) for (const section of sections) discarded.add(section);
    seen.add(signature);
  }
  return discarded;
}

function rankOf({ home, binding }: ObjectSymbol, discarded: ReadonlySet<ObjectSection>): number {
  if (home === 'undefined' || (typeof home === 'object' && discarded.has(home))) return RANK.none;
  if (home === 'common') return RANK.common;
  return binding === 'weak' ? RANK.weak : RANK.strong;
}

/** Counts for the biggest size and alignment of the common symbols of a name. */
function mergeCommon(meaning: Meaning, { value, size }: ObjectSymbol): void {
  if (size > meaning.size) meaning.size = size;
  if (value > meaning.value) meaning.value = value;
}

/** Decides what each symbol stands for. @throws LinkError if a name is defined twice */
export function resolve(objects: readonly ObjectFile[]): Resolution {
  const discarded = discardGroups(objects);
  const globals = new Map<string, Meaning>();
  const duplicates: string[] = [];
  const fill = (meaning: Meaning, symbol: ObjectSymbol, file: string, rank: number): void => {
    meaning.rank = rank;
    meaning.file = file;
    meaning.section = typeof symbol.home === 'object' ? symbol.home : undefined;
    meaning.value = symbol.value;
    meaning.size = symbol.size;
    meaning.type = symbol.type;
  };
  const blank = (name: string, global: boolean, { type }: ObjectSymbol): Meaning => {
    return {
      name,
      global,
      rank: RANK.none,
      file: '',
      section: undefined,
      value: 0n,
      size: 0n,
      type,
      address: undefined,
    };
  };
  const meanings = objects.map(({ name: file, symbols }) => {
    return symbols.map((symbol) => {
      const rank = rankOf(symbol, discarded);
      if (symbol.binding === 'local') {
        const meaning = blank(symbol.name, false, symbol);
        // One in a discarded section keeps it, so that what refers to it can be refused.
        fill(meaning, symbol, file, RANK.strong);
        return meaning;
      }
      const meaning = globals.get(symbol.name) ?? blank(symbol.name, true, symbol);
      globals.set(symbol.name, meaning);
      if (rank === RANK.strong && meaning.rank === RANK.strong) {
        duplicates.push(`${quote(symbol.name)} is defined twice: in ${shown(meaning.file)} and in ${shown(file)}`);
      } else if (rank === RANK.common && meaning.rank === RANK.common) {
        mergeCommon(meaning, symbol);
      } else if (rank > meaning.rank) {
        fill(meaning, symbol, file, rank);
      }
      return meaning;
    });
  });
  if (duplicates.length > 0) {
    const more = duplicates.length > DUPLICATES_SHOWN ? [`and ${duplicates.length - DUPLICATES_SHOWN} more`] : [];
    throw new LinkError([...duplicates.slice(0, DUPLICATES_SHOWN), ...more].join('\n'));
  }
  return { globals, meanings, discarded };
}

/** Makes room for the symbols that no file has room for: what C has as `int x;` with -fcommon. */
export function placeCommons(globals: ReadonlyMap<string, Meaning>): ObjectSection[] {
  const made: ObjectSection[] = [];
  for (const meaning of globals.values()) {
    if (meaning.rank !== RANK.common) continue;
    const tls = meaning.type === STT.tls ? SHF.tls : 0;
    const section = madeSection('(common)', {
      type: SHT.nobits,
      flags: SHF.alloc | SHF.write | tls,
      size: Number(meaning.size),
      align: Math.max(1, Number(meaning.value)),
    });
    define(meaning, section);
    made.push(section);
  }
  return made;
}

/** The sections that become part of the program, in the order of the files. */
export function keptSections(objects: readonly ObjectFile[], discarded: ReadonlySet<ObjectSection>): ObjectSection[] {
  return objects.flatMap(({ sections }) => {
    return sections.filter((section) => isLoaded(section) && !discarded.has(section));
  });
}
