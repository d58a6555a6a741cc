import type { Convention } from '../probe/code.js';
import { whatFailed } from '../probe/ending.js';
import type { Instructions } from '../probe/instructions.js';
import type { Access } from '../probe/machine.js';
import type { Area } from '../probe/measure.js';
import type { ProbedRegister } from '../probe/registers.js';
import type { Layout, Slot } from './layout.js';

/** One place of a context, as it is kept: without what changes when the code is only moved. */
export interface SlotData {
  /** Left out for the ctx itself. */
  readonly area?: Exclude<Area, 'ctx'>;
  /** Elsewhere: the variable. */
  readonly symbol?: string;
  /** In bytes. */
  readonly offset: number;
  readonly size: number;
  /** null: no register's value, or nothing. */
  readonly saved: ProbedRegister | null;
  /** null: it comes back in no register; left out where there is no restore, or it could not be tried. */
  readonly restored?: ProbedRegister | null;
  /** How it is not simply the register's value, or what it is instead. */
  readonly as?: string;
  /** Registers that it shows in besides. */
  readonly also?: readonly ProbedRegister[];
}

/** A layout as it is kept in a golden file. */
export interface LayoutData {
  readonly name: string;
  readonly convention: Convention;
  readonly slots: readonly SlotData[];
  /** Of a context that is a stack pointer. */
  readonly pointer?: { readonly above: number; readonly restored: boolean };
  /** Why it is not a whole layout. */
  readonly failed?: string;
}

/** Where a slot is, for messages: `24`, `stack+8`. */
export function slotPlace({
  area,
  offset,
  symbol,
}: Pick<SlotData, 'offset'> & { area?: Area; symbol?: string | undefined }) {
  if (area === 'elsewhere') return `${symbol ?? ''}+${offset}`;
  return area === 'stack' ? `stack+${offset}` : `${offset}`;
}

function slotData(
  { area, offset, symbol, size, saved, restored, as, also, tried, loads }: Slot,
  hasRestore: boolean,
): SlotData {
  const isKnown = hasRestore && (tried || restored !== undefined || loads.length === 0);
  return {
    ...(area !== 'ctx' && { area }),
    ...(symbol !== undefined && { symbol }),
    offset,
    size,
    saved: saved ?? null,
    ...(isKnown && { restored: restored ?? null }),
    ...(as !== undefined && { as }),
    ...(also.length > 0 && { also }),
  };
}

/** A layout as data. */
export function layoutData({ measurement, slots, pointer }: Layout): LayoutData {
  const { code, restore } = measurement;
  const failed = whatFailed(measurement);
  return {
    name: code.name,
    convention: code.convention,
    slots: slots.map((slot) => slotData(slot, restore !== undefined)),
    ...(pointer && { pointer }),
    ...(failed !== undefined && { failed }),
  };
}

/** A layout as one object, with what each slot was written and read by. */
export function layoutJson(layout: Layout, instructions: Instructions): object {
  const { findings, measurement, slots } = layout;
  const kept = layoutData(layout);
  const by = (accesses: readonly Access[]) =>
    accesses.map(({ rip, moment }) => ({ ...instructions.at(rip), address: `0x${rip.toString(16)}`, moment }));
  const places = (some: readonly Slot[]): string[] => some.map(slotPlace);
  return {
    ...kept,
    guesses: measurement.code.guesses,
    slots: kept.slots.map((slot, index) => ({
      ...slot,
      savedBy: by(slots[index].stores),
      restoredBy: by(slots[index].loads),
    })),
    findings: {
      neverRestored: places(findings.neverRestored),
      neverSaved: places(findings.neverSaved),
      savedTwice: findings.savedTwice,
      different: places(findings.different),
    },
  };
}
