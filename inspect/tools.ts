import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import parseArgsStringToArgv from 'string-argv';
import { Disassembler } from '../emu/disassembler.js';
import { assembleProgram } from './program-image.js';
import { firstLine } from './self-test.js';

/** Something besides the engines that is used if it is there. */
export interface Tool {
  readonly name: string;
  /** null: it is not there. */
  readonly version: string | null;
  /** As it was started; null for packages and for what is not there. */
  readonly command: string | null;
  /** What it is for. */
  readonly purpose: string;
  /** Why it cannot be used though it is there; null if it can. */
  readonly problem: string | null;
}

const run = promisify(execFile);
const LONGEST_START_MS = 10_000;
const LONGEST_VERSION = 20;
const COMPARED = 'compared with in npm run bench';
/** Without the folder that the user is in, where Python would look first. */
const PYTHON_UNICORN = [
  '-c',
  'import sys; sys.path = [one for one in sys.path if one]; import unicorn; print(unicorn.__version__)',
];

interface Wanted {
  readonly name: string;
  readonly purpose: string;
  /** The first one that answers counts. */
  readonly commands: readonly (readonly string[])[];
}

const wanted = (name: string, purpose: string, command: readonly string[] = [name]): Wanted => {
  return { name, purpose, commands: [[...command, '--version']] };
};

/** As compile.ts finds a compiler. */
const compiler = (command: string, variable: string): readonly string[] =>
  parseArgsStringToArgv(process.env[variable] ?? command);

/** Looks for what is used besides the packages, and asks each for its version. */
export function findTools(): Promise<Tool[]> {
  const tools = [
    wanted('cc', 'compiles .c programs', compiler('cc', 'CC')),
    wanted('c++', 'compiles .cpp programs', compiler('c++', 'CXX')),
    wanted('gcc', 'tests compile C programs with it'),
    wanted('clang', 'tests compile C programs with it'),
    wanted('as', 'tests assemble with it'),
    wanted('objdump', 'tests disassemble with it'),
    wanted('gdb', COMPARED),
    wanted('qemu-x86_64', COMPARED),
    { name: 'Python unicorn', purpose: COMPARED, commands: ['python3', '/usr/bin/python3'].map(withUnicorn) },
  ];
  return Promise.all(tools.map(findTool));
}

function withUnicorn(python: string): string[] {
  return [python, ...PYTHON_UNICORN];
}

async function findTool({ name, purpose, commands }: Wanted): Promise<Tool> {
  for (const [command = '', ...parameters] of commands) {
    const answer = await ask(command, parameters);
    if (answer !== undefined) return { name, version: versionIn(answer), command, purpose, problem: null };
  }
  return { name, version: null, command: null, purpose, problem: null };
}

/** What a command prints; undefined if it cannot be started, or fails. */
async function ask(command: string, parameters: readonly string[]): Promise<string | undefined> {
  try {
    return (await run(command, [...parameters], { timeout: LONGEST_START_MS })).stdout;
  } catch {
    return undefined;
  }
}

/** The first number with a point in it that is not in parentheses, where distributions put their own. */
function versionIn(answer: string): string {
  const [line] = answer.split('\n', 1);
  const number = /\d+(?:\.\d+)+/.exec(line.replace(/\([^)]*\)/g, '')) ?? /\d+(?:\.\d+)+/.exec(line);
  return number?.[0] ?? line.slice(0, LONGEST_VERSION);
}

/** Names the packages that this one needs, and tries the assembler and the disassembler on an instruction. */
export async function findPackages(): Promise<Tool[]> {
  return [
    carrier('@specy/x86', 'brings unicorn.js'),
    carrier('koffi', 'calls libunicorn'),
    await tryPackage('Keystone', '@alexaltea/keystone-js', 'assembles .s files', assemblesRight),
    await tryPackage('Capstone', '@alexaltea/capstone-js', 'disassembles for fault reports', disassemblesRight),
  ];
}

/** Whether it works is seen by the engine. */
function carrier(name: string, purpose: string): Tool {
  return { name, version: packageVersion(name), command: null, purpose, problem: null };
}

const INSTRUCTION = 'movq %rbx, (%rdx)';
const CODE = [0x48, 0x89, 0x1a];

async function assemblesRight(): Promise<boolean> {
  const { sections } = await assembleProgram({ name: 'doctor.s', text: INSTRUCTION });
  return sections[0].bytes.join() === CODE.join();
}

async function disassemblesRight(): Promise<boolean> {
  const disassembler = await Disassembler.load();
  try {
    return disassembler.disassemble(Uint8Array.from(CODE), 0n)?.text === INSTRUCTION;
  } finally {
    disassembler.close();
  }
}

async function tryPackage(
  name: string,
  packageName: string,
  purpose: string,
  works: () => Promise<boolean>,
): Promise<Tool> {
  const version = packageVersion(packageName);
  const again = `install ${packageName} again`;
  const problem = await works().then(
    (right) => (right ? null : `it gets ${INSTRUCTION} wrong: ${again}`),
    (error: unknown) => `it does not start (${firstLine(error)}): ${again}`,
  );
  return { name, version, command: null, purpose, problem };
}

/** The version of a package as Node would load it here, whatever that package exports; null if it is not installed. */
function packageVersion(name: string): string | null {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    try {
      return JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8')).version;
    } catch {
      // Not in this folder: the next one is further out.
    }
  }
  return null;
}
