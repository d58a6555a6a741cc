/** C programs on the command line: compiled, linked, mixed, and what is said when they cannot be. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectComplaint, file, folder, millscope, ROOT } from './command.js';

const compilers = ['gcc', 'clang'].filter((name) => spawnSync(name, ['--version']).status === 0);
const noCompiler = spawnSync('cc', ['--version']).status !== 0;
const PROGRAM_FAULT = 139;
const USAGE = 2;

/** An object of that text. */
function object(name: string, text: string, compiler = 'cc', ...flags: string[]): string {
  const path = join(folder, name);
  const source = file(`${name}.c`, text);
  execFileSync(compiler, ['-c', '-I', join(ROOT, 'runtime/include'), ...flags, '-o', path, source]);
  return path;
}

const TWO_COROUTINES = `
#include <libmill.h>
#include <stdio.h>
coroutine void worker(int count)
{
    while (count--) {
        puts("worker");
        yield();
    }
}
int main(void)
{
    go(worker(2));
    puts("main");
    yield();
    yield();
    return 5;
}
`;
const BOTH = 'worker\nmain\nworker\n';

describe.skipIf(noCompiler)('C, compiled here', () => {
  it('runs from its source', () => {
    expect(millscope(['run', file('two.c', TWO_COROUTINES)])).toEqual({ status: 5, stdout: BOTH, stderr: '' });
  });

  it.each(compilers)('runs from the object that %s has made, named in a switch by function and line', (compiler) => {
    const path = object(`two-${compiler}.o`, TWO_COROUTINES, compiler, '-g', '-O2', '-fno-stack-clash-protection');
    expect(millscope(['run', path])).toEqual({ status: 5, stdout: BOTH, stderr: '' });
    const { stdout } = millscope(['switches', path]);
    // go() is in line 13, the first yield of main in line 15, that of the worker in line 8.
    expect(stdout).toMatch(/^main will go on at main\+0x[0-9a-f]+ \(.*\.c:13\)$/m);
    expect(stdout).toMatch(/^main will go on at mill_.* called from main\+0x[0-9a-f]+ \(.*\.c:15\)$/m);
    expect(stdout).toMatch(/^coroutine 1 will go on at mill_.* called from worker\S*\+0x[0-9a-f]+ \(.*\.c:8\)$/m);
  });

  it('takes flags for the compiler as one string, with quotes in it', () => {
    const path = file('flags.c', '#include <stdio.h>\nint main(void) { puts(TEXT); return N; }');
    const flags = `-O1 -DN=4 '-DTEXT="two words"'`;
    expect(millscope(['run', '--cc', flags, path])).toEqual({ status: 4, stdout: 'two words\n', stderr: '' });
  });

  it('gives main what follows --, whatever it looks like', () => {
    const path = file(
      'arguments.c',
      '#include <stdio.h>\nint main(int argc, char **argv) { for (int i = 0; i < argc; i++) puts(argv[i]); return argc; }',
    );
    const { status, stdout } = millscope(['run', path, '--', '--limit', '1', '', '--', 'ä']);
    expect({ status, stdout }).toEqual({ status: 6, stdout: 'arguments.c\n--limit\n1\n\n--\nä\n' });
  });

  it('links C, an object and assembly text that call each other', () => {
    const c = file('c.c', 'int from_object(int), from_text(int);\nint main(void) { return from_text(1); }');
    const o = object('o.o', 'int value = 10;\nint from_object(int x) { return x * 2 + value; }');
    const s = file(
      's.s',
      '.globl from_text\nfrom_text: add $3, %edi\n sub $8, %rsp\n call from_object\n add value(%rip), %eax\n add $8, %rsp\n ret\n',
    );
    // (1 + 3) * 2 + 10 + 10
    for (const order of [
      [c, o, s],
      [s, o, c],
    ]) {
      expect(millscope(['run', ...order]).status).toBe(28);
    }
  });

  it('has a program of its own use the names of libc', () => {
    const path = file('own.c', 'int random(void) { return 33; }\nint main(void) { return random(); }');
    expect(millscope(['run', path]).status).toBe(33);
  });

  it('says which symbols are missing, all at once, and where each is needed', () => {
    const path = file(
      'missing.c',
      '#include <stdio.h>\nvoid one(void), two(void);\nint main(void)\n{\n one();\n two();\n fopen("x", "r");\n}',
    );
    expectComplaint(
      millscope(['run', path]),
      USAGE,
      /^undefined symbol "one", needed by missing\.c in main\S* \(missing\.c:5\)$/m,
      /^undefined symbol "two", .*missing\.c:6/m,
      /^undefined symbol "fopen", .*missing\.c:7/m,
      /^millscope: .*3 undefined symbols: give the object or the archive/m,
    );
  });

  it('says that a symbol is there twice', () => {
    const one = object('one.o', 'int f(void) { return 1; }');
    const other = object('other.o', 'int f(void) { return 2; }\nint main(void) { return f(); }');
    expectComplaint(millscope(['run', one, other]), USAGE, /"?f"? .*one\.o.*other\.o/);
    // Of several the last line is still millscope's.
    expectComplaint(millscope(['run', other, other]), USAGE, /^"f" .*\n"main" .*\nmillscope: /);
    const text = file('twice.s', '.globl f\nf: ret\n');
    expectComplaint(millscope(['run', other, text]), USAGE, /twice\.s:1:1: "f" is \.globl here, but/);
  });

  it('says that there is no main', () => {
    expectComplaint(millscope(['run', object('nomain.o', 'int f(void) { return 1; }')]), USAGE, /no main/);
  });

  it("leaves the compiler's messages as they are, and says who has ended", () => {
    const path = file('wrong.c', 'int main(void) { return x; }');
    expectComplaint(millscope(['run', path]), USAGE, /wrong\.c:1:25: error:/, /millscope: .*wrong\.c: cc ended with/);
  });

  it('says what to install when there is no compiler', () => {
    const path = file('none.c', 'int main(void) { return 0; }');
    expectComplaint(millscope(['run', path], { CC: 'no-such-compiler' }), USAGE, /no-such-compiler.*apt install gcc/);
  });

  it.each(compilers)('tells an object with stack probes of %s what to compile with', (compiler) => {
    const path = object(`probes-${compiler}.o`, TWO_COROUTINES, compiler, '-O2', '-fstack-clash-protection');
    expectComplaint(millscope(['run', path]), PROGRAM_FAULT, /compile with -fno-stack-clash-protection/);
  });

  it('does not take a stack overflow for that', () => {
    const path = file(
      'deep.c',
      '#include <libmill.h>\nint deep(volatile int n) { volatile char a[9000]; a[n % 9000] = 1; return deep(n + 1) + a[3]; }\n' +
        'coroutine void f(void) { deep(1); }\nint main(void) { go(f()); return 0; }',
    );
    const ended = millscope(['run', '--cc', '-O0 -fstack-clash-protection', path]);
    expect(ended.status).toBe(PROGRAM_FAULT);
    const plain = millscope(['run', path]);
    expectComplaint(plain, PROGRAM_FAULT, /stack overflow: coroutine 1/, /deep\+0x[0-9a-f]+ \(deep\.c:2\)/);
    expect(plain.stderr).not.toContain('stack-clash');
  });

  it('has no way to the files, the environment and the system calls of the host', () => {
    const secret = file('secret.txt', 'secret');
    const path = file(
      'curious.c',
      `#include <stdio.h>
      extern char **environ;
      static long ask(long number, const void *a, long b)
      {
          long result;
          __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(0) : "rcx", "r11", "memory");
          return result;
      }
      int main(int argc, char **argv)
      {
          if (environ[0] || argv[argc]) return 1;
          long fd = ask(2, ${JSON.stringify(secret)}, 0);
          return fd >= 0 ? 2 : 3;
      }`,
    );
    const { status, stdout } = millscope(['run', path]);
    expect([3, 134]).toContain(status);
    expect(stdout).toBe('');
    expect(readFileSync(secret, 'utf8')).toBe('secret');
  });
});

describe('files that are no objects', () => {
  it('are told apart', () => {
    const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
    expectComplaint(millscope(['run', file('short.o', bytes(0x7f, 0x45, 0x4c, 0x46))]), USAGE, /short\.o: truncated/);
    expectComplaint(millscope(['run', file('text.o', 'hello, world, this is text\n')]), USAGE, /text\.o: text/);
    expectComplaint(millscope(['run', file('empty.o', '')]), USAGE, /empty\.o: /);
    expectComplaint(millscope(['run', file('archive.o', '!<arch>\n')]), USAGE, /archive\.o: an archive/);
    expectComplaint(millscope(['run', 'nothing.o']), USAGE, /nothing\.o: there is no such file/);
  });
});
