/** The registers between two ctx, and the value that goes from one to the other. */
import { hex } from '../names.js';
import type { ContextView, SlotRow } from '../view/context.js';
import { flagNames, type RegisterRow } from '../view/registers.js';
import type { Scene } from '../view/scene.js';
import { shortPlace } from '../web/parts/place.js';
import type { Words } from '../web/words.js';
import {
  badge,
  badgeWidth,
  box,
  COLUMN,
  type Drawing,
  MARGIN,
  SMALL_COLUMN,
  short,
  text,
  together,
  WIDTH,
} from './drawing.js';
import { type Journey, journeyOf, SWITCHED, UNTOUCHED } from './journey.js';
import { colourOf } from './palette.js';
import { fitted, shortened } from './text.js';

const ROWS = [...SWITCHED, ...UNTOUCHED];
const ROW = 19;
const SLOTS = 10;
/** Lines of the captions, and of the heads of both tables; the top of both tables, and of their first rows. */
const CAPTION = 66;
const TABLE = 75;
const HEAD = TABLE + 15;
const FIRST = TABLE + 21;

/** Of the registers' table, and of a ctx; its place depends on the side. */
const CPU = { x: 334, width: 350 } as const;
/** Width of a ctx and of the stack below it. */
export const SIDE_WIDTH = 230;
/** Where a coroutine's side begins. */
export function sideX(side: number): number {
  return side === 0 ? MARGIN : WIDTH - MARGIN - SIDE_WIDTH;
}
/** The bottom of the slots, and of the registers. */
export const CONTEXT_BOTTOM = FIRST + SLOTS * ROW;
export const BOARD_BOTTOM = FIRST + ROWS.length * ROW;

/** Right ends of the values: of a register now and behind the next instruction, of a slot. */
const NOW = CPU.x + 66 + 18 * COLUMN;
const NEXT = CPU.x + CPU.width - 8;
const HELD = SIDE_WIDTH - 8;

const baseline = (row: number): number => FIRST + row * ROW + 14;
const middle = (row: number): number => FIRST + (row + 0.5) * ROW;

/** All of it. */
export function board(scene: Scene, words: Words): Drawing {
  const sides = scene.parties.map(({ context }, side) =>
    together(contextOf(context, scene, sideX(side), words), { under: [], over: arrowOf(context, side) }),
  );
  const nobody = sides.length > 1 ? [] : [text(sideX(1) + SIDE_WIDTH / 2, middle(4), words.noOther, 's m')];
  return together({ under: [], over: nobody }, registersOf(scene, words), ...sides);
}

function registersOf({ view: { registers, running } }: Scene, words: Words): Drawing {
  const { x, width } = CPU;
  const table = box(x, TABLE, width, BOARD_BOTTOM - TABLE, 'k', 6);
  const apart = FIRST + SWITCHED.length * ROW;
  const between = FIRST + SLOTS * ROW;
  const lines = `<path d="M${x} ${FIRST}h${width}M${x} ${between}h${width}M${x} ${apart}h${width}" class="l"/>`;
  const over = [
    text(x + 8, CAPTION, words.cpu, 'b'),
    ...(running === undefined ? [] : [badge(x + 44, CAPTION, running, words.coroutine(running))]),
    text(NOW, HEAD, words.now, 's e'),
    text(NEXT, HEAD, words.next, 's e'),
  ];
  ROWS.forEach((name, row) => {
    const register = registers.find((one) => one.name === name);
    if (register !== undefined) over.push(...registerOf(register, row));
  });
  return { under: [table + lines], over };
}

function registerOf({ name, now, after, changed, changes }: RegisterRow, row: number): string[] {
  const y = baseline(row);
  // rip changes always: that is worth no mark.
  const isMarked = name !== 'rip';
  const parts = [text(CPU.x + 8, y, name, isMarked && changes ? 'n b' : 'b')];
  if (changed && isMarked) {
    const width = (hex(now).length + 1.5) * COLUMN;
    parts.push(box(NOW - width, y - 13, width + 3, 17, 'cb', 3) + text(NOW, y, `*${hex(now)}`, 'c b e'));
  } else parts.push(text(NOW, y, hex(now), 'e'));
  if (changes && after !== undefined) parts.push(isMarked ? marked(NEXT, y, after) : text(NEXT, y, hex(after), 's e'));
  else if (name === 'eflags') parts.push(text(NEXT, y, flagNames(now).join(' '), 's z e'));
  if (changes && isMarked) parts.push(text(CPU.x + 56, y, '▸', 'n'));
  return parts;
}

/** A value that the next instruction makes or moves; it ends at x. */
function marked(x: number, y: number, value: bigint): string {
  const width = hex(value).length * COLUMN + 6;
  return box(x - width + 3, y - 13, width, 17, 'nb', 3) + text(x, y, hex(value), 'n b e');
}

