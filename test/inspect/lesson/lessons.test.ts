import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { INCLUDES } from '../../../asm/libmill.image.js';
import { GENERAL_REGISTERS, REGISTERS } from '../../../emu/registers.js';
import { judge, type Verdict } from '../../../inspect/lesson/answer.js';
import { passagesOf, play, problemsOf } from '../../../inspect/lesson/check.js';
import { LANGUAGES, type Language, type Lesson } from '../../../inspect/lesson/lesson.js';
import type { Expected } from '../../../inspect/lesson/question.js';
import type { LessonText } from '../../../inspect/lesson/text.js';
import { STRUCTURES } from '../../../runtime/layout.js';
import { libmill } from '../../../runtime/libmill.js';
import { folderOf, LESSONS, lessonOf, names, onStage } from './lessons.js';

/**
 * What is right, found by hand: from the table of slots in libmill's ABI, from the sources of the programs, and from
 * the rules of its scheduler. By lesson and in the order of the questions; as students might type it.
 */
const RIGHT: Readonly<Record<string, readonly string[]>> = {
  '01-context': ['main', '7', '2', 'worker: r12 is 7, visits is 3\nmain: r12 is 100, visits is 4'],
  '02-saving': ['saved', 'b', '16(%rdx)', '7'],
  '03-restoring': ['1', 'slot 4', '0x1212', 'rsp + 16', 'rax'],
  '04-inline': ['b', 'behind_other', 'for its caller: back behind the save'],
  // The stack begins 248 + 128 bytes below a page: 8 more to a multiple of 16.
  '05-go': ['main', 'rax - 8', 'main', 'a'],
  '06-yield': ['main', 'coroutine 1', 'main, coroutine 2', 'main\nb\nmain'],
  '07-channels': ['main', 'coroutine 1', 'main', 'main', 'b'],
  '08-choose': ['main', '5', '15', '1', 'coroutine 1'],
  // 262144 - 376 bytes hold 63 pages and some: the 64th call's return address is the first below.
  '09-faults': ['b', '64', 'c', 'r13', '5'],
};

const NINE = [
  '01-context',
  '02-saving',
  '03-restoring',
  '04-inline',
  '05-go',
  '06-yield',
  '07-channels',
  '08-choose',
  '09-faults',
];

/** Answers of the right kind that are wrong. */
function wrongAnswers(expected: Expected): string[] {
  switch (expected.kind) {
    case 'number':
      return [`0x${(expected.value + 1n).toString(16)}`, `${expected.value + 8n}`];
    case 'slot':
      return [`${(expected.slot + 1) % 10}`];
    case 'coroutine':
      return [expected.id === 0 ? 'coroutine 1' : 'main'];
    case 'ready':
      return expected.ids.length === 0 ? ['main'] : ['nobody', [...expected.ids, 9].join(', ')];
    case 'output':
      return [`${expected.lines.join('\n')}\nmore`];
    case 'time':
      return [`${expected.ms + 1} ms`];
    case 'lost':
      return ['rbp', 'none'];
    case 'choice':
      return [`${(expected.option % expected.options) + 1}`];
  }
}

/** All that a student reads, in the order of the text. */
function proseOf({ title, introduction, passages }: LessonText): string[] {
  return [
    title,
    introduction,
    ...passages.flatMap(({ markdown, questions }) => [
      markdown,
      ...questions.flatMap(({ prompt, options, explanation }) => [
        prompt,
        ...options.map(({ text }) => text),
        explanation,
      ]),
    ]),
  ];
}

async function playAll(lesson: Lesson, language: Language) {
  const played = [];
  const problems: string[] = [];
  for (const program of lesson.programs.keys()) {
    played.push(
      ...(await onStage(lesson, program, (stage) =>
        play(stage, passagesOf(lesson, language, program), language, problems),
      )),
    );
  }
  return { played, problems };
}

test('there are nine lessons, in their order', () => {
  expect(names).toEqual(NINE);
});

test('each lesson.json fits the schema, and the schema refuses what is wrong', () => {
  const schema = JSON.parse(readFileSync(join(LESSONS, 'lesson.schema.json'), 'utf8'));
  const validate = new Ajv({ allErrors: true }).compile(schema);
  for (const name of names) {
    const json = JSON.parse(readFileSync(join(folderOf(name), 'lesson.json'), 'utf8'));
    expect(validate(json), `${name}: ${JSON.stringify(validate.errors)}`).toBe(true);
  }
  expect(validate({ programs: {} })).toBe(false);
  expect(validate({ programs: { main: { files: ['program.s'], prints: [], ends: 'well' } } })).toBe(false);
});

