/*
 * What the lessons' programs print and how they end is no opinion of millscope's: a real CPU does the same, with GNU as,
 * gcc, glibc, and a libmill that knows nothing of millscope.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { Image } from '../../../asm/image.js';
import { problemsOf } from '../../../inspect/lesson/check.js';
import { openLesson } from '../../../inspect/lesson/lesson.js';
import { loadProgram } from '../../../inspect/program.js';
import { compileNativeLibmill, compilers } from '../../native.js';
import { folderOf, jsonOf, names } from './lessons.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const LONGEST_RUN_MS = 30_000;
/** Signals as a shell reports them. */
const SEGMENTATION_FAULT = 'SIGSEGV';

const folder = mkdtempSync(join(tmpdir(), 'lessons-'));
afterAll(() => rmSync(folder, { recursive: true }));

function run(command: string, parameters: readonly string[]) {
  return spawnSync(command, [...parameters], { cwd: ROOT, encoding: 'utf8', timeout: LONGEST_RUN_MS });
}

describe.skipIf(!compilers.includes('gcc'))('on this CPU', () => {
  test('the programs do what lesson.json says', async () => {
    const libmill = join(folder, 'libmill.o');
    await compileNativeLibmill('gcc', libmill);
    let count = 0;
    for (const name of names) {
      for (const [program, { files, prints, ends, sources }] of Object.entries((await jsonOf(name)).programs)) {
        // This one opens a door of millscope's; and a deadlock lasts for ever.
        if (sources[0].text.includes('open_door') || ends === 'deadlock') continue;
        const binary = join(folder, `${name}-${program}`);
        const source = join(folderOf(name), files[0].replace(/\.o$/, '.c'));
        const flags = ['-no-pie', '-Wl,-z,noexecstack', '-fno-stack-clash-protection', '-I', 'runtime/include'];
        const compiled = run('gcc', [...flags, '-Wa,-I,asm', source, libmill, '-o', binary]);
        expect(compiled.stderr, source).toBe('');
        // Line by line, or what a fault cuts off is lost in a buffer.
        const { stdout, status, signal } = run('stdbuf', ['-oL', binary]);
        expect(stdout.split('\n').slice(0, -1), source).toEqual(prints);
        if (ends === 'page fault') expect(signal, source).toBe(SEGMENTATION_FAULT);
        else expect(`exit ${status}`, source).toBe(ends);
        count += 1;
      }
    }
    expect(count).toBe(9);
  });

  test('the C programs, compiled here, are true to the same texts', async () => {
    let count = 0;
    for (const name of names) {
      const json = await jsonOf(name);
      const programs: Record<string, (typeof json.programs)[string]> = {};
      for (const [program, claim] of Object.entries(json.programs)) {
        const [file] = claim.files;
        programs[program] = claim;
        if (!file.endsWith('.o')) continue;
        const image = await loadProgram([join(folderOf(name), file.replace(/\.o$/, '.c'))], '-O0');
        programs[program] = { ...claim, image: (image as Image).toJSON() };
        count += 1;
      }
      expect(await problemsOf(openLesson({ ...json, programs }))).toEqual([]);
    }
    expect(count).toBe(3);
  });
});
