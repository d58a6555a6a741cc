import { Fault } from './errors.js';

/** A piece of text between separators, without comments. `line` and `column` (from 1) are those of its first character. */
export interface Piece {
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

// Each alternative is one thing in which a comment or separator character may stand without meaning anything:
// a string, a character constant of GNU as ('x or 'x'), or a comment itself.
const PIECES =
  /"(?:\\[\s\S]|[^"\\\n])*("?)|'(?:\\.|[^\n\\])'?|\/\*[\s\S]*?(\*\/|$)|(?:#|\/\/)[^\n]*|[\n;]|[^"'/#\n;]+|['/]/g;

/**
 * Cuts text into statements at line ends and `;`, leaving out `#`, `//` and C comments, which Keystone gets wrong.
 *
 * @param report is told of a string or comment without an end
 * @param line the number of the text's first line
 * @param column the column of its first character
 */
export function scan(text: string, report: (piece: Piece, fault: Fault) => void, line = 1, column = 1): Piece[] {
  const pieces: Piece[] = [];
  let start: { line: number; column: number } | undefined;
  let current = '';
  const finish = () => {
    if (start) pieces.push({ text: current.trimEnd(), ...start });
    start = undefined;
    current = '';
  };
  for (const match of text.replaceAll('\r\n', '\n').matchAll(PIECES)) {
    const [raw, quote, close] = match;
    const here = { text: raw, line, column };
    if (raw === '\n' || raw === ';') finish();
    else if (raw.startsWith('/*')) {
      if (close === '') report(here, new Fault('this comment has no end: "*/" is missing'));
      current += ' ';
    } else if (raw.startsWith('//') || raw.startsWith('#')) current += '';
    else if (quote === '') report(here, new Fault("this string has no end: '\"' is missing"));
    else {
      if (!start && raw.trim() !== '') {
        start = { line, column: column + raw.length - raw.trimStart().length };
        current = raw.trimStart();
      } else if (start) current += raw;
    }
    const lines = raw.split('\n');
    line += lines.length - 1;
    column = lines.length > 1 ? (lines.at(-1) ?? '').length + 1 : column + raw.length;
  }
  finish();
  return pieces;
}
