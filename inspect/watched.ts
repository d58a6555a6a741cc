import { CTX_SLOTS, MILL_CR, offsets, SLOT_BYTES } from '../runtime/layout.js';
import type { Process } from '../runtime/process.js';
import { UsageError } from './errors.js';
import { hex } from './names.js';
import { type Place, placeOf } from './provenance/place.js';
import type { Session, Watched } from './session.js';
import { coroutineOf } from './survey.js';

/** What has a value: all that can be watched but a place in the code. */
export type WatchedValue = Exclude<Watched, { readonly kind: 'place' }>;

/**
 * The bytes of memory that are watched.
 * @throws UsageError if it is the slot of a coroutine that is not there
 */
export function bytesOf(
  { process }: Session,
  watched: Watched & { readonly kind: 'slot' | 'memory' },
): { readonly address: number; readonly size: number } {
  if (watched.kind === 'memory') return watched;
  const ctx = slotHolder(process, watched.coroutine) + offsets(MILL_CR).ctx;
  return { address: ctx + CTX_SLOTS.indexOf(watched.slot) * SLOT_BYTES, size: SLOT_BYTES };
}

/** The mill_cr of a coroutine. @throws UsageError that says how to come to where it is */
export function slotHolder(process: Process, id: number): number {
  try {
    return coroutineOf(process, id);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`coroutine ${id} is not here: go to where it is, by :switch ${id} or :switch-back ${id}`);
  }
}

/** What is watched, as the place that its origin is asked of. @throws UsageError if it has none */
export function placeOfWatched(session: Session, watched: WatchedValue): Place {
  const { process } = session;
  if (watched.kind === 'register') return placeOf(process, watched.register);
  const { address, size } = bytesOf(session, watched);
  return placeOf(process, `${size} bytes at ${hex(BigInt(address))}`);
}
