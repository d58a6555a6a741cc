import type { Process } from '../../runtime/process.js';
import type { CoroutineView, Survey } from '../survey.js';

/** A coroutine as one line. */
export interface CoroutineRow {
  readonly id: number;
  readonly isRunning: boolean;
  /** As goredump says it. */
  readonly state: string;
  /** Place in the ready queue, from 1; undefined if it is not in it. */
  readonly turn: number | undefined;
  /** Where it runs or goes on; in the runtime, the call by which the program came there. */
  readonly at: string;
  /** Bytes; undefined if rsp is not in its stack. */
  readonly stackInUse: number | undefined;
}

/** Some of the coroutines. */
export interface CoroutinesView {
  /** Of all. */
  readonly total: number;
  readonly rows: readonly CoroutineRow[];
  /** Ids, the head of the queue first. */
  readonly ready: readonly number[];
}

/**
 * @param around id of the one that is to be among them
 * @param most rows
 */
export function coroutinesView(
  process: Process,
  { coroutines, ready }: Survey,
  around: number,
  most: number,
): CoroutinesView {
  const index = Math.max(
    0,
    coroutines.findIndex(({ id }) => id === around),
  );
  const first = Math.max(0, Math.min(coroutines.length - most, index - (most >> 1)));
  return {
    total: coroutines.length,
    rows: coroutines.slice(first, first + most).map((one) => rowOf(process, one, ready)),
    ready,
  };
}

function rowOf(
  process: Process,
  { id, address, state, rip, stack }: CoroutineView,
  ready: readonly number[],
): CoroutineRow {
  const call = process.callSite(address, Number(rip), Number(stack.rsp));
  const inUse = stack.high - Number(stack.rsp);
  const turn = ready.indexOf(id) + 1;
  return {
    id,
    isRunning: state === 'RUNNING',
    state,
    turn: turn === 0 ? undefined : turn,
    at: process.describe(call ?? rip),
    stackInUse: inUse >= 0 && inUse <= stack.high - stack.low ? inUse : undefined,
  };
}
