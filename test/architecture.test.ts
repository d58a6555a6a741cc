import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Which rooms each room may import from. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  emu: ['emu'],
  asm: ['asm'],
  runtime: ['runtime', 'emu', 'asm'],
  inspect: ['inspect', 'runtime', 'emu', 'asm'],
};
const ROOMS = Object.keys(MAY_IMPORT);

/** Files that something other than an import starts. */
const ENTRIES = [
  'asm/build.ts',
  'inspect/cli.ts',
  // For authors of lessons.
  'inspect/lesson/rehearse.ts',
  'inspect/millscope.ts',
  'inspect/vitest.ts',
  'inspect/web/main.tsx',
  'inspect/web/vite.config.ts',
  'inspect/web/worker.ts',
  'inspect/web/workshop/worker.ts',
];

const sourceFiles = ROOMS.flatMap((room) =>
  readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name) && !name.endsWith('.d.ts'))
    .map((name) => join(room, name)),
);

/** Specifiers of all imports of a file, dynamic and type-only ones included. */
function importsOf(file: string): string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(ROOT, file), 'utf8'), true, true);
  return importedFiles.map(({ fileName }) => fileName);
}

/** The project's own files among a file's imports. */
function ownImportsOf(file: string): string[] {
  return importsOf(file)
    .filter((specifier) => specifier.startsWith('.'))
    .map((specifier) => relative(ROOT, join(ROOT, dirname(file), specifier)).replace(/\.js$/, ''))
    .map((name) => (existsSync(join(ROOT, `${name}.tsx`)) ? `${name}.tsx` : `${name}.ts`));
}

const roomOf = (file: string): string => file.split('/', 1)[0];

describe('architecture', () => {
  it('has the rooms it says it has', () => {
    expect(sourceFiles.length).toBeGreaterThan(20);
    expect(new Set(sourceFiles.map(roomOf))).toEqual(new Set(ROOMS));
  });

  it.each(sourceFiles)('%s imports only from where it may', (file) => {
    const allowed = MAY_IMPORT[roomOf(file)];
    for (const imported of ownImportsOf(file)) {
      expect(sourceFiles, `${file} imports ${imported}`).toContain(imported);
      expect(allowed, `${file} imports ${imported}`).toContain(roomOf(imported));
    }
  });

  it('keeps each engine and assembler package behind one file', () => {
    const users = (name: string) =>
      sourceFiles.filter((file) => importsOf(file).some((one) => one.startsWith(name) && !one.endsWith('?url')));
    expect(users('@specy/x86')).toEqual(['emu/engines/unicorn-bundle.ts']);
    expect(users('koffi')).toEqual(['emu/engines/libunicorn-library.ts']);
    expect(users('@alexaltea/capstone-js')).toEqual(['emu/capstone.ts']);
    expect(users('@alexaltea/keystone-js')).toEqual(['asm/keystone.ts']);
  });

  it('keeps what only Node has out of all rooms but inspect, so that the others run in a browser', () => {
    const users = sourceFiles.filter((file) => importsOf(file).some((one) => one.startsWith('node:')));
    expect(users.filter((file) => roomOf(file) !== 'inspect')).toEqual(['asm/build.ts']);
  });

  it('keeps what only Node or a terminal has out of the pictures of a moment, so that a page can show them too', () => {
    const pictures = ['inspect/picture/picture.ts', 'inspect/picture/animation.ts', 'inspect/picture/scenes.ts'];
    const reached = new Set([...sourceFiles.filter((file) => file.startsWith('inspect/view/')), ...pictures]);
    expect(reached.size).toBeGreaterThan(5);
    for (const file of reached) for (const imported of ownImportsOf(file)) reached.add(imported);
    const others = [...reached].flatMap((file) => importsOf(file).filter((one) => !one.startsWith('.')));
    expect(others.filter((one) => /^(node:|ink|react|picocolors|cli-table3)/.test(one))).toEqual([]);
  });

  it('keeps what only Node has out of the workshop, which is a worker', () => {
    const reached = new Set(['inspect/web/workshop/worker.ts']);
    for (const file of reached) for (const imported of ownImportsOf(file)) reached.add(imported);
    expect(reached).toContain('inspect/probe/measure.ts');
    expect([...reached].filter((file) => importsOf(file).some((one) => one.startsWith('node:')))).toEqual([]);
    // It has the native engine with it.
    expect(reached).not.toContain('emu/open.ts');
  });

  it('has no file that nothing reaches', () => {
    const reached = new Set(ENTRIES);
    for (const file of reached) for (const imported of ownImportsOf(file)) reached.add(imported);
    expect(sourceFiles.filter((file) => !reached.has(file))).toEqual([]);
  });

  it('has no cycle of imports', () => {
    const state = new Map<string, 'open' | 'done'>();
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === 'done') return;
      expect(state.get(file), [...path, file].join(' -> ')).toBeUndefined();
      state.set(file, 'open');
      // Types are gone when the program runs, but a cycle of types is a cycle for the reader.
      for (const imported of ownImportsOf(file)) visit(imported, [...path, file]);
      state.set(file, 'done');
    };
    for (const file of sourceFiles) visit(file, []);
  });
});
