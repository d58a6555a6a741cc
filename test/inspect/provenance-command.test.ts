import { describe, expect, test } from 'vitest';
import { expectComplaint, file, millscope } from './command.js';

const PIPELINE = 'fixtures/programs/pipeline.s';

/** By hand: 9 and 5 make 14, which crosses no switch. */
const SUM = file(
  'sum.s',
  `
        .globl  main
main:   mov     $9, %ebx
        push    $5
        pop     %rcx
        add     %rcx, %rbx
        mov     %rbx, %rsi
        xor     %eax, %eax
        ret
`,
);

describe('millscope why', () => {
  test('prints a chain, and the commands that lead on', () => {
    const { status, stdout, stderr } = millscope([
      'why',
      PIPELINE,
      '--at',
      '2000',
      'slot',
      'r12',
      'of',
      'coroutine',
      '2',
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [first, , , , second] = stdout.split('\n');
    expect(first).toMatch(/^slot r12 of coroutine 2 at moment 2000: 0x[0-9a-f]+$/);
    expect(second).toMatch(/mill_suspend.*mill_setjmp\.s:19/);
    expect(stdout).toMatch(/saved from r12/);
    expect(stdout).toMatch(/restored from slot r12 of coroutine 2/);
    expect(stdout).toMatch(/more times restored and saved/);
    expect(stdout).toMatch(/the result of mill_chmake_/);
    expect(stdout).not.toContain('\x1b');
    const [, command] = /^to see that moment: millscope (.*)$/m.exec(stdout) ?? [];
    // The instruction behind which rax is the channel.
    expect(millscope(command.split(' ')).stdout).toMatch(/next: syscall at mill_chmake_/);
  });

  test('is asked on about what an instruction computed with', () => {
    const first = millscope(['why', SUM, '--at', '10000000', 'rbx']);
    expectComplaint(first, 2, /no moment 10000000: its last one is \d+/);
    const listed = millscope(['trace', SUM, '--events', 'instruction']).stdout;
    const [, moment] = /^\s*(\d+) .*movq %rbx, %rsi/m.exec(listed) ?? [];
    const { stdout } = millscope(['why', SUM, 'rbx', '--at', moment]);
    expect(stdout).toMatch(/addq %rcx, %rbx.*rbx: 0x9 → 0xe.*computed from rbx = 0x9, rcx = 0x5/);
    const [, onwards] = /^to ask on: millscope (why .* rcx)$/m.exec(stdout) ?? [];
    expect(millscope(onwards.split(' ')).stdout).toMatch(/popq %rcx(.|\n)*pushq \$5/);
  });

  test('writes colours where they are wanted, and none under --no-color', () => {
    const words = ['why', PIPELINE, '--at', '500', 'rbx'];
    expect(millscope(words, { FORCE_COLOR: '1' }).stdout).toContain('\x1b[');
    expect(millscope([...words, '--no-color'], { FORCE_COLOR: '1' }).stdout).not.toContain('\x1b');
    expect(millscope(words, { FORCE_COLOR: '1', NO_COLOR: '1' }).stdout).not.toContain('\x1b');
  });

  test('is data with --json', () => {
    const { stdout } = millscope(['why', '--at', '500', '--json', PIPELINE, 'rbx']);
    const { moment, place, steps, end } = JSON.parse(stdout);
    expect({ moment, place, end }).toEqual({ moment: 500, place: 'rbx', end: 'beginning' });
    expect(steps.at(-1)).toMatchObject({ kind: 'start', moment: 0, coroutine: null });
    const moments = steps.map((step: { moment: number }) => step.moment);
    expect(moments).toEqual([...moments].sort((a, b) => b - a));
  });

  test.each([
    [[PIPELINE, '--at', '500'], /what is asked for is missing/],
    [[PIPELINE, 'rbx'], /required option '--at/],
    [[PIPELINE, '--at', '500', 'rbq'], /did you mean "?rbx/],
    [[PIPELINE, '--at', '500', 'mill_redy'], /mill_ready/],
    [[PIPELINE, '--at', '500', '0x10'], /nothing is mapped at 0x10 at moment 500/],
    [[PIPELINE, '--at', '500', 'slot', 'r12', 'of', 'coroutine', '9'], /no coroutine 9 at moment 500/],
    [['fixtures/programs/nowhere.s', '--at', '5', 'rbx'], /nowhere\.s/],
  ])('%j is refused', (words, message) => {
    expectComplaint(millscope(['why', ...words]), 2, message);
  });
});
