import type { AccessKind } from '../../emu/accesses.js';
import { BadAddress } from '../../emu/errors.js';
import { REGISTER_FILE } from '../../emu/registers.js';
import type { Outcome, Process } from '../../runtime/process.js';
import { recordSwitches } from '../switches.js';
import { watchEntries } from './entries.js';
import type { EventName, MemoryEvent, Step, TraceEvent } from './event.js';
import { watchForks } from './forks.js';
import type { Writer } from './writer.js';

const RIP = REGISTER_FILE.indexOf('rip');
const NOWHERE = -1;
const WORD_BYTES = 8;

/** A step that is filled in anew for each instruction. */
class CurrentStep implements Step {
  at = NOWHERE;
  coroutine = 0;
  address = 0;
  size = 0;
  before: Uint32Array;
  after: Uint32Array;
  readonly changed: number[] = [];
  readonly #values = [new BigUint64Array(REGISTER_FILE.length), new BigUint64Array(REGISTER_FILE.length)] as const;
  readonly #words = this.#values.map((values) => new Uint32Array(values.buffer));
  #current: 0 | 1 = 0;

  constructor() {
    this.before = this.#words[1];
    this.after = this.#words[0];
  }

  /** What the registers are read into; what they were is then what is before. */
  next(): BigUint64Array {
    this.#current = this.#current === 0 ? 1 : 0;
    this.before = this.after;
    this.after = this.#words[this.#current];
    return this.#values[this.#current];
  }

  compare(): void {
    const { before, after, changed } = this;
    changed.length = 0;
    for (let index = 0; index < REGISTER_FILE.length; index++) {
      const low = index * 2;
      if (index === RIP) {
        if (after[low] + after[low + 1] * 0x100000000 !== this.address + this.size) changed.push(index);
      } else if (before[low] !== after[low] || before[low + 1] !== after[low + 1]) {
        changed.push(index);
      }
    }
  }
}

/**
 * Hands a writer what happens in a process, in the order of the moments: what came about at a moment is in front of the
 * instruction that begins there.
 */
export class Recorder {
  readonly #process: Process;
  readonly #writer: Writer;
  readonly #ends: (() => void)[] = [];
  readonly #step = new CurrentStep();
  /** Events that are told before the instruction whose `syscall` they came from is complete. */
  readonly #queue: TraceEvent[] = [];
  readonly #wanted: ReadonlySet<EventName>;
  readonly #decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  #stepping = false;
  #coroutine = 0;

