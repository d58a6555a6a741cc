import type { Controls } from './controls.js';

/** Something that can be typed behind a colon. */
export interface Command {
  readonly name: string;
  /** What gdb calls it, and short names. */
  readonly aliases: readonly string[];
  /** What follows the name; in brackets if it need not. */
  readonly parameters: string;
  readonly help: string;
  run(controls: Controls, words: readonly string[]): Promise<void> | void;
}
