import Table from 'cli-table3';
import { NO_LINES_BETWEEN_ROWS } from '../inspect/format.js';
import type { Ratio, Row } from './contest.js';
import type { Effort } from './measure.js';
import type { Result } from './result.js';
import { type Target, verdict } from './targets.js';

/** A figure with as many digits as mean something. */
export function figureText(value: number): string {
  if (value >= 100) return Math.round(value).toLocaleString('en');
  return value >= 10 ? value.toFixed(1) : Number(value.toPrecision(3)).toString();
}

/** "0.8 x what", with what differs from the row's own name. */
function ratioText({ value, what, on }: Ratio, row: Row): string {
  const other = [...(what === row.what ? [] : [what]), ...(on === row.on ? [] : [on])].join(', ');
  return `${figureText(value)} x ${other}`;
}

function grid(head: readonly string[], rows: readonly (readonly string[])[], numbers: readonly number[]): string {
  const table = new Table({
    head: [...head],
    chars: NO_LINES_BETWEEN_ROWS,
    style: { head: [], border: [] },
    colAligns: head.map((_, column) => (numbers.includes(column) ? 'right' : 'left')),
  });
  for (const row of rows) table.push([...row]);
  return table.toString();
}

function partText(title: string, rows: readonly Row[]): string {
  const lines = rows.map((row, index) => {
    const { on, unit, figure, missing, ratios } = row;
    const what = rows[index - 1]?.what === row.what ? '' : row.what;
    if (figure === undefined) return [what, on, unit, '', '', '', `not here: ${missing}`];
    const [min, median, max] = [figure.min, figure.median, figure.max].map(figureText);
    return [what, on, unit, min, median, max, ratios.map((ratio) => ratioText(ratio, row)).join('\n')];
  });
  return grid([title, 'on', 'unit', 'min', 'median', 'max', 'ratio'], lines, [3, 4, 5]);
}

/** Over {@link targetCells}. */
export const TARGET_HEAD: readonly string[] = ['targets', 'on', 'goal', 'reached', ''];

/** A target as cells: what, on, goal, what came of it, and whether that is enough, of which a quick bench knows nothing. */
export function targetCells(target: Target, { divisor }: Effort): string[] {
  const { what, on, goal, limit, unit, reached } = target;
  const text = (value: string): string => (unit === undefined ? value : `${value} ${unit}`);
  const figure = reached === undefined ? '' : text(figureText(reached));
  return [what, on, text(`${limit} ${goal}`), figure, divisor > 1 ? '' : verdict(target)];
}

/** All of a result, for a terminal. */
export function tableText({ versions, effort, parts, targets }: Result): string {
  const texts = Object.entries(parts).map(([title, rows]) => partText(title, rows));
  if (targets.length > 0)
    texts.push(
      grid(
        TARGET_HEAD,
        targets.map((target) => targetCells(target, effort)),
        [3],
      ),
    );
  if (effort.divisor > 1) texts.push('One short round each: this shows that it works, not how fast.');
  texts.push(grid(['measured with', ''], Object.entries(versions), []));
  return `${texts.join('\n')}\n`;
}
