import type { RegisterName } from './registers.js';

/**
 * What happens while an engine runs. The callbacks run inside the engine: they must not throw and must not call
 * {@link Engine.resume}, which is fatal in Unicorn.
 */
export interface EngineEvents {
  /**
   * A translated block is about to execute.
   * @param address of its first instruction
   * @param size in bytes, or 0 when the engine cut the block because it was too long for its buffers
   */
  block(address: number, size: number): void;
  /** The guest executed `syscall`, which is this machine's only door to the host. */
  syscall(): void;
  /** A processor exception or software interrupt, by its vector number (Intel SDM, volume 3, table 6-1). */
  interrupt(vector: number): void;
}

/**
 * An instruction is about to read or write memory (fetching the instruction itself is no access). One that faults is told
 * of as well, and again when it is tried again. What is larger than 8 bytes comes in parts.
 */
export type EngineAccess = (kind: 'read' | 'write', address: number, size: number) => void;

/** Why {@link Engine.resume} came back: as asked by `stop` or `until`, or because the engine could not go on. */
export type EngineExit = 'stopped' | 'invalid instruction' | 'engine error';

/** Where and how the last page fault happened, as the processor reports it (CR2 and the error code). */
export interface PageFault {
  readonly address: bigint;
  /** Bit 0: the page was present, bit 1: a write, bit 4: an instruction fetch (Intel SDM, volume 3, 4.7). */
  readonly errorCode: number;
}

/**
 * The least a CPU emulator must offer to be used here: physical memory, registers, and running until told to stop.
 * Counting, budgets, single steps and faults are made of these in `cpu.ts`, once for all engines.
 */
export interface Engine {
  readonly name: string;
  readonly version: string;
  /** Bytes of physical memory. */
  readonly size: number;
  /**
   * Physical memory, from physical address 0, as 32-bit words and as bytes. Valid only until the engine runs or
   * another machine is opened: read the property again instead of keeping its value.
   */
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  /**
   * The 16 general registers in encoding order (rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8-r15), each as two 32-bit
   * words, low first; rip is behind them. As valid as {@link words}, and for reading only.
   */
  readonly general: Uint32Array;
  /** The same 17 registers as whole words. */
  readonly general64: BigUint64Array;
  /** EFLAGS, with the trap flag if that is set. */
  readonly flags: number;
  /** Sets rax, for results of hypercalls. */
  setRax(low: number, high: number): void;
  /** The address of the instruction that is about to execute; exact in `interrupt` and after `resume`. */
  readonly rip: number;
  readonly pageFault: PageFault;
  read(register: RegisterName): bigint;
  write(register: RegisterName, value: bigint): void;
  /** Turns paging on with the tables at this physical address; pages marked no-execute are honoured. */
  enablePaging(root: number, descriptorTable: number, descriptorTableLimit: number): void;
  /** Drops cached address translations: needed after a page became absent or more protected, or lost its dirty bit. */
  flushTranslations(): void;
  /** Tells of the guest's accesses to memory from now on, or no longer; to be called between two runs. */
  watchAccesses(tell: EngineAccess | undefined): void;
  /** Runs from `address` until `stop` is called, `until` is reached, or the engine cannot go on. */
  resume(address: number, until?: number): EngineExit;
  /** Asks a running engine to come back before its next block (or at once, if called from `block`). */
  stop(): void;
  /** Gives everything back; a second call does nothing. Any other use afterwards throws. */
  close(): void;
}