  /** @param wanted what the writer is told of; instructions and accesses to memory from {@link step} on */
  constructor(process: Process, wanted: ReadonlySet<EventName>, writer: Writer) {
    this.#process = process;
    this.#writer = writer;
    this.#wanted = wanted;
    const { cpu, mill } = process;
    const running = (): number | undefined => this.#idOf(mill.coroutines.running);
    this.#ends.push(
      recordSwitches(process, (record) => {
        this.#coroutine = record.to;
        // It lands where an instruction is about to begin, of which we may have been told before.
        if (record.at === this.#step.at) this.#step.coroutine = record.to;
        if (wanted.has('coroutine') && record.kind === 'start') {
          this.#tell({ kind: 'coroutine', at: record.at, coroutine: record.to, what: 'start', parent: record.from });
        }
        if (wanted.has('coroutine') && record.kind === 'end') {
          this.#tell({ kind: 'coroutine', at: record.at, coroutine: record.from, what: 'end' });
        }
        if (wanted.has('switch')) this.#tell({ kind: 'switch', at: record.at, record });
      }),
      process.on('restored', () => {
        this.#coroutine = running() ?? 0;
        if (this.#stepping) this.#readAll();
      }),
    );
    if (wanted.has('coroutine')) {
      this.#ends.push(
        watchEntries(process, (at, coroutine, place) => {
          this.#tell({ kind: 'coroutine', at, coroutine, what: 'enter', place });
        }),
      );
    }
    if (wanted.has('channel')) {
      this.#ends.push(
        process.on('channel', ({ kind: operation, channel, coroutine }) => {
          this.#tell({
            kind: 'channel',
            at: cpu.moment,
            coroutine: this.#idOf(coroutine),
            operation,
            channel: this.#channelOf(channel),
          });
        }),
      );
    }
    if (wanted.has('transfer')) {
      this.#ends.push(
        process.on('transfer', ({ channel, from, to, done }) => {
          this.#tell({
            kind: 'transfer',
            at: cpu.moment,
            coroutine: running(),
            channel: this.#channelOf(channel),
            from: this.#idOf(from),
            to: this.#idOf(to),
            done,
          });
        }),
      );
    }
    if (wanted.has('timer')) {
      this.#ends.push(
        process.on('timer', ({ coroutine, kind: wait }) => {
          this.#tell({ kind: 'timer', at: cpu.moment, coroutine: this.#idOf(coroutine), wait });
        }),
      );
    }
    if (wanted.has('output')) {
      this.#ends.push(
        process.on('output', ({ stream, bytes }) => {
          const text = this.#decoders[stream].decode(bytes, { stream: true });
          if (text !== '') this.#tell({ kind: 'output', at: cpu.moment, coroutine: running(), stream, text });
        }),
      );
    }
    if (wanted.has('process')) {
      this.#ends.push(
        watchForks(process, (child) => {
          this.#tell({ kind: 'process', at: cpu.moment, process: child, what: 'start' });
        }),
      );
    }
  }

  /** Id of the coroutine that runs. */
  get coroutine(): number {
    return this.#coroutine;
  }

  /** Whether somebody wants to know what can be seen in single steps only. */
  get needsSteps(): boolean {
    return this.#wanted.has('instruction') || this.#wanted.has('memory');
  }

  /** The process is stepped from now on, if that is needed. */
  step(): void {
    if (this.#wanted.has('memory')) {
      const { cpu } = this.#process;
      this.#ends.push(cpu.onAccess((access, address, size) => this.#tell(this.#accessEvent(access, address, size))));
    }
    if (this.#wanted.has('instruction')) this.#stepInstructions();
  }

  #stepInstructions(): void {
    this.#stepping = true;
    this.#readAll();
    const { cpu } = this.#process;
    this.#ends.push(
      cpu.onBlock((address, size) => {
        this.catchUp();
        const step = this.#step;
        step.at = cpu.moment;
        step.coroutine = this.#coroutine;
        step.address = address;
        step.size = size;
      }),
    );
  }

  /** Tells of the last instruction, if it is complete: to be called when the process has stopped, too. */
  catchUp(): void {
    if (!this.#stepping) return;
    const step = this.#step;
    const { cpu } = this.#process;
    const isComplete = step.at !== NOWHERE && cpu.moment > step.at;
    if (isComplete) {
      this.#flush(step.at);
      cpu.readInto(step.next());
      step.compare();
      this.#writer.instruction(step);
      step.at = NOWHERE;
    }
    if (isComplete || step.at === NOWHERE) this.#flush(cpu.moment);
  }

  /** A child process has ended. */
  childEnded(process: number, outcome: Outcome): void {
    this.catchUp();
    this.#tell({ kind: 'process', at: this.#process.cpu.moment, process, what: 'end', outcome });
  }

  /** Tells of what is left, and of nothing more. */
  close(): void {
    this.catchUp();
    this.#flush(Number.POSITIVE_INFINITY);
    for (const end of this.#ends) end();
  }

  #tell(event: TraceEvent): void {
    if (this.#stepping) this.#queue.push(event);
    else this.#writer.event(event);
  }

  #accessEvent(access: AccessKind, address: number, size: number): MemoryEvent {
    const { cpu } = this.#process;
    const event = { kind: 'memory', at: cpu.moment, coroutine: this.#coroutine, access, address, size } as const;
    // A door may have given back what it had written to.
    if (access === 'read' || size > WORD_BYTES || cpu.memory.protectionAt(address) === undefined) return event;
    const bytes = cpu.memory.read(address, size);
    return { ...event, value: bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n) };
  }

  #flush(upTo: number): void {
    while (this.#queue.length > 0 && this.#queue[0].at <= upTo) {
      const event = this.#queue.shift();
      if (event !== undefined) this.#writer.event(event);
    }
  }

  #readAll(): void {
    const { cpu } = this.#process;
    cpu.readInto(this.#step.next());
    this.#step.at = NOWHERE;
    this.#flush(cpu.moment);
    this.#writer.registers(cpu.moment, this.#coroutine, this.#step.after);
  }

  /** An id, as long as there is such a coroutine: a program that has gone wrong may have overwritten what says so. */
  #idOf(cr: number): number | undefined {
    return cr === 0 ? undefined : this.#id(this.#process.mill.census, cr);
  }

  #channelOf(channel: number): number | undefined {
    return this.#id(this.#process.mill.channelCensus, channel);
  }

  #id(census: { id(object: number): number }, object: number): number | undefined {
    try {
      return census.id(object);
    } catch (error) {
      if (error instanceof BadAddress) return undefined;
      throw error;
    }
  }
}
