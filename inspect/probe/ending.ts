import { placeIn } from './instructions.js';
import { BUDGET } from './machine.js';
import type { Measurement } from './measure.js';

/** How a half ended that did not come to its end. */
function failure(measurement: Measurement, which: 'save' | 'restore'): string | undefined {
  const { code, places } = measurement;
  const half = measurement[which];
  if (half === undefined) return undefined;
  const { arrival, steps } = half;
  // The place of a fault is among the steps; where a jump has led nowhere, what has jumped says more.
  const last = steps.filter(({ rip }) => code.image.sectionAt(BigInt(rip)) !== undefined).at(-1)?.rip ?? 0;
  const at = placeIn(code.image, last);
  const name = code[which]?.name ?? which;
  switch (arrival.kind) {
    case 'endless':
      return `${name} never returns: after ${BUDGET} instructions it was at ${at}`;
    case 'ended':
      return `${name} ends the process, at ${at}`;
    case 'fault': {
      const { fault } = arrival;
      const rip = Number(fault.rip);
      const symbol = code.image.symbolAt(fault.rip);
      if (
        fault.kind === 'invalid instruction' &&
        symbol !== undefined &&
        rip === Number(code.image.symbol(symbol.name)) &&
        isStub(measurement, rip)
      ) {
        return `${name} calls ${symbol.name}, which is not here: give the object or archive that has it (--archive)`;
      }
      const target = fault.target === undefined ? '' : `, ${fault.access} of 0x${fault.target.toString(16)}`;
      const where = rip === last ? at : `0x${rip.toString(16)}, where ${at} has led`;
      return `${name} crashes: ${fault.kind}${target}, at ${where}`;
    }
    case 'arrived': {
      const { at: place } = arrival;
      if (which === 'save') {
        const isRight = code.convention.shape === 'jump' || place === places.entered;
        return isRight ? undefined : `${name} comes back instead of going to the other side`;
      }
      if (place === places.returned) return `${name} comes back to its caller instead of going to who was saved`;
      return place === (code.save.end ?? places.landing) ? undefined : `${name} goes to the wrong place`;
    }
  }
}

/** `ud2`, which stands for every function that nobody has. */
function isStub({ code: { image } }: Measurement, address: number): boolean {
  const section = image.sectionAt(BigInt(address));
  const offset = address - Number(section?.address ?? 0n);
  return section?.bytes[offset] === 0x0f && section.bytes[offset + 1] === 0x0b;
}

/** Why a measurement is not a whole one: what crashed, went round for ever, or saved nothing; undefined if it is. */
export function whatFailed(measurement: Measurement): string | undefined {
  const saving = failure(measurement, 'save');
  if (saving !== undefined) return saving;
  if (!measurement.units.some(({ values, stores }) => values !== undefined && stores.length > 0)) {
    return `${measurement.code.save.name} saves nothing`;
  }
  const restoring = failure(measurement, 'restore');
  if (restoring !== undefined) return restoring;
  const isMissing = measurement.code.restore !== undefined && measurement.restore === undefined;
  return isMissing ? `${measurement.code.restore?.name} was not reached` : undefined;
}
