/** Archives, the environment and Linux's system calls on the command line. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemCallName } from '../../runtime/linux.js';
import { expectComplaint, file, folder, millscope, ROOT } from './command.js';

const has = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0;
const noTools = !has('cc') || !has('ar');
const MUSL = '/usr/lib/x86_64-linux-musl/libc.a';
const HEADERS = '/usr/include/x86_64-linux-musl';
const noMusl = noTools || !existsSync(MUSL) || !existsSync(HEADERS);
const USAGE = 2;

function object(name: string, text: string, ...flags: string[]): string {
  const path = join(folder, `${name}.o`);
  execFileSync('cc', ['-c', '-O1', ...flags, '-o', path, file(`${name}.c`, text)]);
  return path;
}

function archive(name: string, ...objects: string[]): string {
  const path = join(folder, name);
  execFileSync('ar', ['rcs', path, ...objects]);
  return path;
}

describe.skipIf(noTools)('an archive on the command line', () => {
  const twice = () => archive('libtwice.a', object('twice', 'int twice(int x) { return 2 * x; }'));
  const main = () => file('main.c', 'int twice(int);\nint main(void) { return twice(21); }');

  it('is a file among others, in any order, or named by --archive, whatever it is called', () => {
    const [library, program] = [twice(), main()];
    const other = archive('twice.lib', join(folder, 'twice.o'));
    for (const args of [
      [program, library],
      [library, program],
      ['--archive', library, program],
      [program, '--archive', other],
      ['--archive', library, '--archive', other, program],
    ]) {
      expect(millscope(['run', ...args])).toEqual({ status: 42, stdout: '', stderr: '' });
    }
  });

  it('gives members to assembly text, but not for its own names, its strings and its comments', () => {
    const library = archive(
      'libtext.a',
      object('twice2', 'int twice(int x) { return 2 * x; }'),
      object('mine', 'int mine(void) { return 1; }\nint again = 1;'),
      object('noise', 'int noise(void) { return 1; }\nint again = 2;'),
      object('loud', 'int loud(void) { return 1; }\nint again = 3;'),
    );
    const text = file(
      'text.s',
      `# noise, and what is loud
        .globl main, mine
main:   sub $8, %rsp
        mov $10, %edi       # loud
        call twice
        mov %eax, %edi
        call other
        add $8, %rsp
        ret
mine:   lea 3(%rdi), %eax
        ret
        .data
        .ascii "noise \\" loud"
`,
    );
    const caller = file('other.c', 'int mine(int);\nint other(int x) { return mine(x); }');
    expect(millscope(['run', text, caller, library])).toEqual({ status: 23, stdout: '', stderr: '' });
  });

  it("gives way to the runtime's own functions, and these to the program's", () => {
    const library = archive(
      'libown.a',
      object('abs', 'int puts(const char *text) { return text[0]; }\nint other(void) { return 1; }'),
    );
    const path = file('own.c', '#include <stdio.h>\nint main(void) { puts("ours"); return 0; }');
    expect(millscope(['run', path, library])).toEqual({ status: 0, stdout: 'ours\n', stderr: '' });
    // With another of its names the member is there, and so is this one.
    const both = file('both.c', '#include <stdio.h>\nint other(void);\nint main(void) { return other() + puts("A"); }');
    expect(millscope(['run', both, library])).toEqual({ status: 66, stdout: '', stderr: '' });
  });

  it('that is missing, damaged or none is named', () => {
    const program = main();
    const damaged = file('damaged.a', `!<arch>\n${'x'.repeat(60)}`);
    expectComplaint(millscope(['run', program, 'none.a']), USAGE, /^millscope: cannot read none\.a: there is no such/);
    expectComplaint(millscope(['run', program, '--archive', 'none.a']), USAGE, /cannot read none\.a/);
    expectComplaint(millscope(['run', program, '--archive', ROOT]), USAGE, /that is a folder/);
    expectComplaint(
      millscope(['run', program, damaged]),
      USAGE,
      /^millscope: damaged\.a: truncated or damaged archive/,
    );
    expectComplaint(
      millscope(['run', program, '--archive', program]),
      USAGE,
      /main\.c: not an archive: make one with ar/,
    );
    execFileSync('ar', ['rcT', join(folder, 'thin.a'), object('thin', 'int twice(int x) { return x; }')]);
    expectComplaint(millscope(['run', program, join(folder, 'thin.a')]), USAGE, /thin\.a: a thin archive.*ar rcs/);
    expectComplaint(millscope(['run', program, file('empty.a', '!<arch>\n')]), USAGE, /undefined symbol "twice"/);
    expectComplaint(millscope(['run', file('alone.a', '!<arch>\n')]), USAGE, /no main/);
  });

  it('is named with its member where that has gone wrong', () => {
    const bad = archive('libbad.a', twice().replace(/lib(.*)\.a$/, '$1.o'), file('text.o', 'no object'));
    expect(millscope(['run', main(), bad]).status).toBe(42);
    const missing = archive('libmissing.a', object('needy', 'int gone(int);\nint twice(int x) { return gone(x); }'));
    expectComplaint(
      millscope(['run', main(), missing]),
      USAGE,
      /^undefined symbol "gone", needed by libmissing\.a\(needy\.o\) in twice/m,
    );
  });
});

describe.skipIf(noMusl)("musl's libc.a", () => {
  it('gives what the runtime has not: it prints what it prints natively', () => {
    const text = `
      #include <math.h>
      #include <search.h>
      #include <stdio.h>
      #include <string.h>
      #include <wchar.h>
      static int compare(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
      int main(int argc, char **argv)
      {
          int table[8] = {3, 1, 2};
          size_t count = 3;
          for (int key = 0; key < 5; key++) {
              int *found = lsearch(&key, table, &count, sizeof key, compare);
              printf("%d at %d of %zu\\n", key, (int)(found - table), count);
          }
          printf("%zu %d\\n", wcslen(L"wide"), wcscmp(L"a", L"b") < 0);
          for (double x = 0.5 * argc; x < 5; x += 1.25)
              printf("%.10f %.10f %.10f %.10f\\n", sin(x), pow(x, 3.5), exp(-x), atan2(x, 2));
          char line[] = "a,b,,c";
          for (char *rest = line, *word; (word = strsep(&rest, ",")) != NULL;) printf("[%s]", word);
          printf("\\n%d %s\\n", strverscmp("item9", "item10") < 0, argv[argc - 1]);
          return 7;
      }`;
    const path = object('musl', text, '-D_GNU_SOURCE', '-fno-stack-protector', '-fno-builtin', '-isystem', HEADERS);
    const binary = join(folder, 'musl');
    execFileSync('cc', ['-static', '-o', binary, path, '-lm']);
    const { status, stdout } = spawnSync(binary, ['x'], { encoding: 'utf8' });
    expect(status).toBe(7);
    expect(stdout.split('\n').length).toBe(13);
    expect(millscope(['run', path, '--archive', MUSL, '--', 'x'])).toEqual({ status, stdout, stderr: '' });
    expectComplaint(millscope(['run', path]), USAGE, /undefined symbol "sin", needed by musl\.o in main/);
  });

  it('gets ENOSYS for system calls that there are not, each named once', () => {
    const text = `
      #include <errno.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <sys/random.h>
      #include <sys/syscall.h>
      #include <unistd.h>
      int main(void)
      {
          char bytes[64];
          for (int i = 0; i < 2; i++) {
              errno = 0;
              long got = getrandom(bytes, sizeof bytes, 0);
              printf("%ld %d\\n", got, errno == ENOSYS);
              errno = 0;
              char *folder = getcwd(bytes, sizeof bytes);
              printf("%d %d\\n", folder == NULL, errno == ENOSYS);
          }
          long user = syscall(SYS_getuid);
          /* One errno for functions of the runtime and of the archive */
          errno = 0;
          strtol("99999999999999999999", NULL, 10);
          printf("%ld %d\\n", user, errno == ERANGE);
          fflush(stdout);
          syscall(SYS_write, 2, "raw\\n", 4);
          long written = syscall(SYS_write, 9, "raw\\n", 4);
          printf("%ld %d\\n", written, errno == EBADF);
          fflush(stdout);
          printf("lost");
          syscall(SYS_exit_group, 300);
          return 1;
      }`;
    const path = object('refused', text, '-D_GNU_SOURCE', '-fno-stack-protector', '-isystem', HEADERS);
    const refusal = (name: string) =>
      `millscope: the program made Linux's system call ${name}, which is not here: it got ENOSYS\n`;
    expect(millscope(['run', path, '--archive', MUSL])).toEqual({
      status: 300 & 255,
      stdout: '-1 1\n1 1\n-1 1\n1 1\n-1 1\n-1 1\n',
      stderr: `${refusal('getrandom')}${refusal('getcwd')}${refusal('getuid')}raw\n`,
    });
  });
});

