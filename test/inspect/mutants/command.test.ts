import { execFileSync } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { has } from '../../asm/elf/compile.js';
import { expectComplaint, file, folder, millscope, ROOT } from '../command.js';
import { PATIENCE_MS } from './trying.js';

/** A switch that keeps rbx on the stack. */
const SWITCH = `
        .text
        .globl  hop
        .type   hop, @function
hop:    push    %rbx
        mov     %rsp, (%rdi)
        mov     (%rsi), %rsp
        pop     %rbx
        ret
        .size   hop, .-hop
        .section .note.GNU-stack, "", @progbits
`;
/** Goes to another stack and back, and looks whether it has been there and rbx has come back. */
const PROGRAM = `
void hop(void **from, void **to);
static void *here, *there;
static void *stack[512];
static int ran;
static void other(void) { for (;;) ran = 1, hop(&there, &here); }
int main(void) {
  void **top = &stack[500];
  *--top = 0;
  *--top = (void *)other;
  *--top = 0;
  there = top;
  unsigned long kept = 42;
  __asm__ volatile("mov $42, %%ebx" ::: "rbx");
  hop(&here, &there);
  __asm__ volatile("mov %%rbx, %0" : "=r"(kept) :: "rbx");
  return kept == 42 && ran ? 0 : 1;
}
`;

const ours = { timeout: PATIENCE_MS };

describe.skipIf(!has('gcc', 'ld'))('millscope mutants with a test command', ours, () => {
  const assembled = (): string => {
    const object = join(folder, 'hop.o');
    execFileSync('gcc', ['-c', file('hop.S', SWITCH), '-o', object]);
    return object;
  };
  const program = join(folder, 'hop-test.o');
  beforeAll(() => execFileSync('gcc', ['-O1', '-c', file('hop-test.c', PROGRAM), '-o', program]));
  const inShell = (text: string, ...before: readonly string[]) => {
    return millscope(['mutants', assembled(), '--switch', 'hop', ...before, '--', 'sh', '-c', text]);
  };
  const build = `gcc ${program} $MILLSCOPE_MUTANT -o ${join(folder, 'hop-test')} && ${join(folder, 'hop-test')}`;

  it('runs the tests with each mutant, on a real processor', () => {
    const { status, stdout, stderr } = inShell(build, '--json', '--timeout', '5');
    const { switches, summary } = JSON.parse(stdout);
    const [{ mutants }] = switches;
    const verdict = (change: string, what: string) =>
      mutants.find((one: Record<string, unknown>) => one.change === change && one.what === what)?.verdict;
    expect(verdict('movq (%rsi), %rsp', 'dropped')).toBe('killed');
    expect(verdict('movq %rsp, (%rdi) → movq %rsp, (%rsi)', 'base rsi for rdi')).toBe('killed');
    expect(verdict('popq %rbx', 'dropped')).toBe('killed');
    expect(verdict('retq', 'no jump')).toBe('killed');
    expect(summary).toMatchObject({ impossible: 0, mutants: mutants.length });
    expect(summary.killed + summary.survived + summary.equivalent).toBe(mutants.length);
    expect(status).toBe(summary.survived > 0 ? 1 : 0);
    if (summary.survived > 0) expect(stderr).toMatch(/^millscope: \d+ mutants? survived: nobody noticed$/m);
  });

  it('says which survive tests that look at nothing, and what they would break', () => {
    const ended = inShell('test -f "$MILLSCOPE_MUTANT"');
    expectComplaint(ended, 1, /survived: nobody noticed/);
    expect(ended.stdout).toMatch(/^survived hop\+0x7: popq %rbx: dropped\n {2}.*contract: rbx lost/m);
    expect(ended.stdout).toMatch(/^ {2}millscope step .*hop\.o --switch hop --at \d+$/m);
    expect(ended.stdout).toMatch(/ 0 killed, .* 0 % of those that are not equivalent were noticed$/m);
  });

  it('does not begin if the tests fail without a fault, and shows what they said', () => {
    expectComplaint(
      inShell('echo it is broken; exit 3'),
      2,
      /your tests fail without any mutant: .* status 3/,
      /it is broken/,
    );
  });

  it('takes what goes on for ever for killed', () => {
    const original = join(folder, 'original.o');
    copyFileSync(assembled(), original);
    // Only one of them, as each would take its time.
    const hang = `{ mkdir ${join(folder, 'once')} || exit 1; sleep 600; }`;
    const { status, stdout } = inShell(`cmp "$MILLSCOPE_MUTANT" ${original} || ${hang}`, '--timeout', '5', '--json');
    const { switches, summary } = JSON.parse(stdout);
    expect(summary).toMatchObject({ survived: 0, percent: 100 });
    expect(switches[0].mutants[0].by).toEqual([{ check: 'command', where: '', what: 'no end after 5 s' }]);
    expect(status).toBe(0);
  });

  it('says what it needs', () => {
    const command = ['--', 'true'];
    expectComplaint(millscope(['mutants', 'asm/mill_setjmp.s', ...command]), 2, /make one first \(gcc -c /);
    const missing = millscope(['mutants', assembled(), '--switch', 'hop', '--', './no-such-command']);
    expectComplaint(missing, 2, /cannot start \.\/no-such-command: ENOENT/);
  });

  it('ends when it is interrupted, with what is known', () => {
    const log = file('runs.txt', '');
    const tests = `sh -c 'echo run >> ${log}; sleep 0.2'`;
    const command = `node ${join(ROOT, 'dist/inspect/cli.js')} mutants ${assembled()} --switch hop --json -- ${tests}`;
    const threeRuns = `until [ $(wc -l < ${log}) -ge 3 ]; do sleep 0.1; done`;
    const script = `${command} & pid=$!; ${threeRuns}; kill -INT $pid; wait $pid; echo $? >&2`;
    const { stdout, stderr } = inBash(script);
    expect(stderr).toMatch(/^millscope: interrupted: these are the mutants that were tried until then$/m);
    expect(stderr).toMatch(/^2$/m);
    const { interrupted, summary } = JSON.parse(stdout);
    expect(interrupted).toBe(true);
    expect(summary.mutants).toBeGreaterThan(0);
  });
});

/** Job control is on, since a shell has what it starts in the background ignore interrupts otherwise. */
function inBash(script: string) {
  const out = file('out.txt', '');
  const err = file('err.txt', '');
  execFileSync('bash', ['-c', `set -m; { ${script}; } > ${out} 2> ${err}`], { stdio: 'ignore' });
  const read = (path: string): string => execFileSync('cat', [path], { encoding: 'utf8' });
  return { stdout: read(out), stderr: read(err) };
}

describe('millscope mutants', ours, () => {
  it('says so if the switch does not work without a fault', () => {
    const broken = file('broken.s', '        .globl hop\nhop:    mov %rsp, (%rdi)\n        ud2\n');
    expectComplaint(millscope(['mutants', broken, '--switch', 'hop']), 2, /hop: nothing can be said of faults in/);
  });
});
