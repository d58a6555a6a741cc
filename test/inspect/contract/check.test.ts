/** Which clauses of the System V ABI a switch keeps, and what says so. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { check } from '../../../inspect/contract/check.js';
import type { Clause } from '../../../inspect/contract/clauses.js';
import { asmStatements } from '../../../inspect/contract/declared.js';
import { expectComplaint, millscope, ROOT } from '../command.js';
import { file, folder, measured, SEQUENCES } from '../layout/measuring.js';

const HEADER = readFileSync(join(ROOT, 'runtime/include/libmill.h'), 'utf8');
const STATEMENTS = asmStatements('libmill.h', HEADER);

async function clausesOf(
  paths: readonly string[],
  options = {},
  statements = STATEMENTS,
): Promise<Map<string, Clause>> {
  const [measurement] = await measured(paths, options);
  return new Map((await check(measurement, statements)).map((clause) => [clause.id, clause]));
}

const verdicts = (clauses: ReadonlyMap<string, Clause>, verdict: Clause['verdict']): string[] =>
  [...clauses.values()].filter((clause) => clause.verdict === verdict).map(({ id }) => id);

/** libmill's sequences with a change to one of them. */
function changed(which: 0 | 1, from: string, to: string): string[] {
  const texts = SEQUENCES.map((path) => readFileSync(join(ROOT, path), 'utf8'));
  if (!texts[which].includes(from)) throw new Error(`no ${from}`);
  texts[which] = texts[which].replace(from, to);
  return texts.map((text, index) => file(`${['save', 'restore'][index]}.s`, text));
}

describe("libmill's contract", () => {
  it('is kept but for the control words, CET, and a declaration', async () => {
    const clauses = await clausesOf(SEQUENCES);
    expect(verdicts(clauses, 'kept')).toEqual([
      'rbx',
      'rbp',
      'r12',
      'r13',
      'r14',
      'r15',
      'rsp',
      'rip',
      'return-value',
      'df',
      'red-zone',
      'memory',
    ]);
    expect(verdicts(clauses, 'lost')).toEqual(['mxcsr', 'x87', 'landing-pad', 'shadow-stack', 'declared']);
    expect(verdicts(clauses, 'saved beyond need')).toEqual(['rdi', 'rsi']);
    expect(verdicts(clauses, 'not applicable')).toEqual(['alignment']);
    const line = HEADER.split('\n').findIndex((text) => text.includes('__asm__ volatile("lea')) + 1;
    expect(clauses.get('declared')?.evidence).toMatch(
      new RegExp(
        `^rdx is declared an input and nothing else at libmill\\.h:${line}, and changes from 0x\\w+ to 0x\\w+$`,
      ),
    );
    expect(clauses.get('rdi')?.evidence).toContain('the inline form keeps it alive');
    expect(clauses.get('landing-pad')?.evidence).toContain('there is no endbr64');
  });

  it('is printed with its evidence and the command that steps to it, which leads there', () => {
    const { status, stdout } = millscope(['check', ...SEQUENCES]);
    expect(status).toBe(0);
    const command = /MXCSR control bits: millscope step (.*) --probe --at (\d+)$/m.exec(stdout);
    expect(command?.[1]).toBe(SEQUENCES.join(' '));
    // The moment of that command is in front of the jump to who was saved: MXCSR is then the other's.
    const look = millscope(['run', ...SEQUENCES, '--probe', '--at', command?.[2] ?? '']);
    expect(look.stdout).toMatch(/^next: jmpq \*%rdx at .*mill_longjmp\.s:21/m);
  });
});

/** A change to one sequence, and the clause that it costs. */
const CHANGES: readonly [clause: string, which: 0 | 1, from: string, to: string][] = [
  ['rbx', 0, 'mov     %rbx, (%rdx)', 'nop'],
  ['rbp', 1, 'movq    8(%rax), %rbp', 'nop'],
  ['r12', 1, '16(%rax), %r12', '20(%rax), %r12'],
  ['r13', 0, 'mov     %r13, 32', 'mov     %r12, 32'],
  ['r14', 1, '40(%rax), %r14', '40(%rax), %r14\n        movl %r14d, %r14d'],
  ['r15', 1, 'jmp ', 'xor %r15, %r15\n        jmp '],
  ['rsp', 1, 'mov     %rdx, %rsp', 'lea     8(%rdx), %rsp'],
  ['return-value', 0, 'xor     %rax, %rax', 'mov     $1, %eax'],
  ['df', 1, 'jmp ', 'std\n        jmp '],
  ['red-zone', 0, 'xor ', 'push %rbx\n        pop %rbx\n        xor '],
  ['memory', 0, 'xor ', 'mov %rbx, -8(%rdx)\n        xor '],
];

