import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readObject } from '../../../asm/elf/object.js';
import type { Image } from '../../../asm/image.js';
import { openCpu } from '../../../emu/open.js';
import { REGISTERS } from '../../../emu/registers.js';
import { momentsOf } from '../../../inspect/lesson/anchor.js';
import { passagesOf } from '../../../inspect/lesson/check.js';
import { type Lesson, type LessonJson, openLesson } from '../../../inspect/lesson/lesson.js';
import { listingOf } from '../../../inspect/lesson/listing.js';
import { openStage, type Stage } from '../../../inspect/lesson/stage.js';
import { assembleProgram, linkProgram } from '../../../inspect/program-image.js';
import { libmill } from '../../../runtime/libmill.js';
import { folderOf, jsonOf, names } from './lessons.js';

const MOMENTS = 20;

/** As it comes out of a file. */
async function shipped(name: string): Promise<Lesson> {
  const json: LessonJson = JSON.parse(JSON.stringify(await jsonOf(name)));
  return openLesson(json);
}

/** A program of one file, straight from the assembler or the linker. */
function fromSource(path: string): Promise<Image> {
  if (path.endsWith('.o')) return linkProgram([readObject({ name: basename(path), bytes: readFileSync(path) })]);
  return assembleProgram({ name: basename(path), text: readFileSync(path, 'utf8') });
}

async function statesOf(stage: Stage, moments: readonly number[]): Promise<unknown[]> {
  const states = [];
  for (const moment of moments) {
    await stage.session.go(moment);
    const { cpu } = stage.session.process;
    states.push([cpu.moment, REGISTERS.map((register) => cpu.read(register))]);
  }
  return states;
}

describe.each(names)('lesson %s as it is shipped', (name) => {
  test('runs as it does from its sources: anchors, and all registers at 20 moments', async () => {
    const lesson = await shipped(name);
    for (const [program, { image, sources, files }] of lesson.programs) {
      const anchors = passagesOf(lesson, 'en', program).map(({ anchor }) => anchor);
      const original = await fromSource(join(folderOf(name), files[0]));
      const [one, other] = [openCpu(), openCpu()];
      try {
        const fromJson = openStage(one, { image, sources });
        const fromFiles = openStage(other, { image: original, sources });
        const moments = await momentsOf(fromFiles, anchors);
        expect(await momentsOf(fromJson, anchors)).toEqual(moments);
        const end = moments[moments.length - 1];
        const spread = Array.from({ length: MOMENTS }, (_, index) => Math.floor((end * index) / (MOMENTS - 1)));
        // Backwards, so that both have to return.
        spread.reverse();
        expect(await statesOf(fromJson, spread)).toEqual(await statesOf(fromFiles, spread));
      } finally {
        one.close();
        other.close();
      }
    }
  });

  test('has the text of every instruction that its programs execute', async () => {
    const lesson = await shipped(name);
    const runtime = await listingOf(libmill());
    for (const { listing, image, sources } of lesson.programs.values()) {
      const known = new Set([...listing, ...runtime].map(([address]) => address));
      const cpu = openCpu();
      try {
        const { process } = openStage(cpu, { image, sources }).session;
        do expect(known.has(cpu.rip), process.describe(BigInt(cpu.rip))).toBe(true);
        while (process.step(1).kind === 'limit');
      } finally {
        cpu.close();
      }
    }
  });
});

test('a listing says what GNU as has assembled', async () => {
  const { programs } = await jsonOf('02-saving');
  const texts = programs.main.listing.map(([, length, text]) => [length, text]);
  const start = texts.findIndex(([, text]) => `${text}`.startsWith('leaq'));
  // The save, with the lengths of its instructions in GNU as's 49 bytes.
  expect(texts.slice(start, start + 12)).toEqual([
    [7, expect.stringMatching(/^leaq 0x2a\(%rip\), %rcx$/)],
    [3, 'xorq %rax, %rax'],
    [3, 'movq %rbx, (%rdx)'],
    [4, 'movq %rbp, 8(%rdx)'],
    [4, 'movq %r12, 0x10(%rdx)'],
    [4, 'movq %rsp, 0x18(%rdx)'],
    [4, 'movq %r13, 0x20(%rdx)'],
    [4, 'movq %r14, 0x28(%rdx)'],
    [4, 'movq %r15, 0x30(%rdx)'],
    [4, 'movq %rcx, 0x38(%rdx)'],
    [4, 'movq %rdi, 0x40(%rdx)'],
    [4, 'movq %rsi, 0x48(%rdx)'],
  ]);
});

test('all lessons together are small: less than 100 kB before compression each', async () => {
  for (const name of names) expect(JSON.stringify(await jsonOf(name)).length, name).toBeLessThan(100_000);
});
