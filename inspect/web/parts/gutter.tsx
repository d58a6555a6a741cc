import type { KeyboardEvent, ReactNode } from 'react';
import { usePlayer, useWords } from './context.js';

interface Props {
  /** An address, or a line. */
  readonly place: string;
  /** What a reader hears of the line. */
  readonly name: string;
  /** What stands in the gutter. */
  readonly text: string;
  readonly isStop: boolean;
  /** Whether the machine is here: of a listing only this line is reached by Tab, the others from it. */
  readonly isHere: boolean;
}

/** In front of a line of code: sets a breakpoint there, and takes it away. */
export function Gutter({ place, name, text, isStop, isHere }: Props): ReactNode {
  const player = usePlayer();
  const words = useWords();
  return (
    <button
      type="button"
      className="gutter"
      tabIndex={isHere ? 0 : -1}
      aria-pressed={isStop}
      aria-label={words.breakpoint(name)}
      onClick={() => void player.toggle(place)}
    >
      {text}
    </button>
  );
}

/** Arrows up and down lead from one gutter of a list to the next. */
export function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (by === undefined || !(event.target instanceof Element) || !event.target.matches('.gutter')) return;
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>('.gutter')];
  const next = all[all.indexOf(event.target as HTMLElement) + by];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}
