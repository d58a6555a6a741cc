import { type AccessCallback, Accesses, type AccessKind } from './accesses.js';
import { Blocks, CONTINUES, COUNT, endsBlock, REFUSED, SLOW } from './blocks.js';
import type { Engine, EngineEvents, EngineExit } from './engine.js';
import { BadAddress, EngineError } from './errors.js';
import {
  BREAKPOINT,
  DEBUG,
  type Fault,
  faultOf,
  INVALID_OPCODE,
  isFault,
  PAGE_FAULT,
  refusal,
  SOFTWARE,
} from './fault.js';
import {
  CALL,
  ENDS_BLOCK,
  FLAGS_IMAGE,
  HIDES_TRAP,
  LENGTH,
  LOSES_FLAGS,
  REPEATS,
  TRUNCATED,
  UNSOUND,
} from './instruction.js';
import { enterUserMode } from './kernel.js';
import { Memory, PAGE_SIZE } from './memory.js';
import { readPextrw } from './pextrw.js';
import {
  FLAGS_FIXED,
  GENERAL_INDEX,
  type GeneralRegister,
  MXCSR_AT_START,
  REGISTER_FILE,
  REGISTERS,
  type RegisterName,
  TRAP_FLAG,
  X87_CONTROL_WORD_AT_START,
  X87_TAGS_AT_START,
} from './registers.js';
import type { SavedMemory } from './saved-memory.js';

/** Why a run came back: the limit was reached, `stop` was called, or the guest cannot go on. */
export type Stop =
  | { readonly kind: 'limit' }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'fault'; readonly fault: Fault };

/** The whole state of a CPU and its memory, to be given to {@link Cpu.restore}. */
export interface Snapshot {
  readonly moment: number;
  readonly registers: Readonly<Record<RegisterName, bigint>>;
  readonly memory: SavedMemory;
}

const LIMIT: Stop = { kind: 'limit' };
const STOPPED: Stop = { kind: 'stopped' };
/** What is stepped by running up to the next address. */
const RUN_FREELY = FLAGS_IMAGE | HIDES_TRAP;
const NOWHERE = -1;
const RIP = REGISTER_FILE.indexOf('rip');
const EFLAGS = REGISTER_FILE.indexOf('eflags');
/** Bytes of the `syscall` instruction. */
const SYSCALL_LENGTH = 2;

/** @param size bytes of the block, or of the instruction */
export type BlockCallback = (address: number, size: number) => void;

type Mode =
  /** Setting up: nothing is counted. */
  | 'boot'
  /** Running freely, counted by block. */
  | 'plain'
  /** The trap flag is set: an interrupt after each instruction. */
  | 'trap'
  /** One instruction, run freely up to the next address. */
  | 'until'
  /** One `iret`, run freely up to the block it goes to. */
  | 'return';

/** `int n`, which is followed by the vector. */
const SOFTWARE_INTERRUPT = 0xcd;

/**
 * An x86_64 CPU in 64-bit user mode with its memory, exact to the instruction: it counts what it executes, stops where
 * it is told to, steps without disturbing what it steps through, and reports faults where they happen. What differs
 * between emulators is behind {@link Engine}.
 *
 * Its only contact with the host is the `syscall` instruction ({@link onHypercall}).
 */
export class Cpu {
  /** Instructions completed since the start; a `rep` instruction counts once. */
  moment = 0;
  readonly memory: Memory;
  /**
   * Called for each `syscall`, after which the guest goes on with rax as set by {@link setRax}. A {@link BadAddress}
   * thrown here becomes a fault of the guest; anything else leaves the run and is thrown there.
   */
  onHypercall: () => void = () => this.stop();

  readonly #engine: Engine;
  readonly #blocks: Blocks;
  /** Replaced, never changed, since a callback may take itself away. */
  #blockCallbacks: readonly BlockCallback[] = [];
  readonly #accesses = new Accesses();
  /** Whether the engine tells of accesses. */
  #accessesWatched = false;
  /** Whether this run is one of single steps, in which it is known which instruction an access belongs to. */
  #stepwise = false;
  #rip = 0;
  #mode: Mode = 'boot';
  #limit = Number.POSITIVE_INFINITY;
  #visit: (() => void) | undefined;
  /** Between two instructions, where all state is complete. */
  #visiting = false;
  /** A callback is being told of a block or of a step, the engine running or not. */
  #telling = false;
  /** The moment at which a block was told of last: a page fault that is put right is no second one. */
  #toldAt = NOWHERE;
  #stopRequested = false;
  #stepRequested = false;
  #interrupt = NOWHERE;
  /** What a callback threw inside the engine, and where it was called. */
  #thrown: { readonly error: unknown; readonly rip: number } | undefined;
  #running = false;
  /** The door to open again; undefined unless a hypercall asked for that. */
  #retry: number | undefined;

