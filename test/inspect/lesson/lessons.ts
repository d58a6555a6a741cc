/** All lessons, built from their folders, once for each test file. */
import { fileURLToPath } from 'node:url';
import { openCpu } from '../../../emu/open.js';
import { buildLesson, lessonNames } from '../../../inspect/lesson/folder.js';
import { type Lesson, type LessonJson, openLesson } from '../../../inspect/lesson/lesson.js';
import { openStage, type Stage } from '../../../inspect/lesson/stage.js';

export const LESSONS = fileURLToPath(new URL('../../../fixtures/lessons/', import.meta.url));

export const names: readonly string[] = lessonNames(LESSONS);

export const folderOf = (name: string): string => `${LESSONS}${name}`;

const built = new Map<string, Promise<LessonJson>>();

export function jsonOf(name: string): Promise<LessonJson> {
  const known = built.get(name) ?? buildLesson(folderOf(name));
  built.set(name, known);
  return known;
}

export async function lessonOf(name: string): Promise<Lesson> {
  return openLesson(await jsonOf(name));
}

/** Runs a program of a lesson in a machine of its own. */
export async function onStage<Result>(
  lesson: Lesson,
  program: string,
  use: (stage: Stage) => Promise<Result>,
): Promise<Result> {
  const found = lesson.programs.get(program);
  if (found === undefined) throw new Error(`${lesson.name} has no program ${program}`);
  const cpu = openCpu();
  try {
    return await use(openStage(cpu, found));
  } finally {
    cpu.close();
  }
}
