/** What is below the board: code between two stacks, and what libmill and the program have to say. */
import { hex } from '../names.js';
import type { CodeRow } from '../view/code.js';
import type { Scene } from '../view/scene.js';
import type { StackView, StackWord } from '../view/stack.js';
import { shortPlace } from '../web/parts/place.js';
import type { Words } from '../web/words.js';
import { BOARD_BOTTOM, CONTEXT_BOTTOM, SIDE_WIDTH, sideX } from './board.js';
import {
  badge,
  badgeWidth,
  box,
  COLUMN,
  type Drawing,
  line,
  MARGIN,
  SMALL_COLUMN,
  short,
  text,
  WIDTH,
} from './drawing.js';
import { colourOf } from './palette.js';
import { columnsOf, fitted } from './text.js';

const CODE = { x: 266, width: WIDTH - 2 * 266, top: BOARD_BOTTOM + 28, row: 18, rows: 7 } as const;
const STACK = { top: CONTEXT_BOTTOM + 72, row: 17, rows: 14 } as const;
const BOTTOM = Math.max(CODE.top + CODE.rows * CODE.row, STACK.top + STACK.rows * STACK.row);
const FOOT = 21;
/** Lines of the footer. */
const LINES = 4;

/** Of a whole picture. */
export const HEIGHT = BOTTOM + 18 + LINES * FOOT;

/** What a row of the listing is, so that another picture's listing can begin with the same one. */
export function rowKey(row: CodeRow): string {
  return row.kind === 'instruction' ? String(row.address) : JSON.stringify(row);
}

/**
 * The rows of the listing that a picture shows.
 * @param top of another picture, to begin with the same if the next instruction is well within what is shown then
 */
export function listed({ view: { code } }: Scene, top?: string): readonly CodeRow[] {
  const next = code.rows.findIndex((row) => row.kind === 'instruction' && row.isNext);
  const known = code.rows.findIndex((row) => rowKey(row) === top);
  const isWithin = known >= 0 && known < next && next < known + CODE.rows - 1;
  const first = isWithin ? known : Math.max(0, next - 3);
  return code.rows.slice(first, first + CODE.rows);
}

/** @param rows of {@link listed} */
export function listing({ view: { code }, ending }: Scene, rows: readonly CodeRow[], words: Words): Drawing {
  const { x, width, top, row, rows: count } = CODE;
  const room = Math.floor((width - 60) / SMALL_COLUMN);
  return {
    under: [box(x, top, width, count * row + 6, 'k', 6)],
    over: [
      text(x, top - 9, words.code, 'b'),
      text(x + width, top - 9, fitted(shortPlace(code.place), room), 's z e'),
      ...rows.flatMap((one, index) => listedRow(one, top + 3 + index * row, ending === undefined ? '▶' : '■')),
    ],
  };
}

/** @param mark of where it is */
function listedRow(row: CodeRow, top: number, mark: string): string[] {
  const { x, width } = CODE;
  const y = top + 13;
  const room = (from: number): number => Math.floor((x + width - 6 - from) / COLUMN);
  if (row.kind === 'symbol') return [text(x + 22, y, fitted(`${row.name}:`, room(x + 22)), 'b')];
  if (row.kind === 'source') {
    const content = `${shortPlace(`${row.file}:${row.line}`)}  ${(row.text ?? '').trim().replace(/\s+/g, ' ')}`;
    return [text(x + 22, y, fitted(content, room(x + 22)), 's')];
  }
  const at = x + 22 + 11 * COLUMN;
  const instruction = fitted(row.text, room(at));
  const note = at + (columnsOf(instruction) + 2) * COLUMN;
  const parts = [
    text(x + 22, y, hex(BigInt(row.address)), row.isNext ? 'n' : 's'),
    text(at, y, instruction, row.isNext ? 'n b' : ''),
    ...(row.note === '' || room(note) < 8 ? [] : [text(note, y, fitted(row.note, room(note)), 's')]),
  ];
  if (row.isNext) parts.unshift(box(x + 3, top + 0.5, width - 6, CODE.row - 1, 'nb', 3), text(x + 8, y, mark, 'n'));
  return row.isNext ? [parts.join('')] : parts;
}

