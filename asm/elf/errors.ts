import { didYouMean } from '../near.js';
import { printable } from '../printable.js';

const MOST_SHOWN = 200;

/** Text from a file as messages show it: what is endless is shortened. */
export function shown(text: string): string {
  return printable(text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text);
}

/** A name from an object file, in quotes. */
export function quote(name: string): string {
  return `"${shown(name)}"`;
}

/** One file cannot be used. The message is `file: what it is, and what to do`. */
export class ObjectError extends Error {
  override readonly name = 'ObjectError';

  constructor(
    readonly file: string,
    /** The message without the file. */
    readonly reason: string,
  ) {
    super(`${shown(file)}: ${reason}`);
  }
}

/** Files that can be used each for itself do not make one program. */
export class LinkError extends Error {
  override readonly name = 'LinkError';
}

/** A symbol that is needed and defined nowhere. */
export interface MissingSymbol {
  readonly symbol: string;
  /** The object files that need it. */
  readonly neededBy: readonly string[];
  /** Where each of them needs it first, as `worker+0x4 (prog.c:12)`. */
  readonly places: readonly string[];
  /** Names that look like it. */
  readonly near: readonly string[];
}

/** Symbols are needed and defined nowhere. The message has a line for each. */
export class UnresolvedSymbols extends Error {
  override readonly name = 'UnresolvedSymbols';

  constructor(readonly missing: readonly MissingSymbol[]) {
    const lines = missing.map(({ symbol, neededBy, places, near }) => {
      const needs = neededBy.map((file, at) => `${shown(file)} in ${shown(places[at])}`);
      return `undefined symbol ${quote(symbol)}, needed by ${needs.join(' and by ')}${didYouMean(near)}`;
    });
    super(lines.join('\n'));
  }
}
