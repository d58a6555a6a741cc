import { describe, expect, test } from 'vitest';
import { momentsOf, reach, readAnchor } from '../../../inspect/lesson/anchor.js';
import { passagesOf } from '../../../inspect/lesson/check.js';
import { LessonError } from '../../../inspect/lesson/error.js';
import type { Stage } from '../../../inspect/lesson/stage.js';
import { recordSwitches } from '../../../inspect/switches.js';
import { lessonOf, names, onStage } from './lessons.js';

interface Seen {
  readonly rip: number;
  /** Id of the coroutine that runs. */
  readonly running: number | undefined;
}

/** Every moment of a run by single steps, and where switches were complete; the process is as before behind it. */
function traceOf({ session: { process } }: Stage): { seen: Seen[]; landings: { at: number; to: number }[] } {
  const start = process.save();
  const seen: Seen[] = [];
  const landings: { at: number; to: number }[] = [];
  const end = recordSwitches(process, ({ at, to }) => landings.push({ at, to }));
  const note = (): void => {
    const cr = process.running;
    const running = cr === undefined ? undefined : process.mill.census.id(cr);
    seen[process.cpu.moment] = { rip: process.cpu.rip, running };
  };
  note();
  while (process.step(1).kind === 'limit') note();
  end();
  process.restore(start);
  return { seen, landings };
}

describe.each(names)('anchors of lesson %s', (name) => {
  test('are where single steps find them', async () => {
    const lesson = await lessonOf(name);
    for (const program of lesson.programs.keys()) {
      const passages = passagesOf(lesson, 'en', program);
      await onStage(lesson, program, async (stage) => {
        const { seen, landings } = traceOf(stage);
        const moments = await momentsOf(
          stage,
          passages.map(({ anchor }) => anchor),
        );
        let from = 0;
        for (const [index, { anchor }] of passages.entries()) {
          const later = seen.map((_, moment) => moment).filter((moment) => moment > from);
          const { process } = stage.session;
          if (anchor.kind === 'place') {
            const addresses = anchor.quoted ? linesWith(stage, anchor.place) : [Number(process.symbol(anchor.place))];
            const fits = later.filter(
              (moment) =>
                addresses.includes(seen[moment].rip) &&
                (anchor.who === undefined || seen[moment].running === anchor.who),
            );
            expect(moments[index], anchor.text).toBe(fits[anchor.occurrence - 1]);
          } else if (anchor.kind === 'switch') {
            const fits = landings.filter(({ at, to }) => at > from && (anchor.to === undefined || to === anchor.to));
            expect(moments[index], anchor.text).toBe(fits[anchor.occurrence - 1].at);
          } else {
            expect(anchor.kind).toBe('end');
            // A last instruction that faults is not behind its moment.
            expect([seen.length - 1, seen.length]).toContain(moments[index]);
          }
          from = moments[index];
        }
      });
    }
  });
});

/** Where code begins that is written in a line with this text. */
function linesWith({ session: { process }, sources }: Stage, text: string): number[] {
  const [file, line] = sources
    .flatMap((source) => source.text.split('\n').map((written, index) => [source.name, index + 1, written] as const))
    .filter(([, , written]) => written.replace(/\s+/g, ' ').includes(text))[0] ?? ['', 0];
  if (file !== '') {
    const lines = process.images.flatMap((image) => image.lines);
    return lines.filter((one) => one.line === line && one.file.endsWith(file)).map(({ start }) => start);
  }
  // libmill's two sequences, byte by byte as GNU as has them: which instruction is at which distance.
  const sequences: Readonly<Record<string, readonly [file: string, offset: bigint]>> = {
    'xor %rax, %rax': ['mill_setjmp.s', 7n],
    'mov %rbx, (%rdx)': ['mill_setjmp.s', 10n],
    'mov %r12, 16(%rdx)': ['mill_setjmp.s', 17n],
    'mov %rsp, 24(%rdx)': ['mill_setjmp.s', 21n],
    'mov %rcx, 56(%rdx)': ['mill_setjmp.s', 37n],
    'movq 24(%rax), %rdx': ['mill_longjmp.s', 11n],
    'mov %rdx, %rsp': ['mill_longjmp.s', 23n],
    'jmp *%rdx': ['mill_longjmp.s', 42n],
  };
  const [sequence, offset] = sequences[text];
  return process.images.flatMap((image) => image.occurrences(sequence).map(({ start }) => Number(start + offset)));
}

describe('an anchor', () => {
  const at = (text: string) => readAnchor(text, 'en.md', 7);
  const moment = async (stage: Stage, text: string, from: number): Promise<number> => {
    await reach(stage, at(text), from);
    return stage.session.moment;
  };

  test('counts steps and occurrences from the one before', async () => {
    await onStage(await lessonOf('06-yield'), 'main', async (stage) => {
      const worker = await moment(stage, 'worker', 0);
      expect(await moment(stage, 'here', worker)).toBe(worker);
      expect(await moment(stage, '+3', worker)).toBe(worker + 3);
      expect(await moment(stage, 'start', worker)).toBe(0);
      expect(await moment(stage, 'worker #2', 0)).toBe(await moment(stage, 'worker', worker));
      expect(await moment(stage, 'worker in coroutine 2', 0)).toBe(await moment(stage, 'worker #2', 0));
      const first = await moment(stage, 'switch', 0);
      expect(await moment(stage, 'switch #2', 0)).toBe(await moment(stage, 'switch', first));
      expect(await moment(stage, 'switch to main', 0)).toBe(await moment(stage, 'switch #2', 0));
      expect(await moment(stage, 'program.s:9', 0)).toBe(await moment(stage, 'main+2', 0));
    });
  });

  test('that is not reached, or is no place, says so with its file and line', async () => {
    await onStage(await lessonOf('06-yield'), 'main', async (stage) => {
      const refused = async (text: string, from = 0): Promise<string> => {
        const error = await reach(stage, at(text), from).catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(LessonError);
        return (error as LessonError).message;
      };
      const end = await moment(stage, 'end', 0);
      expect(await refused('worker #3')).toBe(
        `en.md:7: "worker #3" is not reached behind moment 0: the run ends at ${end}`,
      );
      expect(await refused(`+${end + 1}`)).toContain('is not reached');
      expect(await refused('switch to coroutine 7')).toContain('is not reached');
      expect(await refused('wroker')).toMatch(/^en\.md:7: .*worker/);
      expect(await refused('program.s:1')).toContain('no code of its own');
      expect(await refused('"call nobody"')).toBe(
        'en.md:7: no line with code says "call nobody" (what a macro brings in is written in the macro)',
      );
      expect(await refused('"call puts"')).toMatch(/is in several lines, program\.s:\d+, program\.s:\d+/);
    });
  });

  test.each(['', 'worker in main loop', 'worker #0', 'switch from main', '"a', 'step 3', '#2'])(
    'written as "%s" is refused',
    (text) => {
      expect(() => at(text)).toThrow(LessonError);
      expect(() => at(text)).toThrow(/^en\.md:7: /);
    },
  );

  test('on a move that is stopped throws the reason, not that it is not reached', async () => {
    await onStage(await lessonOf('06-yield'), 'main', async (stage) => {
      const stop = new AbortController();
      stop.abort(new Error('stopped'));
      await expect(reach(stage, at('worker'), 0, { signal: stop.signal })).rejects.toThrow('stopped');
    });
  });
});
