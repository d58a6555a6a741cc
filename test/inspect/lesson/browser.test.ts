import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Everything that a file brings with it, each as the path by which it came. */
function reachedFrom(file: string): Map<string, string> {
  const reached = new Map([[file, file]]);
  for (const [one, path] of reached) {
    if (!one.endsWith('.ts')) continue;
    const { importedFiles } = ts.preProcessFile(readFileSync(join(ROOT, one), 'utf8'), true, true);
    for (const { fileName } of importedFiles) {
      const next = fileName.startsWith('.') ? join(dirname(one), fileName).replace(/\.js$/, '.ts') : fileName;
      if (!reached.has(next)) reached.set(next, `${path} -> ${next}`);
    }
  }
  return reached;
}

test.each(['lesson', 'anchor', 'question', 'answer', 'stage', 'check'])(
  'inspect/lesson/%s runs in a browser: nothing that it needs is of Node, or assembles or disassembles',
  (name) => {
    const reached = reachedFrom(`inspect/lesson/${name}.ts`);
    for (const [one, path] of reached) expect(one, path).not.toMatch(/^node:|keystone|capstone/);
  },
);

test('what reads files is known to', () => {
  const folder = [...reachedFrom('inspect/lesson/folder.ts').keys()];
  expect(folder).toEqual(expect.arrayContaining(['node:fs', '@alexaltea/keystone-js']));
});
