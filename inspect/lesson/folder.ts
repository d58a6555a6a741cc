import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Source } from '../../asm/statement.js';
import { loadProgram } from '../program.js';
import { LessonError } from './error.js';
import { type LessonJson, readManifest } from './lesson.js';
import { listingOf } from './listing.js';

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
