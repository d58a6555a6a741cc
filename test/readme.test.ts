import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgsStringToArgv } from 'string-argv';
import { describe, expect, it } from 'vitest';
import { millscope } from './inspect/command.js';
import { PATIENCE_MS } from './inspect/mutants/trying.js';
import { ENVIRONMENT, linkedConsumer } from './inspect/vitest/consumer-folder.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** Code blocks of one language. */
function blocks(language: string): string[] {
  return [...README.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1]);
}

function sh(command: string) {
  return spawnSync('sh', ['-c', command], { cwd: ROOT, encoding: 'utf8', maxBuffer: 64 << 20 });
}

/** The two that install everything anew are run from a clean checkout, in .ci/run. */
const commands = blocks('sh')
  .flatMap((block) => block.trim().split('\n'))
  .filter((command) => !command.startsWith('npm ci'));

/** The one that takes longest: what it prints is looked at here, so that no other test needs to run it. */
const MUTANTS = 'npx millscope mutants asm/mill_setjmp.s asm/mill_longjmp.s';

/** What comes of a command as it is typed. Only the first one is looked for by npx, which takes longer than most of them. */
function typed(command: string) {
  if (command === commands[0]) return sh(command);
  const words = /^npx millscope ([^|&;<>$#]*)(?:#|$)/.exec(command)?.[1];
  if (words !== undefined) return millscope(parseArgsStringToArgv(words));
  return sh(command.replace(/^npx millscope/, 'node dist/inspect/cli.js'));
}

/** Runs `use` with a file of that content that is gone afterwards. */
function withFile<Result>(path: string, content: string, use: (path: string) => Result): Result {
  writeFileSync(path, content);
  try {
    return use(path);
  } finally {
    rmSync(path);
  }
}

describe('README', () => {
  it.each(commands.filter((command) => command !== MUTANTS))('%s', (command) => {
    const { status, stdout, stderr } = typed(command);
    expect({ status, ours: stderr.includes('millscope: ') }).toEqual({ status: 0, ours: command.includes('||') });
    if (!command.includes('--limit')) expect(stdout.length).toBeGreaterThan(0);
  });

  it(MUTANTS, { timeout: PATIENCE_MS }, () => {
    expect(commands).toContain(MUTANTS);
    const { status, stdout } = typed(MUTANTS);
    expect(stdout).toMatch(
      /│ mill_longjmp\.s:12 │ movq 16\(%rax\), %r12: dropped +│ killed +│ layout at 16: was r12 → r12, is /,
    );
    expect(stdout).toMatch(/^387 mutants: 366 killed, 0 survived, 21 equivalent; 100 % of those .* were noticed$/m);
    expect(status).toBe(0);
  });

  it('shows commands at all', () => {
    expect(commands.length).toBeGreaterThan(25);
    expect(commands[0]).toMatch(/^npx millscope /);
    expect(blocks('sh')[0]).toMatch(/^npm ci && npm start .*\nnpm ci && npm test$/m);
  });

  it('shows an assembly program that runs', () => {
    const [program] = blocks('asm');
    const folder = mkdtempSync(join(tmpdir(), 'millscope-readme-'));
    const { stdout, status } = withFile(join(folder, 'example.s'), program, (path) =>
      typed(`npx millscope run ${path}`),
    );
    expect({ stdout, status }).toEqual({ stdout: 'main\nworker\n', status: 0 });
  });

  it.skipIf(spawnSync('gcc', ['--version']).status !== 0)('shows a C program that runs, in each way it says', () => {
    const folder = mkdtempSync(join(tmpdir(), 'millscope-readme-'));
    writeFileSync(join(folder, 'squares.c'), blocks('c')[0]);
    writeFileSync(join(folder, 'more.c'), 'int more;\n');
    writeFileSync(join(folder, 'text.s'), 'nop\n');
    const shown = blocks('shell')[0].trim().split('\n');
    expect(shown.map((command) => command.split(' ', 1)[0])).toEqual([
      'millscope',
      'millscope',
      'gcc',
      'millscope',
      'millscope',
    ]);
    symlinkSync(join(ROOT, 'runtime'), join(folder, 'runtime'));
    const environment = { ...process.env, NO_COLOR: '1' };
    const results = shown.map((command) => {
      const ours = command.replace(/^millscope/, `node ${join(ROOT, 'dist/inspect/cli.js')}`);
      return spawnSync('sh', ['-c', ours], { cwd: folder, encoding: 'utf8', env: environment });
    });
    rmSync(folder, { recursive: true });
    expect(results.map(({ status, stderr }) => ({ status, stderr }))).toEqual(
      shown.map(() => ({ status: 0, stderr: '' })),
    );
    const squares = '1\n4\n9\n';
    expect(results.slice(0, 4).map(({ stdout }) => stdout)).toEqual([squares, squares, '', squares]);
    expect(results[4].stdout).toMatch(/^main will go on at main\+0x[0-9a-f]+ \(squares\.c:16\)$/m);
    expect(results[4].stdout).toMatch(/called from squares\S*\+0x[0-9a-f]+ \(squares\.c:7\)$/m);
  });

  const MUSL = '/usr/lib/x86_64-linux-musl/libc.a';
  it.skipIf(!existsSync(MUSL) || spawnSync('gcc', ['--version']).status !== 0)('shows archives that are used', () => {
    const folder = mkdtempSync(join(tmpdir(), 'millscope-readme-'));
    const waves =
      '#include <math.h>\n#include <stdio.h>\nint main(int argc, char **argv) { printf("%.3f\\n", sin(argc)); }';
    writeFileSync(join(folder, 'waves.c'), waves);
    const main =
      '#include <stdlib.h>\n#include <stdio.h>\nint more(void);\nint main(void) { puts(getenv("GREETING")); return more(); }';
    writeFileSync(join(folder, 'squares.c'), main);
    writeFileSync(join(folder, 'more.c'), 'int more(void) { return 0; }');
    const made = spawnSync('sh', ['-c', 'gcc -c squares.c more.c && ar rcs libmore.a more.o'], { cwd: folder });
    expect(made.status).toBe(0);
    const results = blocks('shell')[1]
      .trim()
      .split('\n')
      .map((command) => {
        const ours = command.replace(/^millscope/, `node ${join(ROOT, 'dist/inspect/cli.js')}`);
        return spawnSync('sh', ['-c', ours], { cwd: folder, encoding: 'utf8' });
      });
    rmSync(folder, { recursive: true });
    // sin(1) is 0.84147…
    expect(results.map(({ stdout, stderr }) => stdout + stderr)).toEqual(['0.841\n', 'hello\n']);
  });

  it('shows a JavaScript program that runs', () => {
    const [program] = blocks('js');
    // Inside the package, where its own name leads to itself.
    const { stdout, stderr } = withFile(join(ROOT, 'dist/readme-example.mjs'), program, (path) => sh(`node ${path}`));
    expect(stderr).toBe('');
    // go saves main and starts 1; 1 yields to main; main yields to 1; 1 ends and main is restored.
    expect(stdout).toBe(
      'switch 1: 0 -> 1\nworker\nswitch 2: 1 -> 0\nmain\nswitch 3: 0 -> 1\nworker again\nswitch 4: 1 -> 0\n',
    );
  });

  it('shows a session that runs', () => {
    const [, program] = blocks('js');
    const { stdout, stderr } = withFile(join(ROOT, 'dist/readme-session.mjs'), program, (path) => sh(`node ${path}`));
    expect(stderr).toBe('');
    // Line 19 of mill_setjmp.s is the one instruction that saves r12.
    const [line] = readFileSync(join(ROOT, 'asm/mill_setjmp.s'), 'utf8').split('\n').slice(18);
    expect(line).toMatch(/mov +%r12, 16\(%rdx\)/);
    expect(stdout).toMatch(/^the end, at moment \d+\nslot r12 .* moment \d+\nby .* mill_setjmp\.s:19\)\n$/);
  });

  it.skipIf(spawnSync('gcc', ['--version']).status !== 0)(
    'shows guards of a switch that turn red as it says',
    { timeout: 120_000 },
    () => {
      const folder = linkedConsumer();
      const run = (command: string) =>
        spawnSync('sh', ['-c', command], { cwd: folder, env: ENVIRONMENT, encoding: 'utf8' });
      rmSync(join(folder, 'test'), { recursive: true });
      writeFileSync(join(folder, 'example.test.ts'), blocks('ts')[0]);
      const shell = blocks('shell').find((block) => block.includes('--golden')) ?? '';
      const guards = shell.trim().split('\n').slice(1);
      expect(guards.length).toBe(2);
      const ended = () => ['vitest run', ...guards].map((command) => run(`PATH=node_modules/.bin:$PATH ${command}`));
      expect(ended().map(({ status }) => status)).toEqual([0, 0, 0]);

      const source = join(folder, 'relay_switch.S');
      const whole = readFileSync(source, 'utf8');
      writeFileSync(source, whole.replace('mov     %r14, 48(%rdi)', ''));
      const red = ended();
      expect(red.map(({ status }) => status)).toEqual([1, 1, 1]);
      const [{ stdout, stderr }] = red;
      const shown = blocks('text').find((block) => block.startsWith('relay_switch: '));
      expect(stdout + stderr).toContain(`Error: ${shown}`);
      rmSync(folder, { recursive: true });
    },
  );

  it('shows the table of a deadlock as it is printed', () => {
    expect(typed('npx millscope run fixtures/programs/deadlock.s').stderr).toBe(blocks('text')[0]);
  });

  it('shows JSON as switches --json prints it', () => {
    const [example] = blocks('json');
    const objects = example.split(/^(?=\{"(?:switch|output)")/m).map((text) => JSON.parse(text));
    const printed = typed('npx millscope switches --json fixtures/programs/ping-pong.s').stdout.trimEnd().split('\n');
    expect(printed.slice(1, 3).map((line) => JSON.parse(line))).toEqual(objects);
  });

  it('shows the pictures that the program makes now', () => {
    const folder = mkdtempSync(join(tmpdir(), 'millscope-picture-'));
    expect(sh(`npx tsx fixtures/pictures/make.ts ${folder}`).status).toBe(0);
    for (const name of ['switch.svg', 'step.svg', 'moving.svg']) {
      const made = readFileSync(join(folder, name), 'utf8');
      expect(made, name).toBe(readFileSync(join(ROOT, 'fixtures/pictures', name), 'utf8'));
    }
    rmSync(folder, { recursive: true });
  });
});
