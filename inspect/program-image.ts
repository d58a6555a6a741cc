import type { Archive } from '../asm/elf/archive.js';
import type { ObjectFile } from '../asm/elf/object.js';
import { Image } from '../asm/image.js';
import { INCLUDES } from '../asm/libmill.image.js';
import type { Source } from '../asm/statement.js';
import { libmillSymbols } from '../runtime/libmill.js';

/** Where programs are placed, as Linux places executables that do not ask to be moved. */
export const PROGRAM_BASE = 0x400000n;

/** Finds what `.include` names. */
export type Include = (name: string) => Source | undefined;

/** A guest side of the runtime that is not the one of this package. */
export interface EditedRuntime {
  readonly image: Image;
  /** Those of its sources that are others, by the names of those that they replace. */
  readonly sources: readonly Source[];
}

/** Text of assembly language as a program. @throws AssemblyError */
export function assembleProgram(source: Source, include?: Include): Promise<Image> {
  return linkProgram([], { sources: [source], include });
}

/** Texts as one image. @throws AssemblyError */
export async function assembleSources(
  sources: readonly Source[],
  include: Include | undefined,
  base: bigint,
  symbols: ReadonlyMap<string, bigint>,
): Promise<Image> {
  // Here, not above: a program without assembly text is not to load Keystone.
  const { assemble } = await import('../asm/assembler.js');
  return assemble(sources, {
    base,
    symbols,
    include: (name) => {
      const text = INCLUDES[name];
      return include?.(name) ?? (text === undefined ? undefined : { name, text });
    },
  });
}

/** What a program is made of besides its objects. */
export interface LinkOptions {
  /** Assembly text. */
  readonly sources?: readonly Source[];
  readonly include?: Include | undefined;
  /** Searched for what is defined neither in the program nor in the runtime. */
  readonly archives?: readonly Archive[];
  /** What it is to run on, if not on the runtime of this package: its addresses are others. */
  readonly runtime?: EditedRuntime | undefined;
}

/**
 * Objects, and assembly text that may refer to them and they to it, as one program.
 * @throws ObjectError, LinkError, UnresolvedSymbols, AssemblyError
 */
export async function linkProgram(
  objects: readonly ObjectFile[],
  { sources = [], include, archives = [], runtime: edited }: LinkOptions = {},
): Promise<Image> {
  const runtime = libmillSymbols(edited?.image);
  const find: Include = (name) => include?.(name) ?? edited?.sources.find((source) => source.name === name);
  const members = archives.length === 0 ? [] : await membersFor(objects, { sources, archives, runtime: edited });
  // Archives of which nothing is needed leave no trace.
  if (objects.length + members.length === 0) return assembleSources(sources, find, PROGRAM_BASE, runtime);
  // Nor is a program without objects to load the linker.
  const { Link } = await import('../asm/elf/link.js');
  const link = new Link([...objects, ...members], { base: PROGRAM_BASE });
  if (sources.length === 0) return link.finish(runtime);
  const assembled = await assembleSources(sources, find, link.end, new Map([...runtime, ...link.symbols]));
  const defined = [...assembled.symbols].filter(([name]) => assembled.globals.has(name));
  return Image.join([link.finish(new Map([...runtime, ...defined])), assembled]);
}

/**
 * The members of archives that a program needs, as {@link linkProgram} takes them.
 * @throws ObjectError if one cannot be used
 */
export async function membersFor(
  objects: readonly ObjectFile[],
  { sources = [], archives = [], runtime }: LinkOptions,
): Promise<ObjectFile[]> {
  const { neededMembers } = await import('../asm/elf/archive.js');
  const { words, defined } = namesOf(sources);
  return neededMembers(objects, words, archives, new Set([...libmillSymbols(runtime?.image).keys(), ...defined]));
}

/** Strings and comments; the names in a .globl; a word, and whether it is a label. */
const WORDS = /"(?:\\.|[^"\\\n])*"|#.*|\.glob(?:l|al)[ \t]+([\w.$, \t]+)|([A-Za-z_.][\w.$]*)(:?)/g;

/**
 * What assembly text may refer to: all words, but for its own labels; and what it defines for others. What it includes
 * is not looked at.
 */
function namesOf(sources: readonly Source[]): { words: Set<string>; defined: Set<string> } {
  const words = new Set<string>();
  const defined = new Set<string>();
  for (const { text } of sources) {
    const labels = new Set<string>();
    const used = new Set<string>();
    const globals = new Set<string>();
    for (const [, list = '', word, colon] of text.matchAll(WORDS)) {
      for (const name of list.split(/[\s,]+/)) globals.add(name);
      if (word !== undefined) (colon === '' ? used : labels).add(word);
    }
    for (const word of used) if (!labels.has(word)) words.add(word);
    for (const label of labels) if (globals.has(label)) defined.add(label);
  }
  return { words, defined };
}

/** Files that a program is made of, read. */
export interface ProgramFiles {
  readonly objects: readonly ObjectFile[];
  readonly archives: readonly Archive[];
  readonly sources: readonly Source[];
  readonly include: Include;
}
