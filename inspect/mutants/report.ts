import Table from 'cli-table3';
import { type Colors, NO_LINES_BETWEEN_ROWS } from '../format.js';
import { type Fault, faultName } from './fault.js';
import type { Result } from './trial.js';
import type { Catch } from './verdict.js';

/** How many mutants there are of each kind. */
export interface Summary {
  readonly mutants: number;
  readonly killed: number;
  readonly equivalent: number;
  readonly survived: number;
  readonly impossible: number;
  /** Of those that are not equivalent, rounded down. */
  readonly percent: number;
}

/** A result, and the command line that shows its instruction; undefined if there is none. */
export interface Row {
  readonly result: Result;
  readonly command: string | undefined;
}

/** Counts results. */
export function summaryOf(results: readonly Result[]): Summary {
  const count = (verdict: Result['verdict']): number => results.filter((one) => one.verdict === verdict).length;
  const [killed, survived] = [count('killed'), count('survived')];
  return {
    mutants: results.length,
    killed,
    equivalent: count('equivalent'),
    survived,
    impossible: count('impossible'),
    percent: killed + survived === 0 ? 100 : Math.floor((100 * killed) / (killed + survived)),
  };
}

/** In a line. */
export function summaryText({ mutants, killed, equivalent, survived, impossible, percent }: Summary): string {
  const parts = [
    `${killed} killed`,
    `${survived} survived`,
    `${equivalent} equivalent`,
    ...(impossible === 0 ? [] : [`${impossible} that no machine code expresses`]),
  ];
  return `${mutants} mutants: ${parts.join(', ')}; ${percent} % of those that are not equivalent were noticed`;
}

function catchText({ check, where, what }: Catch): string {
  if (check === 'layout') return `layout at ${where}: ${what}`;
  return check === 'contract' ? `contract: ${where} ${what}` : what;
}

/** What comes of a fault that nobody has noticed. */
function breaks({ effect, by }: Extract<Result, { verdict: 'survived' }>): string {
  if (by.length > 0) return by.map(catchText).join('; ');
  return effect.kind === 'differs' ? `other afterwards: ${effect.what.join(', ')}` : `not known: ${effect.why}`;
}

function explanation(result: Result): string {
  switch (result.verdict) {
    case 'killed': {
      const [first, ...others] = result.by;
      return `${first === undefined ? '' : catchText(first)}${others.length === 0 ? '' : `, and ${others.length} more`}`;
    }
    case 'equivalent':
      return result.reason;
    case 'survived':
      return breaks(result);
    case 'impossible':
      return '';
  }
}

const rowText = ({ change, what }: Fault): string => `${change}: ${what}`;

/** Every mutant in a table, and then, by name, those that nobody has noticed. */
export function resultsText(title: string, rows: readonly Row[], paint: Colors): string {
  const table = new Table({
    head: ['at', 'fault', '', 'by, or why'].map((text) => paint.bold(text)),
    style: { head: [], border: paint.isColorSupported ? ['gray'] : [] },
    chars: NO_LINES_BETWEEN_ROWS,
  });
  const painted = { killed: paint.green, equivalent: paint.dim, survived: paint.red, impossible: paint.yellow };
  for (const { result } of rows) {
    const { fault, verdict } = result;
    table.push([fault.at.place, rowText(fault), painted[verdict](verdict), explanation(result)]);
  }
  const survivors = rows.flatMap(({ result, command }) => {
    if (result.verdict !== 'survived') return [];
    const shown = command === undefined ? [] : [paint.dim(`  ${command}`)];
    return [`${paint.red('survived')} ${faultName(result.fault)}`, `  ${breaks(result)}`, ...shown];
  });
  return [
    paint.bold(title),
    table.toString(),
    ...survivors,
    summaryText(summaryOf(rows.map(({ result }) => result))),
  ].join('\n');
}

/** The same for programs. */
export function resultJson({ result, command }: Row): unknown {
  const { fault, verdict } = result;
  return {
    place: fault.at.place,
    address: `0x${fault.at.address.toString(16)}`,
    kind: fault.kind,
    change: fault.change,
    what: fault.what,
    verdict,
    ...((result.verdict === 'killed' || result.verdict === 'survived') && { by: result.by }),
    ...(result.verdict === 'equivalent' && { states: result.states, reason: result.reason }),
    ...(result.verdict === 'survived' && { effect: result.effect }),
    ...(command !== undefined && { command }),
  };
}
