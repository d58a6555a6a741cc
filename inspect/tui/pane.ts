import type { Watched } from '../session.js';
import type { MomentView } from '../view/viewer.js';
import type { Line } from './line.js';

/** What a line of a pane is about: what can be watched, asked about, or chosen. */
export type Subject =
  | Watched
  | { readonly kind: 'coroutine'; readonly coroutine: number }
  | { readonly kind: 'channel'; readonly channel: number }
  | { readonly kind: 'stop'; readonly number: number };

/** A line of a pane, or a part of one where there are several columns. */
export interface Item {
  readonly line: Line;
  /** What can be selected. */
  readonly subject?: Subject;
  /** Whether it is to be seen as long as nothing is selected. */
  readonly isCentre?: boolean;
}

/** Text of a pane for a moment. */
export interface PaneText {
  readonly title: string;
  /** Lines that stay above the others. */
  readonly heading?: readonly Line[];
  readonly items: readonly Item[];
  /** How many stand beside each other. */
  readonly columns?: number;
}

/** What a pane is made from. */
export interface PaneInput {
  readonly view: MomentView;
  /** Breakpoints and watchpoints, as text. */
  readonly stops: readonly { readonly number: number; readonly text: string; readonly addresses: readonly number[] }[];
  readonly width: number;
  /** Rows below the title. */
  readonly height: number;
}

/** Tells subjects apart. */
export function keyOf(subject: Subject): string {
  return Object.values(subject).join(' ');
}
