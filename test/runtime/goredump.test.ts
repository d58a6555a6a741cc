import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { goredump } from '../../runtime/goredump.js';
import { listen, run, withProcess } from './guest.js';

const EXIT_0 = { kind: 'exit', status: 0 };
const RULE = '-'.repeat(120);

/** go with a text that says where, as C programs have it from the macro. */
const GO_AT = `
        .macro go_at function, where
        call mill_getctx_
        mov %rax, %rdx
        .include "mill_setjmp.s"
        test %eax, %eax
        jnz .Lparent\\@
        lea \\where(%rip), %rdi
        call mill_prologue_
        mov %rax, %rsp
        and $-16, %rsp
        call \\function
        call mill_epilogue_
.Lparent\\@:
        .endm`;

/*
 * One coroutine for each state, and one channel for each kind of line. M is main, [...] the ready queue:
 *   1 sleeps, 2 waits to receive from <1>, 3 to send to <3>, 4 in a choose over both, 6 to receive from <5>: they go
 *   in the order in which they are started, and M goes on each time. 5 is started before 6 and yields: [M 5]; M starts
 *   6 [5 M]; 5 yields [M 5]; M goes on.
 *   M sends twice to <2>, which has room for three: each time M is behind 5, which yields; twice [5 M], [M 5].
 *   M ends <4>, and <5>, which wakes 6: [5 6]. M closes <5>, dumps, and starts 7 [5 6 M], which dumps and ends.
 *   5 sees a stop and ends [6 M], 6 ends, M dumps again, with 1 to 4 left.
 */
const EVERY_STATE = `${GO_AT}
        .macro chmake sz, bufsz, where
        mov $\\sz, %edi
        mov $\\bufsz, %esi
        lea \\where(%rip), %rdx
        call mill_chmake_
        .endm
        .macro chs channel, where
        mov \\channel(%rip), %rdi
        lea value(%rip), %rsi
        mov $8, %edx
        lea \\where(%rip), %rcx
        call mill_chs_
        .endm
        .macro chr channel, where
        mov \\channel(%rip), %rdi
        mov $8, %esi
        lea \\where(%rip), %rdx
        call mill_chr_
        .endm
        .macro chdone channel
        mov \\channel(%rip), %rdi
        lea value(%rip), %rsi
        mov $8, %edx
        xor %ecx, %ecx
        call mill_chdone_
        .endm

main:   push %rbx
        chmake 8, 0, d11
        mov %rax, ch1(%rip)
        chmake 8, 3, d12
        mov %rax, ch2(%rip)
        chmake 8, 0, d13
        mov %rax, ch3(%rip)
        chmake 8, 1, d14
        mov %rax, ch4(%rip)
        chmake 8, 0, d15
        mov %rax, ch5(%rip)
        go_at sleeper, d21
        go_at receiver, d22
        go_at sender, d23
        go_at chooser, d24
        go_at yielder, d25
        go_at woken, d26
        chs ch2, d40
        chs ch2, d41
        mov ch2(%rip), %rdi
        xor %esi, %esi
        call mill_chdup_
        chdone ch4
        chdone ch5
        mov ch5(%rip), %rdi
        xor %esi, %esi
        call mill_chclose_
        call goredump
        movl $1, stop(%rip)
        go_at goredump_here, d27
        call goredump
        xor %eax, %eax
        pop %rbx
        ret

sleeper:
        mov $-1, %rdi
        lea w1(%rip), %rsi
        jmp mill_msleep_
receiver:
        sub $8, %rsp
        chr ch1, w2
        hlt
sender: sub $8, %rsp
        chs ch3, w3
        hlt
chooser:
        sub $136, %rsp
        lea w4(%rip), %rdi
        call mill_choose_init_
        mov %rsp, %rdi
        mov ch1(%rip), %rsi
        mov $8, %edx
        xor %ecx, %ecx
        call mill_choose_in_
        lea 64(%rsp), %rdi
        mov ch3(%rip), %rsi
        lea value(%rip), %rdx
        mov $8, %ecx
        mov $1, %r8d
        call mill_choose_out_
        call mill_choose_wait_
        hlt
yielder:
        sub $8, %rsp
1:      lea w5(%rip), %rdi
        call mill_yield_
        cmpl $0, stop(%rip)
        je 1b
        add $8, %rsp
        ret
woken:  sub $8, %rsp
        chr ch5, w6
        add $8, %rsp
        ret
goredump_here:
        jmp goredump

        .data
value:  .quad 1
d11:    .asciz "dump.c:11"
d12:    .asciz "dump.c:12"
d13:    .asciz "dump.c:13"
d14:    .asciz "dump.c:14"
d15:    .asciz "dump.c:15"
d21:    .asciz "dump.c:21"
d22:    .asciz "dump.c:22"
d23:    .asciz "dump.c:23"
d24:    .asciz "dump.c:24"
d25:    .asciz "dump.c:25"
d26:    .asciz "dump.c:26"
d27:    .asciz "dump.c:27"
d40:    .asciz "dump.c:40"
d41:    .asciz "dump.c:41"
w1:     .asciz "work.c:1"
w2:     .asciz "work.c:2"
w3:     .asciz "work.c:3"
w4:     .asciz "work.c:4"
w5:     .asciz "work.c:5"
w6:     .asciz "work.c:6, a place with a name that is too long"
        .bss
        .balign 8
ch1:    .zero 8
ch2:    .zero 8
ch3:    .zero 8
ch4:    .zero 8
ch5:    .zero 8
stop:   .zero 4`;

