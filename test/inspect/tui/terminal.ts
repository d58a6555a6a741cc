import { spawnSync } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { afterEach } from 'vitest';
import { CLI, ROOT } from '../command.js';

/** Whether there is tmux, in which everything here runs. */
export const hasTmux = spawnSync('tmux', ['-V']).status === 0;

const PATIENCE_MS = 30_000;
const POLL_MS = 20;

let sockets = 0;
const open: Terminal[] = [];

afterEach(() => {
  for (const terminal of open.splice(0)) terminal.close();
});

/** A real terminal with the stepper in it, and a shell around that says how it ended. */
export class Terminal {
  readonly #socket = `millscope-test-${process.pid}-${sockets++}`;

  /** Starts `millscope` with these arguments. @param env besides what makes a screen depend on whose machine it is */
  constructor(columns: number, rows: number, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const variables = { NO_COLOR: '', FORCE_COLOR: '', MILLSCOPE_ENGINE: '', LC_ALL: 'C.UTF-8', ...env };
    const words = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
    const command = ['env', ...words, process.execPath, CLI, ...args].map((word) => `'${word}'`).join(' ');
    const size = ['-x', `${columns}`, '-y', `${rows}`];
    // The shell stays, so that what is left on the terminal can be seen.
    const shell = `echo 'before'; ${command}; echo "status $?"; cat`;
    this.#tmux('-f', '/dev/null', '-u', 'new-session', '-d', '-s', 'test', ...size, '-c', ROOT, shell);
    open.push(this);
  }

  /** Keys, by tmux's names, or text that is typed. */
  keys(...keys: readonly string[]): void {
    for (const key of keys) this.#tmux('send-keys', '-t', 'test', key);
  }

  /** A command behind a colon. */
  command(text: string): void {
    this.#tmux('send-keys', '-t', 'test', '-l', `:${text}`);
    this.keys('Enter');
  }

  /** What is seen. @param codes whether with what colours it */
  screen(codes = false): string {
    return this.#tmux('capture-pane', '-p', ...(codes ? ['-e'] : []), '-t', 'test');
  }

  /** Waits until something is seen, and nothing changes any more. @returns the screen then */
  async until(what: RegExp): Promise<string> {
    const end = performance.now() + PATIENCE_MS;
    for (let last = ''; ; ) {
      const screen = this.screen();
      if (what.test(screen) && screen === last) return screen;
      last = screen;
      if (performance.now() > end) throw new Error(`${what} did not come; the screen is\n${screen}`);
      await setTimeout(POLL_MS);
    }
  }

  resize(columns: number, rows: number): void {
    this.#tmux('resize-window', '-t', 'test', '-x', `${columns}`, '-y', `${rows}`);
  }

  /** One of tmux's variables of the terminal: `alternate_on`, `cursor_flag`. */
  flag(name: string): string {
    return this.#tmux('display-message', '-p', '-t', 'test', `#{${name}}`).trim();
  }

  /** Sends a signal to millscope. */
  signal(name: string): void {
    const shell = this.#tmux('display-message', '-p', '-t', 'test', '#{pane_pid}').trim();
    spawnSync('pkill', [`-${name}`, '-P', shell]);
  }

  close(): void {
    spawnSync('tmux', ['-L', this.#socket, 'kill-server']);
  }

  #tmux(...args: readonly string[]): string {
    const { stdout, status, stderr } = spawnSync('tmux', ['-L', this.#socket, ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`tmux ${args.join(' ')}: ${stderr}`);
    return stdout;
  }
}
