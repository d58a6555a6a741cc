import { RECEIVER, SENDER } from './chan.js';
import { stateText, waitingAt } from './goredump.js';
import { CTX_SLOTS, MILL_CR, offsets } from './layout.js';
import type { Process } from './process.js';

/** A channel that somebody waits for, seen from the end that does not come. */
export interface WaitedFor {
  /** Its id. */
  readonly channel: number;
  /** What the coroutine wants to do. */
  readonly wants: 'send' | 'receive';
  /** Id of the coroutine that last did the opposite; undefined if nobody ever has. It may have ended since. */
  readonly lastPeer: number | undefined;
  /**
   * Ids of the other coroutines on whose stacks, or in whose saved registers, the channel's address is. A guess: what
   * is found may be left over from before.
   */
  readonly heldBy: readonly number[];
}

/** One coroutine that waits. */
export interface Waiter {
  readonly coroutine: number;
  /** As goredump says it: `chr(<1>)`. */
  readonly operation: string;
  /** The string the program gave, or the symbol and line its call came from; undefined if neither is known. */
  readonly at: string | undefined;
  readonly channels: readonly WaitedFor[];
}

/** Why nobody can ever run again. */
export interface DeadlockReport {
  readonly waiters: readonly Waiter[];
  /**
   * Ids of coroutines of which each waits for the next one, and the last for the first, as far as who last used a
   * channel, or who holds it, tells; undefined if there is no such circle.
   */
  readonly cycle: readonly number[] | undefined;
}

const CTX = offsets(MILL_CR).ctx;
const SLOT_BYTES = 8;
const RSP_SLOT = CTX_SLOTS.indexOf('rsp');
const RIP_SLOT = CTX_SLOTS.indexOf('rip');
const POINTER_SLOTS = CTX_SLOTS.map((_, slot) => slot).filter((slot) => slot !== RSP_SLOT && slot !== RIP_SLOT);

/** Looks at a process in which everybody waits. */
export function explainDeadlock(process: Process): DeadlockReport {
  const { mill, cpu } = process;
  const { census, coroutines, channels, channelCensus } = mill;
  const { memory } = cpu;
  const all = process.coroutines();

  /** Who has a channel's address where one that waits could hold a pointer: in its stack in use, its saved registers. */
  const holders = new Map([...channelCensus.all()].map((channel) => [BigInt(channel), new Set<number>()]));
  for (const cr of all) {
    const note = (word: bigint): void => void holders.get(word)?.add(cr);
    for (const slot of POINTER_SLOTS) note(memory.u64(cr + CTX + slot * SLOT_BYTES));
    const { high } = coroutines.stackOf(cr);
    const rsp = memory.pointer(cr + CTX + RSP_SLOT * SLOT_BYTES);
    for (let at = rsp; at + SLOT_BYTES <= high; at += SLOT_BYTES) note(memory.u64(at));
  }

  /** The call that waits. */
  const caller = (cr: number): string | undefined => {
    const slot = (index: number): number => memory.pointer(cr + CTX + index * SLOT_BYTES);
    const call = process.callSite(cr, slot(RIP_SLOT), slot(RSP_SLOT));
    return call === undefined ? undefined : process.describe(call);
  };

  const waiters = all.map((cr): Waiter => {
    const current = coroutines.current(cr);
    return {
      coroutine: census.id(cr),
      operation: stateText(memory, mill, cr, 0),
      at: current === 0 ? caller(cr) : memory.text(current),
      channels: waitingAt(memory, mill, cr).map(({ channel, end }) => ({
        channel: channelCensus.id(channel),
        wants: end,
        lastPeer: channels.lastUser(channel, end === 'send' ? RECEIVER : SENDER),
        heldBy: [...(holders.get(BigInt(channel)) ?? [])]
          .filter((other) => other !== cr)
          .map((other) => census.id(other)),
      })),
    };
  });
  return { waiters, cycle: findCycle(waiters) };
}

/** Follows from each waiter to those it seems to wait for, until one comes up again. */
function findCycle(waiters: readonly Waiter[]): number[] | undefined {
  const byId = new Map(waiters.map((waiter) => [waiter.coroutine, waiter]));
  const waitsFor = (id: number): number[] =>
    (byId.get(id)?.channels ?? [])
      .flatMap(({ lastPeer, heldBy }) => (lastPeer !== undefined && lastPeer !== id ? [lastPeer] : heldBy))
      .filter((other) => byId.has(other));
  const finished = new Set<number>();
  for (const { coroutine } of waiters) {
    // Depth first, without recursion: there may be as many steps as coroutines.
    const path: { id: number; rest: number[] }[] = [];
    const onPath = new Set<number>();
    const enter = (id: number): void => {
      path.push({ id, rest: waitsFor(id) });
      onPath.add(id);
    };
    if (!finished.has(coroutine)) enter(coroutine);
    for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
      const other = last.rest.shift();
      if (other === undefined) {
        path.pop();
        onPath.delete(last.id);
        finished.add(last.id);
      } else if (onPath.has(other)) {
        const ids = path.map(({ id }) => id);
        return ids.slice(ids.indexOf(other));
      } else if (!finished.has(other)) {
        enter(other);
      }
    }
  }
  return undefined;
}
