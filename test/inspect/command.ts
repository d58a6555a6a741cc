import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const CLI = join(ROOT, 'dist/inspect/cli.js');

/** Gone when the tests of a file are over. */
export const folder = mkdtempSync(join(tmpdir(), 'millscope-'));
afterAll(() => rmSync(folder, { recursive: true }));

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built command, started in the project's folder. */
export function millscope(args: readonly string[], env: Readonly<Record<string, string>> = {}): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '', FORCE_COLOR: '', ...env },
    maxBuffer: 64 << 20,
  });
  return { status, stdout, stderr };
}

/** Content in a file of its own. @returns its path */
export function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Everything that goes wrong is said in lines of which the last is ours, and never by a stack trace. */
export function expectComplaint({ status, stderr }: Ended, expectedStatus: number, ...messages: RegExp[]): void {
  const lines = stderr.trimEnd().split('\n');
  expect(lines.at(-1)).toMatch(/^millscope: /);
  for (const message of messages) expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^\s+at .*\(.*:\d+:\d+\)/m);
  expect(stderr).not.toContain('node:internal');
  expect(status).toBe(expectedStatus);
}
