import Table from 'cli-table3';
import { UsageError } from '../errors.js';
import type { Colors } from '../format.js';
import { type LayoutData, type SlotData, slotPlace } from './data.js';

/** The layouts of a golden file. */
interface Golden {
  readonly layouts: readonly LayoutData[];
}

/** One thing that is not as the golden file has it. */
export interface Difference {
  readonly name: string;
  /** A slot's place, or what of the layout. */
  readonly what: string;
  readonly golden: string;
  readonly now: string;
  /** The instructions that use the slot now, where that is known. */
  readonly uses?: string;
}

/** The text of a golden file: an object with a slot a line, so that a tool that compares texts shows slots. */
export function goldenText(layouts: readonly LayoutData[]): string {
  const texts = layouts.map(({ slots, ...rest }) => {
    const head = Object.entries(rest).map(([key, value]) => `      ${JSON.stringify(key)}: ${JSON.stringify(value)},`);
    const lines = slots.map((slot) => `        ${JSON.stringify(slot)}`).join(',\n');
    return `    {\n${head.join('\n')}\n      "slots": [\n${lines}\n      ]\n    }`;
  });
  return `{\n  "layouts": [\n${texts.join(',\n')}\n  ]\n}\n`;
}

function isSlot(slot: Partial<SlotData> | null): boolean {
  return typeof slot?.offset === 'number' && typeof slot.size === 'number' && slot.saved !== undefined;
}

function isLayout(one: Partial<LayoutData> | null): boolean {
  return typeof one?.name === 'string' && Array.isArray(one.slots) && one.slots.every(isSlot);
}

/** @throws UsageError if the text is no golden file */
export function readGolden(text: string, path: string): readonly LayoutData[] {
  let read: Partial<Golden>;
  try {
    read = JSON.parse(text);
  } catch {
    throw new UsageError(`${path}: it is no golden file: it is not JSON; make one with --write`);
  }
  const { layouts } = read ?? {};
  if (!Array.isArray(layouts) || layouts.length === 0 || !layouts.every(isLayout)) {
    throw new UsageError(
      `${path}: it is no golden file: it has no layouts, or one without its slots; make one with --write`,
    );
  }
  return layouts;
}

/** A slot in a cell of a table; empty if there is none. */
function slotText(slot: SlotData | undefined): string {
  if (slot === undefined) return '';
  const { saved, restored, as, also, size } = slot;
  const content = `${saved ?? 'no register'}${as === undefined ? '' : ` (${as})`}`;
  const back =
    restored === undefined ? '' : ` → ${restored ?? 'nothing'}${also === undefined ? '' : ` + ${also.join(', ')}`}`;
  return `${content}${back}${size === 8 ? '' : `, ${size} bytes`}`;
}

/** Where a register's value is now, for a slot that has moved. */
function whereTo({ slots }: LayoutData, slot: SlotData | undefined): string {
  const other = slot?.saved && slots.find(({ saved, as }) => saved === slot.saved && as === slot.as);
  return other ? `; ${slot.saved} is at ${slotPlace(other)}` : '';
}

function compare(golden: LayoutData, now: LayoutData): Difference[] {
  const differences: Difference[] = [];
  const add = (what: string, one: string, other: string): void => {
    if (one !== other) differences.push({ name: golden.name, what, golden: one, now: other });
  };
  add('convention', JSON.stringify(golden.convention), JSON.stringify(now.convention));
  add('measured', golden.failed ?? 'to the end', now.failed ?? 'to the end');
  add('stack pointer', JSON.stringify(golden.pointer ?? null), JSON.stringify(now.pointer ?? null));
  const bySlot = (layout: LayoutData) => new Map(layout.slots.map((slot) => [slotPlace(slot), slot]));
  const [before, after] = [bySlot(golden), bySlot(now)];
  for (const place of new Set([...before.keys(), ...after.keys()])) {
    const [one, other] = [slotText(before.get(place)), slotText(after.get(place))];
    if (one === other) continue;
    const moved = before.get(place)?.saved === after.get(place)?.saved ? '' : whereTo(now, before.get(place));
    add(place, one, `${other}${moved}`);
  }
  return differences;
}

/** What differs between a golden file and what is measured now; layouts are paired in their order. */
export function differencesFrom(golden: readonly LayoutData[], now: readonly LayoutData[]): Difference[] {
  if (golden.length !== now.length) {
    const [name] = [...golden, ...now].map((one) => one.name);
    return [{ name, what: 'layouts', golden: `${golden.length}`, now: `${now.length}` }];
  }
  return golden.flatMap((one, index) => compare(one, now[index]));
}

/** What has moved, as a table. */
export function differenceTable(differences: readonly Difference[], paint: Colors): string {
  const table = new Table({
    head: ['', 'at', 'golden', 'now', 'uses of it now'].map((text) => paint.bold(text)),
    style: { head: [], border: paint.isColorSupported ? ['gray'] : [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
  });
  for (const { name, what, golden, now, uses = '' } of differences) {
    table.push([name, what, paint.green(golden), paint.red(now), uses.replace(', read', '\nread')]);
  }
  return table.toString();
}
