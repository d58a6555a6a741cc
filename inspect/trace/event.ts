import { didYouMean, nearNames } from '../../asm/near.js';
import type { AccessKind } from '../../emu/accesses.js';
import type { ChannelOperation } from '../../runtime/events.js';
import type { Outcome } from '../../runtime/process.js';
import { UsageError } from '../errors.js';
import type { SwitchRecord } from '../switches.js';

/** What a trace may be asked for. Each costs something only then. */
export const EVENT_NAMES = [
  'instruction',
  'memory',
  'switch',
  'coroutine',
  'channel',
  'transfer',
  'timer',
  'output',
  'process',
] as const;

export type EventName = (typeof EVENT_NAMES)[number];

interface At {
  /** A moment; of what happens behind a door, the one behind its `syscall`. */
  readonly at: number;
}

interface By extends At {
  /** Id of the coroutine that runs; undefined if none does. */
  readonly coroutine: number | undefined;
}

/** An instruction has accessed memory, or the host has in its place; a moment is the one behind it, as for a door. */
export interface MemoryEvent extends By {
  readonly kind: 'memory';
  readonly access: AccessKind;
  readonly address: number;
  /** In bytes. */
  readonly size: number;
  /** Of a write of 8 bytes at most: what is there behind the instruction. */
  readonly value?: bigint;
}

/** A switch, complete. */
export interface SwitchEvent extends At {
  readonly kind: 'switch';
  readonly record: SwitchRecord;
}

/** A coroutine starts; enters the first function of the program; or ends. */
export interface CoroutineEvent extends At {
  readonly kind: 'coroutine';
  readonly coroutine: number;
  readonly what: 'start' | 'enter' | 'end';
  /** Of a start: who called go(). */
  readonly parent?: number;
  /** Of an entry: the function, and where it is written. */
  readonly place?: string;
}

/** A coroutine begins an operation on a channel, both by their ids. */
export interface ChannelEvent extends By {
  readonly kind: 'channel';
  readonly operation: ChannelOperation['kind'];
  readonly channel: number | undefined;
}

/** An element goes one step of its way; undefined in the place of a coroutine is the channel's buffer. */
export interface TransferEvent extends By {
  readonly kind: 'transfer';
  readonly channel: number | undefined;
  readonly from: number | undefined;
  readonly to: number | undefined;
  /** It is the value of chdone, which nobody sends. */
  readonly done: boolean;
}

/** The time has come that this coroutine waits for. */
export interface TimerEvent extends At {
  readonly kind: 'timer';
  readonly coroutine: number | undefined;
  readonly wait: 'msleep' | 'choose';
}

/** What was written; a character that is written in pieces comes with its last one. */
export interface OutputEvent extends By {
  readonly kind: 'output';
  readonly stream: 1 | 2;
  readonly text: string;
}

/** A process is forked, and runs; or it ends, and its parent goes on. */
export type ProcessEvent = At & { readonly kind: 'process'; readonly process: number } & (
    | { readonly what: 'start' }
    | { readonly what: 'end'; readonly outcome: Outcome }
  );

/** Everything but instructions, which are {@link Step}s. */
export type TraceEvent =
  | MemoryEvent
  | SwitchEvent
  | CoroutineEvent
  | ChannelEvent
  | TransferEvent
  | TimerEvent
  | OutputEvent
  | ProcessEvent;

/** An instruction that has been executed. Valid during the call that it is given to. */
export interface Step {
  /** The moment in front of it. */
  readonly at: number;
  readonly coroutine: number;
  readonly address: number;
  /** In bytes. */
  readonly size: number;
  /** The general registers, rip and EFLAGS, each as its low and its high 32 bits. */
  readonly before: Uint32Array;
  readonly after: Uint32Array;
  /** Indices of those that have changed; rip is among them only where it is not the next address. */
  readonly changed: readonly number[];
}

/** The events that are named in a list with commas. @throws UsageError */
export function parseEvents(list: string): Set<EventName> {
  const names = list.split(',').map((name) => name.trim());
  const known = new Set<string>(EVENT_NAMES);
  for (const name of names) {
    if (known.has(name)) continue;
    const near = didYouMean(nearNames(name, EVENT_NAMES));
    throw new UsageError(
      `there is no event "${name}"${near === '' ? ':' : `${near} There are`} ${EVENT_NAMES.join(', ')}`,
    );
  }
  return new Set(names as EventName[]);
}
