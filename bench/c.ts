/** C programs for the bench, compiled by this machine's compiler. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../inspect/compile.js';

/** Whether there is a C compiler here. */
export const HAS_COMPILER = spawnSync('cc', ['--version']).status === 0;

/** The object that a text in C becomes. */
export function compileText(text: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'millscope-bench-'));
  try {
    const path = join(folder, 'bench.c');
    writeFileSync(path, text);
    return compile(path, '-O2');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** As yieldPingPong in assembly: two coroutines that do nothing but yield to each other. */
export const yieldPingPongInC = (rounds: number): string => `
#include <libmill.h>

static coroutine void pong(void)
{
    for (;;) yield();
}

int main(void)
{
    go(pong());
    for (int i = 0; i < ${rounds}; i++) yield();
    return 0;
}
`;

/** A program of about 1.1 KB of code, data, symbols, relocations and debug information for each function. */
export const manyFunctions = (count: number): string => {
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
};
