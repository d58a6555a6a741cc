import { printable } from '../../asm/printable.js';
import { REGISTER_FILE } from '../../emu/registers.js';
import { CTX_SLOTS } from '../../runtime/layout.js';
import { type Colors, coroutineName, hex } from '../format.js';
import type { Half } from '../switches.js';
import type { Step, TraceEvent } from './event.js';
import type { Listing } from './listing.js';
import { registerValue } from './register-value.js';
import type { Sink } from './sink.js';
import type { End, Header, Writer } from './writer.js';

const MOMENT_WIDTH = 9;
const NAME_WIDTH = 14;
const PLACE_WIDTH = 36;
const TEXT_WIDTH = 32;

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const SPACES = bytesOf(' '.repeat(MOMENT_WIDTH + 1));
/** In front of a line, where one is to be found at a glance: of that one, and of the others. */
const MARK = bytesOf('=> ');
const NO_MARK = bytesOf('   ');
const NAMES = REGISTER_FILE.map((name) => bytesOf(`  ${name} `));
const ARROW = bytesOf(' -> ');
const END_OF_LINE = bytesOf('\n');

/** Why a trace is at its end where the run is not. */
const STOPPED: Readonly<Partial<Record<End['outcome'], string>>> = {
  to: 'stopped by --to',
  limit: 'stopped by --limit',
  interrupted: 'stopped by Ctrl-C',
};

const who = (coroutine: number | undefined): string => (coroutine === undefined ? 'nobody' : coroutineName(coroutine));

function slots(verb: string, one: Half | null): string {
  if (one === null) return '';
  const values = CTX_SLOTS.map((slot) => `${slot} ${hex(one.slots[slot])}`).join('  ');
  return `\n${' '.repeat(MOMENT_WIDTH)}    ${verb} ctx ${hex(one.ctx)}: ${values}`;
}

function switchText({ record }: Extract<TraceEvent, { kind: 'switch' }>): string {
  const [from, to] = [coroutineName(record.from), coroutineName(record.to)];
  const what = {
    start: `${from} is saved, ${to} starts`,
    switch: `${from} is saved, ${to} is restored`,
    end: `${from} has ended, ${to} is restored`,
  }[record.kind];
  return `switch ${record.number}: ${what}${slots('into', record.saved)}${slots('from', record.restored)}`;
}

function eventText(event: TraceEvent): string {
  switch (event.kind) {
    case 'memory': {
      const value = event.value === undefined ? '' : `: ${hex(event.value)}`;
      return `${who(event.coroutine)}: ${event.access} at ${hex(BigInt(event.address))}, ${event.size} bytes${value}`;
    }
    case 'switch':
      return switchText(event);
    case 'coroutine':
      if (event.what === 'start') return `${coroutineName(event.parent ?? 0)} starts ${who(event.coroutine)}`;
      return event.what === 'end' ? `${who(event.coroutine)} ends` : `${who(event.coroutine)} enters ${event.place}`;
    case 'channel':
      return `${who(event.coroutine)}: ${event.operation} <${event.channel ?? '?'}>`;
    case 'transfer': {
      const place = (coroutine: number | undefined): string =>
        coroutine === undefined ? 'the buffer' : coroutineName(coroutine);
      if (event.done) return `<${event.channel ?? '?'}>: the value of chdone to ${place(event.to)}`;
      return `<${event.channel ?? '?'}>: an element from ${place(event.from)} to ${place(event.to)}`;
    }
    case 'timer':
      return `the time of ${who(event.coroutine)} has come: ${event.wait}`;
    case 'output':
      return `${who(event.coroutine)} writes ${event.stream === 1 ? '' : 'to standard error '}${JSON.stringify(event.text)}`;
    case 'process':
      return event.what === 'start'
        ? `child process ${event.process} runs`
        : `child process ${event.process} has ended`;
  }
}

