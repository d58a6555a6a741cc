import { measure } from '../probe/measure.js';
import type { ProbeOptions } from '../probe/options.js';
import { probedCode } from '../probe/program.js';
import type { ProbedSwitch } from '../view/probed.js';
import { slotPlace } from './data.js';
import { layoutOf } from './layout.js';
import { registerName } from './words.js';

/**
 * What a picture of a probe's moments needs to know of its switch, by measuring it: the probe that is looked at is the
 * one that is measured first, to the moment.
 * @throws UsageError if there is no such switch, and what reading and linking throw
 */
export async function probedSwitch(
  paths: readonly string[],
  options: ProbeOptions & { readonly cc: string; readonly archive: readonly string[] },
): Promise<ProbedSwitch> {
  const { slots, measurement } = layoutOf(measure(await probedCode(paths, options)));
  const halfOf = (steps: readonly { readonly moment: number }[] = []) => {
    const [first, last] = [steps.at(0), steps.at(-1)];
    return first === undefined || last === undefined ? undefined : { start: first.moment, end: last.moment + 1 };
  };
  const never = { start: Number.POSITIVE_INFINITY, end: Number.POSITIVE_INFINITY };
  return {
    save: halfOf(measurement.save.steps) ?? never,
    restore: halfOf(measurement.restore?.steps),
    slots: slots.map((slot) => {
      const register = slot.saved ?? slot.restored;
      return {
        place: slotPlace(slot),
        name: register === undefined ? (slot.as ?? 'no register') : registerName(register),
        address: slot.address,
        size: slot.size,
        stores: slot.stores.map(({ moment }) => moment),
        loads: slot.loads.map(({ moment }) => moment),
      };
    }),
  };
}
