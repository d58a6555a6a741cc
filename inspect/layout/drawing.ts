import type { Layout, Slot } from './layout.js';
import { savedText } from './words.js';

const ROW = 8;
/** Characters for each byte, the lines between slots among them. */
const BYTE_WIDTH = 4;

/** A piece of a row: a slot or the rest of one, or bytes that nobody uses. */
interface Cell {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function cellsOf(row: number, slots: readonly Slot[]): Cell[] {
  const cells: Cell[] = [];
  let at = row;
  for (const slot of slots) {
    const [start, end] = [Math.max(slot.offset, row), Math.min(slot.offset + slot.size, row + ROW)];
    if (start >= end) continue;
    if (start > at) cells.push({ start: at, end: start, text: '' });
    cells.push({ start, end, text: slot.offset >= row ? savedText(slot) : '' });
    at = end;
  }
  if (at < row + ROW) cells.push({ start: at, end: row + ROW, text: '' });
  return cells;
}

function shown({ start, end, text }: Cell): string {
  const width = (end - start) * BYTE_WIDTH - 1;
  const fitting = text.length > width - 1 ? `${text.slice(0, Math.max(0, width - 2))}…` : text;
  return ` ${fitting}`.padEnd(width).slice(0, width);
}

function line(kind: '┌┬┐' | '├┼┤' | '└┴┘', above: readonly Cell[], below: readonly Cell[]): string {
  const inner = (cells: readonly Cell[]): Set<number> => new Set(cells.slice(1).map(({ start }) => start % ROW));
  const [up, down] = [inner(above), inner(below)];
  const marks = Array.from({ length: ROW }, (_, byte) => {
    const mark = up.has(byte) && down.has(byte) ? '┼' : up.has(byte) ? '┴' : down.has(byte) ? '┬' : '─';
    return byte === 0 ? '───' : `${mark}───`;
  });
  return `${kind[0]}${marks.join('')}${kind[2]}`;
}

function area(title: string, slots: readonly Slot[]): string[] {
  if (slots.length === 0) return [];
  const first = Math.floor(Math.min(...slots.map(({ offset }) => offset)) / ROW) * ROW;
  const end = Math.max(...slots.map(({ offset, size }) => offset + size));
  const lines: string[] = [];
  let before: Cell[] = [];
  const margin = (text: string): string => text.padStart(8);
  let skipped = false;
  for (let row = first; row < end; row += ROW) {
    const cells = cellsOf(row, slots);
    const isUnused =
      cells.every(({ text }) => text === '') &&
      !slots.some((slot) => slot.offset < row + ROW && slot.offset + slot.size > row);
    if (isUnused && skipped) continue;
    lines.push(`${margin(lines.length === 0 ? title : '')} ${line(lines.length === 0 ? '┌┬┐' : '├┼┤', before, cells)}`);
    const body = isUnused ? `│${' ⋮'.padEnd(ROW * BYTE_WIDTH - 1)}│` : `│${cells.map(shown).join('│')}│`;
    lines.push(`${margin(isUnused ? '' : `+${row}`)} ${body}`);
    skipped = isUnused;
    before = isUnused ? [] : cells;
  }
  lines.push(`${margin(`+${end}`)} ${line('└┴┘', before, [])}`);
  return lines;
}

/** A context as it is in memory, eight bytes a row and to scale. */
export function drawing({ slots }: Layout): string {
  const inCtx = slots.filter((slot) => slot.area === 'ctx' && slot.written);
  const onStack = slots.filter((slot) => slot.area === 'stack' && slot.written);
  return [...area('ctx', inCtx), ...area('stack', onStack)].join('\n');
}