// What C's printf makes of "%-8s   %-42s %-40s %s" and "%-8s %-11s %-42s %-5d %-5s %s".
const HEAD = 'COROUTINE  state                                      current                                  created';
const CHANNEL_HEAD = 'CHANNEL  msgs/max    senders/receivers                          refs  done  created';
const WAITING = [
  '{1}        msleep()                                   work.c:1                                 dump.c:21',
  '{2}        chr(<1>)                                   work.c:2                                 dump.c:22',
  '{3}        chs(<3>)                                   work.c:3                                 dump.c:23',
  '{4}        choose(<1>,<3>)                            work.c:4                                 dump.c:24',
];
const CHANNELS = [
  '',
  CHANNEL_HEAD,
  RULE,
  '<1>      0/0         r:{2},{4}                                  1     no    dump.c:11',
  '<2>      2/3                                                    2     no    dump.c:12',
  '<3>      0/0         s:{3},{4}                                  1     no    dump.c:13',
  '<4>      0/1                                                    1     yes   dump.c:14',
];
const READY = [
  '{5}        ready                                      work.c:5                                 dump.c:25',
  '{6}        ready                                      work.c:6, a place with a name that is too long dump.c:26',
];

describe('goredump', () => {
  it('prints each state of a coroutine and each kind of channel in its column', async () => {
    const { output, outcome } = await run(EVERY_STATE);
    expect(outcome).toEqual(EXIT_0);
    expect(output.split('\n')).toEqual([
      '',
      HEAD,
      RULE,
      '{0}        RUNNING                                    ---                                      <main>',
      ...WAITING,
      ...READY,
      ...CHANNELS,
      // In 7, while main is ready.
      '',
      HEAD,
      RULE,
      '{0}        ready                                      dump.c:41                                <main>',
      ...WAITING,
      ...READY,
      '{7}        RUNNING                                    ---                                      dump.c:27',
      ...CHANNELS,
      // In main, when 5, 6 and 7 have ended.
      '',
      HEAD,
      RULE,
      '{0}        RUNNING                                    ---                                      <main>',
      ...WAITING,
      ...CHANNELS,
      '',
    ]);
  });

  it('says nothing of channels when there are none, and gives no id twice', async () => {
    const { output } = await run(`${GO_AT}
main:   push %rbx
        mov $3, %ebx
1:      go_at nothing, here
        dec %ebx
        jnz 1b
        mov $8, %edi
        xor %esi, %esi
        xor %edx, %edx
        call mill_chmake_
        mov %rax, %rdi
        xor %esi, %esi
        call mill_chclose_
        go_at goredump_here, here
        xor %eax, %eax
        pop %rbx
        ret
nothing: ret
goredump_here: jmp goredump
        .data
here:   .asciz "x.c:1"`);
    expect(output.split('\n')).toEqual([
      '',
      HEAD,
      RULE,
      // main has not waited anywhere yet.
      '{0}        ready                                                                               <main>',
      '{4}        RUNNING                                    ---                                      x.c:1',
      '',
    ]);
  });

  it('goes to standard error', async () => {
    await withProcess('main: push %rbx\n call goredump\n pop %rbx\n xor %eax, %eax\n ret', (process) => {
      const streams: number[] = [];
      process.on('output', ({ stream }) => streams.push(stream));
      expect(process.run()).toEqual(EXIT_0);
      expect(new Set(streams)).toEqual(new Set([2]));
    });
  });

  it('may be asked for at any moment from outside, and changes nothing', async () => {
    const whole = await run(EVERY_STATE);
    await withProcess(EVERY_STATE, (process) => {
      const written = listen(process);
      let dumps = 0;
      for (let moment = 0; process.run(moment).kind === 'limit'; moment += 13) {
        const lines = goredump(process.cpu.memory, process.mill).split('\n');
        expect(lines.slice(0, 3)).toEqual(['', HEAD, RULE]);
        expect(lines[3]).toMatch(/^\{0\} {8}(RUNNING|ready) .*<main>$/);
        dumps += 1;
      }
      expect(dumps).toBeGreaterThan(50);
      expect(written.join('')).toBe(whole.output);
      expect(process.cpu.moment).toBe(whole.moment);
    });
  });
});

