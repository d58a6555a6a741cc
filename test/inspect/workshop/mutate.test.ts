import { expect, it } from 'vitest';
import { isTrueOnPaper, lostOnPaper, onPaper } from './by-hand.js';
import { openWorkshop, sourceOf } from './workshop.js';

const SEEDS = 200;
const FILES = ['mill_setjmp.s', 'mill_longjmp.s'];
const LIBMILL = FILES.map((name) => sourceOf(name));

const textOf = (runtime: readonly { name: string; text: string }[], file: string): string =>
  [...runtime, ...LIBMILL].find(({ name }) => name === file)?.text ?? '';

/** Lines of one text that the other has not, either way. */
function linesApart(one: string, other: string): number {
  const [a, b] = [one.split('\n'), other.split('\n')];
  const from = a.findIndex((line, at) => line !== b[at]);
  return Math.max(a.length, b.length) - from - sameAtEnd(a.slice(from), b.slice(from));
}

function sameAtEnd(a: readonly string[], b: readonly string[]): number {
  let count = 0;
  while (count < Math.min(a.length, b.length) && a.at(-1 - count) === b.at(-1 - count)) count++;
  return count;
}

it('carries out the two sequences on paper as their table says', () => {
  const [save, restore] = LIBMILL.map(({ text }) => text);
  const { landed, slots } = onPaper(save, restore);
  const table = ['rbx', 'rbp', 'r12', 'rsp', 'r13', 'r14', 'r15', 'rip', 'rdi', 'rsi'];
  expect([...slots]).toEqual(expect.arrayContaining(table.map((name, slot) => [8 * slot, name])));
  for (const name of table) expect(landed?.get(name), name).toBe(name);
});

it('breaks one instruction so that something is lost, and offers one true sentence and three false ones', async () => {
  const workshop = openWorkshop();
  const seen = new Set<string>();
  const kinds = new Set<string>();
  for (let seed = 0; seed < SEEDS; seed++) {
    const { runtime, file, line, choices, right, explanation } = await workshop.mutate({ seed, runtime: [] });
    const title = `seed ${seed}: ${explanation}`;
    expect(
      runtime.map(({ name }) => name),
      title,
    ).toEqual([file]);
    const [before, after] = [sourceOf(file).text, textOf(runtime, file)];
    expect(linesApart(before, after), title).toBe(1);
    expect(before.split('\n')[line - 1], title).not.toBe(after.split('\n')[line - 1]);

    const paper = onPaper(textOf(runtime, 'mill_setjmp.s'), textOf(runtime, 'mill_longjmp.s'));
    expect(lostOnPaper(paper), title).not.toEqual([]);
    expect(
      choices.map((words) => isTrueOnPaper(words, paper)),
      `${title}\n${choices.join('\n')}`,
    ).toEqual(choices.map((_, index) => index === right));
    expect(new Set(choices).size, title).toBe(4);
    expect(explanation, title).toContain(choices[right]);
    seen.add(`${file} ${after}`);
    kinds.add(choices[right].replaceAll(/\br\w\w?\b|the return address/g, 'x'));
  }
  // Not the same few again and again, and not always in one place.
  expect(seen.size).toBeGreaterThan(60);
  expect(kinds.size).toBeGreaterThan(4);
}, 300_000);

it('breaks the same for the same seed, and keeps what else was edited', async () => {
  const workshop = openWorkshop();
  const [first, again] = [
    await workshop.mutate({ seed: 7, runtime: [] }),
    await openWorkshop().mutate({ seed: 7, runtime: [] }),
  ];
  expect(again).toEqual(first);
  const edited = { name: 'libmill.s', text: '# nothing\n' };
  const { runtime } = await workshop.mutate({ seed: 7, runtime: [edited] });
  expect(runtime).toEqual([edited, ...first.runtime]);
});

it('refuses to break what is broken', async () => {
  const broken = sourceOf('mill_setjmp.s', '%r13, 32(%rdx)', '%r13, 40(%rdx)');
  await expect(openWorkshop().mutate({ seed: 1, runtime: [broken] })).rejects.toThrow(/broken already: r13: was 0x/);
});
