import { REGISTER_FILE } from '../../emu/registers.js';
import { CTX_SLOTS } from '../../runtime/layout.js';
import type { Outcome } from '../../runtime/process.js';
import { hex } from '../format.js';
import type { Half } from '../switches.js';
import type { Step, TraceEvent } from './event.js';
import type { Listing } from './listing.js';
import { registerValue } from './register-value.js';
import type { Sink } from './sink.js';
import type { End, Header, Writer } from './writer.js';

/** What the first line calls a trace of ours, and which version of it this program writes and reads. */
export const FORMAT = 'millscope-trace';
export const VERSION = 1;

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const AT = bytesOf('{"kind":"instruction","at":');
const COROUTINE = bytesOf(',"coroutine":');
const END = bytesOf('}}\n');
/** What comes in front of a register's value, where it is the first one of a line and where it is not. */
const FIRST = REGISTER_FILE.map((name) => bytesOf(`"${name}":"`));
const NEXT = REGISTER_FILE.map((name) => bytesOf(`","${name}":"`));
const QUOTE = bytesOf('"');

function half(one: Half | null): unknown {
  if (one === null) return null;
  const slots = (values: Half['slots']): unknown =>
    Object.fromEntries(CTX_SLOTS.map((slot) => [slot, hex(values[slot])]));
  return { coroutine: one.coroutine, ctx: hex(one.ctx), before: slots(one.before), slots: slots(one.slots) };
}

/** How a process ended, as data. */
function outcomeJson(outcome: Outcome): unknown {
  if (outcome.kind === 'exit') return { outcome: 'exit', status: outcome.status };
  if (outcome.kind === 'error') return { outcome: 'error', message: outcome.error.message };
  if (outcome.kind === 'fault') return { outcome: 'fault', message: outcome.fault.kind };
  return { outcome: outcome.kind };
}

function eventJson(event: TraceEvent): unknown {
  if (event.kind === 'process') {
    const { kind, at, process, what } = event;
    return { kind, at, process, what, ...(event.what === 'end' ? { how: outcomeJson(event.outcome) } : {}) };
  }
  if (event.kind === 'memory') {
    const { address, value, ...rest } = event;
    return { ...rest, address: hex(BigInt(address)), ...(value === undefined ? {} : { value: hex(value) }) };
  }
  if (event.kind !== 'switch') {
    // In the place of a coroutine or a channel: that it is none.
    return Object.fromEntries(Object.entries(event).map(([name, value]) => [name, value ?? null]));
  }
  const { number, kind: way, at, from, to, saved, restored } = event.record;
  return { kind: 'switch', at, number, way, from, to, saved: half(saved), restored: half(restored) };
}

/** One JSON object a line, as `schema.json` says. */
export class JsonLines implements Writer {
  readonly #sink: Sink;
  readonly #listing: Listing | undefined;
  /** What does not change from one execution of an instruction to the next, by its address. */
  readonly #known = new Map<number, Uint8Array>();
  #begun = false;

  /** @param listing where instructions are traced */
  constructor(sink: Sink, listing?: Listing) {
    this.#sink = sink;
    this.#listing = listing;
  }

  begin(header: Header): void {
    this.#begun = true;
    this.#line({ kind: 'header', format: FORMAT, version: VERSION, ...header });
  }

  registers(at: number, coroutine: number, words: Uint32Array): void {
    const values = REGISTER_FILE.map((name, index) => [name, hex(registerValue(words, index))]);
    this.#line({ kind: 'registers', at, coroutine, values: Object.fromEntries(values) });
  }

  instruction({ at, coroutine, address, size, after, changed }: Step): void {
    const sink = this.#sink;
    sink.bytes(AT);
    sink.decimal(at);
    sink.bytes(COROUTINE);
    sink.decimal(coroutine);
    sink.bytes(this.#known.get(address) ?? this.#describe(address, size));
    for (let at = 0; at < changed.length; at++) {
      const index = changed[at];
      sink.bytes(at === 0 ? FIRST[index] : NEXT[index]);
      sink.hex(after[index * 2], after[index * 2 + 1]);
    }
    if (changed.length > 0) sink.bytes(QUOTE);
    sink.bytes(END);
    sink.endRecord();
  }

  event(event: TraceEvent): void {
    if (this.#begun) this.#line(eventJson(event));
  }

  end(end: End): void {
    this.#line({ kind: 'end', ...end });
  }

  #describe(address: number, size: number): Uint8Array {
    const { bytes, text, place } = this.#listing?.at(address, size) ?? { bytes: '', text: '', place: '' };
    const fields = JSON.stringify({ rip: hex(BigInt(address)), bytes, text, place }).slice(1, -1);
    const known = bytesOf(`,${fields},"changed":{`);
    this.#known.set(address, known);
    return known;
  }

  #line(value: unknown): void {
    this.#sink.text(`${JSON.stringify(value)}\n`);
    this.#sink.endRecord();
  }
}
