import { expect, test } from 'vitest';
import { momentsOf } from '../../../inspect/lesson/anchor.js';
import { passagesOf } from '../../../inspect/lesson/check.js';
import { expected } from '../../../inspect/lesson/question.js';
import { lessonOf, names, onStage } from './lessons.js';

test.each(names)(
  'questions of lesson %s leave the run where they are asked, and have one answer, wherever it was',
  async (name) => {
    const lesson = await lessonOf(name);
    for (const program of lesson.programs.keys()) {
      const passages = passagesOf(lesson, 'en', program);
      await onStage(lesson, program, async (stage) => {
        const { session } = stage;
        const moments = await momentsOf(
          stage,
          passages.map(({ anchor }) => anchor),
        );
        for (const [index, { questions }] of passages.entries()) {
          for (const question of questions) {
            await session.go(0);
            const first = await expected(stage, question, moments[index]);
            expect(session.moment).toBe(moments[index]);
            await session.go(Number.MAX_SAFE_INTEGER);
            const again = await expected(stage, question, moments[index]);
            expect(session.moment).toBe(moments[index]);
            // Which name stands for what is a function, new each time.
            expect(JSON.stringify(again, text)).toBe(JSON.stringify(first, text));
          }
        }
      });
    }
  },
);

function text(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}` : value;
}