describe('gotrace', () => {
  const TRACED = `${GO_AT}
main:   push %rbx
        push %r12
        sub $72, %rsp
        mov $1, %edi
        call gotrace
        mov $8, %edi
        mov $2, %esi
        lea a1(%rip), %rdx
        call mill_chmake_
        mov %rax, %r12
        mov %r12, %rdi
        lea a2(%rip), %rsi
        call mill_chdup_
        go_at child, a3
        mov %r12, %rdi
        mov $8, %esi
        lea a4(%rip), %rdx
        call mill_chr_
        lea a5(%rip), %rdi
        call mill_yield_
        lea a6(%rip), %rdi
        call mill_choose_init_
        call mill_choose_otherwise_
        call mill_choose_wait_
        mov %r12, %rdi
        mov %rsp, %rsi
        mov $8, %edx
        lea a7(%rip), %rcx
        call mill_chdone_
        mov %r12, %rdi
        lea a8(%rip), %rsi
        call mill_chclose_
        xor %edi, %edi
        call mill_yield_
        xor %edi, %edi
        call gotrace
        xor %edi, %edi
        call mill_yield_
        xor %eax, %eax
        add $72, %rsp
        pop %r12
        pop %rbx
        ret
child:  sub $8, %rsp
        mov %r12, %rdi
        mov %rsp, %rsi
        mov $8, %edx
        lea b1(%rip), %rcx
        call mill_chs_
        add $8, %rsp
        ret
        .data
a1:     .asciz "a.c:1"
a2:     .asciz "a.c:2"
a3:     .asciz "a.c:3"
a4:     .asciz "a.c:4"
a5:     .asciz "a.c:5"
a6:     .asciz "a.c:6"
a7:     .asciz "a.c:7"
a8:     .asciz "a.c:8"
b1:     .asciz "b.c:1"`;

  // Main goes on first behind the child's chs, which has room and so no peer: [M 1]. Main's chr finds the value: [1 M].
  // The child ends; main has the rest to itself.
  it('prints a line for each operation: time, coroutine, what and where, until it is turned off', async () => {
    const { output, outcome } = await run(TRACED);
    expect(outcome).toEqual(EXIT_0);
    const lines = output.trimEnd().split('\n');
    // ==> hh:mm:ss.uuuuuu, a blank, the id in eight columns, a blank.
    const time = /^==> (\d\d):(\d\d):(\d\d)\.(\d{6}) /;
    for (const line of lines) {
      const [, hours, minutes, seconds] = time.exec(line) ?? [];
      expect(Number(hours)).toBeLessThan(24);
      expect(Number(minutes)).toBeLessThan(60);
      expect(Number(seconds)).toBeLessThan(60);
    }
    expect(lines.map((line) => line.replace(time, ''))).toEqual([
      '{0}      <1>=chmake(2) at a.c:1',
      '{0}      chdup(<1>) at a.c:2',
      '{0}      {1}=go() at a.c:3',
      '{1}      chs(<1>) at b.c:1',
      '{0}      chr(<1>) at a.c:4',
      '{1}      go() done',
      '{0}      yield() at a.c:5',
      '{0}      choose() at a.c:6',
      '{0}      chdone(<1>) at a.c:7',
      '{0}      chclose(<1>) at a.c:8',
      '{0}      yield()',
    ]);
  });

  it('says the time of the machine: 1,500 ms are a second and a half', async () => {
    const { output } = await run(`
main:   push %rbx
        mov $1, %edi
        call gotrace
        xor %edi, %edi
        call mill_yield_
        call mill_now_
        lea 1500(%rax), %rdi
        xor %esi, %esi
        call mill_msleep_
        xor %edi, %edi
        call mill_yield_
        xor %eax, %eax
        pop %rbx
        ret`);
    const times = [...output.matchAll(/^==> (\d\d):(\d\d):(\d\d\.\d{6}) \{0\} {6}yield\(\)$/gm)].map(
      ([, hours, minutes, seconds]) => Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds),
    );
    expect(times).toHaveLength(2);
    expect(times[1] - times[0]).toBeCloseTo(1.5, 6);
  });
});

