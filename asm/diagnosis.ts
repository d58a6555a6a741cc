import type { Problems } from './errors.js';
import type { Rendered } from './instruction.js';
import { type Errno, encode } from './keystone.js';
import { layOut } from './layout.js';
import { BASE_NAME, placeName } from './scope.js';
import type { Statement } from './statement.js';

/** Keystone's error numbers (ks_err in keystone.h) that a rendered statement can come to, and its two silences. */
const REASONS: Readonly<Record<Errno, string>> = {
  128: 'an operand cannot be read',
  129: 'a value is out of range',
  144: 'a symbol is missing',
  161: 'a value or distance does not fit its field',
  512: 'unknown instruction or operands',
  513: 'unknown instruction or operands',
  514: 'unknown instruction or operands',
  crashed: 'Keystone crashed on this',
  // This is how Keystone answers operands whose sizes do not fit each other.
  nothing: 'unknown instruction or operands',
};

function reasonFor(errno: Errno, { text }: Statement): string {
  return `${REASONS[errno] ?? `Keystone refuses this (error ${errno})`}: "${text}"`;
}

const REFERENCE = /\bL[0-9]*\b/g;

/** What is wrong with one statement by itself, or undefined if nothing is. */
async function alone(statement: Statement, rendered: Rendered, at: number, base: bigint): Promise<string | undefined> {
  const others = new Set(rendered.text.match(REFERENCE));
  others.delete(placeName(at));
  others.delete(BASE_NAME);
  const labels = [...others].map((name) => `${name}:`);
  const text = [`${BASE_NAME}:`, `${placeName(at)}:`, rendered.text, ...labels, ''];
  const encoding = await encode(text.join('\n'), base);
  if (!encoding.ok) return reasonFor(encoding.errno, statement);
  return encoding.bytes.length < rendered.least ? reasonFor('nothing', statement) : undefined;
}

/** Finds the last statement of the shortest beginning of the program that does not assemble, and why. */
async function firstFailing(
  statements: readonly Statement[],
  rendered: readonly Rendered[],
  base: bigint,
  whole: Errno,
): Promise<{ at: number; errno: Errno }> {
  let [good, bad, why] = [0, statements.length, whole];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    const nothing: Rendered = { text: '', least: 0, most: 0, bounds: [] };
    const cut = rendered.map((each, at) => (at < middle ? each : nothing));
    const outcome = await layOut(statements, cut, base);
    if (outcome.ok) good = middle;
    else [bad, why] = [middle, outcome.errno];
  }
  return { at: bad - 1, errno: why };
}

/**
 * Finds the statements because of which a program does not assemble. Keystone names no line, so each is tried by
 * itself; if all are right, growing parts of the program are.
 *
 * @param rendered undefined for a statement with a problem that is known already
 * @param whole why the program does not assemble; undefined if it was not tried, because of such problems
 */
export async function diagnose(
  statements: readonly Statement[],
  rendered: readonly (Rendered | undefined)[],
  base: bigint,
  problems: Problems,
  whole: Errno | undefined,
): Promise<void> {
  for (const [at, statement] of statements.entries()) {
    const each = rendered[at];
    if (!each || each.text === '') continue;
    const reason = await alone(statement, each, at, base);
    if (reason !== undefined) problems.add(statement, reason);
  }
  if (!problems.empty || whole === undefined) return;
  const all = rendered.filter((each) => each !== undefined);
  const { at, errno } = await firstFailing(statements, all, base, whole);
  const statement = statements[at];
  if (statement) problems.add(statement, reasonFor(errno, statement));
}
