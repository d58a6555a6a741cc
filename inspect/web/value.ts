import type { Process } from '../../runtime/process.js';
import { regionAt } from '../../runtime/region.js';
import type { Meaning } from './protocol.js';

/** What a value is, if it is an address. */
export function meaningOf(process: Process, value: bigint): Meaning {
  const image = process.imageAt(value);
  if (image?.symbolAt(value) !== undefined) return { text: process.describe(value) };
  const isMapped =
    value <= BigInt(Number.MAX_SAFE_INTEGER) && process.cpu.memory.protectionAt(Number(value)) !== undefined;
  return { text: isMapped ? regionAt(process, Number(value)) : '' };
}
