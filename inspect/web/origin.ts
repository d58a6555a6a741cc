/** Where a value came from. What only that needs is in a part of the program that comes when it is first asked. */

import CAPSTONE from '@alexaltea/capstone-js/dist/capstone.wasm?url';
import { loadCapstone } from '../../emu/capstone.js';
import type { Place } from '../provenance/place.js';
import type { Provenance } from '../provenance/step.js';
import { type WhyOptions, why } from '../provenance/why.js';
import type { Session } from '../session.js';

/** As {@link why}. @throws Error if Capstone does not come */
export async function originOf(session: Session, place: Place, options: WhyOptions): Promise<Provenance> {
  await loadCapstone(CAPSTONE);
  return why(session, place, options);
}
