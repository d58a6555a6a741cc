/** What people step x86_64 code with: each executes `count` instructions of a program, with all registers behind each. */
import { spawnSync } from 'node:child_process';
import type { Image } from '../asm/image.js';
import { buildProgram, NO_COMPILER, source } from './compiler.js';

/** A program that tools step through, in both shapes. */
export interface Stepped {
  readonly image: Image;
  /** Path of an executable of the same text at the same address; none without a compiler. */
  readonly executable?: string;
}

/** What has been done in how long. */
export interface Steps {
  readonly count: number;
  readonly seconds: number;
  /** rip and rbx in hexadecimal, where the last one has ended; absent if it was the program's end. */
  readonly end?: string;
}

/** A tool that is here, or why it is not. */
export interface Tool {
  readonly name: string;
  /** undefined if it is not here. */
  readonly version: string | undefined;
  /** Why it is not here, if it is not. */
  readonly missing: string;
  /** How many instructions take it a fraction of a second; 0 if it runs to the program's end. */
  readonly count: number;
  readonly step: (program: Stepped, count: number) => Steps;
}

/** The first line that a command prints, if it can be run. */
function firstLine(command: string, ...parameters: string[]): string | undefined {
  const { status, stdout } = spawnSync(command, parameters, { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n', 1)[0] : undefined;
}

/** Runs a command that prints seconds, rip and rbx on its last line. */
function measured(count: number, command: string, parameters: readonly string[], input = ''): Steps {
  const { status, stdout, stderr } = spawnSync(command, parameters, { encoding: 'utf8', input, maxBuffer: 1 << 28 });
  const [, seconds, end] = /(?:^|\n)([\d.]+) (0x[\da-f]+ (?:0x)?[\da-f]+)\n$/.exec(stdout) ?? [];
  if (status !== 0 || end === undefined) throw new Error(`${command} ${parameters.join(' ')}: ${stderr}`);
  return { count, seconds: Number(seconds), end: end.replace(/ 0$/, ' 0x0') };
}

function gdb(): Tool {
  const version = firstLine('gdb', '--version');
  const python = version === undefined ? undefined : firstLine('gdb', '-nx', '-batch', '-ex', 'python print(1)');
  return {
    name: 'gdb',
    version: python === '1' && NO_COMPILER === undefined ? version : undefined,
    missing: NO_COMPILER ?? 'no gdb with Python here',
    count: 1_000,
    step: ({ executable = '' }, count) =>
      measured(count, 'gdb', ['-nx', '-batch', '-ex', `set $count=${count}`, '-x', source('tools/gdb.py'), executable]),
  };
}

function ptrace(): Tool {
  const stepper = NO_COMPILER === undefined ? buildProgram('ptrace', [source('tools/ptrace.c')]) : '';
  return {
    name: 'ptrace',
    version: NO_COMPILER === undefined ? firstLine('uname', '-sr') : undefined,
    missing: NO_COMPILER ?? '',
    count: 5_000,
    step: ({ executable = '' }, count) => measured(count, stepper, [executable, `${count}`]),
  };
}

/** The option of qemu-user's that makes each instruction a block: it has changed its name. */
export function oneInstructionPerBlock(): string {
  const help = spawnSync('qemu-x86_64', ['--help'], { encoding: 'utf8' }).stdout ?? '';
  return help.includes('one-insn-per-tb') ? '-one-insn-per-tb' : '-singlestep';
}

/** With one instruction a block and all registers printed in front of each, to a pipe whose reader counts them. */
function qemu(): Tool {
  const version = firstLine('qemu-x86_64', '--version');
  // To a named file it writes by whole buffers, to standard error line by line, which takes five times as long.
  const script = `qemu-x86_64 ${oneInstructionPerBlock()} -d cpu -D /dev/stdout "$0" | grep -c ^RIP=`;
  return {
    name: 'qemu-user',
    version: NO_COMPILER === undefined ? version : undefined,
    missing: NO_COMPILER ?? 'no qemu-x86_64 here',
    count: 0,
    step: ({ executable = '' }) => {
      const start = performance.now();
      const { stdout, stderr } = spawnSync('sh', ['-c', script, executable], { encoding: 'utf8' });
      const seconds = (performance.now() - start) / 1000;
      if (!(Number(stdout) > 0)) throw new Error(`qemu-x86_64 printed no registers: ${stderr}`);
      return { count: Number(stdout), seconds };
    },
  };
}

function pythonUnicorn(): Tool {
  const asks =
    'import sys, unicorn; print("Python %d.%d.%d, unicorn %s" % (*sys.version_info[:3], unicorn.__version__))';
  const candidates = ['python3', '/usr/bin/python3'].map((command) => ({
    command,
    version: firstLine(command, '-c', asks),
  }));
  const found = candidates.find(({ version }) => version !== undefined);
  return {
    name: 'Python unicorn',
    version: found?.version,
    missing: 'no unicorn in this Python',
    count: 5_000,
    step: ({ image }, count) => {
      const lines = image.sections.map(
        ({ address, bytes }) => `${address.toString(16)} ${Buffer.from(bytes).toString('hex')}\n`,
      );
      return measured(count, found?.command ?? '', [source('tools/python-unicorn.py'), `${count}`], lines.join(''));
    },
  };
}

/** All of them, here or not. */
export const tools = (): readonly Tool[] => [pythonUnicorn(), gdb(), ptrace(), qemu()];
