import { Instructions, type ShownInstruction } from '../probe/instructions.js';
import { slotPlace } from './data.js';
import type { Difference } from './golden.js';
import type { Layout } from './layout.js';

/** Which instructions, the last ones if several, write a slot and read it. */
export function usesText(stores: readonly ShownInstruction[], loads: readonly ShownInstruction[]): string {
  const by = (used: readonly ShownInstruction[]): string => {
    const last = used.at(-1);
    return last === undefined ? 'nothing' : `${last.text} at ${last.place}`;
  };
  return `written by ${by(stores)}, read by ${by(loads)}`;
}

/** Differences of a layout, with the instructions that use each slot now. */
export async function withUses(
  differences: readonly Difference[],
  { measurement, slots }: Layout,
): Promise<Difference[]> {
  if (differences.length === 0) return [];
  const instructions = await Instructions.open(measurement.code.image);
  try {
    return differences.map((difference) => {
      const slot = slots.find((one) => slotPlace(one) === difference.what);
      if (slot === undefined) return difference;
      const [stores, loads] = [slot.stores, slot.loads].map((used) => used.map(({ rip }) => instructions.at(rip)));
      return { ...difference, uses: usesText(stores, loads) };
    });
  } finally {
    instructions.close();
  }
}
