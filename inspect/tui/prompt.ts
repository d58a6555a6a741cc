/** A line that is being written, and where in it the cursor is. */
export interface Prompt {
  readonly text: string;
  readonly cursor: number;
  /** Index in the history of what is shown; its length for a new line. */
  readonly at: number;
}

/** A new line. @param history of the lines before, the oldest one first */
export function newPrompt(history: readonly string[]): Prompt {
  return { text: '', cursor: 0, at: history.length };
}

/**
 * A line behind one key.
 * @param complete what a line may go on as, from what is in front of the cursor
 * @returns undefined if the key gives it up
 */
export function edited(
  { text, cursor, at }: Prompt,
  key: string,
  history: readonly string[],
  complete: (begun: string) => string,
): Prompt | undefined {
  const before = text.slice(0, cursor);
  const behind = text.slice(cursor);
  const line = (left: string, right: string): Prompt => ({ text: left + right, cursor: left.length, at });
  const recall = (index: number): Prompt => {
    const recalled = history[index] ?? '';
    return { text: recalled, cursor: recalled.length, at: Math.min(index, history.length) };
  };
  switch (key) {
    case 'Escape':
    case 'Ctrl-c':
      return undefined;
    case 'Backspace':
      return text === '' ? undefined : line(before.slice(0, -1), behind);
    case 'Delete':
    case 'Ctrl-d':
      return line(before, behind.slice(1));
    case '←':
      return { text, cursor: Math.max(0, cursor - 1), at };
    case '→':
      return { text, cursor: Math.min(text.length, cursor + 1), at };
    case 'Home':
    case 'Ctrl-a':
      return { text, cursor: 0, at };
    case 'End':
    case 'Ctrl-e':
      return { text, cursor: text.length, at };
    case 'Ctrl-u':
      return line('', behind);
    case 'Ctrl-w':
      return line(before.replace(/\S+\s*$/, ''), behind);
    case '↑':
    case 'Ctrl-p':
      return at === 0 ? { text, cursor, at } : recall(at - 1);
    case '↓':
    case 'Ctrl-n':
      return at >= history.length ? { text, cursor, at } : recall(at + 1);
    case 'Tab':
      return line(complete(before), behind);
    default:
      return [...key].length === 1 ? line(before + key, behind) : { text, cursor, at };
  }
}
