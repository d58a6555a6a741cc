/** stdio's streams. What is expected is what glibc does on a terminal, and is asked of it where there is one. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openCpu } from '../../../emu/open.js';
import { loadProgram } from '../../../inspect/program.js';
import { libmill } from '../../../runtime/libmill.js';
import { type Outcome, Process } from '../../../runtime/process.js';
import { assemble, listen, run, withProcess } from '../guest.js';
import { hasGlibc } from './native.js';

const hasTerminal = hasGlibc && spawnSync('python3', ['-c', 'import pty']).status === 0;

describe('in assembly language', () => {
  /** Prints `text` and a character behind it, and ends by `end`. */
  const program = (end: string): string => `
main:   push    %rbx
        lea     text(%rip), %rdi
        mov     $5, %esi
        xor     %eax, %eax
        call    printf
        ${end}
        .data
text:   .asciz  "line\\n%d"
`;

  test('exit flushes, and so does the return from main', async () => {
    expect((await run(program('mov $3, %edi\n call exit'))).output).toBe('line\n5');
    expect((await run(program('xor %eax, %eax\n pop %rbx\n ret'))).output).toBe('line\n5');
  });

  test.each(['mov $3, %edi\n call _exit', 'call abort', 'ud2'])('%s does not', async (end) => {
    expect((await run(program(end))).output).toBe('line\n');
  });

  test('what waits in a buffer is part of a snapshot', async () => {
    const image = await assemble(program('nop\n stop: nop\n xor %edi, %edi\n call exit'));
    await withProcess(image, (process) => {
      const stop = Number(process.symbol('stop'));
      process.step(1000, () => {
        if (process.cpu.rip === stop) process.cpu.stop();
      });
      const saved = process.save();
      for (let time = 0; time < 2; time++) {
        const written = listen(process);
        process.restore(saved);
        expect(process.run(1000)).toEqual({ kind: 'exit', status: 0 });
        expect(written).toEqual(['5']);
      }
    });
  });
});

interface Program {
  readonly title: string;
  readonly body: string;
  /** As on a terminal: both streams. */
  readonly output: string;
  /** Natively that of the shell. */
  readonly status?: number;
}

