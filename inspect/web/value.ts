import type { Process } from '../../runtime/process.js';
import { regionAt } from '../../runtime/region.js';
import type { MoveOptions, Search } from '../history.js';
import { atMemoryChange, atRegisterChange } from '../searches.js';
import type { Session } from '../session.js';
import type { Viewer } from '../view/viewer.js';
import type { Asking, Meaning, Written } from './protocol.js';

const WORD = 8;
/** Only to see one instruction. */
const ONE = { code: 0, words: 0, coroutines: 0, output: 0, switches: 0, lane: 0 } as const;

/** What a value is, if it is an address. */
export function meaningOf(process: Process, value: bigint): Meaning {
  const image = process.imageAt(value);
  if (image?.symbolAt(value) !== undefined) return { text: process.describe(value) };
  const isMapped =
    value <= BigInt(Number.MAX_SAFE_INTEGER) && process.cpu.memory.protectionAt(Number(value)) !== undefined;
  return { text: isMapped ? regionAt(process, Number(value)) : '' };
}

/**
 * Looks for the instruction that wrote a value last. An interrupted search finds nothing.
 * @returns with the session where it was
 */
export async function writtenBy(
  session: Session,
  viewer: Viewer,
  asking: Asking,
  options: MoveOptions,
): Promise<Written | undefined> {
  const here = session.moment;
  const behind = await lastChange(session, asking, options);
  try {
    if (options.signal?.aborted === true) return undefined;
    if (behind === undefined) return { moment: undefined, place: '', instruction: '', by: undefined };
    await session.go(behind - 1, options);
    const { code, running } = await viewer.look(ONE);
    return { moment: session.moment, place: code.place, instruction: code.next?.text ?? '', by: running };
  } finally {
    await session.go(here);
  }
}

/** The moment behind the last change up to now; undefined if there was none. */
async function lastChange(session: Session, asking: Asking, options: MoveOptions): Promise<number | undefined> {
  const { process, moment } = session;
  if (moment === 0) return undefined;
  const now = wordAt(process, asking);
  await session.stepBack(1, options);
  if (wordAt(process, asking) !== now) return moment;
  await session.go(moment, options);
  return (await session.history.back(searchFor(process, asking), options)) ? session.moment : undefined;
}

function wordAt({ cpu }: Process, asking: Asking): bigint {
  if (asking.kind === 'register') return cpu.read(asking.name);
  return cpu.memory.protectionAt(asking.address) === undefined ? 0n : cpu.memory.u64(asking.address);
}

function searchFor(process: Process, asking: Asking): Search {
  if (asking.kind === 'register') return atRegisterChange(process, asking.name);
  return atMemoryChange(process, asking.address, WORD);
}