describe('millscope run --dump', () => {
  const ROOT = fileURLToPath(new URL('../..', import.meta.url));
  const millscope = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'dist/inspect/cli.js'), ...args], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };

  it('prints the census at the end of a program on standard error', () => {
    // The end of the program is in main; both workers have ended, and it has made no channel.
    const { status, stderr } = millscope('run', '--dump', 'fixtures/programs/ping-pong.s');
    expect(status).toBe(0);
    expect(stderr.split('\n')).toEqual([
      '',
      HEAD,
      RULE,
      '{0}        RUNNING                                    ---                                      <main>',
      '',
    ]);
  });

  it('prints nobody as running in a deadlock, and the table behind it', () => {
    const { status, stderr } = millscope('run', '--dump', 'fixtures/programs/deadlock.s');
    expect(status).toBe(3);
    expect(stderr.split('\n').slice(0, 12)).toEqual([
      '',
      HEAD,
      RULE,
      '{0}        chr(<3>)                                   main, for the result                     <main>',
      '{1}        chr(<2>)                                   1, for the next answer                   ',
      '{2}        chr(<1>)                                   2, for the next question                 ',
      '',
      CHANNEL_HEAD,
      RULE,
      '<1>      0/0         r:{2}                                      1     no    ',
      '<2>      0/0         r:{1}                                      1     no    ',
      '<3>      0/0         r:{0}                                      1     no    ',
    ]);
    expect(stderr).toMatch(/who +│ waits in/);
    expect(stderr.trimEnd().split('\n').at(-1)).toMatch(/^millscope: deadlock: /);
  });
});
