import type { Engine, EngineAccess, EngineEvents, EngineExit, PageFault } from '../engine.js';
import { EngineError } from '../errors.js';
import { GENERAL_REGISTERS, type RegisterName, registerWidth, VECTOR_REGISTERS, X87_REGISTERS } from '../registers.js';
import { type Library, library, type Word } from './libunicorn-library.js';

/* Of unicorn.h and x86.h, which are the same in all of Unicorn 2. */
const ARCH_X86 = 4;
const MODE_64 = 8;
const PROT_READ = 1;
const PROT_ALL = 7;
const HOOK_INTR = 1;
const HOOK_INSN = 2;
const HOOK_BLOCK = 8;
/** UC_HOOK_MEM_READ and UC_HOOK_MEM_WRITE. */
const ACCESSES = [
  ['read', 1024],
  ['write', 2048],
] as const;
const INSTRUCTION_SYSCALL = 699;
/** `UC_CTL_WRITE(UC_CTL_TB_REMOVE_CACHE, 2)` */
const CONTROL_REMOVE_CACHE = 0x48000009;
const ERR_INSN_INVALID = 10;
/** First byte of `int n`. */
const INT = 0xcd;
const ID = { eflags: 25, rip: 41, cr0: 50, cr3: 53, cr4: 54, gdtr: 243 } as const;
const GENERAL_IDS = [35, 38, 40, 37, 44, 36, 43, 39, 106, 107, 108, 109, 110, 111, 112, 113] as const;
const FP0 = 82;
const XMM0 = 122;
const IDS: Readonly<Record<RegisterName, number>> = {
  ...(Object.fromEntries([
    ...GENERAL_REGISTERS.map((name, index) => [name, GENERAL_IDS[index]]),
    ...X87_REGISTERS.map((name, index) => [name, FP0 + index]),
    ...VECTOR_REGISTERS.map((name, index) => [name, XMM0 + index]),
  ]) as Record<RegisterName, number>),
  rip: ID.rip,
  eflags: ID.eflags,
  fs_base: 250,
  gs_base: 251,
  mxcsr: 249,
  fpcw: 246,
  fpsw: 31,
  fptag: 247,
};
/** What is read together: the general registers, and rip and EFLAGS behind them. */
const BATCH = [...GENERAL_IDS, ID.rip, ID.eflags];
const RIP_WORD = GENERAL_IDS.length * 2;
const FLAGS_WORD = RIP_WORD + 2;

/**
 * Offsets in bytes of what Unicorn has no function for, in QEMU's `CPUX86State`, of which a context is a copy. In 2.1 what
 * is behind the control registers is 32 bytes further. On a build in which they are elsewhere the engine refuses to start.
 */
const ENV = { r15: 120, cr2: 440, efer: 560, errorCode: 5352, oldException: 5464 } as const;
const SHIFTS = [0, 32];
const EFER_LONG_MODE = 0x500;
const EFER_NO_EXECUTE = 0x800;
const NO_EXCEPTION = 0xffffffff;
const PAGE_FAULT = 14;
const CR0_PAGING_AND_WRITE_PROTECT = 0x80010000n;
/** PAE, which 64-bit paging needs, and OSFXSR, without which SSE instructions are undefined. */
const CR4_PAE_AND_SSE = 0x220n;
/** No guest address: bits 47 and above differ. */
const NOWHERE = 1n << 63n;
const PAGE = 4096;
const NONE: readonly number[] = [];
const CLOSED = new Uint8Array(0);

/** Unicorn 2 as a library of the machine this runs on: twice as fast, and a second opinion on every result. */
export class LibUnicorn implements Engine {
  readonly name = 'libunicorn';
  readonly version: string;
  readonly size: number;
  readonly #library: Library;
  #uc: Word = 0;
  #bytes: Uint8Array;
  #words: Uint32Array;
  readonly #callbacks: bigint[] = [];
  readonly #scratch = new Uint8Array(32);
  readonly #view = new DataView(this.#scratch.buffer);
  /** The registers of {@link BATCH}, as they were when last read. */
  readonly #registers = new Uint32Array(BATCH.length * 2);
  readonly #general64 = new BigUint64Array(this.#registers.buffer, 0, GENERAL_IDS.length + 1);
  readonly #batch = Int32Array.from(BATCH);
  readonly #pointers: BigUint64Array;
  /** Where C finds these two. */
  readonly #batchAt: Word;
  readonly #pointersAt: Word;
  /** Mapped behind memory, out of the guest's reach, for {@link #flush}. */
  readonly #spare = new Uint8Array(PAGE);
  #flushPending = false;
  /** Whether the registers may have changed since. */
  #stale = true;
  /** A copy of the processor's state, made by {@link Library.contextSave}: its address, and what is in it. */
  #context: Word = 0;
  #state = new DataView(CLOSED.buffer);
  /** See {@link SHIFTS}. */
  #shift = 0;
  /** Of the two hooks that tell of accesses, while there are any. */
  readonly #accessHooks: { readonly hook: bigint; readonly callback: bigint }[] = [];
  /** Of the addresses at which a block has begun. */
  #lowestCode = Number.POSITIVE_INFINITY;
  /** Where the engine will read next to make up a read across pages. */
  #parts: readonly number[] = NONE;
  /** Whether the engine was asked to come back. */
  #stopping = false;
  #pageFault: PageFault = { address: 0n, errorCode: 0 };

