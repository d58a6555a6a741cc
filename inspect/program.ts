import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ObjectFile } from '../asm/elf/object.js';
import { Image } from '../asm/image.js';
import { INCLUDES } from '../asm/libmill.image.js';
import type { Source } from '../asm/statement.js';
import type { Body } from '../runtime/bodies.js';
import { libmillSymbols } from '../runtime/libmill.js';
import { compile, compiledEnding } from './compile.js';
import { UsageError } from './errors.js';

/** Where programs are placed, as Linux places executables that do not ask to be moved. */
const PROGRAM_BASE = 0x400000n;

const ELF_MAGIC = [0x7f, ...new TextEncoder().encode('ELF')];

/** Finds what `.include` names. */
type Include = (name: string) => Source | undefined;

/** Text of assembly language as a program. @throws AssemblyError */
export function assembleProgram(source: Source, include?: Include): Promise<Image> {
  return assembleSources([source], include, PROGRAM_BASE, libmillSymbols());
}

async function assembleSources(
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

/**
 * Objects, and assembly text that may refer to them and they to it, as one program.
 * @throws ObjectError, LinkError, UnresolvedSymbols, AssemblyError
 */
export async function linkProgram(
  objects: readonly ObjectFile[],
  sources: readonly Source[] = [],
  include?: Include,
): Promise<Image> {
  // Nor is a program without objects to load the linker.
  const { Link } = await import('../asm/elf/link.js');
  const runtime = libmillSymbols();
  const link = new Link(objects, { base: PROGRAM_BASE });
  if (sources.length === 0) return link.finish(runtime);
  const assembled = await assembleSources(sources, include, link.end, new Map([...runtime, ...link.symbols]));
  const defined = [...assembled.symbols].filter(([name]) => assembled.globals.has(name));
  return Image.join([link.finish(new Map([...runtime, ...defined])), assembled]);
}

/**
 * A program from files: any number of objects (`.o`), sources for this machine's compiler (`.c`, `.cc`, `.cpp`, `.cxx`,
 * `.S`) and assembly text (`.s`), or one module whose default export is the body of main (`.js`, `.mjs`).
 * @param flags for the compiler, as one would type them
 * @throws UsageError if one cannot be read or compiled, or is nothing of that; AssemblyError, ObjectError, LinkError,
 * UnresolvedSymbols
 */
export async function loadProgram(paths: readonly string[], flags = ''): Promise<Image | Body> {
  const module = paths.find((path) => /\.m?js$/.test(path));
  if (module !== undefined) {
    if (paths.length > 1)
      throw new UsageError(`${module}: a module is a program of its own: give no other file with it`);
    return importBody(module);
  }
  // Messages and listings call a file by its name alone, as long as that tells it apart.
  const nameOf = (path: string): string =>
    paths.some((other) => other !== path && basename(other) === basename(path)) ? path : basename(path);
  const texts = paths.filter((path) => path.endsWith('.s'));
  const others = paths.filter((path) => !texts.includes(path));
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
  if (others.length === 0) return assembleSources(sources, include, PROGRAM_BASE, libmillSymbols());
  const { readObject } = await import('../asm/elf/object.js');
  const objects = others.map((path) => {
    const bytes = compiledEnding(path) === undefined ? readBinary(path) : compile(path, flags);
    return readObject({ name: nameOf(path), bytes });
  });
  return linkProgram(objects, sources, include);
}

/** A file that is an object by its name or by its first bytes; what else it may be, the linker says. */
function readBinary(path: string): Uint8Array {
  const bytes = read(path);
  if (path.endsWith('.o') || ELF_MAGIC.every((byte, at) => bytes[at] === byte)) return bytes;
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
