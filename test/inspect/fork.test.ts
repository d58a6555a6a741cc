/** Programs that fork, on the command line. */
import { describe, expect, it } from 'vitest';
import { expectComplaint, file, millscope } from './command.js';

const LIMIT = 124;

/** Main forks, waits, and returns how the child has ended: its status, or its signal. */
const program = (name: string, child: string): string =>
  file(
    `${name}.s`,
    `        .globl main
main:   sub $24, %rsp
        call mill_mfork_
        test %eax, %eax
        jnz parent
${child}
parent: mov %eax, %edi
        lea 8(%rsp), %rsi
        xor %edx, %edx
        call waitpid
        xor %edi, %edi
        call mill_yield_
        mov 8(%rsp), %eax
        movzbl %ah, %ecx
        or %ecx, %eax
        add $24, %rsp
        ret
`,
  );

describe('a program that forks', () => {
  it('has nothing said about a child that exits', () => {
    const path = program('calm', 'mov $7, %edi\n call exit');
    expect(millscope(['run', path])).toEqual({ status: 7, stdout: '', stderr: '' });
  });

  it.each([
    ['faults', 'ud2', 4, /^invalid instruction\n {2}at main\+0x[0-9a-f]+ \(faults\.s:6\)/m],
    ['aborts', 'call abort', 6, /^millscope: the program called abort\(\)/m],
    ['panics', 'xor %edi, %edi\n xor %esi, %esi\n call mill_chclose_', 6, /^panic: /m],
    ['deadlocks', 'mov $-1, %rdi\n xor %esi, %esi\n call mill_msleep_', 6, /^millscope: deadlock: /m],
  ])('is told of a child that %s, and goes on', (name, child, status, report) => {
    const ended = millscope(['run', program(name, child)]);
    expect(ended.stderr).toMatch(/^child process 2:\n/);
    expectComplaint(ended, status, report);
  });

  it('stops at its limit in the child too', () => {
    const path = program('endless', 'spin: jmp spin');
    expectComplaint(millscope(['run', '--limit', '5000', path]), LIMIT, /^millscope: stopped by --limit at spin /m);
  });

  it('ends with a message when it forks without end', () => {
    const path = program('bomb', 'jmp main');
    expectComplaint(millscope(['run', path]), 134, /forked too often: there are 8 processes within each other/);
  });

  it('has the switches of all its processes in one list', () => {
    const path = program('switches', 'xor %edi, %edi\n call mill_yield_\n xor %edi, %edi\n call exit');
    const { status, stdout } = millscope(['switches', '--json', path]);
    expect(status).toBe(0);
    const records = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records).toMatchObject([
      { switch: 1, kind: 'switch', saved: { coroutine: 0 }, restored: { coroutine: 0 } },
      { switch: 2, kind: 'switch', saved: { coroutine: 0 }, restored: { coroutine: 0 } },
    ]);
    expect(records).toHaveLength(2);
    expect(records[1].at).toBeGreaterThan(records[0].at);
    const table = millscope(['switches', path]).stdout;
    expect(table.match(/main will go on/g)).toHaveLength(2);
  });
});
