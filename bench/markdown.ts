import { ENGINES } from '../emu/open.js';
import { findRow, type Row } from './contest.js';
import type { Result } from './result.js';
import { STEPPED } from './stepping.js';
import { FLOOR, IN_ASSEMBLY, scheduledInC, THIS_CPU } from './switches.js';
import { figureText, TARGET_HEAD, targetCells } from './table.js';

const BEGIN = '<!-- bench: written by npm run bench -- --readme -->';
const END = '<!-- /bench -->';

/** The ways to switch that people ask about, in the order of their cost. */
const SHOWN = [FLOOR, IN_ASSEMBLY, ...['yield', 'channel', 'choose'].flatMap((way) => [way, scheduledInC(way)])];

/** A table whose columns are of one width each. @param texts columns that are not numbers */
function markdownTable(head: readonly string[], rows: readonly (readonly string[])[], texts = [0]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column].length), 3));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const padded = (cells: readonly string[]): string =>
    line(
      cells.map((cell, column) =>
        texts.includes(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
      ),
    );
  const rule = widths.map((width, column) =>
    texts.includes(column) ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [padded(head), line(rule), ...rows.map(padded)].join('\n');
}

/** Lines of at most 120 characters. */
const wrapped = (text: string): string => text.replace(/(.{1,120})(?: |$)/g, '$1\n').trimEnd();

/** Median, and from where to where it went. */
function cell(rows: readonly Row[] | undefined, what: string, on: string): string {
  const figure = findRow(rows, { what, on })?.figure;
  if (figure === undefined) return '';
  const [min, median, max] = [figure.min, figure.median, figure.max].map(figureText);
  return `${median} (${min} to ${max})`;
}

function stepTable(rows: readonly Row[] = []): string {
  const lines = rows
    .filter(({ what, figure }) => what === STEPPED && figure !== undefined)
    .sort((a, b) => (b.figure?.median ?? 0) - (a.figure?.median ?? 0))
    .map(({ on, ratios }) => {
      const gdb = ratios.find((ratio) => ratio.on === 'gdb')?.value;
      return [on, cell(rows, STEPPED, on), gdb === undefined ? '1' : figureText(gdb)];
    });
  return markdownTable(['', 'instructions/s', 'x gdb'], lines);
}

/** The tables of the README. */
export function markdown({ versions, effort, parts, targets }: Result): string {
  const columns = [...ENGINES, THIS_CPU];
  const switches = SHOWN.map((what) => [what, ...columns.map((on) => cell(parts.switches, what, on))]);
  const goals = targets.map((target) => targetCells(target, effort));
  const used = Object.entries(versions).map(([name, version]) =>
    version.startsWith(name) ? version : `${name}: ${version}`,
  );
  return [
    'Switches a second, median of five runs (and the slowest to the fastest):',
    markdownTable(['', ...columns], switches),
    'Instructions a second, executed one at a time with 18 registers read at each:',
    stepTable(parts.stepping),
    'What was aimed at, in ms where it says so, or else as ratios of the two in the same run:',
    markdownTable(TARGET_HEAD.with(0, ''), goals, [0, 1, 2, 4]),
    wrapped(`Measured with ${used.join('; ')}.`),
  ].join('\n\n');
}

/** The text with its tables replaced. @throws Error if the two comments that they are between are not there */
export function insertInto(text: string, result: Result): string {
  const [start, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`there is no ${BEGIN} … ${END} to put the tables between`);
  return `${text.slice(0, start)}${BEGIN}\n\n${markdown(result)}\n\n${text.slice(end)}`;
}
