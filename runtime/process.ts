import type { Image } from '../asm/image.js';
import type { Cpu, Snapshot } from '../emu/cpu.js';
import type { Fault } from '../emu/fault.js';
import { PAGE_SIZE, type Protection } from '../emu/memory.js';
import { Bodies, type Body, type BodyResult } from './bodies.js';
import { Coroutines } from './cr.js';
import { Census } from './debug.js';
import { openDoors } from './doors.js';
import { MillError } from './errors.js';
import { Heap } from './heap.js';
import { Random } from './random.js';
import { Stacks } from './stack.js';
import type { Symbols } from './symbols.js';

/** How a run came to its end, or why it paused. */
export type Outcome =
  | { readonly kind: 'exit'; readonly status: number }
  | { readonly kind: 'abort' }
  | { readonly kind: 'limit' }
  | { readonly kind: 'paused' }
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'error'; readonly error: MillError };

/** One save, one restore, or both, as the runtime decided them. Coroutines are addresses of mill_cr; 0 is none. */
export interface Switch {
  /** `go`: the parent is saved, its child runs. The end of a coroutine: nobody is saved. Else both. */
  readonly kind: 'start' | 'switch' | 'end';
  readonly saved: number;
  readonly restored: number;
}

/** What a process tells those who listen. Callbacks run inside the run: they must not throw. */
export interface Listener {
  output?(stream: 1 | 2, bytes: Uint8Array): void;
  /** Behind the save and before the restore. */
  switched?(event: Switch): void;
}

/** Everything that makes up a process at a moment. */
export interface SavedProcess {
  readonly cpu: Snapshot;
  readonly bodies: readonly BodyResult[];
}

const PROTECTION: Readonly<Record<string, Protection>> = { '.text': 'r-x', '.rodata': 'r--' };
const MAIN_STACK = 8 << 20;
/** What is between the top of the main stack and the end of its memory: argc, argv and their strings. */
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
  readonly coroutines: Coroutines;
  readonly census: Census;
  readonly stacks: Stacks;
  readonly heap: Heap;
  readonly mainStack: { readonly low: number; readonly high: number };
  listener: Listener = {};
  readonly #bodies: Bodies | undefined;
  #outcome: Outcome | undefined;

  /**
   * @param runtime the image of libmill.s and what goes with it
   * @param program an image with `main`, or the body of main
   * @param argv the program's name and its arguments
   * @param seed of the random numbers
   * @throws UndefinedSymbol if the program has no main, OutOfMemory if it does not fit
   */
  constructor(cpu: Cpu, runtime: Image, program: Image | Body, argv: readonly string[], seed = 0n) {
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
    const symbols: Symbols = (name) => Number(runtime.symbol(name));
    this.heap = new Heap(memory, symbols, end);
    const low = memory.allocate(MAIN_STACK, end);
    this.mainStack = { low: low + PAGE_SIZE, high: low + MAIN_STACK };
    memory.reserve(this.mainStack.low, MAIN_STACK - PAGE_SIZE, 'rw-');
    this.census = new Census(memory, symbols);
    this.stacks = new Stacks(memory, symbols, this.heap);
    this.coroutines = new Coroutines(memory, symbols, this.stacks, this.heap, this.census, this.mainStack);
    const anySymbol: Symbols = (name) => Number(this.symbol(name));
    this.#bodies = typeof program === 'function' ? new Bodies(memory, anySymbol, this.heap, program) : undefined;
    const main = typeof program === 'function' ? runtime.symbol('mill_main_body') : program.symbol('main');
    const random = new Random(memory, symbols);
    random.seed(seed);
    this.#start(main, argv);
    cpu.onHypercall = openDoors({
      cpu,
      symbols,
      coroutines: this.coroutines,
      census: this.census,
      random,
      bodies: this.#bodies,
      output: (stream, bytes) => this.listener.output?.(stream, bytes),
      ended: (status) => this.#end(status === 'aborted' ? { kind: 'abort' } : { kind: 'exit', status }),
      switched: (saved, restored) => {
        if (this.listener.switched === undefined) return;
        const kind = saved === 0 ? 'end' : restored === 0 ? 'start' : 'switch';
        this.listener.switched({ kind, saved, restored });
      },
    });
  }

  /** Address of a symbol of the program or the runtime. @throws UndefinedSymbol */
  symbol(name: string): bigint {
    const image = this.images.findLast(({ symbols }) => symbols.has(name));
    return (image ?? this.images[0]).symbol(name);
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
   * @param visit is called behind each; it may call `cpu.stop()`
   */
  step(count = 1, visit?: () => void): Outcome {
    return this.#during(() => this.cpu.step(count, visit));
  }

  save(): SavedProcess {
    return { cpu: this.cpu.save(), bodies: this.#bodies?.save() ?? [] };
  }

  /** Makes the process what it was when saved, here or in another machine with the same program and memory. */
  restore(saved: SavedProcess): void {
    this.cpu.restore(saved.cpu);
    this.#bodies?.restore(saved.bodies);
    this.#outcome = undefined;
  }

  #during(run: () => ReturnType<Cpu['run']>): Outcome {
    if (this.#outcome !== undefined) return this.#outcome;
    try {
      const stop = run();
      if (this.#outcome !== undefined) return this.#outcome;
      if (stop.kind === 'fault') this.#outcome = stop;
      return stop.kind === 'stopped' ? { kind: 'paused' } : stop;
    } catch (error) {
      if (!(error instanceof MillError)) throw error;
      this.#outcome = { kind: 'error', error };
      return this.#outcome;
    }
  }

  #end(outcome: Outcome): void {
    this.#outcome = outcome;
    this.cpu.stop();
  }

  /** As a process is entered (System V ABI, AMD64 supplement, 3.4.1), with main's address and arguments on top. */
  #start(main: bigint, argv: readonly string[]): void {
    const { cpu } = this;
    let at = this.mainStack.high;
    const pointers = argv.map((argument) => {
      const bytes = new TextEncoder().encode(`${argument}\0`);
      at -= bytes.length;
      cpu.memory.write(at, bytes);
      return at;
    });
    // argc, the pointers and their NULL, no environment, the auxiliary vector's end
    const words = [argv.length, ...pointers, 0, 0, 0, 0];
    const rsp = Math.floor((at - words.length * POINTER) / 16) * 16;
    words.forEach((word, index) => {
      cpu.memory.setPointer(rsp + index * POINTER, word);
    });
    cpu.write('rsp', BigInt(rsp));
    cpu.write('rip', this.images[0].symbol('__libc_start_main'));
    cpu.write('rdi', main);
    cpu.write('rsi', BigInt(argv.length));
    cpu.write('rdx', BigInt(rsp + POINTER));
  }
}
