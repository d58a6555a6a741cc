import { usesText } from '../layout/uses.js';
import { columns } from './columns.js';
import type { LoadedSwitch, UsedSlot } from './loaded-switch.js';

/** What a matcher has to say when it fails. */
export interface Failure {
  /** What is wrong, in a line. */
  readonly title: string;
  /** Expected and actual side by side, under their heads. */
  readonly rows: readonly (readonly string[])[];
  /** The slots that it is about. */
  readonly slots: readonly UsedSlot[];
  /** Where it can be seen if no slot shows it. */
  readonly moment?: number | undefined;
}

/** The message of a failure: what differs, the instructions at fault, and the command that steps to them. */
export function failureText(code: LoadedSwitch, { title, rows, slots, moment }: Failure): string {
  const used = [...new Map(slots.map((slot) => [slot.place, slot])).values()];
  const uses = used.map(({ place, stores, loads }) => `slot ${place}: ${usesText(stores, loads)}`);
  const [first] = used;
  const end = code.failed === undefined ? undefined : code.last;
  const seen = end?.moment ?? first?.loads.at(-1)?.moment ?? first?.stores.at(-1)?.moment ?? moment;
  return [
    title,
    '',
    columns(rows),
    '',
    ...(code.failed === undefined ? [] : [`not measured to the end: ${code.failed}`]),
    ...(end === undefined ? [] : [`the last instruction was ${end.text} at ${end.place}`]),
    ...uses,
    ...(seen === undefined ? [] : [`to see it: ${code.stepTo(seen)}`]),
  ].join('\n');
}
