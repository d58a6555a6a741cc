import { SLOT_BYTES } from '../../runtime/layout.js';
import { coroutineName, hex } from '../names.js';
import { addressesOf } from '../places.js';
import type { Session, Watched } from '../session.js';
import { bytesOf, watchedText } from './subjects.js';

/**
 * Which breakpoints the guest is at, and which watchpoints the last instruction has triggered: what changed, from what
 * to what, by whom. The session stays where it is.
 * @returns nothing if there are none
 */
export async function whatChanged(session: Session): Promise<string> {
  const { process, watchpoints } = session;
  const { rip } = process.cpu;
  const places = watchpoints.flatMap(({ number, watched }) =>
    watched.kind === 'place' && addressesOf(process, watched.place).includes(rip)
      ? [`breakpoint ${number}: ${watched.place}`]
      : [],
  );
  const values = watchpoints.filter(({ watched }) => watched.kind !== 'place');
  if (values.length === 0 || session.moment === 0) return places.join(', ');
  const now = values.map(({ watched }) => textOf(session, watched));
  const saved = process.save();
  await session.stepBack();
  const before = values.map(({ watched }) => textOf(session, watched));
  const { running } = process;
  const who = running === undefined ? 'no coroutine' : coroutineName(process.mill.census.id(running));
  const by = `by ${who} at ${process.describe(process.cpu.read('rip'))}, moment ${session.moment}`;
  process.restore(saved);
  const changes = values.flatMap(({ number, watched }, index) =>
    before[index] === now[index] ? [] : [`${number}: ${watchedText(watched)}: ${before[index]} → ${now[index]} ${by}`],
  );
  return [...places, ...changes].join('; ');
}

/** What is watched, as text to compare; of much memory, its first words. */
function textOf(session: Session, watched: Watched): string {
  const { process } = session;
  const { cpu } = process;
  switch (watched.kind) {
    case 'place':
      return '';
    case 'register':
      return hex(cpu.read(watched.register));
    case 'slot':
    case 'memory': {
      // One that has ended, or is still to come, has no ctx.
      const isThere =
        watched.kind === 'memory' ||
        process.coroutines().some((cr) => process.mill.census.id(cr) === watched.coroutine);
      if (!isThere) return 'nothing';
      const { address, size } = bytesOf(session, watched);
      return memoryText(process, address, size);
    }
  }
}

function memoryText({ cpu }: Session['process'], address: number, size: number): string {
  if ([address, address + size - 1].some((at) => cpu.memory.protectionAt(at) === undefined)) return 'nothing';
  const bytes = [...cpu.memory.read(address, size)];
  if (size > SLOT_BYTES) return `0x${bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')}`.slice(0, 18);
  return hex(bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n));
}
