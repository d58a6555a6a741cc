import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Archive } from '../asm/elf/archive.js';
import type { ObjectFile } from '../asm/elf/object.js';
import { Image } from '../asm/image.js';
import { INCLUDES } from '../asm/libmill.image.js';
import type { Source } from '../asm/statement.js';
import type { Body } from '../runtime/bodies.js';
import { libmillSymbols } from '../runtime/libmill.js';
import { compile, isCompiled } from './compile.js';
import { UsageError } from './errors.js';

/** Where programs are placed, as Linux places executables that do not ask to be moved. */
export const PROGRAM_BASE = 0x400000n;

const ELF_MAGIC = [0x7f, ...new TextEncoder().encode('ELF')];

/** Finds what `.include` names. */
export type Include = (name: string) => Source | undefined;

/** Text of assembly language as a program. @throws AssemblyError */
export function assembleProgram(source: Source, include?: Include): Promise<Image> {
  return assembleSources([source], include, PROGRAM_BASE, libmillSymbols());
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
}

/**
 * Objects, and assembly text that may refer to them and they to it, as one program.
 * @throws ObjectError, LinkError, UnresolvedSymbols, AssemblyError
 */
export async function linkProgram(
  objects: readonly ObjectFile[],
  { sources = [], include, archives = [] }: LinkOptions = {},
): Promise<Image> {
  // Nor is a program without objects to load the linker.
  const { Link } = await import('../asm/elf/link.js');
  const runtime = libmillSymbols();
  const members = await membersFor(objects, { sources, archives });
  // Archives of which nothing is needed leave no trace.
  if (objects.length + members.length === 0) return assembleSources(sources, include, PROGRAM_BASE, runtime);
  const link = new Link([...objects, ...members], { base: PROGRAM_BASE });
  if (sources.length === 0) return link.finish(runtime);
  const assembled = await assembleSources(sources, include, link.end, new Map([...runtime, ...link.symbols]));
  const defined = [...assembled.symbols].filter(([name]) => assembled.globals.has(name));
  return Image.join([link.finish(new Map([...runtime, ...defined])), assembled]);
}

/**
 * The members of archives that a program needs, as {@link linkProgram} takes them.
 * @throws ObjectError if one cannot be used
 */
export async function membersFor(
  objects: readonly ObjectFile[],
  { sources = [], archives = [] }: LinkOptions,
): Promise<ObjectFile[]> {
  const { neededMembers } = await import('../asm/elf/archive.js');
  const { words, defined } = namesOf(sources);
  return neededMembers(objects, words, archives, new Set([...libmillSymbols().keys(), ...defined]));
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

/**
 * A program from files: any number of objects (`.o`), sources for this machine's compiler (`.c`, `.cc`, `.cpp`, `.cxx`,
 * `.S`), archives (`.a`) and assembly text (`.s`), or one module whose default export is the body of main (`.js`, `.mjs`).
 * @param flags for the compiler, as one would type them
 * @param archives paths of more archives, whatever they are called
 * @throws UsageError if one cannot be read or compiled, or is nothing of that; AssemblyError, ObjectError, LinkError,
 * UnresolvedSymbols
 */
export async function loadProgram(
  paths: readonly string[],
  flags = '',
  archives: readonly string[] = [],
): Promise<Image | Body> {
  const module = paths.find((path) => /\.m?js$/.test(path));
  if (module !== undefined) {
    if (paths.length > 1)
      throw new UsageError(`${module}: a module is a program of its own: give no other file with it`);
    return importBody(module);
  }
  return buildProgram(await readFiles(paths, flags, archives));
}

/** A program from what was read. @throws AssemblyError, ObjectError, LinkError, UnresolvedSymbols */
export async function buildProgram({ objects, ...rest }: ProgramFiles): Promise<Image> {
  if (objects.length + rest.archives.length > 0) return linkProgram(objects, rest);
  return assembleSources(rest.sources, rest.include, PROGRAM_BASE, libmillSymbols());
}

/** Files that a program is made of, read. */
export interface ProgramFiles {
  readonly objects: readonly ObjectFile[];
  readonly archives: readonly Archive[];
  readonly sources: readonly Source[];
  readonly include: Include;
}

/**
 * Reads the files of a program, and compiles those that are C.
 * @param flags for the compiler, as one would type them
 * @param libraries paths of more archives, whatever they are called
 * @throws UsageError if one cannot be read or compiled, or is nothing of that; ObjectError
 */
export async function readFiles(
  paths: readonly string[],
  flags = '',
  libraries: readonly string[] = [],
): Promise<ProgramFiles> {
  // Messages and listings call a file by its name alone, as long as that tells it apart.
  const nameOf = (path: string): string =>
    paths.some((other) => other !== path && basename(other) === basename(path)) ? path : basename(path);
  const texts = paths.filter((path) => path.endsWith('.s'));
  const archives = [...paths.filter((path) => path.endsWith('.a')), ...libraries];
  const others = paths.filter((path) => !texts.includes(path) && !archives.includes(path));
  const sources = texts.map((path) => readSource(path, nameOf(path)));
  const include: Include = (name) => {
    for (const folder of texts.map(dirname)) {
      try {
        return readSource(resolve(folder, name), name);
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
      }
    }
    return undefined;
  };
  if (others.length + archives.length === 0) return { objects: [], archives: [], sources, include };
  const { readObject } = await import('../asm/elf/object.js');
  const { Archive } = await import('../asm/elf/archive.js');
  const objects = others.map((path) => {
    const bytes = readBinary(path);
    return readObject({ name: nameOf(path), bytes: isCompiled(path) ? compile(path, flags) : bytes });
  });
  return { objects, archives: archives.map((path) => new Archive(nameOf(path), read(path))), sources, include };
}

/** A file that a compiler takes, or that is an object by its name or by its first bytes. */
function readBinary(path: string): Uint8Array {
  const bytes = read(path);
  if (isCompiled(path) || path.endsWith('.o') || ELF_MAGIC.every((byte, at) => bytes[at] === byte)) return bytes;
  throw new UsageError(
    `${path}: a program is made of C or C++ (.c, .cpp, .cc, .cxx, .S), objects (.o) and assembly text (.s), or is a ` +
      'module with a generator function (.mjs)',
  );
}

function readSource(path: string, name: string): Source {
  return { name, text: new TextDecoder().decode(read(path)) };
}

function read(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'that is a folder' : `${code}`;
    throw new UsageError(`cannot read ${path}: ${why}`);
  }
}

async function importBody(path: string): Promise<Body> {
  read(path);
  let module: { default?: unknown };
  try {
    module = await import(pathToFileURL(path).href);
  } catch (error) {
    throw new UsageError(`${path}: it cannot be imported: ${(error as Error).message}`);
  }
  if (typeof module.default !== 'function') {
    throw new UsageError(`${path}: it has no default export that is a generator function`);
  }
  return module.default as Body;
}
