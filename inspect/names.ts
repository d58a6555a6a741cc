/** How values and coroutines are called, on every screen. */
import type { Process } from '../runtime/process.js';

/** A 64-bit value in hexadecimal. */
export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** A coroutine as people call it. */
export function coroutineName(id: number): string {
  return id === 0 ? 'main' : `coroutine ${id}`;
}

/** The coroutine that runs, in words. */
export function whoRuns(process: Process): string {
  const { coroutines, census } = process.mill;
  if (process.running !== undefined) return `in ${coroutineName(census.id(process.running))}`;
  if (coroutines.running === 0) return 'between coroutines';
  return `in no coroutine (mill_running is ${hex(BigInt(coroutines.running))}, which is none)`;
}
