import { describe, expect, test } from 'vitest';
import { expectComplaint, file, millscope } from '../command.js';
import { hasTmux, Terminal } from './terminal.js';

const PIPELINE = 'fixtures/programs/pipeline.s';

/** What was on the terminal is there again, with its cursor. */
async function expectRestored(terminal: Terminal, status: number): Promise<string> {
  const screen = await terminal.until(new RegExp(`^status ${status}$`, 'm'));
  expect(screen).toMatch(/^before$/m);
  expect({ alternate: terminal.flag('alternate_on'), cursor: terminal.flag('cursor_flag') }).toEqual({
    alternate: '0',
    cursor: '1',
  });
  return screen;
}

describe.skipIf(!hasTmux)('step, in a terminal', () => {
  test('shows a restore before it happens, steps over it and back', async () => {
    const terminal = new Terminal(80, 24, ['step', PIPELINE]);
    const start = await terminal.until(/moment 0 .*[\s\S]*q quit/);
    await expect(start).toMatchFileSnapshot('screens/start-80x24.txt');
    expect(terminal.flag('alternate_on')).toBe('1');
    // To the first restore: main's.
    terminal.keys('t', 't', 'S', 'S', 'S', 'S');
    await expect(await terminal.until(/--at 95 /)).toMatchFileSnapshot('screens/restore-80x24.txt');
    terminal.keys('s');
    await terminal.until(/--at 96 /);
    terminal.keys('S');
    await expect(await terminal.until(/--at 95 /)).toMatchFileSnapshot('screens/restore-80x24.txt');
  });

  test("shows another library's switch in the same panes", async () => {
    const path = file(
      'swap.s',
      `.globl swap
swap: push %rbx
 push %r12
 push %r13
 push %r14
 push %r15
 push %rbp
 mov %rsp, (%rdi)
 mov %rsi, %rsp
 pop %rbp
 pop %r15
 pop %r14
 pop %r13
 pop %r12
 pop %rbx
 ret
`,
    );
    const terminal = new Terminal(120, 40, ['step', path, '--switch', 'swap']);
    await terminal.until(/ctx of the switch: not saved/);
    terminal.command('to swap');
    terminal.keys('s');
    // rbx has been pushed, and r12 comes next, to right below it.
    expect(await terminal.until(/ctx of the switch: save 2\/\d+/)).toMatch(/▶ +stack\+32 r12 .* ← 0x/);
    terminal.keys('S');
    expect(await terminal.until(/ctx of the switch: save 1\/\d+/)).toMatch(/▶ +stack\+40 rbx .* ← 0x/);
  });

  test('on the real clock waits with the program, until somebody stops it, and never to draw a picture', async () => {
    const path = file(
      'sleeper.s',
      `.globl main
main: push %rbx
 call mill_now_
 lea 600000(%rax), %rdi
 xor %esi, %esi
 call mill_msleep_
 xor %eax, %eax
 pop %rbx
 ret
`,
    );
    const terminal = new Terminal(80, 24, ['step', '--clock', 'real', path]);
    await terminal.until(/moment 0 /);
    terminal.keys('G');
    const [, moment] = /moment (\d+); Esc stops here/.exec(await terminal.until(/Esc stops here/)) ?? [];
    terminal.keys('Escape');
    await terminal.until(new RegExp(`interrupted at moment ${moment}`));
    terminal.keys('S');
    await terminal.until(new RegExp(`--clock real --at ${Number(moment) - 1} `));
    terminal.keys('s');
    await terminal.until(new RegExp(`▶ \\w+ syscall[\\s\\S]*--clock real --at ${moment} `));
    terminal.keys('C-c');
    await expectRestored(terminal, 130);
  });

  test('uses a larger screen well, and another size at once', async () => {
    const terminal = new Terminal(120, 40, ['step', PIPELINE, '--at', '604']);
    await expect(await terminal.until(/--at 604 /)).toMatchFileSnapshot('screens/restore-120x40.txt');
    terminal.resize(200, 60);
    await expect(await terminal.until(/8 breakpoints[\s\S]*--at 604 /)).toMatchFileSnapshot(
      'screens/restore-200x60.txt',
    );
    terminal.resize(40, 10);
    await terminal.until(/the screen has 40x10/);
    terminal.keys('s');
    terminal.resize(80, 24);
    await terminal.until(/moment 605 .*[\s\S]*eflags[\s\S]*--at 605 /);
    expect(terminal.screen().split('\n')).toHaveLength(25);
  });

  test('stops at breakpoints and watchpoints in both directions, and takes them away', async () => {
    const terminal = new Terminal(80, 24, ['step', PIPELINE]);
    await terminal.until(/moment 0 /);
    terminal.command('break stage');
    await terminal.until(/breakpoint 1 at stage \(pipeline\.s:73\)/);
    terminal.keys('c');
    await terminal.until(/breakpoint 1: stage/);
    terminal.command('watch slot 2 r12');
    await terminal.until(/watchpoint 2: slot r12 of coroutine 2/);
    terminal.keys('c');
    await terminal.until(/2: slot r12 of coroutine 2: 0x0 → 0x401030 by coroutine 2/);
    terminal.keys('8');
    await expect(await terminal.until(/watch slot r12 of coroutine 2/)).toMatchFileSnapshot('screens/stops-80x24.txt');
    terminal.keys('C');
    await terminal.until(/breakpoint 1: stage/);
    terminal.command('delete 1');
    await terminal.until(/1 gone/);
    terminal.keys('C');
    await terminal.until(/this is the start/);
  });

  test('goes back to who wrote a slot last, and says why it holds what it holds', async () => {
    const terminal = new Terminal(80, 24, ['step', PIPELINE]);
    await terminal.until(/moment 0 /);
    terminal.keys('G');
    await terminal.until(/the program has ended, with status 0/);
    // The coroutine has ended by then.
    terminal.command('write-back slot 2 r12');
    const screen = await terminal.until(/coroutine 2 wrote slot r12 of coroutine 2 here/);
    expect(screen).toMatch(/^▶ \w+ movq %r12, 0x10\(%rdx\)/m);
    expect(screen).toMatch(/▶ 2 r12 +0x401030 ← r12/);
    terminal.command('why slot 2 r12');
    await expect(await terminal.until(/why slot r12 of coroutine 2 is/)).toMatchFileSnapshot('screens/why-80x24.txt');
    terminal.keys('1');
    await terminal.until(/▶ 2 r12 +0x401030 ← r12/);
  });

  test('says what a line that it does not understand may mean', async () => {
    const terminal = new Terminal(80, 24, ['step', PIPELINE]);
    await terminal.until(/moment 0 /);
    terminal.command('braek stage');
    await terminal.until(/! there is no command braek: did you mean break\?/);
    terminal.command('break stag');
    await terminal.until(/! undefined symbol "stag"/);
    terminal.keys(':', 'Up', 'e', 'Enter');
    await terminal.until(/breakpoint 1 at stage/);
    terminal.command('stepi 3');
    await terminal.until(/--at 3 /);
    terminal.command('1200');
    await terminal.until(/--at 1200 /);
    terminal.command('99999');
    await terminal.until(/the run has no moment 99999/);
  });

  test('explains its keys', async () => {
    const terminal = new Terminal(80, 24, ['step', PIPELINE]);
    await terminal.until(/moment 0 /);
    terminal.keys('?');
    await expect(await terminal.until(/keys, and commands/)).toMatchFileSnapshot('screens/help-80x24.txt');
    terminal.keys('Escape');
    await terminal.until(/2 registers/);
  });

  test('quits, and says how to come back', async () => {
    const terminal = new Terminal(80, 24, ['step', PIPELINE, '--at', '139']);
    await terminal.until(/--at 139 /);
    terminal.keys('q');
    const screen = await expectRestored(terminal, 0);
    expect(screen).toMatch(/^to come back: millscope step fixtures\/programs\/pipeline\.s --at 139$/m);
  });

  test.each([
    ['Ctrl-C', 130, (terminal: Terminal) => terminal.keys('C-c')],
    ['SIGTERM', 143, (terminal: Terminal) => terminal.signal('TERM')],
    ['SIGHUP', 129, (terminal: Terminal) => terminal.signal('HUP')],
  ])('gives the terminal back after %s', async (_, status, end) => {
    const terminal = new Terminal(80, 24, ['step', PIPELINE]);
    await terminal.until(/--at 0 /);
    end(terminal);
    await expectRestored(terminal, status);
  });

  test('shows how far a long move is, and Ctrl-C ends the move only', async () => {
    const path = file('endless.s', '.globl main\nmain: jmp main\n');
    const terminal = new Terminal(80, 24, ['step', path]);
    await terminal.until(/--at 0 /);
    terminal.keys('G');
    await terminal.until(/… moment \d+.*Esc stops here/);
    terminal.keys('C-c');
    await terminal.until(/interrupted at moment \d+/);
    terminal.keys('G');
    await terminal.until(/… moment \d+.*Esc stops here/);
    terminal.keys('Escape');
    await terminal.until(/interrupted at moment \d+/);
    terminal.keys('q');
    await expectRestored(terminal, 0);
  });

  test('shows a fault and what it says, and steps back from it', async () => {
    const path = file('fault.s', '.globl main\nmain: mov $5, %ebx\n xor %eax, %eax\n mov %rbx, (%rax)\n ret\n');
    const terminal = new Terminal(80, 24, ['step', path]);
    await terminal.until(/--at 0 /);
    terminal.keys('G');
    const screen = await terminal.until(/how the run has ended/);
    expect(screen).toMatch(/page fault: the program may not write at 0x0/);
    expect(screen).toMatch(/the run ends here/);
    terminal.keys('S');
    const before = await terminal.until(/▶ \w+ xorl? %eax, %eax/);
    expect(before).toMatch(/rbx +(0x0)?\*? +0x5/);
  });

  test('shows who waits for whom in a deadlock', async () => {
    const terminal = new Terminal(130, 40, ['step', 'fixtures/programs/deadlock.s']);
    await terminal.until(/--at 0 /);
    terminal.keys('G');
    await expect(await terminal.until(/in a circle/)).toMatchFileSnapshot('screens/deadlock-130x40.txt');
    terminal.keys('S');
    await terminal.until(/6 3 channels/);
  });

  test('keeps up with a program that prints megabytes', async () => {
    // 40,000 lines of 100 characters.
    const text = `.globl main
main: push %rbx
 mov $40000, %ebx
again: lea line(%rip), %rdi
 call puts
 dec %ebx
 jnz again
 lea last(%rip), %rdi
 call puts
 xor %eax, %eax
 pop %rbx
 ret
 .section .rodata
line: .asciz "${'0123456789'.repeat(10)}"
last: .asciz "the last line"
`;
    const terminal = new Terminal(80, 24, ['step', file('megabytes.s', text)]);
    await terminal.until(/--at 0 /);
    terminal.keys('G', '7');
    const screen = await terminal.until(/7 output, 4040014 bytes/);
    expect(screen).toMatch(/the last line/);
    terminal.keys('S', 'S');
    await terminal.until(/eflags|output, 40\d{5} bytes/);
    terminal.keys('g');
    await terminal.until(/7 output, 0 bytes/);
  });

  test.each([
    ['NO_COLOR', [], { NO_COLOR: '1' }],
    ['--no-color', ['--no-color'], {}],
  ])('has no colours with %s, and says the same', async (_, options, env) => {
    const plain = new Terminal(80, 24, ['step', PIPELINE, '--at', '604', ...options], env);
    const coloured = new Terminal(80, 24, ['step', PIPELINE, '--at', '604']);
    await plain.until(/--at 604 /);
    await coloured.until(/--at 604 /);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    const codes = /\x1b\[[\d;]*m/;
    expect(plain.screen(true)).not.toMatch(codes);
    expect(coloured.screen(true)).toMatch(codes);
    expect(plain.screen()).toBe(coloured.screen());
  });
});

test('step, without a terminal, says so', () => {
  expectComplaint(millscope(['step', PIPELINE]), 2, /step needs a terminal/);
});
