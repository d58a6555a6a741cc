import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CTX_SLOTS } from '../../runtime/layout.js';
import { fixturePrograms, promised } from '../fixture.js';
import { CLI, expectComplaint, file, folder, millscope, millscopeAlone, ROOT } from './command.js';

const guest = (name: string, text: string): string =>
  file(name, `.include "libmill.inc"\n.text\n.globl main\n${text}\n`);

const DEADLOCK = 3;

describe('millscope', () => {
  it('demo shows the switches of a program, and what to try next', () => {
    const { status, stdout } = millscope(['demo']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^switch 1 at moment \d+: main is saved, coroutine 1 starts$/m);
    expect(stdout).toContain('Try next:');
  });

  it.each([['--help'], ['run', '--help'], ['switches', '--help'], ['help', 'run']])('%s %s helps', (...args) => {
    const { status, stdout, stderr } = millscope(args.filter((one) => one !== undefined));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: millscope/);
  });
});

describe('millscope run', () => {
  it.each(fixturePrograms())('prints what %s promises, and ends as it promises', (name) => {
    const { output, status } = promised(name);
    const ended = millscope(['run', `fixtures/programs/${name}`]);
    expect({ status: ended.status, stdout: ended.stdout }).toEqual({ status, stdout: output });
    if (status === DEADLOCK) expectComplaint(ended, DEADLOCK, /^│ main /m);
    else expect(ended.stderr).toBe('');
  });

  it("has the guest's exit status as its own", () => {
    expect(millscope(['run', guest('status.s', 'main: mov $77, %eax\n ret')]).status).toBe(77);
  });

  it('keeps what the guest writes to standard error apart', () => {
    const program = guest(
      'streams.s',
      'main: push %rbx\n mov $2, %edi\n lea text(%rip), %rsi\n mov $3, %edx\n call write\n' +
        ' lea text(%rip), %rdi\n call puts\n xor %eax, %eax\n pop %rbx\n ret\n.data\ntext: .asciz "abc"',
    );
    expect(millscope(['run', program])).toEqual({ status: 0, stdout: 'abc\n', stderr: 'abc' });
  });

  it('gives the random numbers of the seed', () => {
    const program = guest(
      'random.s',
      'main: push %rbx\n call random\n and $15, %eax\n add $97, %eax\n mov %eax, %edi\n call putchar\n' +
        ' call random\n and $15, %eax\n add $97, %eax\n mov %eax, %edi\n call putchar\n' +
        ' xor %eax, %eax\n pop %rbx\n ret',
    );
    const out = (seed: string) => millscope(['run', '--seed', seed, program]).stdout;
    expect(out('1')).toBe(out('1'));
    expect(new Set(['1', '2', '3', '4', '5'].map(out)).size).toBeGreaterThan(1);
  });
});

