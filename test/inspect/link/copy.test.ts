/** What a moment is copied as: a command line, a test. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GENERAL_REGISTERS } from '../../../emu/registers.js';
import { openLinked } from '../../../inspect/guest.js';
import { commandOf, type Reading, testOf } from '../../../inspect/link/copy.js';
import type { LinkedRun } from '../../../inspect/link/linked-run.js';
import { Session } from '../../../inspect/session.js';
import { ROOT } from '../command.js';
import { ENVIRONMENT } from '../vitest/consumer-folder.js';

/** What a template literal could take for its own. */
const ODD = [
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is to be no placeholder
  '# `backticks`, ${placeholders}, \\ a backslash \\n, \\u0041 and é\u2028',
  '        .globl main\r',
  'main:   mov $3, %eax',
  '        lea text(%rip), %rbx',
  '        ret',
  '        .data',
  'text:   .ascii "a\\n`${"\t',
].join('\n');

const RUN: LinkedRun = {
  name: "odd's.s",
  arguments: ['one', "it's", 'a\\b', '`${'],
  environment: ['A=\u{1f600}', 'B=\n'],
  seed: 2n ** 64n - 1n,
  memory: 64,
  moment: 2,
  runtime: [],
  files: [
    { name: "odd's.s", text: ODD },
    { name: 'beside.s', text: 'no instruction', beside: true },
  ],
};
const OBJECT: LinkedRun = {
  ...RUN,
  name: 'prime-sieve.o',
  arguments: [],
  moment: 500,
  files: [{ name: 'prime-sieve.o', bytes: new Uint8Array(readFileSync(`${ROOT}/fixtures/c/prime-sieve.o`)) }],
};

async function readingOf(run: LinkedRun): Promise<Reading> {
  const guest = await openLinked(run);
  try {
    await new Session(guest).go(run.moment);
    expect(guest.cpu.moment).toBe(run.moment);
    const names = [...GENERAL_REGISTERS, 'rip'] as const;
    return Object.fromEntries(names.map((name) => [name, guest.cpu.read(name)])) as Reading;
  } finally {
    guest.cpu.close();
  }
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly title: string; readonly failureMessages: readonly string[] }[];
  }[];
}

/** Runs tests with the package as it is built, each from a file of its own. @returns the failures of each */
function runTests(files: Readonly<Record<string, string>>): Record<string, string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'millscope-copied-'));
  try {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(ROOT, join(folder, 'node_modules/millscope'));
    symlinkSync(join(ROOT, 'node_modules/vitest'), join(folder, 'node_modules/vitest'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.test.ts`), text);
    const { stdout } = spawnSync(
      process.execPath,
      [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', '--reporter=json'],
      {
        cwd: folder,
        env: ENVIRONMENT,
        encoding: 'utf8',
      },
    );
    const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as Report;
    return Object.fromEntries(
      report.testResults.map(({ name, message, assertionResults }) => [
        name.replace(/^.*\/|\.test\.ts$/g, ''),
        assertionResults.length === 0 ? [message] : assertionResults.flatMap(({ failureMessages }) => failureMessages),
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('a moment, copied', () => {
  it('as a test runs with nothing but the package, and fails for another value', { timeout: 120_000 }, async () => {
    const [odd, object] = [await readingOf(RUN), await readingOf(OBJECT)];
    const altered = { ...odd, r13: odd.r13 ^ 1n };
    const results = runTests({
      odd: testOf(RUN, odd),
      object: testOf(OBJECT, object),
      altered: testOf(RUN, altered),
      early: testOf({ ...RUN, moment: 1 }, odd),
    });
    expect({ ...results, altered: undefined, early: undefined }).toEqual({ odd: [], object: [] });
    expect(results.altered).toEqual([expect.stringMatching(/to deeply equal/)]);
    expect(results.early).toEqual([expect.stringMatching(/to deeply equal/)]);
  });

  it('as a test is TypeScript that a strict compiler takes', () => {
    const reading = Object.fromEntries([...GENERAL_REGISTERS, 'rip'].map((name) => [name, 0n])) as Reading;
    const folder = mkdtempSync(join(ROOT, 'dist/copied-'));
    try {
      for (const [name, run] of Object.entries({ odd: RUN, object: OBJECT })) {
        writeFileSync(join(folder, `${name}.test.ts`), testOf(run, reading));
      }
      const options = ['--strict', '--noEmit', '--skipLibCheck', '--module', 'nodenext', '--target', 'es2022'];
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      const names = ['odd', 'object'].map((name) => join(folder, `${name}.test.ts`));
      execFileSync(process.execPath, [tsc, ...options, '--types', 'node', ...names], { cwd: ROOT, encoding: 'utf8' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('as a command line is one that a shell reads', () => {
    const command = commandOf("https://example.org/it's/#run=1.AAAA");
    const said = command.replace(/^npx millscope open /, 'printf %s ');
    expect(execFileSync('sh', ['-c', said], { encoding: 'utf8' })).toBe('https://example.org/it%27s/#run=1.AAAA');
  });
});
