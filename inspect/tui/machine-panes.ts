/** The panes that show the processor: code, registers, ctx. */
import { hex } from '../names.js';
import type { CodeRow } from '../view/code.js';
import { isAssembly } from '../view/code.js';
import type { SlotRow } from '../view/context.js';
import type { ProbedRow, ProbedView } from '../view/probed.js';
import { flagNames, type RegisterRow } from '../view/registers.js';
import { type Line, type Span, short, span } from './line.js';
import type { Item, PaneInput, PaneText } from './pane.js';

/** Characters of the longest address in a program, and of 64 bits, with 0x. */
const ADDRESS = 10;
const QUAD = 18;
/** Of a register's row besides its three values: its name, and two marks. */
const BESIDE_VALUES = 8;
const WIDE = 3 * QUAD + BESIDE_VALUES;

/** Instructions around the next one. */
export function codePane({ view, stops, width }: PaneInput): PaneText {
  const { code } = view;
  const source = code.source;
  const text = source === undefined ? '' : `  ${source.file.replace(/.*\//, '')}:${source.line}`;
  const items = code.rows.map((row) => codeItem(row, stops, width));
  if (code.next === undefined) {
    items.push({ line: [span('▶ ', 'mark'), span(`no instruction at ${code.place}`, 'error')], isCentre: true });
  }
  return { title: `code${text}`, items };
}

