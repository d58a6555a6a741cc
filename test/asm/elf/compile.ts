import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ObjectFile, readObject } from '../../../asm/elf/object.js';

/** Compilers that these tests use. */
export const COMPILERS = ['gcc', 'clang'];

const known = new Map<string, boolean>();

/** Whether tools can be used here to make programs for x86_64 Linux. */
export function has(...tools: readonly string[]): boolean {
  return tools.every((tool) => {
    const isHere = known.get(tool) ?? (process.arch === 'x64' && spawnSync(tool, ['--version']).status === 0);
    known.set(tool, isHere);
    return process.platform === 'linux' && isHere;
  });
}

const SOURCES = fileURLToPath(new URL('c/', import.meta.url));

/** A place for files of one test file. */
export class Workshop {
  readonly directory = mkdtempSync(join(tmpdir(), 'elf-'));

  path(name: string): string {
    return join(this.directory, name);
  }

  /** A path of a C file of this folder. */
  source(name: string): string {
    return join(SOURCES, name);
  }

  run(tool: string, ...args: readonly string[]): string {
    return execFileSync(tool, args, { cwd: this.directory, encoding: 'utf8', stdio: 'pipe', maxBuffer: 1 << 28 });
  }

  /** Compiles a C file of this folder to an object of the given name. */
  object(compiler: string, flags: readonly string[], source: string, output: string): ObjectFile {
    this.run(compiler, ...flags, '-c', '-o', output, this.source(source));
    return this.read(output);
  }

  read(name: string): ObjectFile {
    return readObject({ name: basename(name), bytes: readFileSync(this.path(name)) });
  }

  remove(): void {
    rmSync(this.directory, { recursive: true });
  }
}
