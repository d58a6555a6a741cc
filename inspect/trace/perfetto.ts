import { REGISTER_FILE } from '../../emu/registers.js';
import { coroutineName, hex } from '../format.js';
import type { SwitchRecord } from '../switches.js';
import type { Step, TraceEvent } from './event.js';
import { type Flow, type FlowEnd, Flows } from './flows.js';
import type { Listing } from './listing.js';
import { registerValue } from './register-value.js';
import type { Sink } from './sink.js';
import type { End, Header, Writer } from './writer.js';

/** A period of running is shown in pieces when so much happened in it, as its events are kept until its end. */
const MOST_KEPT = 50_000;
const FIRST_PROCESS = 1;

/** One of the viewer's events, with its time. */
type Timed = Readonly<Record<string, unknown>> & { readonly ts: number };

/** Who runs, and since when. */
interface Period {
  readonly process: number;
  readonly coroutine: number;
  readonly since: number;
}

/**
 * Chrome's trace events, for ui.perfetto.dev and chrome://tracing: a thread for each coroutine, a slice for each period
 * in which it runs, an arrow from each send to its receive. One microsecond there is one instruction here.
 *
 * A viewer finds the slice that an arrow begins or ends in among those that it has read already, if both are at the same
 * time. So what happens in a period is written behind it.
 */
export class Perfetto implements Writer {
  readonly #sink: Sink;
  readonly #listing: Listing | undefined;
  readonly #flows = new Flows();
  readonly #names = new Map<string, { process: number; coroutine: number; entered: string | undefined }>();
  /** Elements for those who wait, by process and coroutine: they are received when their receivers go on. */
  readonly #arriving = new Map<string, Flow[]>();
  /** Those that wait for a child to end. */
  readonly #parents: Period[] = [];
  #kept: unknown[] = [];
  #from: number | undefined;
  #process = FIRST_PROCESS;
  #period: Period = { process: FIRST_PROCESS, coroutine: 0, since: 0 };
  #flowNumber = 0;
  #title = '';
  #separator = '';

  /** @param listing where instructions are traced */
  constructor(sink: Sink, listing?: Listing) {
    this.#sink = sink;
    this.#listing = listing;
  }

  begin(header: Header, coroutine: number): void {
    this.#title = header.program.join(' ');
    this.#from = header.from;
    const otherData = { ...header, time: 'One microsecond is one instruction: ts, dur and moment count instructions.' };
    this.#sink.text(`{"displayTimeUnit":"ns","otherData":${JSON.stringify(otherData)},"traceEvents":[`);
    this.#begin(coroutine, header.from);
  }

  registers(): void {}

