import { colourOf } from './palette.js';
import { columnsOf, escaped, fitted } from './text.js';

/** SVG user units: of a picture, of the space around it, and of a column and a line of its text. */
export const WIDTH = 1018;
export const MARGIN = 16;
export const COLUMN = 7.25;
export const SMALL_COLUMN = 6.65;

/** A picture's marks. What is in `over` is drawn on top of all that is in `under`; within one, order means nothing. */
export interface Drawing {
  readonly under: readonly string[];
  readonly over: readonly string[];
}

/** Drawings as one. */
export function together(...drawings: readonly Drawing[]): Drawing {
  return { under: drawings.flatMap(({ under }) => under), over: drawings.flatMap(({ over }) => over) };
}

/** A number as short as its place needs. */
export function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/**
 * One line of text.
 * @param style names of classes, see style.ts
 */
export function text(x: number, y: number, content: string, style = ''): string {
  const name = style === '' ? '' : ` class="${style}"`;
  return `<text x="${short(x)}" y="${short(y)}"${name}>${escaped(content)}</text>`;
}

/** @param style names of classes */
export function box(x: number, y: number, width: number, height: number, style: string, round = 0): string {
  const corner = round === 0 ? '' : ` rx="${round}"`;
  return `<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}"${corner} class="${style}"/>`;
}

/** Width of {@link badge}. */
export function badgeWidth(name: string): number {
  return columnsOf(name) * COLUMN + 16;
}

/** A coroutine's name on its colour. @param y of the text's line */
export function badge(x: number, y: number, id: number, name: string): string {
  const who = `w${colourOf(id)}`;
  const width = badgeWidth(name);
  return box(x, y - 14, width, 19, `${who} t`, 4) + box(x, y - 14, 4, 19, who, 2) + text(x + 10, y, name, `${who} b`);
}

/** Words from the left edge on, as many as there is room for. */
export function line(y: number, content: string, style = ''): string {
  return text(MARGIN, y, fitted(content, Math.floor((WIDTH - 2 * MARGIN) / COLUMN)), style);
}
