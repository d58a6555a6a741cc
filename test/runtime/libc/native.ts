import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether C can be compiled and run here against glibc. */
export const hasGlibc: boolean =
  process.arch === 'x64' &&
  spawnSync('gcc', ['--version']).status === 0 &&
  /GNU libc|GLIBC/.test(spawnSync('ldd', ['--version'], { encoding: 'utf8' }).stdout ?? '');

/** Compiles a C program, runs it on the real CPU and returns the lines that it prints. */
export function native(source: string): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'libc-'));
  try {
    const [c, binary] = [join(directory, 'a.c'), join(directory, 'a')];
    writeFileSync(c, source);
    execFileSync('gcc', ['-std=gnu11', '-O0', '-w', '-fno-builtin', '-o', binary, c], { stdio: 'pipe' });
    const env = { LC_ALL: 'C', TZ: 'UTC0' };
    const output = execFileSync(binary, [], { encoding: 'latin1', env, maxBuffer: 1 << 28 });
    return output.replace(/\n$/, '').split('\n');
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Numbers that a seed decides, for making cases: xorshift (Marsaglia, 2003), so that they are none of the code's own. */
export function generator(seed: number): (bound: number) => number {
  let state = seed >>> 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % bound;
  };
}

/** C's text for bytes. */
export function cBytes(bytes: Uint8Array): string {
  return `"${[...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}"`;
}