describe("the names of Linux's system calls", () => {
  const HEADER = '/usr/include/x86_64-linux-gnu/asm/unistd_64.h';
  it.skipIf(!existsSync(HEADER) || noTools)('are those of its headers, as far as these go', () => {
    const macros = execFileSync('cc', ['-E', '-dM', HEADER], { encoding: 'utf8' });
    const numbers = [...macros.matchAll(/^#define __NR_(\w+) (\d+)$/gm)].map(([, name, number]) => [
      Number(number),
      name,
    ]);
    expect(numbers.length).toBeGreaterThan(300);
    for (const [number, name] of numbers) expect(systemCallName(Number(number))).toBe(name);
  });

  it('are their numbers where there is none', () => {
    expect(['read', 'exit_group', 'rseq']).toEqual([0, 231, 334].map(systemCallName));
    expect([335, 423, 511].map(systemCallName)).toEqual(['number 335', 'number 423', 'number 511']);
  });
});

describe.skipIf(noTools)('--env', () => {
  const path = () =>
    file(
      'env.c',
      `#include <stdio.h>
      #include <stdlib.h>
      extern char **environ;
      int main(int argc, char **argv)
      {
          for (int i = 1; i < argc; i++) {
              const char *value = getenv(argv[i]);
              printf("%s=<%s>\\n", argv[i], value ? value : "none");
          }
          int count = 0;
          while (environ[count]) count++;
          return count;
      }`,
    );

  it('is the whole environment: the one of the host is not there', () => {
    expect(millscope(['run', path(), '--', 'HOME', 'PATH'], { HOME: '/home/somebody' })).toEqual({
      status: 0,
      stdout: 'HOME=<none>\nPATH=<none>\n',
      stderr: '',
    });
  });

  it('gives variables, of which the first of a name counts, with any value', () => {
    const given = ['--env', 'A=1', '--env', 'AB=x=y z', '--env', 'EMPTY=', '--env', 'A=2', '--env', 'ä=ö'];
    expect(millscope(['run', ...given, path(), '--', 'A', 'AB', 'EMPTY', 'ä', 'B', 'A=1', ''])).toEqual({
      status: 5,
      stdout: 'A=<1>\nAB=<x=y z>\nEMPTY=<>\nä=<ö>\nB=<none>\nA=1=<none>\n=<none>\n',
      stderr: '',
    });
  });

  it.each(['A', '=1', ''])('refuses %j', (value) => {
    expectComplaint(millscope(['run', '--env', value, path()]), USAGE, /--env <NAME=VALUE>.* It must be NAME=VALUE/);
  });
});