/** A stack, high addresses above: what is in use has a tint, and what is below rsp has none. */
export function stack(view: StackView, side: number, words: Words): Drawing {
  const x = sideX(side);
  const { top, row, rows } = STACK;
  const shown = view.words.slice(0, rows).reverse();
  const who = `w${colourOf(view.coroutine)}`;
  const width = SIDE_WIDTH;
  const isIn = view.rsp >= view.low && view.rsp <= view.high;
  const caption = `${words.stack}   rsp ${hex(BigInt(view.rsp))}${view.rspIs === 'saved' ? ` (${words.saved})` : ''}`;
  const over = [text(x + 6, top - 7, fitted(caption, Math.floor(width / SMALL_COLUMN)), 's z')];
  shown.forEach((word, index) => {
    over.push(stackWord(word, view, x, top + index * row, who));
  });
  const below = shown.findIndex(({ address }) => address < view.rsp);
  if (isIn && below >= 0) {
    const dash = view.rspIs === 'saved' ? ' stroke-dasharray="4 3"' : '';
    over.push(`<path d="M${short(x)} ${top + below * row}h${width}" class="a"${dash}/>`);
  }
  return { under: [box(x, top, width, rows * row, `${who} q`, 6)], over };
}

/** Columns of the mark of rsp. */
const MARK = 6;

function stackWord(
  { address, value, after, note }: StackWord,
  view: StackView,
  x: number,
  top: number,
  who: string,
): string {
  const { row } = STACK;
  const y = top + 12;
  const isTop = address === Math.floor(view.rsp / 8) * 8;
  const parts: string[] = [];
  if (address >= view.rsp) parts.push(box(x, top, SIDE_WIDTH, row, `${who} ${address >= view.high ? 'g' : 't'}`));
  parts.push(text(x + 6, y, address.toString(16).slice(-4), 's z'));
  const changes = after !== undefined && after !== value;
  const at = x + 6 + 5 * SMALL_COLUMN;
  const room = Math.floor((SIDE_WIDTH - 10) / SMALL_COLUMN) - 5 - (isTop ? MARK : 0);
  const held = hex(value);
  parts.push(text(at, y, held, address < view.rsp ? 's z' : 'z'));
  const rest = room - held.length - 1;
  const told = changes ? `▸ ${hex(after)}` : note.replace('returns to', '↩').replace(/ \(.*\)$/, '');
  if (told !== '' && rest > 3) {
    parts.push(text(at + (held.length + 1) * SMALL_COLUMN, y, fitted(told, rest), changes ? 'n z b' : 's z'));
  }
  if (isTop) parts.push(text(x + SIDE_WIDTH - 5, y, '◂rsp', 'n z b e'));
  return parts.join('');
}

/** Coroutines, the ready queue, the end of what was printed, and how it ended. */
export function footer({ view }: Scene, ending: readonly string[], words: Words): Drawing {
  const y = (index: number): number => BOTTOM + 30 + index * FOOT;
  const { lines } = view.output;
  const printed =
    lines.length === 0
      ? words.noOutput
      : lines
          .slice(-6)
          .map(({ text }) => text)
          .join(' ⏎ ');
  const { coroutines } = view;
  const states = coroutines.rows.map(({ id, state, turn }) => ({
    id,
    words: turn === undefined ? state : words.turn(turn),
  }));
  const ready = coroutines.ready.map((id) => ({ id, words: '' }));
  const first = [
    labelled(y(0), words.coroutines, states, coroutines.total, words),
    labelled(y(1), words.ready, ready, coroutines.ready.length, words),
  ];
  return {
    under: [],
    over: [
      ...first,
      text(MARGIN, y(2), words.output, 's'),
      text(
        LABELLED,
        y(2),
        fitted(printed, Math.floor((WIDTH - MARGIN - LABELLED) / COLUMN)),
        lines.length === 0 ? 's' : '',
      ),
      ending.length === 0
        ? line(y(3), words.legend, 's z')
        : line(y(3), `■ ${words.ended}: ${ending.join(' ')}`, 'x b'),
    ],
  };
}

/** Where things begin that have a word in front of them. */
const LABELLED = MARGIN + 13 * COLUMN;

/** Coroutines in a line, as many as there is room for. @param total of which they are some */
function labelled(
  y: number,
  label: string,
  members: readonly { readonly id: number; readonly words: string }[],
  total: number,
  words: Words,
): string {
  const parts = [text(MARGIN, y, label, 's')];
  if (members.length === 0) parts.push(text(LABELLED, y, words.nobody, 's'));
  let x = LABELLED;
  for (const [index, { id, words: said }] of members.entries()) {
    const name = words.coroutine(id);
    const width = badgeWidth(name) + (columnsOf(said) + 3) * COLUMN;
    const isLast = index + 1 === total;
    if (x + width + (isLast ? 0 : 16 * COLUMN) > WIDTH - MARGIN) {
      parts.push(text(x, y, words.more(total - index), 's'));
      break;
    }
    parts.push(badge(x, y, id, name));
    if (said !== '') parts.push(text(x + badgeWidth(name) + COLUMN, y, said, 's'));
    x += width;
  }
  return parts.join('');
}
