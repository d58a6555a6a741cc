/** This machine's C compiler: objects for the machine, and programs for this CPU. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The scheduler in C that tests run natively: libmill's rules and structures, and one poll in 103 switches. */
export const SCHEDULER = join(ROOT, 'test/native/libmill.c');
const FLAGS = ['-O2', '-g', '-std=gnu11', '-fno-stack-clash-protection', '-I', join(ROOT, 'runtime/include')];

/** Why there is no C compiler for this machine's programs here, if there is none. */
export const NO_COMPILER =
  process.platform !== 'linux' || process.arch !== 'x64'
    ? 'needs x86_64 Linux'
    : spawnSync('cc', ['--version']).status === 0
      ? undefined
      : 'no C compiler here';

/** Path of a C file of the bench. */
export const source = (name: string): string => join(ROOT, 'bench', name);

/** A folder for what is compiled, gone when the process ends. */
const folder = mkdtempSync(join(tmpdir(), 'millscope-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** The object that a C file becomes. */
export function compileObject(path: string, ...flags: string[]): Uint8Array {
  const object = join(folder, 'object.o');
  execFileSync('cc', [...FLAGS, ...flags, '-c', path, '-o', object]);
  return readFileSync(object);
}

/** The object that a text in C becomes, unoptimised. */
export function compileText(text: string): Uint8Array {
  const path = join(folder, 'text.c');
  writeFileSync(path, text);
  return compileObject(path, '-O0');
}

/** The path of the program that C files become on this CPU. */
export function buildProgram(name: string, paths: readonly string[]): string {
  const program = join(folder, name);
  // Bound at the start: the dynamic linker would need more of a small stack at the first call than there is.
  execFileSync('cc', [...FLAGS, ...paths, '-Wl,-z,now', '-o', program]);
  return program;
}

/** The path of a program in assembly text that needs nothing around it, with its text at that address. */
export function buildBare(name: string, text: string, address: bigint): string {
  const program = join(folder, name);
  const path = `${program}.s`;
  writeFileSync(path, text);
  const include = `-Wa,-I${join(ROOT, 'asm')}`;
  const place = ['-Wl,-emain', `-Wl,-Ttext=0x${address.toString(16)}`];
  execFileSync('cc', ['-nostdlib', '-static', '-no-pie', include, ...place, path, '-o', program]);
  return program;
}

/** A program of about 1.1 KB of code, data, symbols, relocations and debug information for each function. */
export function manyFunctions(count: number): string {
  const functions = Array.from(
    { length: count },
    (_, n) => `
int data${n} = ${n};
int function${n}(int x)
{
    data${n} += x;
    puts("function ${n}");
    return function${(n + 1) % count}(x) + data${(n * 7) % count};
}
`,
  );
  const declared = Array.from({ length: count }, (_, n) => `extern int data${n}; int function${n}(int);`);
  return `#include <stdio.h>\n${declared.join('\n')}\n${functions.join('')}\nint main(void) { return 0; }\n`;
}
