import { KEYS } from '../tui/keys.js';
import { moveOf } from './moves.js';

/** What the page does besides moving. */
const OWN = [
  { keys: ['Space'], command: 'play' },
  { keys: ['.'], command: 'next-passage' },
  { keys: [','], command: 'previous-passage' },
  { keys: ['p'], command: 'predict' },
  { keys: ['?'], command: 'help' },
  { keys: ['Escape'], command: 'close' },
] as const;

/** A key, or several that do the same, and what they stand for. */
export interface PageKey {
  /** As a person reads them. */
  readonly keys: readonly string[];
  readonly command: string;
}

/** Of the terminal stepper's commands, besides those that move. */
const SHARED = ['toggle', 'why'];

/** The keys of the page: those of the terminal stepper that it has a use for, and its own. */
export const PAGE_KEYS: readonly PageKey[] = [
  ...KEYS.filter(({ command }) => moveOf(command) !== undefined || SHARED.includes(command)),
  ...OWN,
];

/** As browsers call them. */
const NAMES: Readonly<Record<string, string>> = { ArrowRight: '→', ArrowLeft: '←', ' ': 'Space' };

/** What a key that was pressed stands for; undefined if nothing, or if it belongs to what has the focus. */
export function commandOf(event: KeyboardEvent): string | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey) return undefined;
  const name = NAMES[event.key] ?? event.key;
  // What is within a shadow root is not the event's target outside of it.
  const [target] = event.composedPath();
  const focused = (selector: string): boolean => target instanceof Element && target.closest(selector) !== null;
  if (focused('[contenteditable]')) return undefined;
  if (event.key !== 'Escape' && focused('input:not([type="range"]), textarea, select')) return undefined;
  // A slider has no use for letters.
  if (event.key.length > 1 && focused('[type="range"]')) return undefined;
  // A button is pressed with it.
  if (name === 'Space' && focused('button, a, summary')) return undefined;
  return PAGE_KEYS.find(({ keys }) => keys.includes(name))?.command;
}
