import { didYouMean } from '../near.js';

const MOST_SHOWN = 200;

/** Text from a file as messages show it: what would act on a terminal is escaped, what is endless is shortened. */
export function printable(text: string): string {
  const short = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
  const code = (character: string): string => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return short.replace(/[\x00-\x1f\x7f-\x9f]/g, code);
}

/** A name from an object file, in quotes. */
export function quote(name: string): string {
  return `"${printable(name)}"`;
}

/** One file cannot be used. The message is `file: what it is, and what to do`. */
export class ObjectError extends Error {
  override readonly name = 'ObjectError';

  constructor(
    readonly file: string,
    /** The message without the file. */
    readonly reason: string,
  ) {
    super(`${printable(file)}: ${reason}`);
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
      const needs = neededBy.map((file, at) => `${printable(file)} in ${printable(places[at])}`);
      return `undefined symbol ${quote(symbol)}, needed by ${needs.join(' and by ')}${didYouMean(near)}`;
    });
    super(lines.join('\n'));
  }
}