function contextOf(context: ContextView, { view }: Scene, x: number, words: Words): Drawing {
  const { coroutine, address, state, step, slots } = context;
  const name = words.coroutine(coroutine);
  const who = `w${colourOf(coroutine)} q`;
  const lines = `<path d="M${short(x)} ${FIRST}h${SIDE_WIDTH}" class="l"/>`;
  const told = x + badgeWidth(name) + 6;
  const room = Math.floor((x + SIDE_WIDTH - told) / SMALL_COLUMN);
  const row = view.coroutines.rows.find(({ id }) => id === coroutine);
  const facts = [
    step === undefined ? (row?.state ?? '') : words.step(step.number, step.of),
    row === undefined ? '' : shortPlace(row.at),
    row?.stackInUse === undefined ? '' : words.inUse(row.stackInUse.toLocaleString('en')),
  ].filter((fact) => fact !== '');
  return {
    under: [box(x, TABLE, SIDE_WIDTH, CONTEXT_BOTTOM - TABLE, who, 6) + lines],
    over: [
      badge(x, CAPTION, coroutine, name),
      text(told, CAPTION, fitted(words.states[state], room), step === undefined ? 's z' : 'n z b'),
      text(x + 24, HEAD, 'ctx', 's'),
      text(x + HELD, HEAD, hex(BigInt(address)), 's e'),
      ...slots.flatMap((slot) => slotOf(slot, x, context)),
      ...facts.map((fact, index) =>
        text(
          x + 6,
          CONTEXT_BOTTOM + 16 + index * 15,
          fitted(fact, Math.floor((SIDE_WIDTH - 8) / SMALL_COLUMN)),
          index === 0 && step !== undefined ? 'n z b' : 's z',
        ),
      ),
    ],
  };
}

function slotOf({ index, name, held, travel, done }: SlotRow, x: number, { state }: ContextView): string[] {
  const y = baseline(index);
  const parts = [text(x + 7, y, String(index), 's'), text(x + 24, y, name, 'b')];
  if (travel !== undefined) parts.push(text(x + 54, y, '▸', 'n'), marked(x + HELD, y, held));
  else {
    if (done) parts.push(text(x + 54, y, '✓', 'r'));
    parts.push(text(x + HELD, y, hex(held), state === 'running' ? 's e' : done ? 'b e' : 'e'));
  }
  return parts;
}

/** The space between registers and a ctx, where the arrow is. */
const GAP = CPU.x - MARGIN - SIDE_WIDTH;
const HEAD_LENGTH = 9;

function arrowOf(context: ContextView, side: number): string[] {
  const journey = journeyOf(context, ROWS);
  if (journey === undefined) return [];
  const { way, value } = journey;
  const toLeft = side === 0 ? -1 : 1;
  const cpu = side === 0 ? CPU.x - 3 : CPU.x + CPU.width + 3;
  const ctx = cpu + toLeft * (GAP - 6);
  const centre = (cpu + ctx) / 2;
  const [from, to] = [middle(journey.from), middle(journey.to)];
  const [start, end] = way === 'out' ? [cpu, ctx] : way === 'in' ? [ctx, cpu] : [cpu, cpu];
  const heading = way === 'out' ? toLeft : -toLeft;
  const neck = end - heading * HEAD_LENGTH;
  const path =
    from === to ? `M${start} ${from}H${neck}` : `M${start} ${from}C${centre} ${from} ${centre} ${to} ${neck} ${to}`;
  const head = `M${end} ${to}l${-heading * (HEAD_LENGTH + 1)} -5v10z`;
  const label = shortened(hex(value), Math.floor(GAP / SMALL_COLUMN));
  const y = from === to ? from - 7 : (from + to) / 2 + 4;
  return [`<path d="${path}" class="a"/><path d="${head}" class="n"/>`, text(centre, y, label, 'n z b m o')];
}

/** Where a value is on its way, each the right end of its text. */
export interface Flight {
  readonly value: bigint;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** The ways of the values that the next instruction moves. */
export function flightsOf({ parties }: Scene): Flight[] {
  return parties.flatMap(({ context }, side) => {
    const journey = journeyOf(context, ROWS);
    return journey === undefined ? [] : [flightOf(journey, side)];
  });
}

function flightOf({ from, to, way, value }: Journey, side: number): Flight {
  const held = sideX(side) + HELD;
  const [start, end] = way === 'out' ? [NOW, held] : way === 'in' ? [held, NOW] : [NOW, NOW];
  const between = (side === 0 ? CPU.x : CPU.x + CPU.width + GAP) - 6;
  const around: Flight['points'] = way === 'within' ? [[between, (baseline(from) + baseline(to)) / 2]] : [];
  return { value, points: [[start, baseline(from)], ...around, [end, baseline(to)]] };
}
