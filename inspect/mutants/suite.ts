import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { UsageError } from '../errors.js';
import type { Interruption } from './interruption.js';

/** The environment variable that tells a test command where the object is that it is to test. */
export const VARIABLE = 'MILLSCOPE_MUTANT';

/** How a run of a test command has ended. */
export type SuiteEnd =
  | { readonly kind: 'passed' }
  /** In words: `status 1`, `SIGSEGV`. */
  | { readonly kind: 'failed'; readonly how: string }
  | { readonly kind: 'interrupted' };

/** Lines of what a command has said that are shown when it fails too early. */
const LINES = 20;

/**
 * A user's own tests, run with an object whose path they get in {@link VARIABLE}. Close it after use: it has a folder of
 * its own.
 */
export class Suite {
  readonly #folder = mkdtempSync(join(tmpdir(), 'millscope-mutants-'));
  #running: ChildProcess | undefined;
  #said = '';

  /**
   * @param command program and arguments, looked for as a shell does
   * @param timeoutMs for each run
   */
  constructor(
    private readonly command: readonly string[],
    private readonly timeoutMs: number,
    private readonly interruption: Interruption,
  ) {
    interruption.whenComes(() => this.#kill('SIGKILL'));
  }

  /** The last lines of what the latest run has said. */
  get said(): string {
    return this.#said.trimEnd().split('\n').slice(-LINES).join('\n');
  }

  /**
   * Runs the tests with an object.
   * @param name of its file; each run has its own path, so that a build by time stamps sees that it is another
   * @throws UsageError if the command cannot be started
   */
  async run(name: string, object: Uint8Array, number: number): Promise<SuiteEnd> {
    if (this.interruption.hasCome) return { kind: 'interrupted' };
    const folder = join(this.#folder, `${number}`);
    const path = join(folder, basename(name).replace(/\.\w+$/, '.o'));
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, object);
    try {
      return await this.#execute(path);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  #execute(path: string): Promise<SuiteEnd> {
    const [program = '', ...parameters] = this.command;
    this.#said = '';
    return new Promise((resolve, reject) => {
      // In a group of its own, so that what it has started ends with it.
      const child = spawn(program, parameters, {
        env: { ...process.env, [VARIABLE]: path },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      });
      this.#running = child;
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        this.#kill('SIGKILL');
      }, this.timeoutMs);
      const hear = (chunk: Buffer): void => {
        this.#said = (this.#said + chunk.toString()).slice(-16_384);
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.on('error', (error) => {
        clearTimeout(timer);
        this.#running = undefined;
        reject(new UsageError(`cannot start ${program}: ${(error as NodeJS.ErrnoException).code}`));
      });
      // What it has left behind would hold its output open.
      child.on('exit', () => {
        clearTimeout(timer);
        this.#kill('SIGKILL');
      });
      child.on('close', (status, signal) => {
        this.#running = undefined;
        if (this.interruption.hasCome) resolve({ kind: 'interrupted' });
        else if (late) resolve({ kind: 'failed', how: `no end after ${this.timeoutMs / 1000} s` });
        else if (status === 0) resolve({ kind: 'passed' });
        else resolve({ kind: 'failed', how: signal ?? `status ${status}` });
      });
    });
  }

  #kill(signal: NodeJS.Signals): void {
    const pid = this.#running?.pid;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // It has ended already.
    }
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
