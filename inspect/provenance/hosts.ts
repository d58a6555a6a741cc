/** What the host moves from one place in memory to another behind a door. */
import { GENERAL_INDEX } from '../../emu/registers.js';
import { SENDER } from '../../runtime/chan.js';
import type { Transfer } from '../../runtime/events.js';
import { MILL_CHAN, MILL_CLAUSE, offsets } from '../../runtime/layout.js';
import type { Process } from '../../runtime/process.js';
import type { Session } from '../session.js';
import { distance, type MemoryPlace } from './place.js';

const CLAUSE = offsets(MILL_CLAUSE);
const CHAN = offsets(MILL_CHAN);
const RAX = GENERAL_INDEX.rax;
const RDI = GENERAL_INDEX.rdi;
const RSI = GENERAL_INDEX.rsi;
const DOOR = 'door_';
/** Copies from where rsi points to where rdi does. */
const COPIES = /^(__)?(mem(p?cpy|move)|st[rp]cpy)(_chk)?$/;

/** Where a value came from behind a door, and of which channel it is an element. */
export interface HostCopy {
  readonly from: MemoryPlace;
  /** Its id; undefined for what one of libc's functions has copied. */
  readonly channel: number | undefined;
}

/** The function whose door is about to be opened, as programs call it; undefined for a system call of Linux's. */
export function doorName(process: Process): string | undefined {
  const [runtime] = process.images;
  const number = BigInt(process.cpu.low(RAX));
  for (const [symbol, value] of runtime.symbols) {
    if (value !== number || !symbol.startsWith(DOOR)) continue;
    const name = symbol.slice(DOOR.length);
    return runtime.symbols.has(`mill_${name}_`) ? `mill_${name}_` : name;
  }
  return undefined;
}

/**
 * Opens the door that is next, to see from where the host takes what it writes, and comes back.
 * @returns undefined if it makes the value itself
 */
export async function hostCopy(session: Session, asked: MemoryPlace): Promise<HostCopy | undefined> {
  const { process, history, moment } = session;
  const { cpu } = process;
  const name = doorName(process) ?? '';
  const [rdi, rsi] = [cpu.pointer(RDI), cpu.pointer(RSI)];
  if (COPIES.test(name)) return { from: { ...asked, address: asked.address - rdi + rsi }, channel: undefined };
  const done = name === 'mill_chdone_' ? lastValue(process, rdi) : undefined;
  let found: HostCopy | undefined;
  if (done !== undefined) found = part(asked, done, rsi, process.mill.channelCensus.id(rdi));
  const end = process.on('transfer', (transfer) => {
    const { to, from, channel } = ends(process, transfer);
    found = part(asked, to, transfer.done && done !== undefined ? rsi : from, channel) ?? found;
  });
  try {
    await history.go(moment + 1);
  } finally {
    end();
    await history.go(moment);
  }
  return found;
}

/** The part that is asked for of an element that was moved; undefined if it is none of it. */
function part(asked: MemoryPlace, to: MemoryPlace, from: number, channel: number): HostCopy | undefined {
  const far = distance(to, asked);
  if (far === undefined || far < 0 || far + asked.size > to.size) return undefined;
  return { from: { ...asked, address: from + far }, channel };
}

/** Where an element has gone and where it was, inside the event that tells of it. */
function ends(process: Process, transfer: Transfer): { to: MemoryPlace; from: number; channel: number } {
  const { channels, coroutines, channelCensus } = process.mill;
  const { channel, from, to, done } = transfer;
  const size = channels.size(channel);
  const capacity = channels.capacity(channel);
  const first = process.cpu.memory.pointer(channel + CHAN.first);
  const element = (index: number): number => channel + MILL_CHAN.size + index * size;
  // Told behind the change: what was taken out was in front of the first one, what was put in is the last one.
  const taken = element(done ? capacity : (first + capacity - 1) % capacity);
  const put = element((first + channels.items(channel) - 1) % capacity);
  return {
    to: { kind: 'memory', address: to === 0 ? put : coroutines.valbuf(to, size), size },
    from: from === 0 ? taken : (sentFrom(process, channel, from) ?? taken),
    channel: channelCensus.id(channel),
  };
}

/** Where a coroutine keeps what it sends: the clause of its statement says so. */
function sentFrom({ cpu, mill }: Process, channel: number, sender: number): number | undefined {
  const endpoint = mill.channels.endpoint(channel, SENDER);
  for (const clause of mill.choose.clauses(sender)) {
    if (cpu.memory.pointer(clause + CLAUSE.ep) === endpoint) return cpu.memory.pointer(clause + CLAUSE.val);
  }
  return undefined;
}

/** Where chdone() puts its value. */
function lastValue({ mill: { channels } }: Process, channel: number): MemoryPlace {
  const size = channels.size(channel);
  return { kind: 'memory', address: channel + MILL_CHAN.size + channels.capacity(channel) * size, size };
}
