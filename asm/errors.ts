import { didYouMean } from './near.js';
import { printable } from './printable.js';
import type { Frame, Place } from './statement.js';

/** One thing wrong with a program. Lines and columns count from 1. */
export interface Problem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The piece of the statement at fault, where it is known. */
  readonly token?: string;
  /** In plain words, for the person who wrote the line. */
  readonly reason: string;
  /** Which includes and macro calls led to the statement, innermost first. */
  readonly trail: readonly Frame[];
}

const PROBLEMS_SHOWN = 20;
const FRAMES_SHOWN = 5;

/** How a statement came to be where it is: ` (in macro go called at file.s:3:9)`; nothing if it is written there. */
export function cameBy(frames: readonly Frame[]): string {
  const trail = frames.map(({ kind, name, at }) => {
    const where = `${at.file}:${at.line}:${at.column}`;
    return kind === 'macro' ? `in macro ${name} called at ${where}` : `included at ${where}`;
  });
  const more = trail.length > FRAMES_SHOWN ? [`and ${trail.length - FRAMES_SHOWN} more`] : [];
  return trail.length === 0 ? '' : ` (${[...trail.slice(0, FRAMES_SHOWN), ...more].join(', ')})`;
}

function formatProblem({ file, line, column, reason, trail }: Problem): string {
  return printable(`${file}:${line}:${column}: ${reason}${cameBy(trail)}`, '\t\n');
}

/** A program cannot be assembled. The message has a line for each problem, as `file:line:column: reason`. */
export class AssemblyError extends Error {
  override readonly name = 'AssemblyError';

  constructor(
    /** Up to 20 of the problems, in the order of the text. */
    readonly problems: readonly Problem[],
    /** How many more there are. */
    readonly left = 0,
  ) {
    super([...problems.map(formatProblem), ...(left > 0 ? [`and ${left} more`] : [])].join('\n'));
  }
}

/** A name that an image does not define. */
export class UndefinedSymbol extends Error {
  override readonly name = 'UndefinedSymbol';

  constructor(
    /** The name that was looked for. */
    readonly symbol: string,
    /** Names that look like it. */
    readonly near: readonly string[],
  ) {
    super(`undefined symbol "${symbol}"${didYouMean(near)}`);
  }
}

/** A fault in the text of one statement, thrown where its place is not known. Never leaves this directory. */
export class Fault extends Error {
  override readonly name = 'Fault';

  constructor(
    readonly reason: string,
    readonly token?: string,
  ) {
    super(reason);
  }
}

/** Collects the problems of one program, so that one error can name them all. */
export class Problems {
  readonly #found: Problem[] = [];

  get empty(): boolean {
    return this.#found.length === 0;
  }

  add(place: Place, reason: string, token?: string): void {
    const { origin, trail } = place;
    this.#found.push({ ...origin, reason, trail, ...(token === undefined ? {} : { token }) });
  }

  /** Runs `action`; a Fault it throws becomes a problem at `place`, and the result is undefined. */
  at<T>(place: Place, action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.add(place, error.reason, error.token);
      return undefined;
    }
  }

  /** Throws AssemblyError if there is any problem. */
  throwIfAny(): void {
    if (this.empty) return;
    const files = [...new Set(this.#found.map(({ file }) => file))];
    const sorted = [...this.#found].sort(
      (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
    );
    throw new AssemblyError(sorted.slice(0, PROBLEMS_SHOWN), Math.max(0, sorted.length - PROBLEMS_SHOWN));
  }
}
