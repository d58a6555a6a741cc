import type { CSSProperties, ReactNode } from 'react';
import { useWords } from './context.js';

const COLOURS = 6;

/** The colour of a coroutine, for style sheets; its name is always beside it. */
export function colourOf(id: number): CSSProperties & Readonly<Record<'--who', string>> {
  return { '--who': `var(--who-${id === 0 ? 0 : ((id - 1) % (COLOURS - 1)) + 1})` };
}

/** A coroutine's name, on its colour. */
export function Who({ id }: { readonly id: number }): ReactNode {
  const words = useWords();
  return (
    <span className="who" style={colourOf(id)}>
      {words.coroutine(id)}
    </span>
  );
}
