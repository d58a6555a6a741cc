import type { LayoutData, SlotData } from '../layout/data.js';
import { slotPlace } from '../layout/data.js';
import { conventionText, registerName } from '../layout/words.js';

/** The longest name of a register. What is longer runs over, so that one slot does not move all others in a diff. */
const WIDTH = registerName('fpcw').length;

function isLayout(value: unknown): value is LayoutData {
  if (typeof value !== 'object' || value === null || !('convention' in value) || !('slots' in value)) return false;
  const { convention, slots } = value;
  return typeof convention === 'object' && convention !== null && 'shape' in convention && Array.isArray(slots);
}

function row(offset: string, bytes: string, saved: string, restored: string): string {
  return `${offset.padEnd(6)}  ${bytes.padEnd(5)}  ${saved.padEnd(WIDTH)}  ${restored}`.trimEnd();
}

function slotRow(slot: SlotData): string {
  const { size, saved, restored, as, also = [] } = slot;
  const held = saved === null ? `(${as ?? 'nothing'})` : registerName(saved) + (as === undefined ? '' : ` as ${as}`);
  const back = restored === undefined ? '(cannot be tried)' : restored === null ? '' : registerName(restored);
  return row(slotPlace(slot), `${size}`, held, [back, ...also.map(registerName)].join(', '));
}

/** A layout as a table, a slot a line. */
export function layoutTable({ name, convention, slots, pointer, failed }: LayoutData): string {
  return [
    `${name}: ${conventionText(convention)}`,
    row('offset', 'bytes', 'saved', 'restored'),
    ...slots.map(slotRow),
    ...(pointer
      ? [`rsp is ${pointer.above} bytes above the context${pointer.restored ? '' : ', and does not come back'}`]
      : []),
    ...(failed === undefined ? [] : [`not measured to the end: ${failed}`]),
  ].join('\n');
}

/** Lets vitest keep layouts in snapshots as tables. */
export const layoutSerializer = {
  test: isLayout,
  /** @param indentation of what it is in */
  serialize(value: unknown, _config: unknown, indentation: string): string {
    if (!isLayout(value)) throw new TypeError('this is no layout');
    return layoutTable(value).replaceAll('\n', `\n${indentation}`);
  },
};
