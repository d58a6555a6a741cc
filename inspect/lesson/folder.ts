import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Image } from '../../asm/image.js';
import type { Source } from '../../asm/statement.js';
import { Disassembler } from '../../emu/disassembler.js';
import { loadProgram } from '../program.js';
import { LessonError } from './error.js';
import { type LessonJson, type Listed, readManifest } from './lesson.js';

const LONGEST_INSTRUCTION = 15;

/** Names of the folders that hold a lesson each, in their order. */
export function lessonNames(root: string): string[] {
  const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.map(({ name }) => name).sort();
}

/**
 * A lesson's folder as it is shipped: programs assembled or linked, and disassembled.
 * @throws LessonError, UsageError, and what a program cannot be made for
 */
export async function buildLesson(folder: string): Promise<LessonJson> {
  const read = (name: string): string => {
    const path = join(folder, name);
    if (!existsSync(path)) throw new LessonError(path, undefined, 'a lesson has lesson.json, en.md and zh.md');
    return readFileSync(path, 'utf8');
  };
  const { programs } = readManifest(read('lesson.json'), join(folder, 'lesson.json'));
  const built: Record<string, LessonJson['programs'][string]> = {};
  for (const [name, claim] of Object.entries(programs)) {
    const image = await loadProgram(claim.files.map((file) => join(folder, file)));
    if (typeof image === 'function') {
      throw new LessonError(join(folder, 'lesson.json'), undefined, `programs.${name}: a lesson shows machine code`);
    }
    const sources = claim.files.map((file): Source => {
      // An object's source is beside it.
      const source = file.replace(/\.o$/, '.c');
      return { name: basename(source), text: read(source) };
    });
    built[name] = { ...claim, image: image.toJSON(), sources, listing: await listingOf(image) };
  }
  return { name: basename(folder), programs: built, texts: { en: read('en.md'), zh: read('zh.md') } };
}

/** All instructions of an image, in the order of their addresses; what is none is passed over. Loads Capstone. */
export async function listingOf({ sections }: Image): Promise<Listed[]> {
  const disassembler = await Disassembler.load();
  const listed: Listed[] = [];
  try {
    for (const { name, address, bytes } of sections) {
      if (name !== '.text') continue;
      for (let at = 0; at < bytes.length; ) {
        const code = bytes.subarray(at, at + LONGEST_INSTRUCTION);
        const instruction = disassembler.disassemble(code, address + BigInt(at));
        if (instruction !== undefined) listed.push([Number(address) + at, instruction.length, instruction.text]);
        at += instruction?.length ?? 1;
      }
    }
  } finally {
    disassembler.close();
  }
  return listed;
}
