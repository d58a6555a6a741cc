import { openCpu } from '../../../emu/open.js';
import { libmill } from '../../../runtime/libmill.js';
import { Process, type ProcessOptions } from '../../../runtime/process.js';

const MEMORY = 256 << 20;
/** What a test's own bytes go into, in a process of its own. */
const SCRATCH = 1 << 20;
const PAGE = 4096;
/** Where calls return to: nothing is mapped there. */
const RETURN = 0x2000;
const STEPS = 1000;
const ARGUMENTS = ['rdi', 'rsi', 'rdx', 'rcx', 'r8', 'r9'] as const;

/** An argument: an integer, an address, or text that is put into memory with a zero behind it. */
export type Argument = number | bigint | string;

/** A guest whose libc is called by the test, function by function. */
export class Caller {
  readonly process: Process;
  readonly #scratch: number;
  #used = 0;

  constructor(options: ProcessOptions = {}) {
    const cpu = openCpu({ memory: MEMORY });
    this.process = new Process(cpu, libmill(), function* () {}, ['guest'], options);
    // The page above stays unmapped.
    this.#scratch = cpu.memory.allocate(SCRATCH + PAGE, 0);
    cpu.memory.reserve(this.#scratch, SCRATCH, 'rw-');
  }

  get memory(): Process['cpu']['memory'] {
    return this.process.cpu.memory;
  }

  /** The first address behind the test's own memory, where nothing is mapped. */
  get end(): number {
    return this.#scratch + SCRATCH;
  }

  /** Puts bytes, or text with a zero behind it, into memory. */
  put(content: Uint8Array | string): number {
    const bytes = typeof content === 'string' ? new TextEncoder().encode(`${content}\0`) : content;
    const address = this.room(bytes.length);
    this.memory.write(address, bytes);
    return address;
  }

  /** Room of zeros, at a multiple of 16. */
  room(size: number): number {
    const address = this.#scratch + this.#used;
    this.#used += Math.ceil((size + 1) / 16) * 16;
    if (this.#used > SCRATCH) throw new Error('the test needs more room than there is');
    return address;
  }

  /** All room is free again. */
  clear(): void {
    this.memory.fill(this.#scratch, this.#used, 0);
    this.#used = 0;
  }

  text(address: number | bigint): string {
    return this.memory.text(Number(address));
  }

  get errno(): number {
    return this.memory.i32(Number(this.process.symbol('errno')));
  }

  /**
   * Calls a function.
   * @returns rax, unsigned
   * @throws what ended the guest, if that did
   */
  call(name: string, ...args: readonly Argument[]): bigint {
    const { cpu, mainStack } = this.process;
    args.forEach((argument, index) => {
      const value = typeof argument === 'string' ? this.put(argument) : argument;
      cpu.write(ARGUMENTS[index], BigInt.asUintN(64, BigInt(value)));
    });
    // As behind a call: the return address is where rsp was a multiple of 16.
    const rsp = mainStack.high - PAGE - 8;
    cpu.memory.setPointer(rsp, RETURN);
    cpu.write('rsp', BigInt(rsp));
    cpu.write('rip', this.process.symbol(name));
    const outcome = this.process.step(STEPS, () => {
      if (cpu.rip === RETURN) cpu.stop();
    });
    if (outcome.kind === 'error') throw outcome.error;
    if (outcome.kind === 'fault') {
      const { access, target } = outcome.fault;
      throw new Error(`fault: ${outcome.fault.kind}, ${access} of 0x${target?.toString(16)}`);
    }
    if (cpu.rip !== RETURN) throw new Error(`${name} has not returned`);
    return cpu.read('rax');
  }

  /** An `int`. */
  int(name: string, ...args: readonly Argument[]): number {
    return Number(BigInt.asIntN(32, this.call(name, ...args)));
  }

  /** A `long`. */
  long(name: string, ...args: readonly Argument[]): bigint {
    return BigInt.asIntN(64, this.call(name, ...args));
  }

  /** A `double`. */
  double(name: string, ...args: readonly Argument[]): number {
    this.call(name, ...args);
    const bits = BigUint64Array.of(BigInt.asUintN(64, this.process.cpu.read('xmm0')));
    return new Float64Array(bits.buffer)[0];
  }

  close(): void {
    this.process.cpu.close();
  }
}

/** A guest for `use` alone. */
export function withCaller<Result>(use: (caller: Caller) => Result, options?: ProcessOptions): Result {
  const caller = new Caller(options);
  try {
    return use(caller);
  } finally {
    caller.close();
  }
}
