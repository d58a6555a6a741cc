import Table from 'cli-table3';
import type { DeadlockReport, WaitedFor } from '../runtime/deadlock.js';
import { coroutineName, NO_LINES_BETWEEN_ROWS } from './format.js';

/** More coroutines than this are counted, not shown. */
const SHOWN = 30;

function peer({ channel, wants, lastPeer, heldBy }: WaitedFor): string {
  const verb = wants === 'send' ? 'received from' : 'sent to';
  const last =
    lastPeer === undefined
      ? `nobody ever ${verb} <${channel}>`
      : `${coroutineName(lastPeer)} last ${verb} <${channel}>`;
  return heldBy.length === 0 ? last : `${last}; perhaps held by ${heldBy.slice(0, 5).map(coroutineName).join(', ')}`;
}

/** A deadlock as a table: who waits, in what, where, and who could have been expected at the other end. */
export function deadlockTable({ waiters, cycle }: DeadlockReport): string {
  const table = new Table({
    head: ['who', 'waits in', 'at', 'the other end'],
    style: { head: [], border: [] },
    chars: NO_LINES_BETWEEN_ROWS,
  });
  for (const { coroutine, operation, at, channels } of waiters.slice(0, SHOWN)) {
    table.push([coroutineName(coroutine), operation, at ?? '', channels.map(peer).join('\n')]);
  }
  const more = waiters.length - SHOWN;
  return [
    table.toString(),
    ...(more > 0 ? [`and ${more} more coroutines that wait`] : []),
    ...(cycle === undefined ? [] : [`in a circle: ${[...cycle, cycle[0]].map(coroutineName).join(' → ')}`]),
  ].join('\n');
}