  // The block that is executing, for finding the exact moment of a fault in it.
  #block = NOWHERE;
  #blockCount = 0;
  #blockMoment = 0;
  #blockContinues = false;
  /** Address of the `rep` instruction of which the next block may be a further iteration. */
  #repeating = NOWHERE;

  // The instruction that is being stepped.
  #stepping = NOWHERE;
  #steppingCounted = false;
  /** Stepping ends when control leaves the current block. */
  #leaving = false;
  /** The guest itself has set the trap flag: the instruction being stepped ends in a trap of its own. */
  #trapIsGuests = false;
  /** What EFLAGS were in front of an instruction that loses them when it faults. */
  #flagsBefore: number | undefined;
  /** Blocks begun while one `iret` executes: its own, and the one it goes to. */
  #blocksOfReturn = 0;

  /** @param open makes the engine; its physical memory is set up here */
  constructor(open: (events: EngineEvents) => Engine) {
    this.#engine = open({
      block: (address, size) => this.#onBlock(address, size),
      syscall: () => this.#onSyscall(),
      interrupt: (vector) => this.#onInterrupt(vector),
    });
    try {
      this.memory = new Memory(this.#engine);
      this.#blocks = new Blocks(this.memory);
      enterUserMode(this.#engine, this.memory);
    } catch (error) {
      this.#engine.close();
      throw error;
    }
    this.#engine.write('rsp', 0n);
    this.write('eflags', BigInt(FLAGS_FIXED));
    this.write('mxcsr', MXCSR_AT_START);
    this.write('fpcw', X87_CONTROL_WORD_AT_START);
    this.write('fptag', X87_TAGS_AT_START);
  }

  /** Name and version of the engine. */
  get engine(): string {
    return `${this.#engine.name} ${this.#engine.version}`;
  }

  /** Address of the next instruction; inside {@link onHypercall} that of the `syscall`. */
  get rip(): number {
    return this.#running ? this.#engine.rip : this.#rip;
  }

  /** The value of a register. EFLAGS never shows the trap flag, which belongs to stepping. */
  read(register: RegisterName): bigint {
    if (register === 'rip') {
      const rip = this.rip;
      return rip <= Number.MAX_SAFE_INTEGER ? BigInt(rip) : this.#engine.read('rip');
    }
    if (register === 'eflags') return BigInt(this.#flags());
    const index = GENERAL_INDEX[register as GeneralRegister];
    if (index === undefined) return this.#engine.read(register);
    const general = this.#engine.general;
    return (BigInt(general[index * 2 + 1]) << 32n) | BigInt(general[index * 2]);
  }

  /** All registers. */
  readAll(): Record<RegisterName, bigint> {
    return Object.fromEntries(REGISTERS.map((name) => [name, this.read(name)])) as Record<RegisterName, bigint>;
  }

  /**
   * All of `REGISTER_FILE` at once: for whoever looks at it after each instruction.
   * @param into has room for it
   */
  readInto(into: BigUint64Array): void {
    into.set(this.#engine.general64);
    into[RIP] = this.read('rip');
    into[EFLAGS] = BigInt(this.#flags());
  }

  #flags(): number {
    return (this.#engine.flags & ~TRAP_FLAG) | FLAGS_FIXED;
  }

  /** Sets a register between runs. */
  write(register: RegisterName, value: bigint): void {
    this.#refuseInside();
    if (register === 'rip') this.#rip = Number(value);
    if (register !== 'rip' || value > Number.MAX_SAFE_INTEGER) this.#engine.write(register, value);
  }

  /** The low 32 bits of a general register, unsigned; for hypercalls. */
  low(index: number): number {
    return this.#engine.general[index * 2];
  }

  /** A general register as an address. Inexact above 2^53, where no guest memory is, so that using it faults. */
  pointer(index: number): number {
    const general = this.#engine.general;
    return general[index * 2 + 1] * 0x100000000 + general[index * 2];
  }

  /** A general register in full, unsigned. */
  general64(index: number): bigint {
    const general = this.#engine.general;
    return (BigInt(general[index * 2 + 1]) << 32n) | BigInt(general[index * 2]);
  }

  /**
   * Stops the run from inside a hypercall so that the next one opens a door again, as Linux restarts a system call:
   * nothing has happened but that rax holds `number`.
   */
  retryHypercall(number: number): void {
    this.#retry = number;
    this.stop();
  }

  /** Sets rax from inside a hypercall: a whole number, of magnitude below 2^53 if it is no BigInt. */
  setRax(value: number | bigint): void {
    if (typeof value === 'bigint')
      this.#engine.setRax(Number(value & 0xffffffffn), Number((value >> 32n) & 0xffffffffn));
    else this.#engine.setRax(value >>> 0, Math.floor(value / 0x100000000) >>> 0);
  }

  /**
   * Calls `callback` before each block of a plain run, and before each instruction of a stepped one, from now on. It may
   * call {@link stop}, which comes back before that block; what it throws leaves the run and is thrown there.
   * @returns what ends that
   */
  onBlock(callback: BlockCallback): () => void {
    // Of its own, since the same callback may be given twice.
    const listener: BlockCallback = (address, size) => callback(address, size);
    this.#blockCallbacks = [...this.#blockCallbacks, listener];
    return () => {
      this.#blockCallbacks = this.#blockCallbacks.filter((one) => one !== listener);
    };
  }

  /**
   * Calls `callback` for each access of an instruction to memory, from now on, in their order. It is called when the
   * instruction is complete, in front of what visits the step: moment, registers and memory are those behind it. An
   * instruction that faults has accessed nothing; what the host wrote in a hypercall is told even if that failed in the end,
   * or is to be tried again. The callback may call {@link stop}.
   *
   * Only {@link step} tells of accesses: no engine knows in a plain run which instruction one belongs to. Not told is,
   * when the host replaces memory as a whole, as for a child of fork(), what that changes; and, with unicorn.js, most of
   * what those instructions do which it leaves to functions of its own: x87 with 80 bits or a whole state, fxsave, fxrstor,
   * cmpxchg8b, cmpxchg16b, and iret.
   * @returns what ends that
   */
  onAccess(callback: AccessCallback): () => void {
    return this.#accesses.add(callback);
  }

  /** If the instruction at an address is a call, where it returns to. */
  returnAddressOf(address: number): number | undefined {
    const instruction = this.#blocks.instruction(address);
    return (instruction & CALL) === 0 ? undefined : address + (instruction & LENGTH);
  }

  /** How many instructions come from one address to another in a straight line; undefined if none begins there. */
  instructionsBetween(start: number, end: number): number | undefined {
    let count = 0;
    for (let at = start; at < end; count++) {
      const length = this.#blocks.instruction(at) & LENGTH;
      if (length === 0) return undefined;
      at += length;
      if (at > end) return undefined;
    }
    return count;
  }

  /** Asks a run to stop behind the current instruction; to be called from callbacks. */
  stop(): void {
    this.#stopRequested = true;
    this.#engine.stop();
  }

  /** Runs until the moment `limit` is reached, {@link stop} is called, or a fault. */
  run(limit = Number.POSITIVE_INFINITY): Stop {
    this.#begin(limit);
    this.#stepwise = false;
    while (this.moment < limit) {
      const stop = this.#stepRequested ? this.#stepOutOfBlock(limit) : this.#resume('plain', this.#rip);
      if (stop !== undefined) return stop;
    }
    return LIMIT;
  }

  /**
   * Executes `count` instructions one at a time.
   * @param visit is called behind each, with the CPU showing the state there; it may call {@link stop}
   */
  step(count = 1, visit?: () => void): Stop {
    this.#begin(this.moment + count);
    this.#stepwise = true;
    this.#visit = visit;
    while (this.moment < this.#limit) {
      const stop = this.#step();
      if (stop !== undefined) return stop;
    }
    return LIMIT;
  }

  save(): Snapshot {
    if (!this.#visiting) this.#refuseInside();
    return { moment: this.moment, registers: this.readAll(), memory: this.memory.save() };
  }

  /** Makes CPU and memory what they were when saved, here or in another machine that has loaded the same code. */
  restore(snapshot: Snapshot): void {
    this.#refuseInside();
    this.memory.restore(snapshot.memory);
    for (const name of REGISTERS) this.write(name, snapshot.registers[name]);
    this.moment = snapshot.moment;
    this.#repeating = NOWHERE;
  }

  /** Gives the engine's memory back; a second call does nothing. Whatever else is done with it then throws. */
  close(): void {
    if (this.#running || this.#telling) {
      throw new EngineError('this machine is running: it cannot be closed from its own callbacks');
    }
    this.#engine.close();
  }

  #refuseInside(): void {
    if (this.#running || this.#telling) {
      throw new EngineError('this machine is running: its callbacks can only look at it, or stop it');
    }
  }

  #begin(limit: number): void {
    if (this.#running || this.#telling) {
      throw new EngineError('this machine is running: it cannot be run from one of its own callbacks');
    }
    this.#limit = limit;
    this.#toldAt = NOWHERE;
    this.#visit = undefined;
    this.#stopRequested = false;
    this.#stepRequested = false;
    this.#leaving = false;
    this.#repeating = NOWHERE;
    this.#retry = undefined;
    this.#watchAccesses();
  }

  #watchAccesses(): void {
    if (this.#accesses.wanted === this.#accessesWatched) return;
    this.#accessesWatched = this.#accesses.wanted;
    this.#engine.watchAccesses(
      this.#accessesWatched ? (kind, address, size) => this.#noteAccess(kind, address, size) : undefined,
    );
  }

  #noteAccess(kind: AccessKind, address: number, size: number): void {
    if (this.#stepwise) this.#accesses.note(kind, address, size);
  }

  /** Lets the engine run and works out why it came back; undefined means that the run goes on. */
  #resume(mode: Mode, address: number, until?: number): Stop | undefined {
    this.#mode = mode;
    this.#interrupt = NOWHERE;
    this.#block = NOWHERE;
    let exit: EngineExit;
    this.#running = true;
    try {
      exit = this.#engine.resume(address, until);
    } finally {
      this.#running = false;
    }
    this.#rip = this.#engine.rip;
    if (this.#thrown !== undefined) {
      const { error, rip } = this.#thrown;
      this.#thrown = undefined;
      if (error instanceof BadAddress) return this.#badPointer(error, rip);
      this.#tellAccesses();
      throw error;
    }
    if (this.#interrupt !== NOWHERE) return this.#exception(this.#interrupt);
    if (exit === 'invalid instruction') {
      // Unicorn does not call its hooks for this vector.
      this.#onInterrupt(INVALID_OPCODE);
      return this.#exception(this.#interrupt);
    }
    if (exit === 'engine error') throw new EngineError(`${this.engine} broke at 0x${this.#rip.toString(16)}`);
    if (this.#retry !== undefined) {
      this.#engine.write('rax', BigInt(this.#retry));
      this.#retry = undefined;
      this.#rip -= SYSCALL_LENGTH;
      this.moment -= 1;
    }
    // An instruction that ends the run is not followed by a trap.
    if (mode === 'trap') this.#tellAccesses();
    return this.#stopRequested ? STOPPED : undefined;
  }

  #exception(vector: number): Stop | undefined {
    this.#accesses.undo();
    this.#rewindTo(this.#rip);
    const pageFault = this.#engine.pageFault;
    if (this.#flagsBefore !== undefined && this.#mode === 'trap' && this.#rip === this.#stepping)
      this.#engine.write('eflags', BigInt(this.#flagsBefore));
    if (vector === PAGE_FAULT && this.memory.fault(Number(pageFault.address), pageFault.errorCode)) return undefined;
    const fault = faultOf(vector, this.read('rip'), pageFault);
    if (this.#mode === 'plain' && fault.access === 'execute' && fault.target !== fault.rip) {
      // The engine translates a whole block at once: what comes before the missing page has not been executed.
      this.#stepRequested = true;
      return undefined;
    }
    this.#tellAccesses();
    return { kind: 'fault', fault };
  }

  #badPointer(error: BadAddress, rip: number): Stop {
    // The syscall was counted before its handler ran, and has not completed.
    this.moment -= 1;
    this.#rip = rip;
    this.#tellAccesses();
    return {
      kind: 'fault',
      fault: { kind: 'bad pointer', rip: BigInt(this.#rip), access: error.access, target: error.address },
    };
  }

  /** A plain run counts a block when it begins; after a fault in its middle, the rest was not executed. */
  #rewindTo(rip: number): void {
    if (this.#mode !== 'plain' || this.#block === NOWHERE) return;
    const before = this.#blocks.before(this.#block, this.#blockCount, rip);
    if (before === this.#blockCount) return;
    // A `rep` was counted with its first iteration; in its middle it has not completed, and will be counted again.
    this.moment = this.#blockMoment + before - (this.#blockContinues ? 1 : 0);
    this.#repeating = NOWHERE;
  }

  #onBlock(address: number, size: number): void {
    if (this.#mode !== 'plain') {
      if (this.#mode === 'return' && ++this.#blocksOfReturn > 1) this.#engine.stop();
      return;
    }
    const block = this.#blocks.at(address, size);
    const count = block & COUNT;
    const continues = address === this.#repeating;
    const end = this.moment + count - (continues ? 1 : 0);
    if (end > this.#limit || (block & SLOW) !== 0) {
      this.#stepRequested = true;
      this.#engine.stop();
      return;
    }
    if (this.#blockCallbacks.length > 0 && !continues && !this.#announce(address, size)) return;
    this.#block = address;
    this.#blockCount = count;
    this.#blockMoment = this.moment;
    this.#blockContinues = continues;
    this.#repeating = (block & CONTINUES) === 0 ? NOWHERE : this.#blocks.last(address, count);
    this.moment = end;
  }

  /** Tells of a block, or an instruction, inside the engine. @returns whether the run goes on */
  #announce(address: number, size: number): boolean {
    try {
      this.#tellBlock(address, size);
      return !this.#stopRequested;
    } catch (error) {
      this.#throwAfterwards(error);
      return false;
    }
  }

  #tellBlock(address: number, size: number): void {
    if (this.#toldAt === this.moment) return;
    this.#toldAt = this.moment;
    this.#telling = true;
    try {
      for (const callback of this.#blockCallbacks) callback(address, size);
    } finally {
      this.#telling = false;
    }
  }

  #tellAccesses(): void {
    this.#telling = true;
    try {
      this.#accesses.tell();
    } finally {
      this.#telling = false;
    }
  }

  /** Tells of a step that is complete. */
  #tellVisit(): void {
    this.#telling = true;
    this.#visiting = true;
    try {
      this.#accesses.tell();
      this.#visit?.();
    } finally {
      this.#telling = false;
      this.#visiting = false;
    }
  }

  /** Exceptions must not pass through the engine. */
  #throwAfterwards(error: unknown): void {
    this.#thrown = { error, rip: this.#engine.rip };
    this.#engine.stop();
  }

  #onSyscall(): void {
    if (this.#mode === 'trap') {
      this.moment += 1;
      this.#steppingCounted = true;
    }
    if (this.#accessesWatched) this.memory.onWrite = (address, size) => this.#noteAccess('host write', address, size);
    try {
      this.onHypercall();
    } catch (error) {
      this.#throwAfterwards(error);
    } finally {
      this.memory.onWrite = undefined;
    }
  }

  #onInterrupt(vector: number): void {
    const software = this.#isSoftwareInterrupt();
    if (vector === DEBUG && this.#mode === 'trap' && !software) {
      this.#afterStep();
      return;
    }
    this.#interrupt = software && vector !== BREAKPOINT ? SOFTWARE + vector : vector;
    // Software interrupts are reported behind the instruction, which is thereby complete (Intel SDM: traps).
    if (this.#mode === 'trap' && this.#engine.rip !== this.#stepping && !isFault(this.#interrupt)) this.moment += 1;
    this.#engine.stop();
  }

  /** Whether it was an `int n` that raised this interrupt, and not an exception of the same number. */
  #isSoftwareInterrupt(): boolean {
    let at = this.#stepping;
    if (this.#mode === 'plain') {
      if (this.#block === NOWHERE) return false;
      at = this.#blocks.last(this.#block, this.#blockCount);
    }
    const shape = this.#blocks.instruction(at) & (ENDS_BLOCK | LENGTH);
    if (shape !== (ENDS_BLOCK | 2) || this.#engine.rip !== at + 2) return false;
    return this.memory.u8(at) === SOFTWARE_INTERRUPT;
  }

  /** Steps until the current block is left, or the limit reached: what a plain run could not do exactly. */
  #stepOutOfBlock(limit: number): Stop | undefined {
    this.#stepRequested = false;
    this.#leaving = true;
    while (this.#leaving && this.moment < limit) {
      const stop = this.#step();
      if (stop !== undefined) return stop;
    }
    return undefined;
  }

  /** Goes on stepping from here: with the trap flag where that is sound, one instruction at a time elsewhere. */
  #step(): Stop | undefined {
    const rip = this.#rip;
    const instruction = this.#blocks.instruction(rip);
    if ((instruction & REFUSED) !== 0) return this.#stepRefused(rip, instruction);
    const fault = (instruction & LENGTH) === 0 ? this.#fetchFault(rip, instruction) : undefined;
    if (fault !== undefined) return fault;
    this.#tellBlock(rip, instruction & LENGTH);
    if (this.#stopRequested) return STOPPED;
    if ((instruction & RUN_FREELY) !== 0) return this.#stepFreely(rip, instruction);
    this.#stepping = rip;
    this.#steppingCounted = false;
    const { flags } = this.#engine;
    this.#trapIsGuests = (flags & TRAP_FLAG) !== 0;
    this.#flagsBefore = (instruction & LOSES_FLAGS) === 0 ? undefined : flags;
    this.#engine.write('eflags', BigInt(flags | TRAP_FLAG));
    try {
      return this.#resume('trap', rip);
    } finally {
      this.#engine.write('eflags', BigInt(this.#engine.flags & ~TRAP_FLAG));
    }
  }

  /** What is not left to the engine is a fault, but for the pextrw of compilers, which is carried out here. */
  #stepRefused(rip: number, instruction: number): Stop | undefined {
    const extract = (instruction & UNSOUND) === 0 ? undefined : readPextrw(this.memory.read(rip, instruction & LENGTH));
    if (extract === undefined) return { kind: 'fault', fault: refusal(instruction, rip) };
    this.#tellBlock(rip, instruction & LENGTH);
    if (this.#stopRequested) return STOPPED;
    const { target, source, shift, length } = extract;
    this.write(target, (this.#engine.read(source) >> shift) & 0xffffn);
    this.#rip = rip + length;
    this.moment += 1;
    this.#tellVisit();
    return this.#stopRequested ? STOPPED : undefined;
  }

  /**
   * Unicorn 1.0 forgets that a page must not be executed once its translation has been in the victim TLB: after it was
   * read first and written then, or when another page took its place in the TLB. What lacks an instruction is looked at
   * here, therefore.
   */
  #fetchFault(rip: number, instruction: number): Stop | undefined {
    const target = (instruction & TRUNCATED) === 0 ? rip : (Math.floor(rip / PAGE_SIZE) + 1) * PAGE_SIZE;
    const protection = this.memory.protectionAt(target);
    if (protection === undefined || protection === 'r-x') return undefined;
    const fault = { kind: 'page fault', rip: BigInt(rip), access: 'execute', target: BigInt(target) } as const;
    return { kind: 'fault', fault };
  }

  /**
   * One instruction without the trap flag: pushf would store it, popf and iret would clear it, and behind others it does
   * not trap. Only iret jumps.
   */
  #stepFreely(rip: number, instruction: number): Stop | undefined {
    const isReturn = endsBlock(instruction);
    const next = rip + (instruction & LENGTH);
    this.#blocksOfReturn = 0;
    const stop = isReturn ? this.#resume('return', rip) : this.#resume('until', rip, next);
    if (isReturn ? this.#rip !== rip || this.#blocksOfReturn > 1 : this.#rip === next) {
      this.moment += 1;
      if (isReturn) this.#leaving = false;
      this.#tellVisit();
    }
    return stop ?? (this.#stopRequested ? STOPPED : undefined);
  }

  /** Behind each instruction executed under the trap flag, and behind each iteration of a `rep`. */
  #afterStep(): void {
    if (this.#thrown !== undefined || this.#retry !== undefined) return;
    const engine = this.#engine;
    const next = engine.rip;
    if (next === this.#stepping && (this.#blocks.instruction(next) & REPEATS) !== 0) {
      this.#accesses.iterated();
      return;
    }
    if (!this.#steppingCounted) this.moment += 1;
    try {
      this.#tellVisit();
    } catch (error) {
      this.#throwAfterwards(error);
      return;
    }
    if (this.#trapIsGuests) {
      this.#interrupt = DEBUG;
      engine.stop();
      return;
    }
    const instruction = this.#blocks.instruction(next);
    const left = this.#leaving && endsBlock(this.#blocks.instruction(this.#stepping));
    if (left) this.#leaving = false;
    const special = (instruction & (RUN_FREELY | REFUSED | LOSES_FLAGS)) !== 0 || (instruction & LENGTH) === 0;
    if (this.moment >= this.#limit || special || left || this.#stopRequested) engine.stop();
    else if (this.#blockCallbacks.length > 0) this.#announce(next, instruction & LENGTH);
    this.#stepping = next;
    this.#steppingCounted = false;
    this.#flagsBefore = undefined;
  }
}
