import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import parseArgsStringToArgv from 'string-argv';
import { UsageError } from './errors.js';

/** A compiler, and the environment variable that names another one. */
const C = { command: 'cc', variable: 'CC' };
const CPLUSPLUS = { command: 'c++', variable: 'CXX' };
const ENDINGS = ['.c', '.S', '.cc', '.cpp', '.cxx'];

/** Where libmill.h is, beside the compiled and the uncompiled runtime alike. */
export const INCLUDE = fileURLToPath(new URL('../runtime/include', import.meta.url));

/**
 * -Og keeps a step at a line. Stack probes would walk from the parent's stack to its child's in go().
 */
const FLAGS = ['-c', '-g', '-Og', '-fno-stack-clash-protection', '-I', INCLUDE];

/** Whether a file is for a compiler, by its name. */
export function isCompiled(path: string): boolean {
  return ENDINGS.some((ending) => path.endsWith(ending));
}

/**
 * Compiles a file with this machine's compiler, which writes its messages to standard error.
 * @param flags for the compiler, as one would type them; they come behind ours, so that they win
 * @returns the bytes of the object
 * @throws UsageError if there is no compiler, or it does not like the file
 */
export function compile(path: string, flags: string): Uint8Array {
  const { command, variable } = path.endsWith('.c') || path.endsWith('.S') ? C : CPLUSPLUS;
  const [compiler = command, ...first] = parseArgsStringToArgv(process.env[variable] ?? command);
  const folder = mkdtempSync(join(tmpdir(), 'millscope-'));
  try {
    const object = join(folder, 'program.o');
    const given = parseArgsStringToArgv(flags);
    const { error, status, signal } = spawnSync(compiler, [...first, ...FLAGS, ...given, '-o', object, path], {
      stdio: ['ignore', 2, 2],
    });
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') {
      throw new UsageError(
        `${path}: there is no compiler "${compiler}" on this machine: install one (Debian: apt install gcc; Fedora: ` +
          `dnf install gcc; macOS makes no ELF objects), name yours by ${variable}=…, or give an object (.o) that was ` +
          'compiled elsewhere',
      );
    }
    if (error !== undefined) throw new UsageError(`${path}: cannot start ${compiler}: ${error.message}`);
    if (status !== 0) {
      throw new UsageError(`${path}: ${compiler} ended with ${signal ?? `status ${status}`}: its messages are above`);
    }
    return readFileSync(object);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
