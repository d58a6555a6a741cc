/** What is not true in a lesson is found: lessons with a fault each. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { INCLUDES } from '../../../asm/libmill.image.js';
import { problemsOf } from '../../../inspect/lesson/check.js';
import { LessonError } from '../../../inspect/lesson/error.js';
import { printedLines } from '../../../inspect/lesson/fact.js';
import { LANGUAGES, type LessonJson, openLesson } from '../../../inspect/lesson/lesson.js';
import { assembleProgram } from '../../../inspect/program-image.js';
import { folderOf, jsonOf, onStage } from './lessons.js';

type Languages = readonly (typeof LANGUAGES)[number][];

/** A lesson in which something is written otherwise. */
function rewritten(json: LessonJson, from: string, to: string, languages: Languages = LANGUAGES): LessonJson {
  const texts = { ...json.texts };
  for (const language of languages) {
    expect(texts[language]).toContain(from);
    texts[language] = texts[language].replace(from, to);
  }
  return { ...json, texts };
}

const problems = (json: LessonJson): Promise<string[]> => problemsOf(openLesson(json));

test.each<[what: string, lesson: string, from: string, to: string, problem: RegExp]>([
  [
    'a fact',
    '02-saving',
    'fact: slot r14 of main = r14',
    'fact: slot r14 of main = r15',
    /"slot r14 of main = r15" is not so at moment/,
  ],
  [
    'a fact turned round',
    '09-faults',
    'fact: not rsp in stack',
    'fact: rsp in stack',
    /"rsp in stack of coroutine 1" is not so/,
  ],
  [
    'a fact about nobody',
    '01-context',
    'fact: main is ready',
    'fact: rsp in stack of coroutine 9',
    /there is no coroutine 9 at moment/,
  ],
  [
    'a fact about no channel',
    '07-channels',
    'fact: items of channel 2 = 2',
    'fact: items of channel 9 = 2',
    /there is no channel 9 at moment/,
  ],
  ['a fact about no symbol', '02-saving', 'fact: rcx = saved', 'fact: rcx = svaed', /svaed.*saved/],
  [
    'an anchor',
    '06-yield',
    'at: a_is_started',
    'at: a_is_started #2',
    /"a_is_started #2" is not reached behind moment/,
  ],
  [
    'a moment in a question',
    '01-context',
    'ask: register r12 at worker_goes_on',
    'ask: register r12 at worker #2',
    /"worker #2" is not reached/,
  ],
  ['a choice without a right option', '03-restoring', 'if: rip = spoil', 'if: rip = main', /of the options 0 are true/],
  ['a choice with two', '05-go', 'if: not rip = parent_goes_on', 'if: rip != twice', /of the options 2 are true/],
  [
    'a slot of a register that is like another',
    '02-saving',
    'ask: slot r12 saved at +1',
    'ask: slot rax saved at +1',
    /the value of rax is in \d+ slots/,
  ],
  [
    'a slot where there is no ctx',
    '02-saving',
    'ask: slot r12 saved at +1',
    'ask: slot r12 restored at +1',
    /rax does not point to a ctx/,
  ],
])('%s that is not true', async (_, lesson, from, to, problem) => {
  const found = await problems(rewritten(await jsonOf(lesson), from, to));
  expect(
    found.some((one) => problem.test(one)),
    found.join('\n'),
  ).toBe(true);
  for (const one of found) expect(one).toMatch(/^[\w-]+\/(en|zh)\.md:\d+: /);
});

test('languages that differ', async () => {
  const json = await jsonOf('06-yield');
  const lacking = rewritten(json, '<!-- fact: ready is main -->\n', '', ['zh']);
  expect(await problems(lacking)).toEqual([
    '06-yield: zh.md has "fact: rsp in stack of coroutine 1" where en.md has "fact: ready is main"',
  ]);
  const shorter = rewritten(json, '<!-- at: end -->\n<!-- fact: ended as exit 0 -->\n', '', ['zh']);
  expect(await problems(shorter)).toEqual(['06-yield: zh.md has "nothing" where en.md has "program: main"']);
});

