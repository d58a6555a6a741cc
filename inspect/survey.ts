import { GENERAL_REGISTERS, type GeneralRegister } from '../emu/registers.js';
import { RECEIVER, SENDER } from '../runtime/chan.js';
import { Deadlock } from '../runtime/errors.js';
import { stateText } from '../runtime/goredump.js';
import { CTX_SLOTS, MILL_CLAUSE, MILL_CR, offsets, SLOT_BYTES } from '../runtime/layout.js';
import type { Process } from '../runtime/process.js';
import { TIMER_CALLBACKS } from '../runtime/timer.js';
import { UsageError } from './errors.js';

const CR = offsets(MILL_CR);
const CLAUSE = offsets(MILL_CLAUSE);
const POINTER = 8;
/** Near calls: by a distance of 32 bits, and by what a ModRM byte names, which takes up to this many bytes. */
const CALL_RELATIVE = 0xe8;
const CALL_RELATIVE_LENGTH = 5;
const CALL_INDIRECT = 0xff;
const CALL_INDIRECT_LENGTHS = [2, 3, 4, 6, 7];

/** What a parked coroutine will have in its registers; what libmill does not keep is missing. */
export type RegistersOf = Readonly<Partial<Record<GeneralRegister | 'rip', bigint>>>;

/** A coroutine at a moment. */
export interface CoroutineView {
  /** 0 is main. */
  readonly id: number;
  /** Address of its mill_cr. */
  readonly address: number;
  /** As goredump says it: `RUNNING`, `ready`, `chr(<1>)`. */
  readonly state: string;
  /** Where it goes on, or runs. */
  readonly rip: bigint;
  /** Bounds of its stack, and how far down it is in use. */
  readonly stack: { readonly low: number; readonly high: number; readonly rsp: bigint };
}

/** A channel at a moment. Coroutines are ids. */
export interface ChannelView {
  readonly id: number;
  /** Address of its mill_chan. */
  readonly address: number;
  /** Bytes of an element. */
  readonly size: number;
  readonly items: number;
  readonly capacity: number;
  readonly senders: readonly number[];
  readonly receivers: readonly number[];
  readonly done: boolean;
  /** Handles: chmake's and those of chdup. */
  readonly references: number;
}

/** A timer that is armed. */
export interface TimerView {
  /** Its id. */
  readonly coroutine: number;
  /** In ms of the machine's clock. */
  readonly deadline: number;
  readonly kind: 'msleep' | 'choose';
}

/** What libmill knows at a moment. */
export interface Survey {
  /** ms of the machine's clock. */
  readonly time: number;
  readonly coroutines: readonly CoroutineView[];
  /** Ids, the head of the queue first. */
  readonly ready: readonly number[];
  readonly channels: readonly ChannelView[];
  /** In the order in which they come. */
  readonly timers: readonly TimerView[];
}

/** A word on a stack that looks like a return address: a call comes before where it leads. */
export interface Frame {
  /** Where it is. */
  readonly address: number;
  readonly returnsTo: bigint;
}

/** Looks at everything that libmill knows. */
export function survey(process: Process): Survey {
  const { mill, cpu } = process;
  const { memory } = cpu;
  const { census, channelCensus, channels, coroutines, timers, clock } = mill;
  const waiting = (channel: number, end: number): number[] =>
    [...channels.waiting(channel, end)].map((item) => census.id(memory.pointer(item - CLAUSE.epitem + CLAUSE.cr)));
  const { outcome } = process;
  // Nobody runs then, though mill_running is still the last one that waits.
  const isDeadlock = outcome?.kind === 'error' && outcome.error instanceof Deadlock;
  const running = isDeadlock ? 0 : coroutines.running;
  return {
    time: clock.time(),
    coroutines: process.coroutines().map((cr) => {
      const { rip = 0n, rsp = 0n } = registersAt(process, cr);
      const { low, high } = coroutines.stackOf(cr);
      const state = stateText(memory, mill, cr, running);
      return { id: census.id(cr), address: cr, state, rip, stack: { low, high, rsp } };
    }),
    ready: [...coroutines.ready()].map((cr) => census.id(cr)),
    channels: [...channelCensus.all()].map((channel) => ({
      id: channelCensus.id(channel),
      address: channel,
      size: channels.size(channel),
      items: channels.items(channel),
      capacity: channels.capacity(channel),
      senders: waiting(channel, SENDER),
      receivers: waiting(channel, RECEIVER),
      done: channels.done(channel),
      references: channels.refcount(channel),
    })),
    timers: timers.armed().map((timer) => ({
      coroutine: census.id(timer - CR.timer),
      deadline: timers.expiryOf(timer),
      kind: timers.callbackOf(timer) === TIMER_CALLBACKS.choose ? 'choose' : 'msleep',
    })),
  };
}

/**
 * The registers of a coroutine, by its id: of the one that runs all of them, of another what its ctx holds.
 * @throws UsageError if there is none
 */
export function registersOf(process: Process, id: number): RegistersOf {
  return registersAt(process, coroutineOf(process, id));
}

function registersAt({ cpu, mill }: Process, cr: number): RegistersOf {
  if (cr === mill.coroutines.running) {
    return Object.fromEntries([...GENERAL_REGISTERS, 'rip' as const].map((name) => [name, cpu.read(name)]));
  }
  return Object.fromEntries(CTX_SLOTS.map((name, slot) => [name, cpu.memory.u64(cr + CR.ctx + slot * SLOT_BYTES)]));
}

/**
 * The mill_cr of a coroutine, by its id.
 * @throws UsageError if there is none
 */
export function coroutineOf(process: Process, id: number): number {
  const { census } = process.mill;
  const all = process.coroutines();
  const found = all.find((cr) => census.id(cr) === id);
  if (found !== undefined) return found;
  const ids = all.map((cr) => census.id(cr)).join(', ');
  throw new UsageError(`there is no coroutine ${id} at moment ${process.cpu.moment}: there are ${ids}`);
}

/**
 * The calls that a coroutine is in, the innermost first, as far as its stack tells: what was left there by calls that
 * are over may be among them.
 * @param rsp where its stack begins to be in use, if that is not what its registers say
 * @throws UsageError if there is no coroutine with this id
 */
export function framesOf(process: Process, id: number, rsp?: number): Frame[] {
  const { memory } = process.cpu;
  const cr = coroutineOf(process, id);
  const { low, high } = process.mill.coroutines.stackOf(cr);
  const from = rsp ?? Number(registersAt(process, cr).rsp ?? 0n);
  const frames: Frame[] = [];
  for (let at = Math.max(low, Math.ceil(from / POINTER) * POINTER); at + POINTER <= high; at += POINTER) {
    const returnsTo = memory.u64(at);
    if (isBehindCall(process, returnsTo)) frames.push({ address: at, returnsTo });
  }
  return frames;
}

function isBehindCall(process: Process, address: bigint): boolean {
  const { memory } = process.cpu;
  if (process.imageAt(address - 1n)?.sectionAt(address - 1n)?.name !== '.text') return false;
  const end = Number(address);
  const byte = (at: number): number => (memory.protectionAt(at) === undefined ? 0 : memory.u8(at));
  if (byte(end - CALL_RELATIVE_LENGTH) === CALL_RELATIVE) return true;
  // /2 of the ModRM byte is the near call.
  return CALL_INDIRECT_LENGTHS.some(
    (length) => byte(end - length) === CALL_INDIRECT && ((byte(end - length + 1) >> 3) & 7) === 2,
  );
}
