import type { Image } from '../../asm/image.js';
import type { Source } from '../../asm/statement.js';
import type { Cpu } from '../../emu/cpu.js';
import { Deadlock, Panic } from '../../runtime/errors.js';
import { libmill } from '../../runtime/libmill.js';
import { type Outcome, Process } from '../../runtime/process.js';
import { Session } from '../session.js';

/** A program of a lesson, ready to be run. */
export interface LessonProgram {
  readonly image: Image;
  /** The guest side of the runtime, if it is not the one of this package. */
  readonly runtime?: Image;
  /** The texts that it is made of, by the names that the image's lines have for them. */
  readonly sources: readonly Source[];
}

/** A program of a lesson in a machine, which is moved to where the lesson is. */
export interface Stage {
  readonly session: Session;
  readonly sources: readonly Source[];
}

/** Puts a program into a machine. @param cpu an open one without a process */
export function openStage(cpu: Cpu, { image, runtime = libmill(), sources }: LessonProgram): Stage {
  return { session: new Session(new Process(cpu, runtime, image, ['lesson'])), sources };
}

/** How a run has ended, as lessons write it: `exit 0`, `deadlock`, `page fault`. */
export function endingOf(outcome: Outcome | undefined): string {
  if (outcome === undefined) return 'not yet';
  switch (outcome.kind) {
    case 'exit':
      return `exit ${outcome.status}`;
    case 'fault':
      return outcome.fault.kind;
    case 'error':
      if (outcome.error instanceof Deadlock) return 'deadlock';
      return outcome.error instanceof Panic ? 'panic' : outcome.error.name;
    default:
      return outcome.kind;
  }
}