  instruction({ at, coroutine, address, size, after, changed }: Step): void {
    const { text = '', place = '' } = this.#listing?.at(address, size) ?? {};
    const values = changed.map((index) => [REGISTER_FILE[index], hex(registerValue(after, index))]);
    const args = { moment: at, place, ...Object.fromEntries(values) };
    this.#keep({
      name: text,
      cat: 'instruction',
      ph: 'X',
      ts: at,
      dur: 1,
      ...this.#thread({ ...this.#period, coroutine }),
      args,
    });
  }

  event(event: TraceEvent): void {
    const { at } = event;
    switch (event.kind) {
      case 'memory': {
        const { access, size, value } = event;
        const address = hex(BigInt(event.address));
        const args = { size, ...(value === undefined ? {} : { value: hex(value) }) };
        this.#instant(`${access} ${address}`, event.kind, at, event.coroutine ?? this.#period.coroutine, args);
        break;
      }
      case 'switch':
        this.#switch(event.record);
        break;
      case 'coroutine':
        if (event.what === 'enter') this.#named(this.#process, event.coroutine).entered = event.place;
        break;
      case 'channel':
        this.#flows.operation(event);
        if (event.coroutine !== undefined) {
          this.#instant(`${event.operation} <${event.channel ?? '?'}>`, event.kind, at, event.coroutine, {});
        }
        break;
      case 'transfer': {
        const flow = this.#flows.transfer(event, this.#process);
        if (flow !== undefined) this.#transferred(flow, event.coroutine);
        break;
      }
      case 'timer':
        if (event.coroutine !== undefined) this.#instant(`timer: ${event.wait}`, event.kind, at, event.coroutine, {});
        break;
      case 'output':
        this.#instant('output', event.kind, at, event.coroutine ?? this.#period.coroutine, {
          stream: event.stream,
          text: event.text,
        });
        break;
      case 'process':
        this.#fork(event.what, event.process, at);
    }
  }

  end({ at, outcome, status, message }: End): void {
    this.#close(at);
    this.#instant('end', 'end', at, this.#period.coroutine, { outcome, status, message });
    this.#writeKept();
    for (const { process, coroutine, entered } of this.#names.values()) {
      const name = `${coroutineName(coroutine)}${entered === undefined ? '' : `: ${entered}`}`;
      const thread = this.#thread({ process, coroutine });
      this.#write({ name: 'thread_name', ph: 'M', ...thread, args: { name } });
      this.#write({ name: 'thread_sort_index', ph: 'M', ...thread, args: { sort_index: coroutine } });
    }
    for (const process of new Set([...this.#names.values()].map((one) => one.process))) {
      const name = process === FIRST_PROCESS ? this.#title : `${this.#title}: child process ${process}`;
      this.#write({ name: 'process_name', ph: 'M', pid: process, tid: 1, args: { name } });
    }
    this.#sink.text('\n]}\n');
    this.#sink.endRecord();
  }

  #switch({ at, to }: SwitchRecord): void {
    this.#close(at);
    this.#begin(to, at);
  }

  #begin(coroutine: number, at: number): void {
    this.#period = { process: this.#process, coroutine, since: at };
    this.#named(this.#process, coroutine);
    const key = `${this.#process} ${coroutine}`;
    for (const flow of this.#arriving.get(key) ?? []) this.#arrow({ ...flow, receive: { ...flow.receive, at } });
    this.#arriving.delete(key);
  }

  /** The running coroutine does not run on; or does, in another slice. */
  #close(at: number): void {
    const { process, coroutine, since } = this.#period;
    if (this.#from !== undefined && at > since) {
      const args = { moment: since, instructions: at - since };
      const thread = this.#thread({ process, coroutine });
      this.#write({ name: 'running', cat: 'coroutine', ph: 'X', ts: since, dur: at - since, ...thread, args });
    }
    this.#writeKept();
  }

  #transferred(flow: Flow, running: number | undefined): void {
    const { receive } = flow;
    if (receive.coroutine === running) {
      this.#arrow(flow);
      return;
    }
    const key = `${receive.process} ${receive.coroutine}`;
    this.#arriving.set(key, [...(this.#arriving.get(key) ?? []), flow]);
  }

  #arrow({ channel, send, receive }: Flow): void {
    if (this.#from === undefined || send.at < this.#from) return;
    const id = ++this.#flowNumber;
    const arrow = { name: `<${channel}>`, cat: 'element', id };
    const place = (end: FlowEnd) => ({ ts: end.at, ...this.#thread(end), args: { moment: end.at, channel } });
    this.#keep({ ...arrow, ph: 's', ...place(send) });
    this.#keep({ ...arrow, ph: 'f', bp: 'e', ...place(receive) });
  }

  #instant(name: string, cat: string, at: number, coroutine: number, args: object): void {
    const thread = this.#thread({ process: this.#process, coroutine });
    this.#keep({ name, cat, ph: 'i', s: 't', ts: at, ...thread, args: { moment: at, ...args } });
  }

  #fork(what: 'start' | 'end', process: number, at: number): void {
    let { coroutine } = this.#period;
    this.#close(at);
    if (what === 'start') {
      this.#flows.fork();
      this.#parents.push(this.#period);
      this.#process = process;
    } else {
      this.#flows.childEnded();
      const parent = this.#parents.pop();
      this.#process = parent?.process ?? FIRST_PROCESS;
      coroutine = parent?.coroutine ?? coroutine;
    }
    this.#begin(coroutine, at);
  }

  #named(process: number, coroutine: number): { entered: string | undefined } {
    const key = `${process} ${coroutine}`;
    const known = this.#names.get(key) ?? { process, coroutine, entered: undefined };
    this.#names.set(key, known);
    return known;
  }

  /** Viewers take the thread 0 for the idle one. */
  #thread({ process, coroutine }: Pick<FlowEnd, 'process' | 'coroutine'>): { pid: number; tid: number } {
    return { pid: process, tid: coroutine + 1 };
  }

  #keep(event: Timed): void {
    if (this.#from === undefined) return;
    const { coroutine, since } = this.#period;
    if (this.#kept.length >= MOST_KEPT && event.ts > since) {
      this.#close(event.ts);
      this.#begin(coroutine, event.ts);
    }
    this.#kept.push(event);
  }

  #writeKept(): void {
    for (const event of this.#kept) this.#write(event);
    this.#kept = [];
  }

  #write(event: unknown): void {
    this.#sink.text(`${this.#separator}\n${JSON.stringify(event)}`);
    this.#sink.endRecord();
    this.#separator = ',';
  }
}
