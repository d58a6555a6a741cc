import type { MoveOptions } from '../history.js';
import type { Session } from '../session.js';
import type { MomentView } from '../view/viewer.js';
import type { Subject } from './pane.js';

/** What a command works with. */
export interface Controls {
  readonly session: Session;
  /** The moment that is on the screen. */
  readonly view: MomentView;
  /** What is selected in the pane that has the keys; else what that pane is mostly about. */
  readonly subject: Subject | undefined;
  /**
   * Moves the session, with its progress on the screen, until it is there or somebody interrupts it.
   * @param move returns false if it has not found what it looked for; text to say, if there is something to say
   * @param missed what to say if not
   * @param goal the moment it leads to, if that is known
   */
  move(move: (options: MoveOptions) => Promise<unknown>, missed?: string, goal?: number): Promise<void>;
  /** Says something below the panes. */
  say(text: string): void;
  /** Shows text in the place of the panes. @param moments to which the digits from 1 go */
  show(title: string, lines: readonly string[], moments?: readonly number[]): void;
  help(): void;
  /** Gives the keys to a pane: one by its name, or the one beside the one that has them. */
  focus(pane: string): void;
  /** Gives the pane that has the keys the whole screen, or takes it away again. */
  zoom(): void;
  /** Selects the line so many further down in the pane that has the keys. */
  select(lines: number): void;
  /** Shows the ctx and the stack of this coroutine whoever runs; undefined: of whoever the next instruction concerns. */
  follow(coroutine: number | undefined): void;
  /** Begins to write a command. */
  prompt(): void;
  /** Ends the program; the terminal is what it was before. */
  quit(): void;
}