describe('millscope switches', () => {
  it.each(fixturePrograms())('--json prints only objects for %s, one a line, of the documented shape', (name) => {
    const { status, stdout, stderr } = millscope(['switches', '--json', `fixtures/programs/${name}`]);
    const { output, status: expectedStatus } = promised(name);
    expect(status).toBe(expectedStatus);
    if (status !== DEADLOCK) expect(stderr).toBe('');
    const objects = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const written = objects.filter((one) => 'output' in one);
    expect(written.map((one) => one.output).join('')).toBe(output);
    expect(written.every((one) => one.stream === 1)).toBe(true);

    const switches = objects.filter((one) => 'switch' in one);
    const deadlocks = objects.filter((one) => 'deadlock' in one);
    expect(deadlocks.length).toBe(status === DEADLOCK ? 1 : 0);
    expect(written.length + switches.length + deadlocks.length).toBe(objects.length);
    const hex = expect.stringMatching(/^0x[0-9a-f]+$/);
    const half = {
      coroutine: expect.any(Number),
      ctx: hex,
      slots: Object.fromEntries(CTX_SLOTS.map((slot) => [slot, hex])),
    };
    let moment = 0;
    switches.forEach((one, index) => {
      expect(one).toEqual({
        switch: index + 1,
        kind: expect.stringMatching(/^(start|switch|end)$/),
        at: expect.any(Number),
        saved: one.kind === 'end' ? null : half,
        restored: one.kind === 'start' ? null : half,
      });
      expect(one.at).toBeGreaterThan(moment);
      moment = one.at;
    });
    expect(switches.length).toBeGreaterThan(0);
  });

  it('restores what was saved: each coroutine comes back with its slots', () => {
    const { stdout } = millscope(['switches', '--json', 'fixtures/programs/every-slot.s']);
    const last = new Map<number, unknown>();
    let restores = 0;
    for (const line of stdout.trimEnd().split('\n')) {
      const { saved, restored } = JSON.parse(line);
      if (saved) last.set(saved.coroutine, saved.slots);
      if (restored) {
        restores += 1;
        expect(restored.slots).toEqual(last.get(restored.coroutine));
      }
    }
    expect(restores).toBeGreaterThan(5);
  });

  it('draws a table for each switch, with old and new values', () => {
    const { stdout } = millscope(['switches', 'fixtures/programs/every-slot.s']);
    // 3 and 6 times 0x0101020203030404, as the program sets them before it yields.
    expect(stdout).toMatch(/│ 0 │ rbx │ 0x0 → 0x303060609090c0c +│/);
    expect(stdout).toMatch(/^switch 1 at moment \d+: main is saved, coroutine 1 starts$/m);
    expect(stdout).toMatch(/main ran \d+ instructions and has \d+ bytes of stack in use/);
    expect(stdout).toMatch(/output {2}kept/);
  });

  const controlCharacter = String.fromCharCode(27);
  it('colours on request only, and not under NO_COLOR', () => {
    const colored = (args: readonly string[], env: Record<string, string>): boolean =>
      millscope(['switches', ...args, 'fixtures/programs/ping-pong.s'], env).stdout.includes(controlCharacter);
    expect(colored([], {})).toBe(false);
    expect(colored([], { FORCE_COLOR: '1' })).toBe(true);
    expect(colored([], { FORCE_COLOR: '1', NO_COLOR: '1' })).toBe(false);
    expect(colored(['--no-color'], { FORCE_COLOR: '1' })).toBe(false);
    expect(colored(['--json'], { FORCE_COLOR: '1' })).toBe(false);
  });

  it('shows what a program writes last without a newline, and characters whose bytes come one by one', () => {
    const letters = [...new TextEncoder().encode('ü€')].map((byte) => `mov $${byte}, %edi\n call putchar\n`);
    const program = guest('utf-8.s', `main: push %rbx\n ${letters.join(' ')} xor %eax, %eax\n pop %rbx\n ret`);
    expect(millscope(['switches', program]).stdout).toBe('output  ü€\n');
    const objects = millscope(['switches', '--json', program]).stdout.trimEnd().split('\n');
    expect(objects.map((line) => JSON.parse(line).output).join('')).toBe('ü€');
  });

  it('ends quietly when nobody reads on, also if the program would never end', () => {
    const program = guest('yes.s', 'main: lea text(%rip), %rdi\n call puts\n jmp main\n.data\ntext: .asciz "y"');
    for (const command of ['run', 'switches', 'switches --json']) {
      const line = `timeout 30 "${process.execPath}" "${CLI}" ${command} ${program} | head -n 1; echo "\${PIPESTATUS[0]}"`;
      const { stdout, stderr } = spawnSync('bash', ['-c', line], { cwd: ROOT, encoding: 'utf8' });
      expect({ lines: stdout.trimEnd().split('\n').length, stderr }).toEqual({ lines: 2, stderr: '' });
      expect(stdout).toMatch(/\n0\n$/);
    }
  });

  it('says that there is no room to write to', () => {
    const line = `"${process.execPath}" "${CLI}" run fixtures/programs/ping-pong.s > /dev/full`;
    const { status, stderr } = spawnSync('sh', ['-c', line], { cwd: ROOT, encoding: 'utf8' });
    expectComplaint({ status, stdout: '', stderr }, 2, /cannot write to standard output: ENOSPC/);
  });
});

