import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ENVIRONMENT, linkedConsumer } from './consumer-folder.js';

const folder = linkedConsumer();
const source = join(folder, 'relay_switch.S');
const whole = readFileSync(source, 'utf8');
const broken = whole.replace('mov     %r15, 56(%rdi)', 'mov     %r15, 64(%rdi)');

function start(args: readonly string[]): ChildProcess {
  return spawn('node_modules/.bin/vitest', args, { cwd: folder, env: ENVIRONMENT, stdio: 'pipe' });
}

function sh(command: string) {
  return spawnSync('sh', ['-c', command], { cwd: folder, env: ENVIRONMENT, encoding: 'utf8' });
}

describe.skipIf(spawnSync('gcc', ['--version']).status !== 0)('in the repository of somebody else', () => {
  let child: ChildProcess | undefined;
  afterEach(() => {
    child?.kill();
    writeFileSync(source, whole);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('a watching vitest runs again when the switch is changed, and reads it anew', { timeout: 240_000 }, async () => {
    child = start(['watch', 'switch']);
    let text = '';
    let told = (): void => {};
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (bytes) => {
        text += bytes;
        told();
      });
    }
    /** What is printed until a run is over. */
    const next = async (): Promise<string> => {
      while (!/^ *Duration /m.test(text)) {
        await new Promise<void>((resolve) => {
          told = resolve;
        });
      }
      const all = text;
      text = '';
      return all;
    };
    expect(await next()).toMatch(/Tests +4 passed/);
    writeFileSync(source, broken);
    const red = await next();
    expect(red).toMatch(/Tests +3 failed \| 1 passed/);
    expect(red).toMatch(/^slot 56: written by nothing, read by movq 0x38\(%rsi\), %r15 at relay_switch\.S:\d+$/m);
    writeFileSync(source, whole);
    expect(await next()).toMatch(/Tests +4 passed/);
  });

  it('a snapshot of a layout is a table, and so is what differs', { timeout: 240_000 }, () => {
    const test = join(folder, 'test/snapshot.test.ts');
    writeFileSync(
      test,
      `import { loadSwitch } from 'millscope/vitest';
import { expect, test } from 'vitest';
const { layout } = await loadSwitch('relay_switch.S', { switch: 'relay_switch' });
test('layout', () => expect(layout).toMatchSnapshot());
`,
    );
    expect(sh('node_modules/.bin/vitest run -u snapshot').status).toBe(0);
    writeFileSync(source, broken);
    const { status, stdout, stderr } = sh('node_modules/.bin/vitest run snapshot');
    rmSync(test);
    rmSync(join(folder, 'test/__snapshots__'), { recursive: true });
    expect(status).toBe(1);
    expect((stdout + stderr).match(/^[-+ ] .* (?:r14|r15|mxcsr) *$/gm)).toEqual([
      '  48      8      r14               r14',
      '- 56      8      r15               r15',
      '+ 56      8      (nothing)         r15',
      '  64      4      mxcsr             mxcsr',
    ]);
  });

  it('vitest --changed runs what a changed switch may have broken, and nothing else', { timeout: 240_000 }, () => {
    const git = 'git -c user.name=relay -c user.email=relay@localhost';
    expect(sh(`git init -q && git add . && ${git} commit -qm relay`).status).toBe(0);
    expect(sh('node_modules/.bin/vitest run --changed').stdout).toMatch(/No test files found/);
    writeFileSync(source, broken);
    const { status, stdout } = sh('node_modules/.bin/vitest run --changed');
    expect(status).toBe(1);
    expect(stdout).toMatch(/Test Files +1 failed \| 1 passed/);
  });
});
