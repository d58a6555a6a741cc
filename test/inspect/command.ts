import { spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, expect } from 'vitest';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const CLI = join(ROOT, 'dist/inspect/cli.js');

/** Gone when the tests of a file are over. */
export const folder = mkdtempSync(join(tmpdir(), 'millscope-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Characters of what a command has said. */
const LONGEST_SHOWN = 2000;

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What the commands of a test have said, which is shown if the test fails: an expectation has but a part of it. */
let said: string[] = [];
beforeEach(() => {
  said = [];
});
afterEach(({ task }) => {
  if (task.result?.state === 'fail') for (const text of said) console.error(text);
});

function heard(args: readonly string[], ended: Ended): Ended {
  said.push(`millscope ${args.join(' ')}: status ${ended.status}\n${ended.stderr.slice(0, LONGEST_SHOWN)}`);
  return ended;
}

const environment = (env: Readonly<Record<string, string>>) => ({
  ...process.env,
  NO_COLOR: '',
  FORCE_COLOR: '',
  ...env,
});

/** The built command in a process of its own, started in the project's folder. */
export function millscopeAlone(args: readonly string[], env: Readonly<Record<string, string>> = {}): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: ROOT,
    encoding: 'utf8',
    env: environment(env),
    maxBuffer: 64 << 20,
  });
  return heard(args, { status, stdout, stderr });
}

/** A process that carries out one command line after the other: see resident.mjs. */
class Resident {
  readonly #out = join(folder, '.out');
  readonly #err = join(folder, '.err');
  readonly #descriptors: readonly number[];
  readonly #requests: number;
  readonly #answers: number;

  constructor() {
    const pipes = ['.requests', '.answers'].map((name) => join(folder, name));
    spawnSync('mkfifo', pipes);
    // To be appended to, so that both sides begin at the start of a file that has been made empty.
    this.#descriptors = [this.#out, this.#err].map((path) => openSync(path, 'a'));
    spawn(process.execPath, [join(ROOT, 'test/inspect/resident.mjs'), CLI, ...pipes], {
      cwd: ROOT,
      stdio: ['ignore', ...this.#descriptors],
    }).unref();
    this.#requests = openSync(pipes[0], 'w');
    this.#answers = openSync(pipes[1], 'r');
  }

  run(args: readonly string[], env: Readonly<Record<string, string>>): Ended {
    for (const descriptor of this.#descriptors) ftruncateSync(descriptor);
    writeSync(this.#requests, JSON.stringify({ args, env: environment(env) }));
    const answer = Buffer.alloc(16);
    const size = readSync(this.#answers, answer);
    const [stdout, stderr] = [this.#out, this.#err].map((path) => readFileSync(path, 'utf8'));
    if (size === 0) throw new Error(`millscope ${args.join(' ')} has ended its process\n${stderr}`);
    return { status: Number(answer.toString('utf8', 0, size)), stdout, stderr };
  }

  /** Behind the last request it ends by itself. */
  close(): void {
    for (const descriptor of [...this.#descriptors, this.#requests, this.#answers]) closeSync(descriptor);
  }
}

let resident: Resident | undefined;
afterAll(() => resident?.close());
/** Commands that have had a process of their own. */
const started = new Set<string | undefined>();

/**
 * The built command, in the project's folder. Starting Node and the engine takes most commands longer than what they do.
 * So the first of each kind (`run`, `trace`, …) that a file of tests wants has a process of its own, and the others are
 * done one after the other in a process that stays. Where it matters how a process starts or ends: {@link millscopeAlone}.
 */
export function millscope(args: readonly string[], env: Readonly<Record<string, string>> = {}): Ended {
  if (!started.has(args[0])) {
    started.add(args[0]);
    return millscopeAlone(args, env);
  }
  resident ??= new Resident();
  return heard(args, resident.run(args, env));
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