describe('bad input', () => {
  it('is a file that is not there', () => {
    expectComplaint(millscope(['run', 'nowhere.s']), 2, /cannot read nowhere\.s: there is no such file/);
  });

  it('is a folder', () => {
    const path = join(folder, 'folder.s');
    execFileSync('mkdir', ['-p', path]);
    expectComplaint(millscope(['run', path]), 2, /folder\.s: that is a folder/);
  });

  it('is a file of an unknown kind', () => {
    expectComplaint(
      millscope(['run', 'package.json']),
      2,
      /package\.json: a program is made of C or C\+\+ .*assembly text \(\.s\)/,
    );
  });

  it('is a module without a body', () => {
    const path = file('empty.mjs', 'export const other = 1;\n');
    expectComplaint(millscope(['run', path]), 2, /empty\.mjs: it has no default export/);
  });

  it('is assembly text with errors, each at its line', () => {
    const path = file(
      'wrong.s',
      '.text\n.globl main\nmain:\n  nop\n  nop\n  nop\n  moov %rax, %rbx\n  add %rax, %rfx\n',
    );
    expectComplaint(millscope(['run', path]), 2, /^wrong\.s:7:\d+: .*moov/m, /^wrong\.s:8:\d+: .*rfx/m, /2 errors/);
  });

  it('is a program without main', () => {
    expectComplaint(millscope(['run', file('no-main.s', '.text\nstart: ret\n')]), 2, /has no main/);
  });

  it('is an undefined symbol, with names that look like it', () => {
    const path = guest('undefined.s', 'main: call mill_yeild_\n ret');
    expectComplaint(millscope(['run', path]), 2, /undefined\.s:4:\d+: .*mill_yeild_.*mill_yield_/);
  });

  it('is a macro that calls itself twice', () => {
    const path = guest('macro.s', '.macro again\n again\n again\n.endm\nmain: again');
    expectComplaint(millscope(['run', path]), 2, /macro\.s:5:\d+: .*nested deeper than 64/, /1 error$/m);
  });

  it('is a system call of a number that Linux has not, and that is no door', () => {
    const path = guest('linux.s', 'main: mov $20000, %eax\n mov $1, %edi\n syscall\n ret');
    expectComplaint(millscope(['run', path]), 134, /no system call 20000 here/, /\(linux\.s:6\)/);
  });

  it('is a program that has overwritten mill_running', () => {
    const path = guest('broken.s', 'main: movq $0x1234, mill_running(%rip)\n ud2');
    expectComplaint(millscope(['run', path]), 139, /in no coroutine \(mill_running is 0x1234, which is none\)/);
  });

  it('is a channel misused deep in a function, told with the line that did it', () => {
    const path = guest('null-channel.s', 'main: xor %edi, %edi\n xor %esi, %esi\n call mill_chclose_\n ret');
    expectComplaint(
      millscope(['run', path]),
      134,
      /^panic: null channel used$/m,
      /called from main\+0x\d \(null-channel\.s:6\)/,
    );
  });

  it.each([
    ['throws', 'export default function* () { throw new Error("on purpose"); }', /thrown Error: on purpose/],
    ['yields a number', 'export default function* () { yield 5; }', /yielded 5/],
    ['is async', 'export default async function* () { yield; }', /not async/],
    ['is no generator', 'export default function () {}', /generator function/],
    ['returns a text', 'export default function* () { return "12"; }', /no whole number/],
    ['is not JavaScript', 'export default function* ( {', /cannot be imported/],
    [
      'calls what is not there',
      'export default function* () { yield { function: "mill_yeild_", arguments: [] }; }',
      /mill_yield_/,
    ],
  ])('is a body that %s', (what, text, message) => {
    expectComplaint(millscope(['run', file(`${what.replaceAll(' ', '-')}.mjs`, text)]), 2, message);
  });

  it('is nothing a person did: a fault of our own is one line too', () => {
    const text =
      'DataView.prototype.setBigUint64 = () => { throw new Error("broken host"); };\nexport default function* () {}';
    const ended = millscopeAlone(['run', file('broken-host.mjs', text)]);
    expectComplaint(ended, 1, /^millscope: this is a fault of millscope itself, .*broken host$/m);
    expect(ended.stderr.length).toBeLessThan(600);
  });

  it('is a deadlock of a program that has made a circle of the list of coroutines', () => {
    const path = guest(
      'circle.s',
      'main: lea mill_main+208(%rip), %rax\n mov %rax, mill_main+208(%rip)\n mov $-1, %rdi\n xor %esi, %esi\n call mill_msleep_',
    );
    expectComplaint(millscope(['run', path]), DEADLOCK, /msleep\(\)/);
  });

  it('is an endless loop under --limit', () => {
    const path = guest('endless.s', 'main: jmp main');
    expectComplaint(
      millscope(['run', '--limit', '100000', path]),
      124,
      /at main \(endless\.s:4\), in main, at moment 100000/,
    );
  });

  it('is a jump to nowhere', () => {
    const path = guest('nowhere.s', 'main: mov $0x123456, %eax\n jmp *%rax');
    expectComplaint(millscope(['run', path]), 139, /may not execute at 0x123456, which is in/, /rax 0x123456/);
  });

  it('is a write to the guard page, told as a stack overflow', () => {
    const path = guest('overflow.s', 'main: go deep\n ret\ndeep: sub $64, %rsp\n call deep\n ret');
    expectComplaint(
      millscope(['run', path]),
      139,
      /stack overflow: coroutine 1 has used all 26\d{4} bytes of its stack \(0x[0-9a-f]+-0x[0-9a-f]+\)/,
      /at deep\+0x4 \(overflow\.s:7\) \[0x[0-9a-f]+\]: callq/,
    );
  });

  it('is a write to code, a NULL pointer, a privileged instruction, AVX', () => {
    const dies = (name: string, text: string, ...messages: RegExp[]) =>
      expectComplaint(millscope(['run', guest(name, text)]), 139, ...messages);
    dies('code.s', 'main: movb $1, main(%rip)\n ret', /may not write at 0x400000, which is in \.text of the program/);
    dies(
      'null.s',
      'main: mov 8, %rax\n ret',
      /may not read at 0x8, which is in the NULL page/,
      /at main \(null\.s:4\)/,
    );
    dies('hlt.s', 'main: hlt', /general protection fault/);
    dies('avx.s', 'main: .byte 0xc5, 0xf3, 0x58, 0xd0\n ret', /refused instruction: .*AVX/, /vaddsd/);
    dies('ud2.s', 'main: ud2', /invalid instruction/);
  });

  it('is abort() and a panic', () => {
    expectComplaint(millscope(['run', guest('abort.s', 'main: call abort')]), 134, /called abort\(\)/);
    const many =
      'main: mov $500, %ebx\n1: go child\n dec %ebx\n jnz 1b\n ret\nchild: xor %edi, %edi\n2: call mill_yield_\n jmp 2b';
    const panic = millscope(['run', '--memory', '16', guest('panic.s', many)]);
    expectComplaint(panic, 134, /^panic: not enough memory to allocate coroutine stack$/m);
  });

  it('is an option, a value or a command that does not exist', () => {
    const program = 'fixtures/programs/ping-pong.s';
    expectComplaint(millscope(['run', '--frobnicate', program]), 2, /--frobnicate/);
    expectComplaint(millscope(['run', '--memory', '1', program]), 2, /16 to 1800/);
    expectComplaint(millscope(['run', '--limit', 'x', program]), 2, /whole number/);
    expectComplaint(millscope(['run', '--seed', '-1', program]), 2, /whole number/);
    expectComplaint(millscope(['rum', program]), 2, /run/);
    expectComplaint(millscope(['run']), 2, /file/);
  });

  it('is an engine that is not there', () => {
    expectComplaint(
      millscope(['run', '--engine', 'bochs', 'fixtures/programs/ping-pong.s']),
      2,
      /bochs/,
      /unicorn\.js/,
    );
  });

  it('is nothing at all', () => {
    const { status, stderr } = millscope([]);
    expect(status).toBe(2);
    expect(stderr).toContain('Usage: millscope');
  });
});
