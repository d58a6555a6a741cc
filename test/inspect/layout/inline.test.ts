/** Sequences that a compiler has put inline, from libmill.h and from headers with other slots in another order. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { millscope, ROOT } from '../command.js';
import { file, folder, layouts, short } from './measuring.js';

const compilers = ['gcc', 'clang'].filter((name) => spawnSync(name, ['--version']).status === 0);
const HEADER = readFileSync(join(ROOT, 'runtime/include/libmill.h'), 'utf8');
const REGISTERS = ['rbx', 'rbp', 'r12', 'rsp', 'r13', 'r14', 'r15', 'rcx', 'rdi', 'rsi'];

/** Where each of the ten is, and in which order they are stored and loaded. */
interface Edition {
  readonly slots: readonly number[];
  readonly order: readonly number[];
}

const EDITIONS: readonly Edition[] = [
  { slots: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
  { slots: [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], order: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] },
  { slots: [3, 0, 9, 1, 8, 2, 7, 4, 6, 5], order: [9, 3, 7, 0, 5, 8, 1, 6, 2, 4] },
  { slots: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], order: [7, 9, 8, 6, 5, 4, 3, 2, 1, 0] },
  { slots: [7, 2, 4, 9, 0, 1, 6, 3, 5, 8], order: [4, 1, 7, 8, 2, 9, 0, 3, 6, 5] },
];

/** A statement's text for a macro, a line each. */
const text = (lines: readonly string[]): string => lines.map((line) => `"${line}\\n\\t" \\\n`).join('');

/** libmill.h with its two sequences rewritten: other slots, another order. */
function headerOf({ slots, order }: Edition): string {
  const at = (index: number, base: string): string => `${8 * slots[index]}(%%${base})`;
  const save = [
    'lea LJMPRET%=(%%rip), %%rcx',
    'xor %%rax, %%rax',
    ...order.map((index) => `mov %%${REGISTERS[index]}, ${at(index, 'rdx')}`),
    'LJMPRET%=:',
  ];
  // The return address is loaded last, into rdx, which until then takes the stack pointer.
  const restore = [
    ...order
      .filter((index) => index !== 7)
      .flatMap((index) => {
        if (index !== 3) return [`movq ${at(index, 'rax')}, %%${REGISTERS[index]}`];
        return [`movq ${at(index, 'rax')}, %%rdx`, 'mov %%rdx, %%rsp'];
      }),
    `movq ${at(7, 'rax')}, %%rdx`,
    'jmp *%%rdx',
  ];
  const sequence = (first: string): RegExp =>
    new RegExp(`(__volatile__\\()(?:\\s*"[^\\n]*\\\\n\\\\t"\\s*\\\\?\\n?)+(?=\\s*:)`.replace('FIRST', first));
  let count = 0;
  return HEADER.replaceAll(
    new RegExp(sequence('').source.replace('__volatile__', '__asm__ volatile'), 'g'),
    (_, begin) => {
      count += 1;
      return `${begin}${text(count === 1 ? save : restore)}`;
    },
  );
}

const SUSPEND = `#include <libmill.h>
#include <stdlib.h>
struct cr { struct cr *next; uint64_t ctx[10]; int result; } *running, *first;
int suspend(void) {
    if (mill_setjmp_(running->ctx)) return running->result;
    running = first;
    first = first->next;
    mill_longjmp_(running->ctx);
    return 0;
}
`;
const GO = `#include <libmill.h>
coroutine void worker(int n) { (void)n; yield(); }
int main(int argc, char **argv) { (void)argv; for (int i = 0; i < argc; i++) go(worker(i)); go(worker(9)); yield(); return 0; }
`;

function object(compiler: string, level: string, name: string, source: string, include: string): string {
  const path = join(folder, `${name}-${compiler}${level}.o`);
  const flags = ['-c', level, '-I', include, '-o', path, file(`${name}.c`, source)];
  const stack = compiler === 'gcc' ? ['-fno-stack-clash-protection'] : [];
  const { status, stderr } = spawnSync(compiler, [...stack, ...flags], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return path;
}

function expected({ slots }: Edition, restored: boolean): string[] {
  return REGISTERS.map((name, index) => ({ name: name === 'rcx' ? 'rip' : name, offset: 8 * slots[index] }))
    .sort((a, b) => a.offset - b.offset)
    .map(({ name, offset }) => {
      const back = name === 'rip' ? 'rip + rdx' : name;
      return `${offset}:8 ${name} > ${restored ? back : '?'}`;
    });
}

describe.skipIf(compilers.length === 0)('inline sequences', () => {
  it('of the editions differ from one another and from libmill.h', () => {
    const texts = EDITIONS.map(headerOf);
    expect(new Set([...texts, HEADER]).size).toBe(EDITIONS.length + 1);
  });

  it.each(
    compilers.flatMap((compiler) =>
      ['-O0', '-O1', '-O2', '-O3'].flatMap((level) =>
        EDITIONS.map((edition, number) => ({ compiler, level, edition, number })),
      ),
    ),
  )('are found and measured: $compiler $level, edition $number', async ({ compiler, level, edition, number }) => {
    const include = join(folder, `edition${number}`);
    spawnSync('mkdir', ['-p', include]);
    file(join(`edition${number}`, 'libmill.h'), headerOf(edition));
    const both = await layouts([object(compiler, level, `suspend${number}`, SUSPEND, include)]);
    expect(both.map(short)).toEqual([expected(edition, true)]);
    expect(both[0].convention).toEqual({ shape: 'jump', save: 'rdx', restore: 'rax' });
    // go() saves only, once for each time it is written.
    const saves = await layouts([object(compiler, level, `go${number}`, GO, include)]);
    expect(saves.map(short)).toEqual([expected(edition, false), expected(edition, false)]);
  });

  it('that only save are measured with a restore from another file', async () => {
    const saves = object(compilers[0], '-O2', 'go', GO, join(ROOT, 'runtime/include'));
    const found = await layouts([saves, 'asm/mill_longjmp.s']);
    expect(found.map(short)).toEqual([expected(EDITIONS[0], true), expected(EDITIONS[0], true)]);
  });

  it('that are not there are an error, and no pass', () => {
    const none = object(compilers[0], '-O2', 'none', 'int main(void) { return 0; }\n', folder);
    const { status, stderr } = millscope(['layout', none]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^millscope: no inline save or restore was found: name the switch/);
  });
});
