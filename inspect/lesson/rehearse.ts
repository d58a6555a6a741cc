/**
 * For authors: runs lessons of fixtures/lessons, all or those named, and says at which moment each passage is, what the
 * machine answers to each question, and what is not true.
 *
 *   tsx inspect/lesson/rehearse.ts 02-saving
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadEngine, openCpu } from '../../emu/open.js';
import { rightAnswer } from './answer.js';
import { passagesOf, play, problemsOf } from './check.js';
import { buildLesson, lessonNames } from './folder.js';
import { type Lesson, openLesson } from './lesson.js';
import { openStage } from './stage.js';

const root = fileURLToPath(new URL('../../fixtures/lessons/', import.meta.url));
const say = (text: string): boolean => process.stdout.write(`${text}\n`);

async function rehearse(lesson: Lesson): Promise<string[]> {
  for (const [name, program] of lesson.programs) {
    say(`${lesson.name}: ${lesson.texts.en.title} (${program.files.join(', ')})`);
    const cpu = openCpu();
    try {
      // Problems are looked for below, in all languages.
      const played = await play(openStage(cpu, program), passagesOf(lesson, 'en', name), 'en', []);
      for (const { passage, moment, answers } of played) {
        say(`${String(moment).padStart(8)}  ${passage.anchor.text}`);
        for (const { question, expected } of answers) say(`          ${question.text}: ${rightAnswer(expected, 'en')}`);
      }
    } finally {
      cpu.close();
    }
  }
  return problemsOf(lesson);
}

await loadEngine();
const named = process.argv.slice(2);
const problems: string[] = [];
for (const name of named.length > 0 ? named : lessonNames(root)) {
  problems.push(...(await rehearse(openLesson(await buildLesson(join(root, name))))));
}
for (const problem of problems) say(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
