import { SLOT_BYTES } from '../runtime/layout.js';
import { hex } from './names.js';
import { addressesOf } from './places.js';
import type { Session } from './session.js';
import { bytesOf, type WatchedValue } from './watched.js';

/** What one instruction has made of what is watched: in hexadecimal; undefined where it is not there. */
export interface Change {
  readonly number: number;
  readonly watched: WatchedValue;
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** Why a moment is one at which a run stops. */
export interface Stopped {
  /** The breakpoints that the guest is at. */
  readonly places: readonly { readonly number: number; readonly place: string }[];
  readonly changes: readonly Change[];
  /** Which instruction has made the changes; undefined if there are none. */
  readonly by:
    | {
        /** Id; undefined if no coroutine ran. */
        readonly coroutine: number | undefined;
        readonly place: string;
        /** In front of it. */
        readonly moment: number;
      }
    | undefined;
}

/**
 * Which breakpoints the guest is at, and which watchpoints the last instruction has triggered. The session stays where
 * it is.
 */
export async function stoppedAt(session: Session): Promise<Stopped> {
  const { process, watchpoints } = session;
  const { rip } = process.cpu;
  const places = watchpoints.flatMap(({ number, watched }) =>
    watched.kind === 'place' && addressesOf(process, watched.place).includes(rip)
      ? [{ number, place: watched.place }]
      : [],
  );
  const values = watchpoints.flatMap(({ number, watched }) => (watched.kind === 'place' ? [] : [{ number, watched }]));
  if (values.length === 0 || session.moment === 0) return { places, changes: [], by: undefined };
  const now = values.map(({ watched }) => textOf(session, watched));
  const saved = process.save();
  await session.stepBack();
  const before = values.map(({ watched }) => textOf(session, watched));
  const { running } = process;
  const coroutine = running === undefined ? undefined : process.mill.census.id(running);
  const by = { coroutine, place: process.describe(process.cpu.read('rip')), moment: session.moment };
  process.restore(saved);
  const changes = values
    .map((value, index) => ({ ...value, before: before[index], after: now[index] }))
    .filter((change) => change.before !== change.after);
  return { places, changes, by: changes.length === 0 ? undefined : by };
}

/** What is watched, as text to compare. */
function textOf(session: Session, watched: WatchedValue): string | undefined {
  const { process } = session;
  switch (watched.kind) {
    case 'register':
      return hex(process.cpu.read(watched.register));
    case 'slot':
    case 'memory': {
      // One that has ended, or is still to come, has no ctx.
      const isThere =
        watched.kind === 'memory' ||
        process.coroutines().some((cr) => process.mill.census.id(cr) === watched.coroutine);
      if (!isThere) return undefined;
      const { address, size } = bytesOf(session, watched);
      return memoryText(process, address, size);
    }
  }
}

function memoryText({ cpu }: Session['process'], address: number, size: number): string | undefined {
  if ([address, address + size - 1].some((at) => cpu.memory.protectionAt(at) === undefined)) return undefined;
  const bytes = [...cpu.memory.read(address, size)];
  if (size > SLOT_BYTES) return `0x${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
  return hex(bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n));
}
