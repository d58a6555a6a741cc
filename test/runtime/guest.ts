import type { Image } from '../../asm/image.js';
import { openCpu } from '../../emu/open.js';
import { assembleProgram } from '../../inspect/program-image.js';
import type { Body } from '../../runtime/bodies.js';
import { libmill } from '../../runtime/libmill.js';
import { type Outcome, Process } from '../../runtime/process.js';

/** Bytes; what is not touched costs nothing. */
const MEMORY = 256 << 20;

/** What a guest did. */
export interface Ran {
  readonly outcome: Outcome;
  /** Standard output and standard error in the order in which they were written. */
  readonly output: string;
  readonly moment: number;
}

/** A process in a machine of its own, for `use` alone; closed behind it. */
export async function withProcess<Result>(
  program: string | Image | Body,
  use: (process: Process) => Result | Promise<Result>,
  runtime: Image = libmill(),
  memory = MEMORY,
): Promise<Result> {
  const loaded = typeof program === 'string' ? await assemble(program) : program;
  const cpu = openCpu({ memory });
  try {
    return await use(new Process(cpu, runtime, loaded, ['guest']));
  } finally {
    cpu.close();
  }
}

/** Assembly text as a program; `go` and the rest of libmill.inc are there. */
export function assemble(text: string): Promise<Image> {
  return assembleProgram({ name: 'guest.s', text: `.include "libmill.inc"\n.globl main\n${text}` });
}

/** Runs a program to its end. */
export function run(program: string | Image | Body, runtime?: Image, memory?: number): Promise<Ran> {
  return withProcess(
    program,
    (process) => {
      const written = listen(process);
      const outcome = process.run(10_000_000);
      return { outcome, output: written.join(''), moment: process.cpu.moment };
    },
    runtime,
    memory,
  );
}

/** Collects what a process writes. */
export function listen(process: Process): string[] {
  const written: string[] = [];
  process.on('output', ({ bytes }) => written.push(new TextDecoder().decode(bytes)));
  return written;
}
