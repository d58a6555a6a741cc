import { stripVTControlCharacters } from 'node:util';
import Table from 'cli-table3';
import { createColors } from 'picocolors';
import { GENERAL_REGISTERS } from '../emu/registers.js';
import { CTX_SLOTS, type CtxSlot, MILL_CR } from '../runtime/layout.js';
import type { Process } from '../runtime/process.js';
import { coroutineName, hex } from './names.js';
import type { Half, SwitchRecord } from './switches.js';

export { coroutineName, hex, whoRuns } from './names.js';

/** What paints text for a terminal, or leaves it as it is. */
export type Colors = ReturnType<typeof createColors>;

/** Colours, or functions that leave text as it is. */
export function colors(enabled: boolean): Colors {
  return createColors(enabled);
}

/** The general registers in four columns, a line each row. */
export function registerRows(process: Process): string[] {
  const values = GENERAL_REGISTERS.map((name) => `${name.padEnd(3)} ${hex(process.cpu.read(name)).padEnd(18)}`);
  return [0, 4, 8, 12].map((start) => `    ${values.slice(start, start + 4).join('  ')}`.trimEnd());
}

function title(record: SwitchRecord, paint: Colors): string {
  const from = coroutineName(record.from);
  const to = coroutineName(record.to);
  const what = {
    start: `${from} is saved, ${to} starts`,
    switch: `${from} is saved, ${to} is restored`,
    end: `${from} has ended, ${to} is restored`,
  }[record.kind];
  const facts = `${from} ran ${record.instructions} instructions and has ${record.stackUse} bytes of stack in use`;
  return `${paint.bold(`switch ${record.number}`)} at moment ${record.at}: ${what}\n${paint.dim(facts)}`;
}

/** Of a table: lines around the whole and under its head only, since columns are read downwards. */
export const NO_LINES_BETWEEN_ROWS = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

function change(half: Half | null, slot: CtxSlot, paint: Colors): string {
  if (half === null) return '';
  const before = half.before[slot];
  const now = half.slots[slot];
  return before === now ? paint.dim(hex(now)) : `${paint.dim(`${hex(before)} →`)} ${paint.yellow(hex(now))}`;
}

type Column = (slot: CtxSlot) => string;

function slotTable(columns: readonly { readonly head: string; readonly cell: Column }[], paint: Colors): string {
  const table = new Table({
    head: ['', '', ...columns.map(({ head }) => paint.bold(head))],
    style: { head: [], border: paint.isColorSupported ? ['gray'] : [] },
    chars: NO_LINES_BETWEEN_ROWS,
  });
  CTX_SLOTS.forEach((slot, index) => {
    table.push([String(index), slot, ...columns.map(({ cell }) => cell(slot))]);
  });
  return table.toString();
}

/** Characters of the widest line on a screen. */
function widthOf(text: string): number {
  return Math.max(
    ...stripVTControlCharacters(text)
      .split('\n', 1)
      .map((line) => line.length),
  );
}

/** Where a coroutine goes on, and the call in the program that has led there if that is in the runtime. */
function landing({ ctx, slots }: Half, process: Process): string {
  const call = process.callSite(Number(ctx) - MILL_CR.fields.ctx.offset, Number(slots.rip), Number(slots.rsp));
  const from = call === undefined ? '' : `, called from ${process.describe(call)}`;
  return `${process.describe(slots.rip)}${from}`;
}

/**
 * A switch as a table: for each of the ten slots what the ctx and what the register held, and what it holds now.
 * @param width of the screen in characters; where both halves side by side are too wide, they are one below the other
 */
export function switchTable(record: SwitchRecord, process: Process, paint: Colors, width: number): string {
  const { saved, restored } = record;
  const column = (half: Half | null, arrow: string, nobody: string) => ({
    head: half === null ? nobody : `${coroutineName(half.coroutine)} ${arrow} ctx ${hex(half.ctx)}`,
    cell: (slot: CtxSlot): string => change(half, slot, paint),
  });
  const columns = [column(saved, '→', 'nobody saved'), column(restored, '←', 'nobody restored')];
  const whole = slotTable(columns, paint);
  const present = [saved, restored].flatMap((half, index) => (half === null ? [] : [columns[index]]));
  const tables = widthOf(whole) <= width ? [whole] : present.map((one) => slotTable([one], paint));
  const places = [
    ...(saved ? [`${coroutineName(saved.coroutine)} will go on at ${landing(saved, process)}`] : []),
    ...(restored ? [`${coroutineName(restored.coroutine)} goes on at ${landing(restored, process)}`] : []),
  ];
  return [title(record, paint), ...tables, ...places.map(paint.cyan)].join('\n');
}

function halfJson(half: Half | null): unknown {
  if (half === null) return null;
  const slots = Object.fromEntries(CTX_SLOTS.map((slot) => [slot, hex(half.slots[slot])]));
  return { coroutine: half.coroutine, ctx: hex(half.ctx), slots };
}

/** A switch as one line of JSON. */
export function switchJson({ number, kind, at, saved, restored }: SwitchRecord): string {
  return JSON.stringify({ switch: number, kind, at, saved: halfJson(saved), restored: halfJson(restored) });
}
