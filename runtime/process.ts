import { UndefinedSymbol } from '../asm/errors.js';
import type { Image } from '../asm/image.js';
import { nearNames } from '../asm/near.js';
import type { Cpu, Snapshot } from '../emu/cpu.js';
import { BadAddress, OutOfMemory } from '../emu/errors.js';
import type { Fault } from '../emu/fault.js';
import { PAGE_SIZE, type Protection } from '../emu/memory.js';
import { Bodies, type Body, type BodyHistory } from './bodies.js';
import { openDoors } from './doors.js';
import { MillError, TooManyProcesses } from './errors.js';
import { Listeners, type ProcessEvents } from './events.js';
import { bufferedOutput } from './libc/stream.js';
import { type ChildEnd, SIGNALS, signalOf } from './mfork.js';
import { Mill } from './mill.js';
import type { Symbols } from './symbols.js';

/** How a run came to its end, or why it paused. */
export type Outcome =
  | { readonly kind: 'exit'; readonly status: number }
  | { readonly kind: 'abort' }
  | { readonly kind: 'limit' }
  | { readonly kind: 'paused' }
  /** Everybody waits, on the real clock, until this time in ms at least; run again then. */
  | { readonly kind: 'waiting'; readonly until: number }
  /** A child that fork() made has ended, and its memory and registers can be looked at; its parent goes on when run again. */
  | { readonly kind: 'child'; readonly id: number; readonly ended: Outcome }
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'error'; readonly error: MillError };

/** A process that waits for its child to end. */
interface Parent {
  readonly cpu: Snapshot;
  readonly bodies: BodyHistory | undefined;
}

/** Everything that makes up a process at a moment. */
export interface SavedProcess extends Parent {
  /** How it ended, if it had. */
  readonly outcome: Outcome | undefined;
  /** The processes above it, the first one first. */
  readonly parents: readonly Parent[];
  /** A digest of what was loaded. */
  readonly program: number;
}

/** What decides, besides the program and its arguments, what a run is like. */
export interface ProcessOptions {
  readonly seed?: bigint;
  readonly clock?: 'virtual' | 'real';
  /** Variables, each as NAME=VALUE. */
  readonly environment?: readonly string[];
}

/** CPUs that have a process in their memory. */
const taken = new WeakSet<Cpu>();

/** What a parent learns of how its child ended. */
function endOfChild(outcome: Outcome): ChildEnd {
  if (outcome.kind === 'exit') return { exit: outcome.status };
  return { signal: outcome.kind === 'fault' ? signalOf(outcome.fault.kind) : SIGNALS.abort };
}

