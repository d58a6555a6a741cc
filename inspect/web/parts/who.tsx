import type { CSSProperties, ReactNode } from 'react';
import { colourOf as colourNumber } from '../../picture/palette.js';
import { useWords } from './context.js';

/** The colour of a coroutine, for style sheets; its name is always beside it. */
export function colourOf(id: number): CSSProperties & Readonly<Record<'--who', string>> {
  return { '--who': `var(--who-${colourNumber(id)})` };
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
