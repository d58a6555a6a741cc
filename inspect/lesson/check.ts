import { openCpu } from '../../emu/open.js';
import { momentsOf } from './anchor.js';
import { judge, rightAnswer } from './answer.js';
import { LessonError } from './error.js';
import { printedLines, registersNow } from './fact.js';
import { LANGUAGES, type Language, type Lesson, programOf } from './lesson.js';
import { type Expected, expected, type Question } from './question.js';
import { endingOf, openStage, type Stage } from './stage.js';
import type { Passage } from './text.js';

/** A passage at its moment, with the right answers to its questions. */
export interface Played {
  readonly passage: Passage;
  readonly moment: number;
  readonly answers: readonly { readonly question: Question; readonly expected: Expected }[];
}

/**
 * Finds whatever is not true in a lesson: anchors that are not reached, facts that do not hold, questions without one
 * right answer, languages that differ, programs that end otherwise. Needs a loaded engine.
 * @returns a line for each problem
 */
export async function problemsOf(lesson: Lesson): Promise<string[]> {
  const problems: string[] = [];
  const [one, ...others] = LANGUAGES.map((language) => ({ language, marks: marksOf(lesson, language) }));
  for (const { language, marks } of others) {
    const at = marks.findIndex((mark, index) => mark !== one.marks[index]);
    const first = at >= 0 ? at : marks.length < one.marks.length ? marks.length : -1;
    if (first < 0) continue;
    problems.push(
      `${lesson.name}: ${language}.md has "${marks[first] ?? 'nothing'}" where ${one.language}.md has ` +
        `"${one.marks[first] ?? 'nothing'}"`,
    );
  }
  for (const [name, { ends, prints, ...program }] of lesson.programs) {
    const cpu = openCpu();
    try {
      const stage = openStage(cpu, program);
      for (const language of LANGUAGES) {
        await play(stage, passagesOf(lesson, language, name), language, problems);
      }
      await stage.session.go(Number.MAX_SAFE_INTEGER);
      const ending = endingOf(stage.session.outcome);
      if (ending !== ends)
        problems.push(`${lesson.name}: ${name} is said to end with "${ends}": it ends with "${ending}"`);
      const printed = printedLines(stage);
      if (printed.join('\n') !== prints.join('\n')) {
        problems.push(`${lesson.name}: ${name} prints ${JSON.stringify(printed)}, which is not what lesson.json says`);
      }
    } finally {
      cpu.close();
    }
  }
  return problems;
}

/** The passages about one of a lesson's programs, in their order. */
export function passagesOf(lesson: Lesson, language: Language, program: string): Passage[] {
  return lesson.texts[language].passages.filter((passage) => programOf(lesson, passage) === program);
}

/**
 * Goes through the passages about a program as a student would.
 * @param problems takes what is not true
 * @throws LessonError if an anchor is not reached
 */
export async function play(
  stage: Stage,
  passages: readonly Passage[],
  language: Language,
  problems: string[],
): Promise<Played[]> {
  const played: Played[] = [];
  const note = (error: unknown): void => {
    if (!(error instanceof LessonError)) throw error;
    problems.push(error.message);
  };
  const moments = await momentsOf(
    stage,
    passages.map(({ anchor }) => anchor),
  ).catch((error: unknown) => {
    note(error);
    return [];
  });
  await stage.session.go(moments[0] ?? 0);
  let before = registersNow(stage);
  for (const [index, moment] of moments.entries()) {
    const passage = passages[index];
    await stage.session.go(moment);
    for (const fact of passage.facts) {
      try {
        if (!fact.holds(stage, before))
          problems.push(`${fact.file}:${fact.line}: "${fact.text}" is not so at moment ${moment}`);
      } catch (error) {
        note(error);
      }
    }
    before = registersNow(stage);
    const answers: { question: Question; expected: Expected }[] = [];
    for (const question of passage.questions) {
      try {
        const answer = await expected(stage, question, moment);
        const right = rightAnswer(answer, language);
        if (judge(answer, right) !== 'right') {
          problems.push(`${question.file}:${question.line}: "${right}", the right answer, is not taken for right`);
        }
        answers.push({ question, expected: answer });
      } catch (error) {
        note(error);
      }
    }
    played.push({ passage, moment, answers });
  }
  return played;
}

/** What has to be the same in all languages. */
function marksOf(lesson: Lesson, language: Language): string[] {
  return lesson.texts[language].passages.flatMap((passage) => [
    `program: ${programOf(lesson, passage)}`,
    `at: ${passage.anchor.text}`,
    ...passage.facts.map(({ text }) => `fact: ${text}`),
    ...passage.questions.flatMap(({ text, options }) => [
      `ask: ${text}`,
      ...options.map(({ fact }) => `if: ${fact.text}`),
    ]),
  ]);
}