  /**
   * @param size bytes of physical memory, a multiple of 4096
   * @throws EngineError when the library is not loaded, or is not built as is known here
   */
  constructor(size: number, events: EngineEvents) {
    const found = library();
    if (found === undefined) throw new EngineError('the native engine is not loaded: await loadEngine("native") first');
    this.#library = found;
    const version = found.version(null, null);
    this.version = [24, 16, 8].map((shift) => (version >>> shift) & 0xff).join('.');
    this.size = size;
    const buffer = new ArrayBuffer(size);
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
    const at = found.addressOf(new BigUint64Array(this.#registers.buffer));
    this.#pointers = BigUint64Array.from(BATCH, (_, index) => at + BigInt(index * 8));
    this.#batchAt = Number(found.addressOf(this.#batch));
    this.#pointersAt = Number(found.addressOf(this.#pointers));
    try {
      this.#start(events);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #start(events: EngineEvents): void {
    const handle = new BigUint64Array(1);
    this.#check(this.#library.open(ARCH_X86, MODE_64, handle), 'open a CPU');
    this.#uc = Number(handle[0]);
    this.#check(this.#library.memMapPtr(this.#uc, 0, this.size, PROT_ALL, this.#bytes), `map ${this.size} bytes`);
    // Unicorn looks each address up among the mapped regions before the page tables, and stops inexactly where there
    // is none. With all the rest mapped as well it leaves that to the page tables.
    const spare = this.size;
    this.#check(this.#library.memMapPtr(this.#uc, spare, PAGE, PROT_ALL, this.#spare), 'map a page');
    const rest = (1n << 64n) - BigInt(spare + PAGE);
    const never = this.#register(['int64'], () => {});
    this.#check(this.#library.mmioMap(this.#uc, spare + PAGE, rest, never, null, never, null), 'map the rest');
    this.#openContext();
    this.#hook(HOOK_BLOCK, ['int64', 'uint64', 'uint32'], (_uc, address, size) => {
      this.#stale = true;
      if (address < this.#lowestCode) this.#lowestCode = Number(address);
      events.block(Number(address), Number(size));
      if (this.#flushPending) this.#flush();
    });
    this.#hook(HOOK_INTR, ['int64', 'uint32'], (_uc, vector) => {
      // Before it stops, the engine may trap behind the instruction that asked for it, or fault at the next one.
      if (this.#stopping) return;
      this.#stale = true;
      if (vector === PAGE_FAULT) this.#keepPageFault();
      events.interrupt(Number(vector));
      if (this.#flushPending) this.#flush();
    });
    this.#hook(
      HOOK_INSN,
      ['int64'],
      () => {
        this.#stale = true;
        events.syscall();
        if (this.#flushPending) this.#flush();
      },
      INSTRUCTION_SYSCALL,
    );
  }

  get words(): Uint32Array {
    this.#checkOpen();
    return this.#words;
  }

  get bytes(): Uint8Array {
    this.#checkOpen();
    return this.#bytes;
  }

  get general(): Uint32Array {
    if (this.#stale) this.#refresh();
    return this.#registers;
  }

  get general64(): BigUint64Array {
    if (this.#stale) this.#refresh();
    return this.#general64;
  }

  get flags(): number {
    if (this.#stale) this.#refresh();
    return this.#registers[FLAGS_WORD];
  }

  setRax(low: number, high: number): void {
    this.#view.setUint32(0, low, true);
    this.#view.setUint32(4, high, true);
    this.#library.regWrite(this.#uc, GENERAL_IDS[0], this.#scratch);
    this.#stale = true;
  }

  get rip(): number {
    if (this.#stale) this.#refresh();
    return this.#registers[RIP_WORD + 1] * 0x100000000 + this.#registers[RIP_WORD];
  }

  get pageFault(): PageFault {
    return this.#pageFault;
  }

  read(register: RegisterName): bigint {
    return this.#read(IDS[register], registerWidth(register) / 8);
  }

  write(register: RegisterName, value: bigint): void {
    this.#write(IDS[register], value);
  }

  enablePaging(root: number, descriptorTable: number, descriptorTableLimit: number): void {
    this.#checkOpen();
    // uc_x86_mmr: selector u16, base u64 at 8, limit u32 at 16, flags u32.
    this.#scratch.fill(0);
    this.#view.setBigUint64(8, BigInt(descriptorTable), true);
    this.#view.setUint32(16, descriptorTableLimit, true);
    this.#check(this.#library.regWrite(this.#uc, ID.gdtr, this.#scratch), 'set the descriptor table');
    this.#write(ID.cr4, CR4_PAE_AND_SSE);
    this.#write(ID.cr3, BigInt(root));
    // This build's CPUID offers no NX, so wrmsr would ignore the bit; the MMU itself honours it.
    this.#patch('efer', EFER_LONG_MODE | EFER_NO_EXECUTE);
    this.#write(ID.cr0, this.#read(ID.cr0, 8) | CR0_PAGING_AND_WRITE_PROTECT);
  }

  flushTranslations(): void {
    this.#flushPending = true;
  }

  watchAccesses(tell: EngineAccess | undefined): void {
    this.#checkOpen();
    for (const { hook, callback } of this.#accessHooks.splice(0)) {
      this.#check(this.#library.hookDel(this.#uc, hook), 'take a hook away');
      this.#library.unregister(callback);
    }
    if (tell !== undefined) {
      for (const [kind, type] of ACCESSES) {
        const parameters = ['int64', 'int', 'uint64', 'int', 'int64'];
        const callback = this.#library.register((_uc, _type, address, size) => {
          if (this.#stopping || (kind === 'read' && this.#isPart(Number(address), Number(size)))) return;
          tell(kind, Number(address), Number(size));
        }, parameters);
        this.#accessHooks.push({ hook: this.#addHook(type, callback), callback });
      }
    }
    // Whether code tells of its accesses is decided when it is translated.
    if (this.#lowestCode < this.size) this.#forget(this.#lowestCode, this.size);
  }

  /**
   * Whether a read is one of the two aligned ones by which a read across pages is made, having been told itself. The second
   * one is not made if the first one faults.
   */
  #isPart(address: number, size: number): boolean {
    if (this.#parts[0] === address) {
      this.#parts = this.#parts.slice(1);
      return true;
    }
    const begin = address - (address % size);
    this.#parts = (address % PAGE) + size > PAGE ? [begin, begin + size] : NONE;
    return false;
  }

  resume(address: number, until?: number): EngineExit {
    this.#checkOpen();
    // An address too high for a number is where the engine is anyway.
    const begin = address <= Number.MAX_SAFE_INTEGER ? address : this.#read(ID.rip, 8);
    // Unicorn takes interrupts off the guest's hands before QEMU would clear this, so that the next exception would come
    // on top of that one, and be a double fault.
    this.#patch('oldException', NO_EXCEPTION);
    this.#stopping = false;
    if (this.#flushPending) this.#flush();
    // Code that is translated already runs past `until`; and code that is translated only so far must not be kept.
    if (until !== undefined) this.#forget(begin, until + 1);
    const code = this.#library.emuStart(this.#uc, begin, until ?? NOWHERE, 0, 0);
    if (until !== undefined) this.#forget(begin, until + 1);
    this.#stale = true;
    if (code === 0) return 'stopped';
    // An `int $6` looks the same, but is complete.
    if (code === ERR_INSN_INVALID && this.#bytes[this.rip] === INT) this.#write(ID.rip, BigInt(this.rip + 2));
    return code === ERR_INSN_INVALID ? 'invalid instruction' : 'engine error';
  }

  stop(): void {
    this.#stopping = true;
    if (this.#uc !== 0) this.#library.emuStop(this.#uc);
  }

  close(): void {
    if (this.#context !== 0) this.#library.contextFree(this.#context);
    if (this.#uc !== 0) this.#library.close(this.#uc);
    this.#context = 0;
    this.#uc = 0;
    this.#bytes = CLOSED;
    this.#words = new Uint32Array(0);
    this.#stale = true;
    for (const { callback } of this.#accessHooks.splice(0)) this.#library.unregister(callback);
    for (const callback of this.#callbacks.splice(0)) this.#library.unregister(callback);
  }

  #checkOpen(): void {
    if (this.#uc === 0) throw new EngineError('this machine is closed');
  }

  #refresh(): void {
    this.#checkOpen();
    this.#library.regReadBatch(this.#uc, this.#batchAt, this.#pointersAt, BATCH.length);
    this.#stale = false;
  }

  #read(register: number, bytes: number): bigint {
    this.#checkOpen();
    this.#scratch.fill(0);
    this.#check(this.#library.regRead(this.#uc, register, this.#scratch), 'read a register');
    const low = this.#view.getBigUint64(0, true);
    if (bytes <= 8) return BigInt.asUintN(bytes * 8, low);
    return BigInt.asUintN(bytes * 8, (this.#view.getBigUint64(8, true) << 64n) | low);
  }

  #write(register: number, value: bigint): void {
    this.#checkOpen();
    this.#view.setBigUint64(0, BigInt.asUintN(64, value), true);
    this.#view.setBigUint64(8, BigInt.asUintN(64, value >> 64n), true);
    this.#check(this.#library.regWrite(this.#uc, register, this.#scratch), 'write a register');
    this.#stale = true;
  }

  /** Finds the processor's state in a context, behind a header of Unicorn's own that is not the same in all versions. */
  #openContext(): void {
    const pointer = new BigUint64Array(1);
    this.#check(this.#library.contextAlloc(this.#uc, pointer), 'allocate a context');
    this.#context = Number(pointer[0]);
    const size = Number(this.#library.contextSize(this.#uc));
    const context = this.#library.view(pointer[0], size);
    const probe = 0x1122334455667788n;
    this.#write(IDS.r15, probe);
    this.#saveContext();
    this.#write(IDS.r15, 0n);
    const at = new BigUint64Array(context, 0, size >> 3).indexOf(probe) * 8 - ENV.r15;
    const shift = SHIFTS.find((one) => {
      if (at < 0 || at + one + ENV.oldException + 4 > size) return false;
      this.#state = new DataView(context, at);
      this.#shift = one;
      return this.#field('efer') === EFER_LONG_MODE && this.#field('oldException') === NO_EXCEPTION;
    });
    if (shift === undefined) {
      throw new EngineError(`libunicorn ${this.version} is built in a way that is not known here: 2.0 and 2.1 are`);
    }
  }

  /** A field of the state that was last saved. */
  #field(name: 'efer' | 'errorCode' | 'oldException'): number {
    return this.#state.getUint32(ENV[name] + this.#shift, true);
  }

  #saveContext(): void {
    this.#library.contextSave(this.#uc, this.#context);
  }

  /** Sets 32 bits of the processor's state. */
  #patch(name: 'efer' | 'oldException', value: number): void {
    this.#saveContext();
    this.#state.setUint32(ENV[name] + this.#shift, value, true);
    this.#library.contextRestore(this.#uc, this.#context);
  }

  #keepPageFault(): void {
    this.#saveContext();
    const address = this.#state.getBigUint64(ENV.cr2, true);
    this.#pageFault = { address, errorCode: this.#field('errorCode') };
  }

  #check(code: number, doing: string): void {
    if (code !== 0) throw new EngineError(`libunicorn ${this.version} could not ${doing} (uc_err ${code})`);
  }

  #register(parameters: readonly string[], callback: (...words: Word[]) => void): bigint {
    const pointer = this.#library.register(callback, parameters);
    this.#callbacks.push(pointer);
    return pointer;
  }

  /** Drops the translation of the code from one address up to another one. */
  #forget(begin: Word, end: Word): void {
    this.#library.ctl(this.#uc, CONTROL_REMOVE_CACHE, 'uint64', begin, 'uint64', end);
  }

  /** Unicorn 2.0 has no function for it. It does so when the protection of anything changes, at 12 µs a change. */
  #flush(): void {
    this.#flushPending = false;
    this.#check(this.#library.memProtect(this.#uc, this.size, PAGE, PROT_READ), 'protect a page');
    this.#check(this.#library.memProtect(this.#uc, this.size, PAGE, PROT_ALL), 'unprotect a page');
  }

  #hook(type: number, parameters: readonly string[], callback: (...words: Word[]) => void, instruction?: number): void {
    this.#addHook(type, this.#register(parameters, callback), instruction);
  }

  #addHook(type: number, callback: bigint, instruction?: number): bigint {
    const hook = new BigUint64Array(1);
    const extra = instruction === undefined ? ([] as const) : (['int', instruction] as const);
    // begin > end: no limits
    this.#check(this.#library.hookAdd(this.#uc, hook, type, callback, 0, 1, 0, ...extra), 'add a hook');
    return hook[0];
  }
}
