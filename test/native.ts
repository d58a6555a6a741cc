import { execFile, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const PROGRAMS = 'fixtures/c';

/** A compiler for C, and its sister for C++. */
export type Compiler = 'gcc' | 'clang';

const CPLUSPLUS: Readonly<Record<Compiler, string>> = { gcc: 'g++', clang: 'clang++' };

/** The compilers that this machine has, and whose programs it can run. */
export const compilers: readonly Compiler[] = (['gcc', 'clang'] as const).filter(
  (compiler) =>
    process.platform === 'linux' &&
    process.arch === 'x64' &&
    [compiler, CPLUSPLUS[compiler]].every((command) => spawnSync(command, ['--version']).status === 0),
);

/** How a program has ended. A signal's status is 128 and its number, as in a shell. */
export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

/** File names of the programs in C and C++. */
export const cPrograms: readonly string[] = readdirSync(join(ROOT, PROGRAMS)).filter((name) => /\.(c|cpp)$/.test(name));

/** The line of a program's header comment that begins with a word and a colon, or nothing. */
function headerLine(program: string, word: string): string {
  const text = readFileSync(join(ROOT, PROGRAMS, program), 'utf8');
  return new RegExp(`^// ${word}: (.*)$`, 'm').exec(text)?.[1] ?? '';
}

/** The arguments that a program's promise is about; one with blanks, or an empty one, is in quotes there. */
export function argumentsOf(program: string): string[] {
  return [...headerLine(program, 'Arguments').matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain);
}

const SIGNALS: Readonly<Record<string, number>> = { SIGABRT: 6, SIGFPE: 8, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };
const LONGEST_RUN_MS = 30_000;

function run(command: string, parameters: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const options = { cwd: ROOT, timeout: LONGEST_RUN_MS, maxBuffer: 1 << 26 };
    const child = execFile(command, [...parameters], options, (error, stdout, stderr) => {
      if (error && child.exitCode === null && child.signalCode === null) return reject(error);
      const status = child.exitCode ?? 128 + (SIGNALS[child.signalCode ?? ''] ?? 0);
      resolve({ stdout, stderr, status });
    });
  });
}

/** @throws Error with what the compiler has to say, be it a warning only */
async function compile(command: string, parameters: readonly string[]): Promise<void> {
  const { status, stderr } = await run(command, parameters);
  if (status !== 0 || stderr !== '') throw new Error(`${command} ${parameters.join(' ')}\n${stderr}`);
}

/** Compiles a program of fixtures/c, with the flags of its header comment and no warning, to an object file. */
export function compileObject(program: string, compiler: Compiler, flags: readonly string[], to: string) {
  const own = headerLine(program, 'Flags').split(' ').filter(Boolean);
  const always = ['-Wall', '-Wextra', '-fno-stack-clash-protection', '-I', 'runtime/include'];
  const command = program.endsWith('.cpp') ? CPLUSPLUS[compiler] : compiler;
  return compile(command, [...flags, ...own, ...always, '-c', join(PROGRAMS, program), '-o', to]);
}

/** Compiles this folder's own libmill, which a program needs to run without millscope. */
export function compileNativeLibmill(compiler: Compiler, to: string): Promise<void> {
  const warnings = ['-std=gnu11', '-Wall', '-Wextra'];
  return compile(compiler, ['-O2', ...warnings, '-I', 'runtime/include', '-c', 'test/native/libmill.c', '-o', to]);
}

/** Links an object with that libmill and runs it on this machine's CPU. */
export async function runNatively(object: string, libmill: string, parameters: readonly string[]): Promise<Ended> {
  const binary = `${object}.bin`;
  await compile(CPLUSPLUS[compilers[0]], [object, libmill, '-o', binary]);
  return run(binary, parameters);
}
