import { Image, type ImageSymbol } from '../image.js';
import { nearNames } from '../near.js';
import { Content } from './content.js';
import { linesOf } from './debug.js';
import { type MissingSymbol, UnresolvedSymbols } from './errors.js';
import { GlobalOffsetTable } from './got.js';
import { namesOf } from './names.js';
import type { ObjectFile } from './object.js';
import { Marks, type Placement, place } from './place.js';
import { provide, startupSymbols } from './provided.js';
import { type Reference, visitReferences } from './reference.js';
import { Relocator } from './relocator.js';
import { isDefined, keptSections, placeCommons, type Resolution, resolve } from './resolve.js';
import type { ObjectSection } from './section.js';

/** The first place of a file that needs a name. */
interface Need {
  readonly file: string;
  readonly section: ObjectSection;
  readonly offset: number;
}

// The small code model: every address fits a sign-extended 32-bit field.
const ADDRESS_LIMIT = 1n << 31n;
const PAGE = 4096n;
/** Offset and value of the stack protector's guard. Its lowest byte is zero, so that no string can contain it. */
const GUARD = { offset: 0x28, value: 0x6d696c6c73636f00n };
/** To look for similar names is slow: for so many missing ones, among so many, and only if they are short. */
const NEAR_FOR = 10;
const NEAR_AMONG = 1000;
const SHORT = /^[\w.$]{1,32}$/;

/**
 * Object files on the way to one program, as GNU ld links them statically. Four areas follow each other from `base` on,
 * each from a page of its own: .text, .rodata, .data, .bss, with the sections in the order of the files.
 *
 * .data also has the global offset table and, last, the thread-local variables, with the control block that fs has to
 * point to: `__thread_pointer`.
 */
export class Link {
  /** Global and weak symbols that the objects define, and those that start-up code needs, with their addresses. */
  readonly symbols: ReadonlyMap<string, bigint>;
  /** First page-aligned address behind everything. */
  readonly end: bigint;
  /** Names that the objects need (not only weakly) and do not define, each with the files that need it. */
  readonly wanted: ReadonlyMap<string, readonly string[]>;
  readonly #resolution: Resolution;
  readonly #placement: Placement;
  readonly #marks = new Marks();
  readonly #got = new GlobalOffsetTable();
  readonly #needs = new Map<string, Map<string, Need>>();

  /**
   * Places all sections.
   * @param options `base` is a multiple of 4096; everything ends below `limit`, which is 2 GiB at most
   * @throws LinkError if the files do not go together, ObjectError if one turns out to be damaged
   * @throws RangeError for a base that is not a multiple of 4096 below the limit
   */
  constructor(
    private readonly objects: readonly ObjectFile[],
    { base, limit = ADDRESS_LIMIT }: { base: bigint; limit?: bigint },
  ) {
    if (base < 0n || base >= limit || limit > ADDRESS_LIMIT || base % PAGE !== 0n) {
      throw new RangeError(`base 0x${base.toString(16)} is not a multiple of 4096 below 0x${limit.toString(16)}`);
    }
    const resolution = resolve(objects);
    this.#resolution = resolution;
    const { globals, discarded } = resolution;
    const sections = keptSections(objects, discarded);
    for (const common of placeCommons(globals)) sections.push(common);
    provide(globals, sections, this.#marks);
    visitReferences(objects, resolution, (reference) => this.#collect(reference));
    this.wanted = new Map([...this.#needs].map(([name, needs]) => [name, [...needs.keys()]]));
    const room = { base: Number(base), limit: Number(limit), tableSize: this.#got.size };
    this.#placement = place(sections, this.#marks, room);
    this.end = BigInt(this.#placement.end);
    this.#settle();
    const symbols = new Map<string, bigint>();
    for (const { name, address } of globals.values()) if (address !== undefined) symbols.set(name, address);
    for (const [name, mark] of startupSymbols(this.#marks)) symbols.set(name, this.#addressOf(mark));
    this.symbols = symbols;
  }

  /**
   * Relocates. It may be called again with other symbols.
   * @param outside symbols of the runtime and of assembly sources; what the objects define themselves comes first
   * @throws UnresolvedSymbols naming all that nobody defines; LinkError for a value that does not fit its place
   */
  finish(outside: ReadonlyMap<string, bigint>): Image {
    const content = new Content(this.#placement);
    const [code] = this.#placement.areas;
    const lines = linesOf(this.objects, this.#resolution, code);
    const image = new Image(content.sections, this.#names(), lines);
    const missing = [...this.#needs].filter(([name]) => !outside.has(name));
    if (missing.length > 0) throw new UnresolvedSymbols(this.#describe(missing, image, outside));

    const { controlBlock, gotStart } = this.#marks;
    const threadPointer = this.#addressOf(controlBlock);
    const relocator = new Relocator(content, this.#got, {
      of: (section) => this.#addressOf(section),
      table: gotStart,
      threadPointer,
      outside,
    });
    relocator.fillTable();
    content.write(controlBlock, 0, 8, threadPointer);
    content.write(controlBlock, GUARD.offset, 8, GUARD.value);
    visitReferences(this.objects, this.#resolution, (reference) => relocator.apply(reference));
    return image;
  }

  /** Notes what a reference needs: an entry of the table, a definition from outside. */
  #collect({ file, section, offset, relocation, meaning, weak }: Reference): void {
    if (relocation.entry) this.#got.offset(meaning, relocation.entry);
    if (weak || isDefined(meaning)) return;
    const needs = this.#needs.get(meaning.name) ?? new Map<string, Need>();
    this.#needs.set(meaning.name, needs);
    if (!needs.has(file)) needs.set(file, { file, section, offset });
  }

  /** Gives each symbol the address that its section has got. */
  #settle(): void {
    const { globals, meanings } = this.#resolution;
    const settle = (meaning: (typeof meanings)[number][number]): void => {
      const { section, value } = meaning;
      const start = section && this.#placement.addresses.get(section);
      if (section === undefined) meaning.address = isDefined(meaning) ? value : undefined;
      else if (start !== undefined) meaning.address = BigInt.asIntN(64, BigInt(start) + value);
    };
    for (const meaning of globals.values()) settle(meaning);
    for (const meaning of meanings.flat()) if (!meaning.global) settle(meaning);
  }

  #addressOf(section: ObjectSection): bigint {
    return BigInt(this.#placement.addressOf(section));
  }

  #names(): ImageSymbol[] {
    const names = namesOf(this.objects, this.#resolution);
    const { globals } = this.#resolution;
    const own = [...startupSymbols(this.#marks), ['_GLOBAL_OFFSET_TABLE_', this.#marks.gotStart] as const];
    for (const [name, mark] of own) {
      if (!globals.has(name)) names.push({ name, value: this.#addressOf(mark), kind: 'label', global: true });
    }
    return names;
  }

  #describe(
    missing: readonly (readonly [string, ReadonlyMap<string, Need>])[],
    image: Image,
    outside: ReadonlyMap<string, bigint>,
  ): MissingSymbol[] {
    const names = [...outside.keys(), ...this.symbols.keys()];
    const candidates = names.filter((name) => SHORT.test(name)).slice(0, NEAR_AMONG);
    return missing.map(([symbol, needs], at) => ({
      symbol,
      neededBy: [...needs.keys()],
      places: [...needs.values()].map(({ section, offset }) => {
        const address = this.#addressOf(section) + BigInt(offset);
        return image.symbolAt(address) ? image.describe(address) : `${section.name}+0x${offset.toString(16)}`;
      }),
      near: at < NEAR_FOR && SHORT.test(symbol) ? nearNames(symbol, candidates) : [],
    }));
  }
}
