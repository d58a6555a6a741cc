import Table from 'cli-table3';
import { createColors } from 'picocolors';
import { CTX_SLOTS, type CtxSlot } from '../runtime/layout.js';
import type { Process } from '../runtime/process.js';
import type { Half, SwitchRecord } from './switches.js';

export type Colors = ReturnType<typeof createColors>;

/** Colours, or functions that leave text as it is. */
export function colors(enabled: boolean): Colors {
  return createColors(enabled);
}

/** A 64-bit value in hexadecimal. */
export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** A coroutine as people call it. */
export function coroutineName(id: number): string {
  return id === 0 ? 'main' : `coroutine ${id}`;
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

/** Only lines around the whole and under its head: ten slots are read downwards. */
const NO_LINES_BETWEEN_ROWS = { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' };

function change(half: Half | null, slot: CtxSlot, paint: Colors): string {
  if (half === null) return '';
  const before = half.before[slot];
  const now = half.slots[slot];
  return before === now ? paint.dim(hex(now)) : `${paint.dim(`${hex(before)} →`)} ${paint.yellow(hex(now))}`;
}

/** A switch as a table: for each of the ten slots what the ctx and what the register held, and what it holds now. */
export function switchTable(record: SwitchRecord, process: Process, paint: Colors): string {
  const { saved, restored } = record;
  const head = (half: Half | null, arrow: string, nobody: string): string =>
    half === null ? nobody : paint.bold(`${coroutineName(half.coroutine)} ${arrow} ctx ${hex(half.ctx)}`);
  const table = new Table({
    head: ['', '', head(saved, '→', 'nobody saved'), head(restored, '←', 'nobody restored')],
    style: { head: [], border: paint.isColorSupported ? ['gray'] : [] },
    chars: NO_LINES_BETWEEN_ROWS,
  });
  CTX_SLOTS.forEach((slot, index) => {
    table.push([String(index), slot, change(saved, slot, paint), change(restored, slot, paint)]);
  });
  const places = [
    ...(saved ? [`${coroutineName(saved.coroutine)} will go on at ${process.describe(saved.slots.rip)}`] : []),
    ...(restored ? [`${coroutineName(restored.coroutine)} goes on at ${process.describe(restored.slots.rip)}`] : []),
  ];
  return [title(record, paint), table.toString(), ...places.map(paint.cyan)].join('\n');
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
