import type { SourceLine } from '../../../asm/image.js';
import { CTX_SLOTS, MILL_CR, SLOT_BYTES } from '../../../runtime/layout.js';
import { clausesOf } from '../../contract/clauses.js';
import { slotPlace } from '../../layout/data.js';
import { type Layout, layoutOf, type Slot } from '../../layout/layout.js';
import { registerName, restoredText, savedText } from '../../layout/words.js';
import { whatFailed } from '../../probe/ending.js';
import { DRIVER } from '../../probe/link.js';
import type { Access } from '../../probe/machine.js';
import type { Measurement } from '../../probe/measure.js';
import type { Measured, Problem, SlotRow } from './protocol.js';

/** Bytes of the ctx in libmill's mill_cr; what is behind them is something else. */
const CTX_BYTES = CTX_SLOTS.length * SLOT_BYTES;

/** What was measured of a switch, as rows of tables, and the lines that are wrong. */
export function measuredOf(measurement: Measurement): Measured {
  const layout = layoutOf(measurement);
  const slots = layout.slots.map((slot) => rowOf(slot, layout));
  const clauses = clausesOf(layout, { statement: undefined });
  return {
    kind: 'measured',
    failed: whatFailed(measurement),
    slots,
    clauses: clauses.map(({ id, name, verdict, evidence }) => ({ id, name, verdict, explanation: evidence })),
    wrong: wrongLines(layout, slots),
  };
}

function rowOf(slot: Slot, { measurement }: Layout): SlotRow {
  const lines = (accesses: readonly Access[]): SourceLine[] => linesOf(measurement, accesses);
  return {
    place: slot.area === 'ctx' ? `ctx${slot.offset < 0 ? '' : '+'}${slot.offset}` : slotPlace(slot),
    offset: slot.offset,
    size: slot.size,
    saved: savedText(slot) || undefined,
    restored: restoredText(slot) || undefined,
    wrong: wrongIn(slot, measurement),
    savedBy: lines(slot.stores),
    restoredBy: lines(slot.loads),
  };
}

/** The lines of the instructions that made some accesses, each once. */
function linesOf({ code }: Measurement, accesses: readonly Access[]): SourceLine[] {
  const found = [...new Set(accesses.map(({ rip }) => rip))].flatMap((rip) => code.image.lineAt(BigInt(rip)) ?? []);
  return found.map(({ file, line }) => ({ file, line }));
}

function wrongIn(slot: Slot, { restore }: Measurement): string | undefined {
  const { area, offset, size, saved, as, written, restored, loads, tried } = slot;
  const came = restored === undefined ? undefined : registerName(restored);
  if (!written) return `nothing is saved here, and ${came ?? 'what is here'} is loaded from here`;
  if (area === 'ctx' && (offset < 0 || offset + size > CTX_BYTES)) {
    return `the ctx in ${MILL_CR.name} has ${CTX_BYTES} bytes: this is outside of it`;
  }
  if (saved === undefined)
    return came === undefined ? undefined : `${came} is loaded from here, and no register is saved here`;
  if (as !== undefined) return `of ${registerName(saved)} only this is saved: ${as}`;
  if (restore === undefined) return undefined;
  if (restored === undefined) {
    return tried || loads.length === 0 ? `${registerName(saved)} is saved here and never restored` : undefined;
  }
  return saved === restored ? undefined : `${registerName(saved)} is saved here, and ${came} is loaded from here`;
}

/** Where it shows that something is lost: the instructions of wrong slots, what is overwritten, and where it ends. */
function wrongLines({ measurement, slots }: Layout, rows: readonly SlotRow[]): Problem[] {
  const found = new Map<string, Problem>();
  const add = ({ file, line }: SourceLine, message: string): void => {
    const key = `${file}:${line}`;
    if (!found.has(key)) found.set(key, { file, line, column: undefined, length: undefined, message });
  };
  for (const [index, { stores }] of slots.entries()) {
    const { wrong, savedBy, restoredBy, place } = rows[index];
    if (wrong !== undefined) for (const one of [...savedBy, ...restoredBy]) add(one, `${place}: ${wrong}`);
    const [last] = linesOf(measurement, stores.slice(-1));
    for (const one of savedBy.slice(0, -1)) {
      if (last !== undefined) add(one, `${place}: line ${last.line} of ${last.file} overwrites what is saved here`);
    }
  }
  const failed = whatFailed(measurement);
  if (failed !== undefined) {
    const { steps } = measurement.restore ?? measurement.save;
    // Behind the last instruction that has a line it may have gone astray.
    const lines = steps.flatMap(({ rip }) => measurement.code.image.lineAt(BigInt(rip)) ?? []);
    const last = lines.findLast(({ file }) => file !== DRIVER);
    if (last !== undefined) add(last, failed);
  }
  return [...found.values()];
}
