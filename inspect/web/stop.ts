import { hex } from '../names.js';
import { addressesOf } from '../places.js';
import type { Session } from '../session.js';
import type { Stop } from './protocol.js';

/** The breakpoints and watchpoints of a session, as the page shows them. */
export function stopsOf({ process, watchpoints }: Session): readonly Stop[] {
  return watchpoints.map(({ number, watched }) => {
    if (watched.kind !== 'place') return { number, watched, text: '', places: [] };
    const addresses = addressesOf(process, watched.place).map(BigInt);
    const lines = addresses.flatMap((address) => {
      const line = process.imageAt(address)?.lineAt(address);
      return line === undefined ? [] : [`${line.file}:${line.line}`];
    });
    return {
      number,
      watched,
      text: process.describe(addresses[0] ?? 0n),
      places: [...addresses.map(hex), ...new Set(lines)],
    };
  });
}
