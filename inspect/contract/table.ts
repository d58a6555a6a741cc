import Table from 'cli-table3';
import type { Colors } from '../format.js';
import type { Clause, Verdict } from './clauses.js';

/** The verdict in its colour. */
function painted(verdict: Verdict, paint: Colors): string {
  const colour = {
    kept: paint.green,
    lost: paint.red,
    'saved beyond need': paint.yellow,
    'not applicable': paint.dim,
  }[verdict];
  return colour(verdict);
}

/** Characters of a line of evidence, which is broken between words. */
const WIDTH = 92;

/** All clauses as a table. */
export function clauseTable(clauses: readonly Clause[], paint: Colors): string {
  const table = new Table({
    head: ['clause', 'verdict', 'evidence'].map((text) => paint.bold(text)),
    style: { head: [], border: paint.isColorSupported ? ['gray'] : [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    colWidths: [null, null, WIDTH],
    wordWrap: true,
  });
  for (const { name, verdict, evidence } of clauses) table.push([name, painted(verdict, paint), evidence]);
  return table.toString();
}
