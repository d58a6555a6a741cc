import { type ChildProcessByStdio, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Ending } from './ending.js';
import { ALL_FLAGS, CODE, CODE_SIZE, DATA, DATA_SIZE, type State, XMM_COUNT } from './state.js';

/** Whether there is a CPU here that can run x86_64 code, and a compiler for the program that lets it. */
export const hasRealCpu =
  process.platform === 'linux' && process.arch === 'x64' && spawnSync('gcc', ['--version']).status === 0;

const SOURCE = fileURLToPath(new URL('runner.c', import.meta.url));
const WORDS_IN_STATE = 1 + 16 + 2;
const STATE_SIZE = WORDS_IN_STATE * 8 + XMM_COUNT * 16;
const ENDING_SIZE = 3 * 8 + STATE_SIZE + DATA_SIZE;

const BREAKPOINT = 3;
const PAGE_FAULT = 14;
/** Vectors that Linux does not tell apart for a process are not told apart here (Intel SDM, volume 3, table 6-1). */
const NAMES: Readonly<Record<number, string>> = {
  0: 'divide error',
  1: 'trap',
  6: 'invalid instruction',
  12: 'stack fault',
  13: 'general protection fault',
  [PAGE_FAULT]: 'page fault',
  16: 'floating-point error',
  17: 'alignment check',
  19: 'floating-point error',
};
/** Bits of a page fault's error code (Intel SDM, volume 3, 4.7). */
const WRITE = 2;
const FETCH = 16;

/** The CPU of this machine, behind a small program in C. */
export class RealCpu {
  readonly name = 'the real CPU';
  readonly #directory = mkdtempSync(join(tmpdir(), 'real-cpu-'));
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  #received: Buffer[] = [];
  #size = 0;
  #waiting: { resolve: (ending: Buffer) => void; reject: (error: Error) => void } | undefined;

  constructor() {
    const program = join(this.#directory, 'runner');
    execFileSync('gcc', ['-O1', '-Wall', '-Wextra', '-Werror', '-o', program, SOURCE], { stdio: 'pipe' });
    const numbers = [CODE, CODE_SIZE, DATA, DATA_SIZE].map((one) => one.toString(16));
    this.#child = spawn(program, numbers, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout.on('data', (bytes: Buffer) => this.#receive(bytes));
    this.#child.on('exit', (code) => this.#waiting?.reject(new Error(`the runner on the real CPU ended with ${code}`)));
  }

  /** Runs the code, which is made for `address`, from there to its end. */
  async run(code: Uint8Array, address: number, state: State): Promise<Ending> {
    const head = BigUint64Array.of(
      BigInt(code.length),
      BigInt(address),
      ...state.general,
      BigInt(state.flags),
      BigInt(state.mxcsr),
    );
    const answer = new Promise<Buffer>((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
    this.#child.stdin.write(Buffer.concat([new Uint8Array(head.buffer), state.xmm, state.data, code]));
    return read(await answer);
  }

  close(): void {
    this.#waiting = undefined;
    this.#child.stdin.end();
    rmSync(this.#directory, { recursive: true });
  }

  #receive(bytes: Buffer): void {
    this.#received.push(bytes);
    this.#size += bytes.length;
    if (this.#size < ENDING_SIZE) return;
    const all = Buffer.concat(this.#received);
    this.#received = [];
    this.#size = 0;
    this.#waiting?.resolve(all);
  }
}

function read(bytes: Buffer): Ending {
  const words = new BigUint64Array(new Uint8Array(bytes.subarray(0, 3 * 8 + WORDS_IN_STATE * 8)).buffer);
  const [vector, error, address, rip, ...rest] = words;
  const xmm = 3 * 8 + WORDS_IN_STATE * 8;
  const data = xmm + XMM_COUNT * 16;
  const isPageFault = Number(vector) === PAGE_FAULT;
  const code = Number(error);
  return {
    stop: Number(vector) === BREAKPOINT ? 'end' : (NAMES[Number(vector)] ?? `vector ${vector}`),
    // Linux stops behind int3.
    rip: Number(vector) === BREAKPOINT ? rip - 1n : rip,
    access: isPageFault ? ((code & FETCH) !== 0 ? 'execute' : (code & WRITE) !== 0 ? 'write' : 'read') : undefined,
    target: isPageFault ? address : undefined,
    state: {
      general: rest.slice(0, 16),
      flags: Number(rest[16]) & ALL_FLAGS,
      mxcsr: Number(rest[17]),
      xmm: new Uint8Array(bytes.subarray(xmm, data)),
      data: new Uint8Array(bytes.subarray(data)),
    },
  };
}