/** Each ends with what shows how much is still in the buffer: _exit, unless it ends otherwise. */
const PROGRAMS: readonly Program[] = [
  {
    title: 'standard output goes out behind each line',
    body: 'fputs("a\\nb", stdout); fputs("E", stderr); _exit(0);',
    output: 'a\nE',
  },
  {
    title: 'standard error goes out at once',
    body: 'putchar(97); putc(101, stderr); putchar(10); _exit(0);',
    output: 'ea\n',
  },
  {
    title: 'a full buffer goes out when there is one more byte',
    body: 'for (int i = 0; i < 1024; i++) putchar(120); write(2, "E", 1); putchar(121); write(2, "F", 1); _exit(0);',
    output: `E${'x'.repeat(1024)}F`,
  },
  {
    title: 'what is larger than the buffer goes out in whole buffers',
    body: 'static char t[3000]; memset(t, 116, 3000); fwrite(t, 1, 10, stdout); fwrite(t, 1, 2990, stdout); write(2, "E", 1); exit(0);',
    output: `${'t'.repeat(2048)}E${'t'.repeat(952)}`,
  },
  {
    title: 'fflush of one stream',
    body: 'putchar(97); fflush(stderr); write(2, "E", 1); fflush(stdout); _exit(0);',
    output: 'Ea',
  },
  { title: 'fflush of all', body: 'putchar(97); printf("%d", fflush(NULL)); _exit(0);', output: 'a' },
  {
    title: 'setvbuf: none',
    body: 'putchar(97); setvbuf(stdout, NULL, _IONBF, 0); putchar(98); write(2, "E", 1); putchar(99); _exit(0);',
    output: 'abEc',
  },
  {
    title: 'setvbuf: full',
    body: 'setvbuf(stdout, NULL, _IOFBF, 0); puts("a"); write(2, "E", 1); exit(0);',
    output: 'Ea\n',
  },
  {
    title: 'setvbuf: a buffer of the program, by line',
    body: 'static char b[4]; printf("%d", setvbuf(stdout, b, _IOLBF, 4)); fputs("12345678\\n9", stdout); _exit(0);',
    output: '012345678\n9',
  },
  {
    title: 'setvbuf: a buffer of the program, full, holds what waits',
    body: 'static char b[256]; setvbuf(stdout, b, _IOFBF, 256); fputs("hello", stdout); write(1, b, 5); printf("%251d", 1); write(1, b, 1); putchar(50); _exit(0);',
    output: `hellohhello${'1'.padStart(251)}`,
  },
  { title: 'setvbuf: no such mode', body: 'printf("%d\\n", setvbuf(stdout, NULL, 7, 0) != 0);', output: '1\n' },
  {
    title: 'setbuf, setbuffer and setlinebuf',
    body: 'static char b[BUFSIZ]; setbuf(stdout, b); puts("a"); write(2, "E", 1); setlinebuf(stdout); puts("b"); setbuf(stdout, NULL); putchar(99); setbuffer(stdout, b, 2); fputs("def", stdout); _exit(0);',
    output: 'Ea\nb\ncdef',
  },
  {
    title: 'standard error with a buffer',
    body: 'static char b[64]; setvbuf(stderr, b, _IOFBF, 64); fputs("e", stderr); puts("a"); exit(0);',
    output: 'a\ne',
  },
  {
    title: 'exit flushes standard error first',
    body: 'static char b[64]; setvbuf(stderr, b, _IOFBF, 64); putchar(97); fputs("e", stderr); exit(0);',
    output: 'ea',
  },
  { title: 'abort loses what waits', body: 'fputs("a\\nb", stdout); abort();', output: 'a\n', status: 134 },
  {
    title: 'perror',
    body: 'putchar(97); errno = ENOENT; perror("name"); errno = 0; perror(""); errno = 1234; perror(NULL); putchar(10);',
    output: 'name: No such file or directory\nSuccess\nUnknown error 1234\na\n',
  },
  {
    title: 'results',
    body: 'int a = printf("abc"), b = puts("de"), c = fputs("f\\n", stdout) >= 0, d = putchar(0x141), e = fwrite("xyz", 2, 1, stdout), f = fwrite("", 0, 5, stdout); printf("\\n%d %d %d %d %d %d %d\\n", a, b, c, d, e, f, fileno(stderr));',
    output: 'abcde\nf\nAxy\n3 3 1 65 1 0 2\n',
  },
  {
    title: 'input is at its end',
    body: 'char b[9]; int a = getchar(); printf("%d %d %d %p ", a, feof(stdin) != 0, ferror(stdin), fgets(b, 9, stdin)); clearerr(stdin); printf("%d %zu\\n", feof(stdin), fread(b, 1, 9, stdin));',
    output: '-1 1 0 (nil) 1 0\n',
  },
  {
    title: 'a question is seen before its answer is waited for',
    body: 'printf("name? "); getchar(); _exit(0);',
    output: 'name? ',
  },
  {
    title: 'ungetc',
    body: 'char b[9] = "........"; int a = ungetc(0x178, stdin), c = getchar(), d; ungetc(10, stdin); char *s = fgets(b, 9, stdin); d = getchar(); printf("%d %d %d %d %d", a, c, d, s == b, b[0] * 256 + b[1]);',
    output: '120 120 -1 1 2560',
  },
  {
    title: 'getline',
    body: 'char *l = NULL; size_t n = 0; ungetc(113, stdin); long a = getline(&l, &n, stdin); printf("%ld %zu %s ", a, n, l); printf("%ld", getline(&l, &n, stdin));',
    output: '1 120 q -1',
  },
  {
    title: 'output that is for input',
    body: 'errno = 0; int a = putc(97, stdin); printf("%d %d %d ", a, errno == EBADF, ferror(stdin) != 0); int b = getc(stdout); printf("%d", b);',
    output: '-1 1 1 -1',
  },
  {
    title: 'putc and getc inline',
    body: 'for (int i = 0; i < 3; i++) putc_unlocked(97 + i, stdout); putchar_unlocked(10); printf("%d %d", getc_unlocked(stdin), feof_unlocked(stdin) != 0);',
    output: 'abc\n-1 0',
  },
  {
    title: 'write and dprintf pass the buffers by',
    body: 'putchar(97); dprintf(1, "%d", 5); write(1, "w", 1); errno = 0; long a = write(77, "x", 1); printf("%ld %d %d\\n", a, errno == EBADF, dprintf(77, "x"));',
    output: '5wa-1 1 -1\n',
  },
  {
    title: 'snprintf',
    body: 'char b[9] = "ABCDEFGH"; int a = snprintf(b, 5, "%d", 123456), c = snprintf(NULL, 0, "%s", "hello"); printf("%d %s %c %d ", a, b, b[6], c); printf("%d\\n", snprintf(b, 9, "%2147483646d", 1)); printf("%d %s|\\n", snprintf(b, 9, "ab%2147483648d", 1), b);',
    output: '6 1234 G 5 2147483646\n-1 ab|\n',
  },
  {
    title: 'asprintf',
    body: 'char *s; int a = asprintf(&s, "%s-%05d", "x", 42); printf("%d %s\\n", a, s); free(s);',
    output: '7 x-00042\n',
  },
  {
    title: 'a failing printf has printed what comes before',
    body: 'errno = 0; int a = printf("abc%lc\\n", 200); printf("|%d %d\\n", a, errno == EILSEQ);',
    output: 'abc|-1 1\n',
  },
  {
    title: 'many arguments, in all places',
    body: 'printf("%d %d %d %d %d %d %d %f %f %f %f %f %f %f %f %f %d %Lf %d %s\\n", 1, 2, 3, 4, 5, 6, 7, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 8, 10.5L, 9, "s");',
    output:
      '1 2 3 4 5 6 7 1.500000 2.500000 3.500000 4.500000 5.500000 6.500000 7.500000 8.500000 9.500000 8 10.500000 9 s\n',
  },
  {
    title: 'a va_list',
    body: 'forward(stdout, "%s %d %f %Lf %d %d %d %d %s\\n", "a", 1, 2.5, 3.5L, 2, 3, 4, 5, "z");',
    output: 'a 1 2.500000 3.500000 2 3 4 5 z\n',
  },
  {
    title: 'assert',
    body: 'printf("out"); assert(1 + 1 == 3);',
    output: "prog: file.c:1: main: Assertion `1 + 1 == 3' failed.\n",
    status: 134,
  },
  {
    title: 'assert_perror',
    body: 'assert_perror(0); assert_perror(EINVAL);',
    output: 'prog: file.c:1: main: Unexpected error: Invalid argument.\n',
    status: 134,
  },
];