function codeItem(row: CodeRow, stops: PaneInput['stops'], width: number): Item {
  if (row.kind === 'symbol') return { line: [span(`${row.name}:`, 'bold')] };
  if (row.kind === 'source') {
    const name = row.file.replace(/.*\//, '');
    return { line: [span(`${name}:${row.line}`.padEnd(ADDRESS), 'dim'), span(` ${row.text?.trim() ?? ''}`, 'coming')] };
  }
  const stop = stops.find(({ addresses }) => addresses.includes(row.address));
  const { address, isNext, source } = row;
  const spans: Span[] = [
    span(isNext ? '▶' : ' ', 'mark'),
    span(stop === undefined ? ' ' : '●', 'changed'),
    span(`${address.toString(16)} `, 'dim'),
    span(row.text, isNext ? 'bold' : 'plain'),
    span(row.note === '' ? '' : ` ${row.note}`, 'dim'),
  ];
  const used = spans.reduce((sum, { text }) => sum + [...text].length, 0);
  const place = source !== undefined && isAssembly(source.file) ? `${source.file}:${source.line}` : '';
  const gap = width - used - place.length - 1;
  if (gap > 0 && width >= 56) spans.push(span(' '.repeat(gap)), span(place, 'dim'));
  return { line: spans, subject: { kind: 'place', place: hex(BigInt(address)) }, isCentre: isNext };
}

/** Each register before the last instruction, now, and after the next one. */
export function registersPane({ view, width, height }: PaneInput): PaneText {
  const rows = view.registers;
  const columns = height >= rows.length || width < 2 * (3 * 6 + BESIDE_VALUES) ? 1 : 2;
  const each = Math.floor(width / columns) - (columns > 1 ? 1 : 0);
  const cell = Math.max(4, Math.min(QUAD, Math.floor((Math.min(each, WIDE) - BESIDE_VALUES) / 3)));
  const head = `${' '.repeat(6)}${'before'.padStart(cell)} ${'now'.padStart(cell)} ${'after'.padStart(cell)}`;
  const heading = Array.from({ length: columns }, () => span(head.padEnd(each), 'dim'));
  return {
    title: 'registers: before, now, after the next instruction',
    // The title says the same in fewer words.
    heading: height * columns > rows.length ? [heading] : [],
    items: rows.map((row) => registerItem(row, cell, columns > 1 ? 1 : 0)),
    columns,
  };
}

function registerItem(row: RegisterRow, cell: number, gap: number): Item {
  const { name, before, now, after, changed, changes } = row;
  const text = (value: bigint): string => {
    if (name !== 'eflags') return short(hex(value), cell);
    const names = flagNames(value).join(' ');
    return names.length > 0 && names.length + 7 <= cell ? `${names} ${hex(value)}` : short(hex(value), cell);
  };
  const line: Line = [
    span(name.padEnd(6), changed || changes ? 'bold' : 'plain'),
    span((changed && before !== undefined ? text(before) : '').padStart(cell), 'dim'),
    span(changed ? '*' : ' ', 'changed'),
    span(text(now).padStart(cell), changed ? 'changed' : 'plain'),
    span(changes ? '→' : ' ', 'coming'),
    span((changes && after !== undefined ? text(after) : '').padStart(cell), 'coming'),
    span(' '.repeat(gap)),
  ];
  return { line, subject: { kind: 'register', register: name } };
}

/** The slots of a context, and what the next instruction moves: libmill's ten, or those of the switch that is probed. */
export function contextPane(input: PaneInput): PaneText {
  const { view, width, height } = input;
  if (view.probed !== undefined) return probedPane(view.probed, width);
  const { context } = view;
  const { coroutine, state, step } = context;
  const who = coroutine === 0 ? 'main' : `coroutine ${coroutine}`;
  const verb = state === 'being saved' ? 'save' : 'restore';
  const where = step === undefined ? state : `${verb} ${step.number}/${step.of}`;
  const cell = Math.max(ADDRESS, Math.min(QUAD, Math.floor((width - 13) / 2)));
  return {
    title: `ctx of ${who}: ${where}`,
    heading: height > context.slots.length ? [[span(`  slot  ${'holds'.padStart(cell)}     register`, 'dim')]] : [],
    items: context.slots.map((slot) => ({
      line: slotLine(slot, state, cell),
      subject: { kind: 'slot', coroutine, slot: slot.name },
      isCentre: slot.travel !== undefined,
    })),
  };
}

function probedPane({ state, step, slots }: ProbedView, width: number): PaneText {
  const verb = state === 'being saved' ? 'save' : 'restore';
  const [places, names] = [slots.map(({ place }) => place.length), slots.map(({ name }) => name.length)];
  const columns = { place: Math.max(1, ...places), name: Math.min(16, Math.max(3, ...names)) };
  const cell = Math.max(ADDRESS, Math.min(QUAD, Math.floor((width - columns.place - columns.name - 9) / 2)));
  return {
    title: `ctx of the switch: ${step === undefined ? state : `${verb} ${step.number}/${step.of}`}`,
    items: slots.map((slot) => ({
      line: probedLine(slot, columns, cell),
      subject: { kind: 'memory', address: slot.address, size: slot.size },
      isCentre: slot.travel !== undefined,
    })),
  };
}

function probedLine(
  { place, name, held, after, travel, done }: ProbedRow,
  columns: { readonly place: number; readonly name: number },
  cell: number,
): Line {
  const mark = travel !== undefined ? '▶' : done ? '✓' : ' ';
  const head = `${mark} ${place.padStart(columns.place)} ${short(name, columns.name).padEnd(columns.name)} `;
  const value = short(hex(held), cell).padStart(cell);
  if (travel === undefined) return [span(head, done ? 'plain' : 'dim'), span(value)];
  if (travel === 'out') return [span(head, 'coming'), span(value, 'coming'), span(' →', 'coming')];
  const coming = after === undefined ? '' : short(hex(after), cell);
  return [span(head, 'coming'), span(value, 'dim'), span(` ← ${coming}`, 'coming')];
}

function slotLine(slot: SlotRow, state: string, cell: number): Line {
  const { index, name, held, register, travel, done } = slot;
  const head = `${done ? '✓' : travel === undefined ? ' ' : '▶'} ${index} ${name.padEnd(3)} `;
  const value = short(hex(held), cell).padStart(cell);
  if (travel === undefined) {
    const other = state === 'saved' || register === held ? '' : `     ${short(hex(register), cell)}`;
    const same = state !== 'saved' && register === held ? '  =' : '';
    return [span(head, done ? 'plain' : 'dim'), span(value), span(same, 'dim'), span(other, 'dim')];
  }
  const { from, to } = travel;
  if (to === 'slot') {
    return [
      span(head, 'coming'),
      span(value, 'dim'),
      span(` ← ${from.padEnd(3)} `, 'coming'),
      span(short(hex(travel.value), cell), 'coming'),
    ];
  }
  if (from === 'slot') {
    return [span(head, 'coming'), span(value, 'coming'), span(` → ${to.padEnd(3)}`, 'coming')];
  }
  return [
    span(head, 'coming'),
    span(value),
    span(`   ${from} → ${to} `, 'coming'),
    span(short(hex(travel.value), Math.max(4, cell - 5)), 'coming'),
  ];
}
