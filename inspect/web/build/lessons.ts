import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';
import { libmill } from '../../../runtime/libmill.js';
import { buildLesson, lessonNames } from '../../lesson/folder.js';
import { openLesson } from '../../lesson/lesson.js';
import { listingOf } from '../../lesson/listing.js';
import type { Contents, Runtime } from '../contents.js';

/**
 * Puts each lesson of a folder beside the page as one JSON file, with an index of them, and the guest side of the
 * runtime as text, which all lessons run through.
 * @param asm the folder of the runtime's sources
 */
export function lessons(root: string, asm: string): Plugin {
  return {
    name: 'lessons',
    apply: 'build',
    async generateBundle() {
      const emit = (name: string, content: unknown): void => {
        this.emitFile({ type: 'asset', fileName: `lessons/${name}.json`, source: JSON.stringify(content) });
      };
      const contents: Contents[number][] = [];
      for (const name of lessonNames(root)) {
        const json = await buildLesson(join(root, name));
        const { texts } = openLesson(json);
        contents.push({ name, titles: { en: texts.en.title, zh: texts.zh.title } });
        emit(name, json);
      }
      emit('index', contents satisfies Contents);
      const sources = readdirSync(asm)
        .filter((name) => /\.(s|inc)$/.test(name))
        .map((name) => ({ name, text: readFileSync(join(asm, name), 'utf8') }));
      emit('runtime', { listing: await listingOf(libmill()), sources } satisfies Runtime);
    },
  };
}