const folder = mkdtempSync(join(tmpdir(), 'stdio-'));
afterAll(() => rmSync(folder, { recursive: true }));

function source(body: string): string {
  const path = join(folder, 'prog.c');
  writeFileSync(
    path,
    `#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
__attribute__((noinline)) void forward(FILE *file, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vfprintf(file, format, list);
    va_end(list);
}
#line 1 "file.c"
int main(void) { ${body} return 0; }
`,
  );
  return path;
}

/** Runs argv on a terminal whose input is at its end; prints what is seen there, with the newlines of a pipe. */
const TERMINAL = `
import os, pty, sys, termios
pid, master = pty.fork()
if pid == 0:
    modes = termios.tcgetattr(0)
    modes[1] &= ~termios.OPOST
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(0, termios.TCSANOW, modes)
    os.write(1, b"\\0")
    os.execv(sys.argv[1], ["some/prog"])
os.read(master, 1)
os.write(master, b"\\4" * 8)
seen = b""
try:
    while True: seen += os.read(master, 4096) or sys.exit("end")
except OSError: pass
status = os.waitpid(pid, 0)[1]
sys.stdout.buffer.write(seen)
sys.exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status))
`;

/** Compiles and runs it as the process `some/prog`. */
async function guest(body: string, flags: string): Promise<{ status: number | string; output: string }> {
  const program = await loadProgram([source(body)], flags);
  const cpu = openCpu({ memory: 64 << 20 });
  try {
    const process = new Process(cpu, libmill(), program, ['some/prog']);
    const written = listen(process);
    const outcome = process.run(1_000_000);
    return { status: statusOf(outcome), output: written.join('') };
  } finally {
    cpu.close();
  }
}

const statusOf = (outcome: Outcome): number | string =>
  outcome.kind === 'exit'
    ? outcome.status
    : outcome.kind === 'abort'
      ? 134
      : outcome.kind === 'error'
        ? outcome.error.message
        : outcome.kind;

describe.skipIf(!hasGlibc)('compiled', () => {
  const options = ['-O0', '-O2 -fno-inline', '-O2 -D_FORTIFY_SOURCE=2'];
  test.each(PROGRAMS.flatMap((program) => options.map((flags) => ({ ...program, flags }))))(
    '$title, with $flags',
    async ({ body, output, status = 0, flags }) => {
      expect(await guest(body, `-w ${flags}`)).toEqual({ status, output });
    },
  );

  test.each([
    [
      'sprintf(b, "%s", "1234567")',
      /^buffer overflow detected: .*sprintf would write 8 bytes, and there is room for 7/,
    ],
    ['snprintf(b, n, "1")', /^buffer overflow detected: .*snprintf would write 8 bytes, and there is room for 7/],
    ['printf("%n", &n)', /%n/],
  ])('%s is refused', async (call, message) => {
    const { status } = await guest(`char b[7]; volatile int n = 8; ${call}; puts(b);`, '-w -O2 -D_FORTIFY_SOURCE=2');
    expect(status).toMatch(message);
  });

  test.skipIf(!hasTerminal).each(PROGRAMS)('natively, $title', ({ body, output, status = 0 }) => {
    const binary = join(folder, 'prog');
    execFileSync('gcc', ['-w', '-O2', '-o', binary, source(body)]);
    const ran = spawnSync('python3', ['-c', TERMINAL, binary], { encoding: 'utf8', env: { LC_ALL: 'C' } });
    expect({ status: ran.status, output: ran.stdout }, ran.stderr).toEqual({ status, output });
  });
});
