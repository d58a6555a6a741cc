import { LinkError, ObjectError, UnresolvedSymbols } from '../../../asm/elf/errors.js';
import { AssemblyError, cameBy, type Problem as Fault, UndefinedSymbol } from '../../../asm/errors.js';
import { didYouMean } from '../../../asm/near.js';
import { scan } from '../../../asm/scanner.js';
import type { Source } from '../../../asm/statement.js';
import { UsageError } from '../../errors.js';
import type { Problem } from './protocol.js';

/**
 * What is wrong, as an editor marks it.
 * @param texts what is in the editor
 * @param file where it is said if nothing is known of the place
 * @returns undefined if the error says nothing of the program
 */
export function problemsOf(error: unknown, texts: readonly Source[], file: string): Problem[] | undefined {
  if (error instanceof AssemblyError) return error.problems.map((problem) => marked(problem, texts));
  if (error instanceof UnresolvedSymbols) return error.missing.flatMap((missing) => unresolved(missing, texts));
  const whole = (name: string, message: string): Problem[] => [
    { file: name, line: undefined, column: undefined, length: undefined, message },
  ];
  if (error instanceof ObjectError) return whole(error.file, error.reason);
  if ([LinkError, UndefinedSymbol, UsageError, RangeError].some((type) => error instanceof type)) {
    return whole(file, (error as Error).message);
  }
  return undefined;
}

/** What is wrong in something that was included is said where the editor's own text includes it. */
function marked(fault: Fault, texts: readonly Source[]): Problem {
  const { file, line, reason, trail } = fault;
  const find = (name: string): Source | undefined => texts.find((one) => one.name === name);
  const own = find(file);
  if (own === undefined) {
    const frame = trail.findLast(({ at }) => find(at.file) !== undefined);
    const message = `${file}:${line}: ${reason}`;
    if (frame === undefined) return { file, line, column: undefined, length: undefined, message };
    return { file: frame.at.file, line: frame.at.line, ...statementAt(find(frame.at.file), frame.at), message };
  }
  const message = `${reason}${cameBy(trail)}`;
  // In a macro's body the arguments have not been put in yet: what is meant is the line.
  const isWritten = !trail.some(({ kind }) => kind === 'macro');
  const extent = isWritten ? (tokenIn(own, fault) ?? statementAt(own, fault)) : undefined;
  return { file, line, column: extent?.column, length: extent?.length, message };
}

type Extent = Pick<Problem, 'column' | 'length'>;
const WHOLE_LINE: Extent = { column: undefined, length: undefined };

/** The statement that begins at a place, as it is written. */
function writtenAt({ text }: Source, { line, column }: { line: number; column: number }): string | undefined {
  const pieces = scan(text, () => {});
  const piece = pieces.find((one) => {
    return one.line === line && one.column <= column && column < one.column + one.text.length;
  });
  const written = piece?.text.slice(column - piece.column);
  const [whole] = text
    .replaceAll('\r\n', '\n')
    .split('\n')
    .slice(line - 1, line);
  // A comment within it is no longer in its text, and what is behind that is elsewhere.
  return written !== undefined && whole.startsWith(written, column - 1) ? written : undefined;
}

function statementAt(source: Source | undefined, at: { line: number; column: number }): Extent {
  const written = source && writtenAt(source, at);
  return written === undefined ? WHOLE_LINE : { column: at.column, length: written.length };
}

/** The one place in a statement that says what is wrong in it. */
function tokenIn(source: Source, { line, column, token }: Fault): Extent | undefined {
  const written = token === undefined || token === '' ? undefined : writtenAt(source, { line, column });
  if (token === undefined || written === undefined) return undefined;
  const isWord = (character: string | undefined): boolean => character !== undefined && /[\w.$%@]/.test(character);
  const places: number[] = [];
  for (let at = written.indexOf(token); at >= 0; at = written.indexOf(token, at + 1)) {
    const [before, behind] = [written[at - 1], written[at + token.length]];
    const joins = isWord(token[0]) && isWord(before) && token[0] !== '%' && before !== '$' && before !== '%';
    if (!joins && !(isWord(token.at(-1)) && isWord(behind))) places.push(at);
  }
  return places.length === 1 ? { column: column + places[0], length: token.length } : undefined;
}

/** `worker+0x4 (prog.c:12)` */
const LINE_OF_PLACE = /\(([^()]+):(\d+)\)$/;

function unresolved(missing: UnresolvedSymbols['missing'][number], texts: readonly Source[]): Problem[] {
  const { symbol, neededBy, places, near } = missing;
  return neededBy.map((object, index): Problem => {
    const message = `undefined symbol "${symbol}"${didYouMean(near)}`;
    const [, file, line] = LINE_OF_PLACE.exec(places[index]) ?? [];
    const isHere = texts.some(({ name }) => name === file);
    if (!isHere)
      return { file: object, line: undefined, ...WHOLE_LINE, message: `${message}, needed in ${places[index]}` };
    return { file, line: Number(line), ...WHOLE_LINE, message };
  });
}
