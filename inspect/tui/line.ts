import { printable } from '../../asm/printable.js';
import type { Colors } from '../format.js';

/** How a piece of text is meant; whoever has no colours loses nothing that is not said by a character too. */
export type Style = 'plain' | 'dim' | 'bold' | 'changed' | 'coming' | 'error' | 'mark' | 'selected';

/** A piece of text in one style. */
export interface Span {
  readonly text: string;
  readonly style: Style;
}

/** A line of a screen. */
export type Line = readonly Span[];

/** A piece of text; control characters in it are made visible. */
export function span(text: string, style: Style = 'plain'): Span {
  return { text: printable(text), style };
}

/** Cuts a line where it is too long; an empty one is a space, so that it is a line. */
export function cutTo(line: Line, width: number): Line {
  const fitted: Span[] = [];
  let left = width;
  for (const { text, style } of line) {
    const characters = [...text];
    if (characters.length > left) {
      const cut = left === 0 ? '' : `${characters.slice(0, left - 1).join('')}…`;
      fitted.push({ text: cut, style });
      left = 0;
      break;
    }
    fitted.push({ text, style });
    left -= characters.length;
  }
  return left === width ? [{ text: ' ', style: 'plain' }] : fitted;
}

/** The same line as what a selection stands on. */
export function selected(line: Line): Line {
  return [{ text: line.map(({ text }) => text).join(''), style: 'selected' }];
}

/** A line with the codes that colour it. */
export function paintLine(line: Line, paint: Colors): string {
  const painters: Readonly<Record<Style, (text: string) => string>> = {
    plain: (text) => text,
    dim: paint.dim,
    bold: paint.bold,
    changed: paint.yellow,
    coming: paint.cyan,
    error: (text) => paint.bold(paint.red(text)),
    mark: (text) => paint.bold(paint.cyan(text)),
    selected: paint.inverse,
  };
  return line.map(({ text, style }) => (text === '' ? '' : painters[style](text))).join('');
}

/** A value in at most so many characters: of a long one the beginning and the end. */
export function short(value: string, width: number): string {
  if (value.length <= width) return value;
  const tail = (width - 1) >> 1;
  return `${value.slice(0, width - 1 - tail)}…${value.slice(value.length - tail)}`;
}