test('a program that prints or ends otherwise than lesson.json says', async () => {
  const json = await jsonOf('05-go');
  const { main } = json.programs;
  const claiming = (claim: object): LessonJson => ({ ...json, programs: { main: { ...main, ...claim } } });
  expect(await problems(claiming({ ends: 'exit 1' }))).toEqual([
    '05-go: main is said to end with "exit 1": it ends with "exit 0"',
  ]);
  expect(await problems(claiming({ prints: ['parent', 'child'] }))).toEqual([
    '05-go: main prints ["child","parent"], which is not what lesson.json says',
  ]);
});

test('a program that the text does not name, or names wrongly', async () => {
  const json = await jsonOf('09-faults');
  expect(() => openLesson(rewritten(json, '<!-- program: overflow -->\n', ''))).toThrow(LessonError);
  expect(() => openLesson(rewritten(json, 'program: overflow', 'program: overfull'))).toThrow(
    /^09-faults\/en\.md:\d+: there is no program "overfull": .* overflow, deadlock, slot$/,
  );
});

test.each([
  ['02-saving', 'mill_setjmp.s', '%r13, 32(%rdx)', '%r14, 32(%rdx)'],
  ['02-saving', 'mill_setjmp.s', '%rsp, 24(%rdx)', '%rbp, 24(%rdx)'],
  ['02-saving', 'mill_setjmp.s', '%rsi, 72(%rdx)', '%rdi, 72(%rdx)'],
  ['03-restoring', 'mill_longjmp.s', '16(%rax), %r12', '32(%rax), %r12'],
  ['03-restoring', 'mill_longjmp.s', '64(%rax), %rdi', '72(%rax), %rdi'],
])('lesson %s does not hold of another %s: %s becomes %s', async (name, include, from, to) => {
  const json = await jsonOf(name);
  expect(INCLUDES[include]).toContain(from);
  const text = INCLUDES[include].replace(from, to);
  const source = { name: 'program.s', text: readFileSync(join(folderOf(name), 'program.s'), 'utf8') };
  const image = await assembleProgram(source, (included) =>
    included === include ? { name: included, text } : undefined,
  );
  const { main } = json.programs;
  const found = await problems({ ...json, programs: { main: { ...main, image: image.toJSON() } } });
  expect(found.length).toBeGreaterThan(0);
});

/** What lessons 3 and 9 say: that is why a switch is not tested by whether it comes back. */
test('the same two slots exchanged in both sequences are seen by no program that uses both', async () => {
  const [r13, r14, between] = ['32(%r', '40(%r', '#(%r'];
  const exchanged = (text: string): string =>
    text.replaceAll(r13, between).replaceAll(r14, r13).replaceAll(between, r14);
  const json = await jsonOf('03-restoring');
  const source = { name: 'program.s', text: readFileSync(join(folderOf('03-restoring'), 'program.s'), 'utf8') };
  const image = await assembleProgram(source, (name) => ({ name, text: exchanged(INCLUDES[name]) }));
  const { main } = json.programs;
  const lesson = openLesson({ ...json, programs: { main: { ...main, image: image.toJSON() } } });
  await onStage(lesson, 'main', async (stage) => {
    await stage.session.to('restored');
    const { cpu, mill } = stage.session.process;
    expect([cpu.read('r13'), cpu.read('r14')]).toEqual([0x1313n, 0x1414n]);
    const ctx = mill.coroutines.ctx(mill.coroutines.main);
    expect([cpu.memory.u64(ctx + 32), cpu.memory.u64(ctx + 40)]).toEqual([0x1414n, 0x1313n]);
    await stage.session.go(Number.MAX_SAFE_INTEGER);
    expect(printedLines(stage)).toEqual(main.prints);
  });
});