describe('a change to libmill', () => {
  it.each(CHANGES)('loses %s', async (clause, which, from, to) => {
    const before = await clausesOf(SEQUENCES);
    const after = await clausesOf(changed(which, from, to));
    expect(before.get(clause)?.verdict).toBe('kept');
    expect(after.get(clause)?.verdict).toBe('lost');
  });

  it('of a save that is wrong where it itself returns is seen, though the restore brings all back', async () => {
    const clauses = await clausesOf(
      changed(0, 'mov     %rsi, 72(%rdx)', 'mov     %rsi, 72(%rdx)\n        xor %r12d, %r12d'),
    );
    expect(clauses.get('r12')).toMatchObject({ verdict: 'lost' });
    expect(clauses.get('r12')?.evidence).toMatch(/^was 0x[0-9a-f]{16}, is 0x0 where the save itself returns$/);
    const layouts = changed(
      0,
      'mov     %rsi, 72(%rdx)',
      'mov     %rsi, 72(%rdx)\n        ldmxcsr 1f(%rip)\n        jmp 2f\n1:      .long 0x1f80\n2:',
    );
    expect((await clausesOf(layouts)).get('mxcsr')?.evidence).toContain('is 0x1f80 where the save itself returns');
  });

  it('says how far in front of the ctx something is written', async () => {
    const clauses = await clausesOf(changed(0, 'xor ', 'mov %rbx, -24(%rdx)\n        xor '));
    expect(clauses.get('memory')?.evidence).toMatch(/^8 bytes at ctx-24, by save\.s:\d+$/);
  });

  it('keeps the control words, if it saves them', async () => {
    const texts = SEQUENCES.map((path) => readFileSync(join(ROOT, path), 'utf8'));
    const paths = [
      file('keeps.s', texts[0].replace('xor ', 'stmxcsr 80(%rdx)\n        fnstcw 84(%rdx)\n        xor ')),
      file('brings.s', texts[1].replace('jmp ', 'ldmxcsr 80(%rax)\n        fldcw 84(%rax)\n        jmp ')),
    ];
    const clauses = await clausesOf(paths);
    expect([clauses.get('mxcsr')?.verdict, clauses.get('x87')?.verdict]).toEqual(['kept', 'kept']);
  });

  it('has a landing pad, if endbr64 is where it lands', async () => {
    const clauses = await clausesOf(changed(0, '5567738:', '5567738: endbr64'));
    expect(clauses.get('landing-pad')).toMatchObject({ verdict: 'kept' });
    expect(clauses.get('rip')?.verdict).toBe('kept');
  });

  it('declares what it changes, if the statement says so', async () => {
    const said = asmStatements('mended.h', HEADER.replace(': "memory", "rcx",', ': "memory", "rdx", "rcx",'));
    expect((await clausesOf(SEQUENCES, {}, said)).get('declared')).toMatchObject({ verdict: 'kept' });
    const silent = asmStatements('short.h', HEADER.replace('"memory", "rcx", ', '"memory", '));
    const clause = (await clausesOf(SEQUENCES, {}, silent)).get('declared');
    expect(clause?.evidence).toMatch(/rcx is not declared at short\.h.*; rdx is declared an input/);
  });

  it('is nothing that the statement of the header speaks of, if its instructions are others', async () => {
    const clauses = await clausesOf(changed(0, 'mov     %rdi, 64(%rdx)', 'mov     %rdi, 80(%rdx)'));
    expect(clauses.get('declared')?.verdict).toBe('not applicable');
  });
});

describe('--require', () => {
  it('passes if what is required is kept, and fails if it is lost', () => {
    expect(millscope(['check', ...SEQUENCES, '--require', 'rbx,rsp,red-zone,rdi']).status).toBe(0);
    expectComplaint(
      millscope(['check', ...SEQUENCES, '--require', 'rbx,mxcsr']),
      1,
      /required and lost: .*MXCSR control bits$/m,
    );
    expectComplaint(millscope(['check', ...SEQUENCES, '--require', 'abi']), 1, /MXCSR.*x87/);
    expectComplaint(
      millscope(['check', ...SEQUENCES, '--require', 'rxx']),
      2,
      /there is no clause "rxx": there are .*rbx/,
    );
  });

  it('decides what fails in a report', () => {
    const path = join(folder, 'check.xml');
    millscope(['check', ...SEQUENCES, '--require', 'rbx,mxcsr', '--junit', path]);
    expect(readFileSync(path, 'utf8').match(/<failure/g)).toHaveLength(1);
    millscope(['check', ...SEQUENCES, '--junit', path]);
    expect(readFileSync(path, 'utf8').match(/<failure/g)).toHaveLength(5);
  });

  it('is the same as data', () => {
    const { stdout } = millscope(['check', '--json', ...SEQUENCES]);
    const { clauses } = JSON.parse(stdout);
    expect(clauses[0]).toMatchObject({ id: 'rbx', verdict: 'kept' });
    expect(clauses[0].command).toMatch(/^millscope step .* --probe --at \d+$/);
  });
});
