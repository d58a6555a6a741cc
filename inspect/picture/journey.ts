import { CTX_SLOTS } from '../../runtime/layout.js';
import type { ContextView, Travel } from '../view/context.js';
import type { RegisterRow } from '../view/registers.js';

/** Registers in the order of the slots, so that values travel straight, and those by which some of them travel. */
export const SWITCHED: readonly RegisterRow['name'][] = [...CTX_SLOTS, 'rdx', 'rcx', 'rax'];
/** What a switch does not touch. */
export const UNTOUCHED: readonly RegisterRow['name'][] = ['r8', 'r9', 'r10', 'r11', 'eflags'];

/** The way of a value between the registers and a ctx that stand side by side. */
export interface Journey {
  /** Rows, counting from 0: of the register or of the slot. */
  readonly from: number;
  readonly to: number;
  /** Whether it goes from the CPU to the ctx, back, or stays in the CPU. */
  readonly way: 'out' | 'in' | 'within';
  readonly value: bigint;
}

/**
 * The way of the value that the next instruction moves into this ctx, out of it, or on from there.
 * @param rows names of the registers, from the top
 */
export function journeyOf(context: ContextView | undefined, rows: readonly string[]): Journey | undefined {
  const slot = context?.slots.find(({ travel }) => travel !== undefined);
  if (slot?.travel === undefined) return undefined;
  const { from, to, value } = slot.travel;
  const row = (station: Travel['from']): number => (station === 'slot' ? slot.index : rows.indexOf(station));
  const way = to === 'slot' ? 'out' : from === 'slot' ? 'in' : 'within';
  return { from: row(from), to: row(to), way, value };
}
