import type { Image } from '../../asm/image.js';
import type { GeneralRegister } from '../../emu/registers.js';
import type { Entry } from './driver.js';
import type { OpenCpu } from './machine.js';

/** One of the two halves of a switch, or all of it. */
export interface Routine {
  /** As its symbol, its file, or where it is in an object: for messages. */
  readonly name: string;
  readonly entry: Entry;
  /** Address of its first instruction. */
  readonly start: number;
  /** Of a sequence that is inline: where it ends, and control goes on. */
  readonly end?: number;
}

/**
 * How a swap is told what to save to and what to restore. `pointers`: both registers point to a context. `value`: the
 * first points to a word, and the second holds what the other's word holds. `result`: there is no first, what would be
 * in that word is what the swap returns in rax on the other side. `implicit`: there is no first, the swap knows itself who
 * runs; the second points to a context.
 */
export type SwapForm = 'pointers' | 'value' | 'result' | 'implicit';

/** Which registers a switch takes its contexts in. */
export type Convention =
  | { readonly shape: 'jump'; readonly save: GeneralRegister; readonly restore: GeneralRegister }
  | {
      readonly shape: 'swap';
      readonly form: SwapForm;
      /** Used by the forms `pointers` and `value`. */
      readonly from: GeneralRegister;
      readonly to: GeneralRegister;
    };

/** Code under test, ready to be measured: a program that saves and restores, with all that has been found out about it. */
export interface Code {
  /** For messages. */
  readonly name: string;
  /** The program, driver included. */
  readonly image: Image;
  readonly save: Routine;
  /** Of a swap the same routine; undefined if the files have none. */
  readonly restore: Routine | undefined;
  readonly convention: Convention;
  /** What was not said and has been found by trying, in words. */
  readonly guesses: readonly string[];
  /** The machines that it runs in. */
  readonly open: OpenCpu;
}

/** Whether a swap is told where to save to. */
export function hasFrom({ form }: { readonly form: SwapForm }): boolean {
  return form === 'pointers' || form === 'value';
}
