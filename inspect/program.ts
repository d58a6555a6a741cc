import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Image } from '../asm/image.js';
import type { Source } from '../asm/statement.js';
import type { Body } from '../runtime/bodies.js';
import { compile, isCompiled } from './compile.js';
import { UsageError } from './errors.js';
import { type EditedRuntime, type Include, linkProgram, type ProgramFiles } from './program-image.js';

const ELF_MAGIC = [0x7f, ...new TextEncoder().encode('ELF')];

/**
 * A program from files: any number of objects (`.o`), sources for this machine's compiler (`.c`, `.cc`, `.cpp`, `.cxx`,
 * `.S`), archives (`.a`) and assembly text (`.s`), or one module whose default export is the body of main (`.js`, `.mjs`).
 * @param flags for the compiler, as one would type them
 * @param archives paths of more archives, whatever they are called
 * @param runtime what it is to run on, if not on the runtime of this package
 * @throws UsageError if one cannot be read or compiled, or is nothing of that; AssemblyError, ObjectError, LinkError,
 * UnresolvedSymbols
 */
export async function loadProgram(
  paths: readonly string[],
  flags = '',
  archives: readonly string[] = [],
  runtime?: EditedRuntime,
): Promise<Image | Body> {
  const module = paths.find((path) => /\.m?js$/.test(path));
  if (module !== undefined) {
    if (paths.length > 1)
      throw new UsageError(`${module}: a module is a program of its own: give no other file with it`);
    return importBody(module);
  }
  const { objects, ...rest } = await readFiles(paths, flags, archives);
  return linkProgram(objects, { ...rest, runtime });
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

/** Reads text. @throws UsageError if that is not possible */
export function readSource(path: string, name: string): Source {
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