/** A listing to read: a line for each instruction, with the registers that it changed, and for each event. */
export class Text implements Writer {
  readonly #sink: Sink;
  readonly #paint: Colors;
  readonly #listing: Listing | undefined;
  readonly #marked: number | undefined;
  /** An instruction's place and text, and what fills their column, by its address. */
  readonly #known = new Map<number, readonly [Uint8Array, Uint8Array]>();
  readonly #names = new Map<number, Uint8Array>();
  #begun = false;

  /**
   * @param listing where instructions are traced
   * @param marked the moment whose instruction is marked
   */
  constructor(sink: Sink, paint: Colors, listing?: Listing, marked?: number) {
    this.#sink = sink;
    this.#paint = paint;
    this.#listing = listing;
    this.#marked = marked;
  }

  begin({ program, engine, seed, from }: Header, coroutine: number): void {
    this.#begun = true;
    this.#line(
      this.#paint.dim(`# ${program.join(' ')}, seed ${seed}, ${engine}, from moment ${from}, in ${who(coroutine)}`),
    );
  }

  registers(_at: number, _coroutine: number, words: Uint32Array): void {
    const values = REGISTER_FILE.map((name, index) => `${name} ${hex(registerValue(words, index))}`);
    this.#line(this.#paint.dim(`# ${values.join('  ')}`));
  }

  instruction({ at, coroutine, address, size, before, after, changed }: Step): void {
    const sink = this.#sink;
    if (this.#marked !== undefined) sink.bytes(at === this.#marked ? MARK : NO_MARK);
    const digits = at < 10 ? 1 : Math.floor(Math.log10(at)) + 1;
    if (digits < MOMENT_WIDTH) sink.bytes(SPACES.subarray(0, MOMENT_WIDTH - digits));
    sink.decimal(at);
    sink.bytes(this.#names.get(coroutine) ?? this.#name(coroutine));
    const [text, rest] = this.#known.get(address) ?? this.#describe(address, size);
    sink.bytes(text);
    if (changed.length > 0) sink.bytes(rest);
    for (let at = 0; at < changed.length; at++) {
      const low = changed[at] * 2;
      sink.bytes(NAMES[changed[at]]);
      sink.hex(before[low], before[low + 1]);
      sink.bytes(ARROW);
      sink.hex(after[low], after[low + 1]);
    }
    sink.bytes(END_OF_LINE);
    sink.endRecord();
  }

  event(event: TraceEvent): void {
    if (!this.#begun) return;
    const margin = this.#marked === undefined ? '' : ' '.repeat(NO_MARK.length);
    const text = `${margin}${String(event.at).padStart(MOMENT_WIDTH)}  * ${eventText(event)}`;
    this.#line(event.kind === 'switch' ? this.#paint.yellow(text) : this.#paint.cyan(text));
  }

  end({ at, outcome, status, message }: End): void {
    const how = status === undefined ? (STOPPED[outcome] ?? outcome) : `${outcome} ${status}`;
    this.#line(this.#paint.dim(`# ${how} at moment ${at}${message === undefined ? '' : `: ${message}`}`));
  }

  #name(coroutine: number): Uint8Array {
    const name = bytesOf(`  ${coroutineName(coroutine).padEnd(NAME_WIDTH)}`);
    this.#names.set(coroutine, name);
    return name;
  }

  #describe(address: number, size: number): readonly [Uint8Array, Uint8Array] {
    const { text, place } = this.#listing?.at(address, size) ?? { text: '', place: '' };
    const shown = `${printable(place).padEnd(PLACE_WIDTH)}  ${text}`;
    const rest = ' '.repeat(Math.max(0, PLACE_WIDTH + 2 + TEXT_WIDTH - shown.length));
    const known = [bytesOf(shown), bytesOf(rest)] as const;
    this.#known.set(address, known);
    return known;
  }

  #line(text: string): void {
    this.#sink.text(`${text}\n`);
    this.#sink.endRecord();
  }
}
