import { expect, test } from 'vitest';
import { LessonError } from '../../../inspect/lesson/error.js';
import { readManifest } from '../../../inspect/lesson/lesson.js';
import { readText } from '../../../inspect/lesson/text.js';

const read = (...lines: readonly string[]) => readText(lines.join('\n'), 'en.md');

test('a text is a title, an introduction, and passages with their facts and questions', () => {
  const { title, introduction, passages } = read(
    '# A lesson',
    '',
    'What it is',
    'about.',
    '',
    '<!-- at: start -->',
    '',
    'First.',
    '<!-- program: other -->',
    '<!-- at: worker+4 in coroutine 2 #3 -->',
    '<!-- fact: rsp in stack of main -->',
    'Second,',
    '',
    'and *more*.',
    '<!-- ask: choice at +1 -->',
    'Which?',
    '- <!-- if: rax = 0 --> the first',
    '- <!-- if: rax != 0 --> the second',
    '<!-- why -->',
    'Because.',
    '<!-- ask: next coroutine -->',
    'Who?',
    '<!-- why -->',
    'So.',
    '',
  );
  expect([title, introduction]).toEqual(['A lesson', 'What it is\nabout.']);
  expect(passages.map(({ program, markdown }) => [program, markdown])).toEqual([
    [undefined, 'First.'],
    ['other', 'Second,\n\nand *more*.'],
  ]);
  expect(passages[1].anchor).toMatchObject({ kind: 'place', place: 'worker+4', who: 2, occurrence: 3, line: 10 });
  expect(passages[1].facts.map(({ text }) => text)).toEqual(['rsp in stack of main']);
  const [choice, who] = passages[1].questions;
  expect(choice).toMatchObject({ line: 15, prompt: 'Which?', explanation: 'Because.', asked: { kind: 'choice' } });
  expect(choice.options.map(({ text, fact }) => [fact.text, text])).toEqual([
    ['rax = 0', 'the first'],
    ['rax != 0', 'the second'],
  ]);
  expect(who).toMatchObject({
    line: 21,
    prompt: 'Who?',
    explanation: 'So.',
    asked: { kind: 'coroutine' },
    options: [],
  });
});

const TITLE = ['# A lesson', '<!-- at: start -->', 'Text.'];
const ASK = ['Why?', '<!-- why -->', 'So.'];

test.each<[problem: string, line: number | undefined, lines: readonly string[]]>([
  ['begins with a line "# Title"', 1, ['Text.', '<!-- at: start -->']],
  ['there is no passage', undefined, ['# A lesson', 'Text.']],
  ['belongs to a passage', 2, ['# A lesson', '<!-- fact: rax = 0 -->']],
  ['a mark is a line of its own', 4, [...TITLE, 'See <!-- at: main -->']],
  ['a mark is a line of its own', 4, [...TITLE, '<!-- at: main']],
  ['"hint" is no mark here', 4, [...TITLE, '<!-- hint: main -->']],
  ['"why" is no mark here', 4, [...TITLE, '<!-- why -->']],
  ['an option stands behind', 4, [...TITLE, '- <!-- if: rax = 0 --> zero']],
  ['has no text', 4, [...TITLE, '<!-- ask: next coroutine -->', '<!-- why -->', 'So.']],
  ['has no explanation', 4, [...TITLE, '<!-- ask: next coroutine -->', 'Who?']],
  ['two options or more', 4, [...TITLE, '<!-- ask: choice at end -->', ...ASK]],
  [
    'two options or more',
    4,
    [...TITLE, '<!-- ask: next coroutine -->', '- <!-- if: rax = 0 --> a', '- <!-- if: rax = 1 --> b', ...ASK],
  ],
  ['is no question', 4, [...TITLE, '<!-- ask: what is rax -->', ...ASK]],
  ['is no question', 4, [...TITLE, '<!-- ask: slot r12 at end -->', ...ASK]],
  ['there is no general register r16', 4, [...TITLE, '<!-- ask: register r16 at end -->', ...ASK]],
  ['is no moment', 4, [...TITLE, '<!-- ask: register rax at the end -->', ...ASK]],
  ['is no fact', 4, [...TITLE, '<!-- fact: rax is zero -->']],
  ['is no fact', 4, [...TITLE, '<!-- fact: rax = 1 + -->']],
  ['a ctx has the slots', 4, [...TITLE, '<!-- fact: rax = slot r9 of main -->']],
  ['a list of coroutines', 4, [...TITLE, '<!-- fact: ready is all -->']],
])('a text is refused: %s (line %s)', (problem, line, lines) => {
  let refusal: unknown;
  try {
    read(...lines);
  } catch (error) {
    refusal = error;
  }
  expect(refusal).toBeInstanceOf(LessonError);
  const { message } = refusal as LessonError;
  expect(message).toContain(problem);
  expect(message.startsWith(line === undefined ? 'en.md: ' : `en.md:${line}: `)).toBe(true);
});

test.each<[problem: string, text: string]>([
  ['this is no JSON', '{'],
  ['write {"programs"', '[]'],
  ['write {"programs"', '{"programs": {}}'],
  ['programs.main is no object', '{"programs": {"main": 1}}'],
  ['programs.main.files', '{"programs": {"main": {"files": [], "prints": [], "ends": "exit 0"}}}'],
  ['programs.main.prints', '{"programs": {"main": {"files": ["a.s"], "prints": [1], "ends": "exit 0"}}}'],
  ['programs.main.ends', '{"programs": {"main": {"files": ["a.s"], "prints": []}}}'],
])('lesson.json is refused: %s', (problem, text) => {
  expect(() => readManifest(text, 'lesson.json')).toThrow(LessonError);
  expect(() => readManifest(text, 'lesson.json')).toThrow(problem);
});