describe.each(names)('lesson %s', (name) => {
  test('is true: anchors, facts, questions, languages, output and end', async () => {
    expect(await problemsOf(await lessonOf(name))).toEqual([]);
  });

  test.each(LANGUAGES)('in %s: anchors in order, right answers accepted, wrong ones refused', async (language) => {
    const { played } = await playAll(await lessonOf(name), language);
    const questions = played.flatMap(({ answers }) => answers);
    expect(questions.map(({ expected }, index) => judge(expected, RIGHT[name][index]))).toEqual(
      RIGHT[name].map((): Verdict => 'right'),
    );
    for (const { expected: answer, question } of questions) {
      for (const wrong of wrongAnswers(answer)) {
        expect(judge(answer, wrong), `${question.file}:${question.line}: ${wrong}`).toBe('wrong');
      }
      expect(judge(answer, 'I do not know'), `${question.file}:${question.line}`).not.toBe('right');
    }
    for (const [index, { moment, passage }] of played.entries()) {
      const last = played[index - 1];
      if (last === undefined || last.passage.program !== passage.program) continue;
      expect(moment, `${passage.anchor.file}:${passage.anchor.line}`).toBeGreaterThan(last.moment);
    }
  });

  test.each(LANGUAGES)('in %s: as long as a lesson is to be', async (language) => {
    const { passages } = (await lessonOf(name)).texts[language];
    expect(passages.length).toBeGreaterThanOrEqual(6);
    expect(passages.length).toBeLessThanOrEqual(12);
    const questions = passages.flatMap((passage) => passage.questions);
    expect(questions.length).toBeGreaterThanOrEqual(3);
    expect(questions.length).toBeLessThanOrEqual(5);
    for (const { markdown, anchor } of passages) {
      const sentences = markdown.replace(/`[^`]*`/g, 'x').match(/[.!?](?=\s|$|\))|[。！？]/g)?.length ?? 0;
      expect(sentences, `${anchor.file}:${anchor.line}`).toBeGreaterThanOrEqual(1);
      expect(sentences, `${anchor.file}:${anchor.line}`).toBeLessThanOrEqual(5);
    }
  });

  test.each(LANGUAGES)('in %s: what is in backticks is real', async (language) => {
    const lesson = await lessonOf(name);
    const header = readFileSync(new URL('../../../runtime/include/libmill.h', import.meta.url), 'utf8');
    const sources = [...lesson.programs.values()].flatMap((program) => program.sources.map(({ text }) => text));
    const text = [...sources, ...Object.values(INCLUDES), header].join('\n').replace(/\s+/g, ' ');
    const structures = STRUCTURES.flatMap((one) => [one.name, ...Object.keys(one.fields)]);
    const words = new Set<string>([...REGISTERS, ...structures, ...libmill().symbols.keys()]);
    // In the article, and in libmill, but not here.
    for (const word of ['mill_getvalbuf', 'mill_choose_callback', 'go(f())', 'f']) words.add(word);
    const codes = proseOf(lesson.texts[language]).flatMap((prose) =>
      [...prose.matchAll(/`([^`]+)`/g)].map(([, code]) => code),
    );
    expect(codes.length).toBeGreaterThan(10);
    for (const code of codes) {
      const looksLikeRegister = /^(r[a-z0-9]{1,3}|e[a-z]{2}|xmm\d+|mxcsr)$/.test(code);
      const wide = code.replace(/^e/, 'r');
      if (looksLikeRegister && code !== 'ret') {
        expect([...GENERAL_REGISTERS, ...REGISTERS], code).toContain(wide);
      } else {
        const known = words.has(code) || new RegExp(`(^|[^\\w])${escaped(code)}($|[^\\w])`).test(text);
        expect(known, `\`${code}\` in ${name}/${language}.md`).toBe(true);
      }
    }
    for (const prose of proseOf(lesson.texts[language])) {
      for (const [, slot] of prose.matchAll(/(?:slots?|槽) (\d+)|(\d+) 号槽/g)) {
        if (slot !== undefined) expect(Number(slot)).toBeLessThan(10);
      }
    }
  });

  test.each(LANGUAGES)('in %s: files and pages that it links to are there', async (language) => {
    for (const prose of proseOf((await lessonOf(name)).texts[language])) {
      for (const [, target] of prose.matchAll(/!?\[[^\]]*\]\(([^)]+)\)/g)) {
        const isPage = /^https?:\/\/(libmill\.org|nomadli\.github\.io)\//.test(target);
        expect(isPage || existsSync(join(folderOf(name), target)), target).toBe(true);
      }
      expect(prose).not.toMatch(/<\w+|https?:\/\/(?![^)\s]*\))/);
    }
  });

  test('in zh: Chinese marks, and no line broken inside a sentence', async () => {
    for (const prose of proseOf((await lessonOf(name)).texts.zh)) {
      const plain = prose.replace(/`[^`]*`/g, '');
      expect(plain).not.toMatch(/[\u4e00-\u9fff][,;:?!()]|[,;:?!()][\u4e00-\u9fff]/);
      expect(plain).not.toMatch(/[^\n]\n[^\n]/);
      expect(plain).toMatch(/[\u4e00-\u9fff]/);
    }
    for (const prose of proseOf((await lessonOf(name)).texts.en)) expect(prose).not.toMatch(/[\u3000-\uffef]/);
  });
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