/** FNV-1a, 32 bits, over all bytes. */
function digest(images: readonly Image[]): number {
  let hash = 0x811c9dc5;
  for (const { bytes } of images.flatMap(({ sections }) => sections)) {
    for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return hash >>> 0;
}

/**
 * Which of libc.s's variables are to hold where a linked program lists its constructors and destructors (System V ABI,
 * .init_array and .fini_array), under the names that linkers give to both ends.
 */
const FUNCTION_ARRAYS = [
  ['init_array', '__preinit_array_start'],
  ['init_array_end', '__init_array_end'],
  ['fini_array', '__fini_array_start'],
  ['fini_array_end', '__fini_array_end'],
] as const;

const PROTECTION: Readonly<Record<string, Protection>> = { '.text': 'r-x', '.rodata': 'r--' };
const LIMIT = { kind: 'limit' } as const;
const MAIN_STACK = 8 << 20;
const POINTER = 8;

/**
 * A guest program in memory, with libmill's runtime behind its doors.
 *
 * Low to high: the guest side of the runtime, the program, the heap, coroutine stacks (from the top downwards), the
 * main stack.
 */
export class Process {
  readonly cpu: Cpu;
  /** The guest side of the runtime, then the program's own images. */
  readonly images: readonly Image[];
  readonly mill: Mill;
  readonly mainStack: { readonly low: number; readonly high: number };
  readonly #events = new Listeners<ProcessEvents>();
  readonly #bodies: Bodies | undefined;
  readonly #symbols: Symbols;
  #outcome: Outcome | undefined;
  /** The processes that wait for the running one, or a child of its, to end. */
  #parents: readonly Parent[] = [];
  #forking = false;
  #waitsUntil: number | undefined;
  /** What a run has thrown: it cannot go on. */
  #thrown: { readonly error: unknown } | undefined;
  readonly #program: number;

  /**
   * @param runtime the image of libmill.s and what goes with it
   * @param program an image with `main`, or the body of main
   * @param argv the program's name and its arguments
   * @param options `seed` of the random numbers; `clock`: virtual unless told otherwise; `environment`: empty unless
   * told otherwise
   * @throws UndefinedSymbol if the program has no main, OutOfMemory if it does not fit
   */
  constructor(
    cpu: Cpu,
    runtime: Image,
    program: Image | Body,
    argv: readonly string[],
    { seed = 0n, clock = 'virtual', environment = [] }: ProcessOptions = {},
  ) {
    if (taken.has(cpu)) throw new MillError('a process has this CPU already: open another');
    taken.add(cpu);
    this.cpu = cpu;
    const { memory } = cpu;
    this.images = typeof program === 'function' ? [runtime] : [runtime, program];
    let end = 0;
    for (const image of this.images) {
      for (const section of image.sections) {
        const address = Number(section.address);
        const size = Math.ceil(section.size / PAGE_SIZE) * PAGE_SIZE;
        memory.reserve(address, size, PROTECTION[section.name] ?? 'rw-');
        memory.load(address, section.bytes);
        end = Math.max(end, address + size);
      }
    }
    this.#program = digest(this.images);
    const symbols: Symbols = (name) => Number(runtime.symbol(name));
    this.#symbols = symbols;
    const low = memory.allocate(MAIN_STACK, end);
    this.mainStack = { low: low + PAGE_SIZE, high: low + MAIN_STACK };
    memory.reserve(this.mainStack.low, MAIN_STACK - PAGE_SIZE, 'rw-');
    this.mill = new Mill(memory, symbols, end, this.mainStack, clock, this.#events);
    this.mill.random.seed(seed);
    const functions: Symbols = (name) => {
      if (!runtime.globals.has(name)) throw new UndefinedSymbol(name, nearNames(name, runtime.globals));
      return Number(runtime.symbol(name));
    };
    this.#bodies = typeof program === 'function' ? new Bodies(memory, functions, this.mill.heap, program) : undefined;
    const main = typeof program === 'function' ? runtime.symbol('mill_main_body') : program.symbol('main');
    for (const [variable, symbol] of FUNCTION_ARRAYS) {
      memory.setPointer(symbols(variable), Number(this.images.at(-1)?.symbols.get(symbol) ?? 0));
    }
    this.#start(main, argv, environment);
    const open = openDoors(cpu, symbols, this.mill, {
      bodies: this.#bodies,
      output: (stream, bytes) => {
        if (this.#events.has('output')) this.#events.tell('output', { stream, bytes });
      },
      ended: (status) => this.#end(status === 'aborted' ? { kind: 'abort' } : { kind: 'exit', status }),
      fork: () => {
        this.#forking = true;
        cpu.stop();
        return this.mill.processes.fork(this.#parents.length);
      },
      refused: (name) => this.#events.tell('refused', name),
      waits: (until) => {
        this.#waitsUntil = until;
      },
      channel: (kind, channel) => {
        if (!this.#events.has('channel')) return;
        this.#events.tell('channel', { kind, channel, coroutine: this.mill.coroutines.running });
      },
      switched: (saved, restored) => {
        if (!this.#events.has('switched')) return;
        const kind = saved === 0 ? 'end' : restored === 0 ? 'start' : 'switch';
        this.#events.tell('switched', { kind, saved, restored });
      },
    });
    const { clock: source } = this.mill;
    cpu.onHypercall = source.virtual ? open : () => source.during(open);
  }

  /**
   * Tells `callback` of each such event from now on; what it throws ends the run and leaves it.
   * @returns what ends that
   */
  on<Name extends keyof ProcessEvents>(name: Name, callback: (event: ProcessEvents[Name]) => void): () => void {
    return this.#events.on(name, callback);
  }

  /** Address of a symbol of the program or the runtime. @throws UndefinedSymbol */
  symbol(name: string): bigint {
    const image = this.images.findLast(({ symbols }) => symbols.has(name));
    if (image !== undefined) return image.symbol(name);
    const names = this.images.flatMap(({ symbols }) => [...symbols.keys()]);
    throw new UndefinedSymbol(name, nearNames(name, names));
  }

  /**
   * The call by which the program has come into the runtime, as an address within it: the innermost return address
   * into the program's code. undefined if the program itself is at `rip`, or has no code of its own.
   */
  callSite(cr: number, rip: number, rsp: number): bigint | undefined {
    const [runtime, ...programs] = this.images;
    if (this.imageAt(BigInt(rip)) !== runtime) return undefined;
    const { memory } = this.cpu;
    const { low, high } = this.mill.coroutines.stackOf(cr);
    const isCode = (image: Image, address: bigint): boolean => image.sectionAt(address)?.name === '.text';
    for (let at = rsp; at >= low && at + POINTER <= high; at += POINTER) {
      // The call is what comes before the address it returns to.
      const call = memory.u64(at) - 1n;
      if (programs.some((image) => isCode(image, call))) return call;
      // What is in a clause may look like a return address, having been one in an earlier frame.
      if (isCode(runtime, call)) at += Number(runtime.symbols.get(`${runtime.symbolAt(call)?.name}frame`) ?? 0);
    }
    return undefined;
  }

  /** How the process has ended, if it has. */
  get outcome(): Outcome | undefined {
    return this.#outcome;
  }

  /**
   * The coroutine that runs, as mill_running has it.
   * @returns undefined if that is no coroutine: between two of them, or because the program has overwritten it
   */
  get running(): number | undefined {
    const { running } = this.mill.coroutines;
    return this.coroutines().find((cr) => cr === running);
  }

  /** Bytes that the program has written to standard output and that are still in its buffer. */
  get bufferedOutput(): number {
    return bufferedOutput(this.cpu.memory, this.#symbols);
  }

  /** All coroutines, as far as the list can be followed: a program that has gone wrong may have overwritten it. */
  coroutines(): number[] {
    const found: number[] = [];
    try {
      for (const cr of this.mill.census.all()) found.push(cr);
    } catch (error) {
      if (!(error instanceof MillError || error instanceof BadAddress)) throw error;
    }
    return found;
  }

  /** The image that an address is in. */
  imageAt(address: bigint): Image | undefined {
    return this.images.find((image) => image.sectionAt(address) !== undefined);
  }

  /** An address as `symbol+0x4 (file.s:12)` where that is known, in hexadecimal where not. */
  describe(address: bigint): string {
    return this.imageAt(address)?.describe(address) ?? `0x${address.toString(16)}`;
  }

  /** Runs to the end, or to the moment `limit` at most. */
  run(limit?: number): Outcome {
    return this.#during(() => this.cpu.run(limit));
  }

  /**
   * Executes `count` instructions one at a time.
   * @param visit is called behind each, but for one that forks or ends a process; it may call `cpu.stop()`
   */
  step(count = 1, visit?: () => void): Outcome {
    let left = count;
    return this.#during(() => {
      const { moment } = this.cpu;
      const stop = this.cpu.step(left, visit);
      left -= this.cpu.moment - moment;
      return stop;
    });
  }

  /** @throws what a run has thrown, if one has: it has ended somewhere in the middle */
  save(): SavedProcess {
    if (this.#thrown !== undefined) throw this.#thrown.error;
    return {
      ...this.#saveParent(),
      outcome: this.#outcome,
      parents: this.#parents,
      program: this.#program,
    };
  }

  /**
   * Makes the process what it was when saved, here or in another machine with the same program and memory.
   * @throws MillError if it was another program
   */
  restore(saved: SavedProcess): void {
    if (saved.program !== this.#program) throw new MillError('what was saved is the state of another program');
    this.#restoreParent(saved);
    this.#outcome = saved.outcome;
    this.#parents = saved.parents;
    this.#thrown = undefined;
    this.#events.tell('restored', undefined);
  }

  #saveParent(): Parent {
    return { cpu: this.cpu.save(), bodies: this.#bodies?.save() };
  }

  #restoreParent({ cpu, bodies }: Parent): void {
    this.cpu.restore(cpu);
    this.#bodies?.restore(bodies);
  }

  #during(run: () => ReturnType<Cpu['run']>): Outcome {
    if (this.#thrown !== undefined) throw this.#thrown.error;
    if (this.#outcome !== undefined) {
      if (this.#parents.length === 0) return this.#outcome;
      this.#returnToParent(this.#outcome);
    }
    this.#waitsUntil = undefined;
    for (;;) {
      const stop = this.#once(run);
      if (this.#outcome !== undefined) {
        const ended = this.#outcome;
        return this.#parents.length === 0 ? ended : { kind: 'child', id: this.mill.processes.id, ended };
      }
      if (this.#waitsUntil !== undefined) return { kind: 'waiting', until: this.#waitsUntil };
      if (!this.#forking) return stop.kind === 'stopped' ? { kind: 'paused' } : LIMIT;
      this.#becomeChild();
    }
  }

  /** One run of the CPU, and if it was the last one, how that came. */
  #once(run: () => ReturnType<Cpu['run']>): ReturnType<Cpu['run']> {
    this.#forking = false;
    try {
      const stop = run();
      if (stop.kind === 'fault') this.#outcome ??= stop;
      return stop;
    } catch (error) {
      if (!(error instanceof MillError)) {
        this.#thrown = { error };
        throw error;
      }
      if (error instanceof TooManyProcesses) this.#parents = [];
      this.#outcome = { kind: 'error', error };
      return LIMIT;
    }
  }

  /** Behind the door of fork(): the parent is put aside, and this is its child. */
  #becomeChild(): void {
    this.#parents = [...this.#parents, this.#saveParent()];
    this.mill.processes.becomeChild();
    this.cpu.write('rax', 0n);
  }

  /** The parent goes on where it forked. Moments go on counting: there is one course of events in a run. */
  #returnToParent(outcome: Outcome): void {
    const parent = this.#parents[this.#parents.length - 1];
    const { moment } = this.cpu;
    const { last } = this.mill.processes;
    const time = this.mill.clock.time();
    const goOn = this.mill.clock.keep();
    this.#parents = this.#parents.slice(0, -1);
    this.#restoreParent(parent);
    this.cpu.moment = moment;
    goOn();
    this.#outcome = undefined;
    this.mill.processes.childEnded(endOfChild(outcome), last, time);
    this.#events.tell('restored', undefined);
  }

  #end(outcome: Outcome): void {
    this.#outcome = outcome;
    this.cpu.stop();
  }

  /** As a process is entered (System V ABI, AMD64 supplement, 3.4.1), with main's address and arguments on top. */
  #start(main: bigint, argv: readonly string[], environment: readonly string[]): void {
    const { cpu } = this;
    let at = this.mainStack.high;
    const push = (text: string): number => {
      const bytes = new TextEncoder().encode(`${text}\0`);
      at -= bytes.length;
      if (at < this.mainStack.low) throw new OutOfMemory('the arguments and the environment do not fit the main stack');
      cpu.memory.write(at, bytes);
      return at;
    };
    // argc, pointers to arguments and variables with a NULL behind both, the auxiliary vector's end
    const words = [argv.length, ...argv.map(push), 0, ...environment.map(push), 0, 0, 0];
    const rsp = Math.floor((at - words.length * POINTER) / 16) * 16;
    words.forEach((word, index) => {
      cpu.memory.setPointer(rsp + index * POINTER, word);
    });
    cpu.write('rsp', BigInt(rsp));
    cpu.write('rip', this.images[0].symbol('__libc_start_main'));
    cpu.write('fs_base', this.symbol('__thread_pointer'));
    cpu.write('rdi', main);
    cpu.write('rsi', BigInt(argv.length));
    cpu.write('rdx', BigInt(rsp + POINTER));
  }
}
