import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Image } from '../asm/image.js';
import { INCLUDES } from '../asm/libmill.image.js';
import type { Source } from '../asm/statement.js';
import type { Body } from '../runtime/bodies.js';
import { libmillSymbols } from '../runtime/libmill.js';
import { UsageError } from './errors.js';

/** Where programs are placed, as Linux places executables that do not ask to be moved. */
const PROGRAM_BASE = 0x400000n;

/** Text of assembly language as a program. @throws AssemblyError */
export async function assembleProgram(source: Source, include?: (name: string) => Source | undefined): Promise<Image> {
  // Here, not above: a program without assembly text is not to load Keystone.
  const { assemble } = await import('../asm/assembler.js');
  return assemble([source], {
    base: PROGRAM_BASE,
    symbols: libmillSymbols(),
    include: (name) => {
      const text = INCLUDES[name];
      return include?.(name) ?? (text === undefined ? undefined : { name, text });
    },
  });
}

/**
 * A program from a file: assembly text (`.s`), or a module whose default export is the body of main (`.js`, `.mjs`).
 * @throws UsageError if there is no such file, or it is neither; AssemblyError
 */
export async function loadProgram(path: string): Promise<Image | Body> {
  if (path.endsWith('.s')) {
    const folder = dirname(path);
    return assembleProgram(readSource(path, basename(path)), (name) => {
      try {
        return readSource(resolve(folder, name), name);
      } catch (error) {
        if (error instanceof UsageError) return undefined;
        throw error;
      }
    });
  }
  if (path.endsWith('.js') || path.endsWith('.mjs')) return importBody(path);
  throw new UsageError(`${path}: a program is assembly text (.s) or a module with a generator function (.mjs)`);
}

function readSource(path: string, name: string): Source {
  return { name, text: readText(path) };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'that is a folder' : `${code}`;
    throw new UsageError(`cannot read ${path}: ${why}`);
  }
}

async function importBody(path: string): Promise<Body> {
  readText(path);
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
