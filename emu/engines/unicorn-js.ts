import type { Engine, EngineAccess, EngineEvents, EngineExit, PageFault } from '../engine.js';
import { EngineError } from '../errors.js';
import { REGISTERS, type RegisterName, registerWidth } from '../registers.js';
import { type UnicornBuild, type UnicornCallback, type UnicornModule, unicornBuild } from './unicorn-module.js';

/**
 * Offsets in bytes inside this build's `CPUX86State`. Registers are read where QEMU keeps them, since a call of
 * `uc_reg_read` costs ten times as much; the three fields that Unicorn 1.0 has no function for are needed to go on
 * after a page fault. `checkShape` refuses to start on a build in which they are elsewhere.
 */
const CPU_OF_UC = 176;
const ENV_OF_CPU = 284;
const EXIT_REQUEST_OF_CPU = 16756;
const BLOCKS_OF_UC = 808;
const END_OF_REGION = 144;
const ENV = { rip: 128, cr2: 448, efer: 2952, errorCode: 3488, oldException: 3584, tlb: 3632 } as const;
/** Three MMU modes of 256 entries and a victim table of 8, 32 bytes each. */
const TLB_BYTES = 3 * (256 + 8) * 32;

const EFER_LONG_MODE = 0x500;
const EFER_NO_EXECUTE = 0x800;
const NO_EXCEPTION = 0xffffffff;
const CR0_PAGING_AND_WRITE_PROTECT = 0x80010000n;
/** PAE, which 64-bit paging needs, and OSFXSR, without which SSE instructions are undefined. */
const CR4_PAE_AND_SSE = 0x220n;
const PAGE = 4096;
const REGISTERS_WITH_RIP = 17;
const NO_HEAP = new Uint8Array(0);
/** No guest address: bits 47 and above differ. */
const NOWHERE = { low: 0, high: 0x80000000 };

/**
 * The heap grows by copying itself, which takes seconds once it is large, and leaves old views stale. So it is grown
 * once, when there is little to copy; what nobody touches of it costs address space only. 2 GiB is the most it can be.
 */
const RESERVES_MIB = [1900, 1000, 500];
let reserved = false;

function reserve(module: UnicornModule): void {
  if (reserved) return;
  reserved = true;
  for (const mebibytes of RESERVES_MIB) {
    const pointer = module._malloc(mebibytes << 20);
    if (pointer === 0) continue;
    module._free(pointer);
    return;
  }
}

function check(code: number, doing: string): void {
  if (code !== 0) throw new EngineError(`unicorn.js could not ${doing} (uc_err ${code})`);
}

function unknownBuild(): EngineError {
  return new EngineError('this build of unicorn.js is not the one of @specy/x86 1.1.0: install exactly that version');
}

function registerId(constants: UnicornBuild['constants'], name: RegisterName | SystemRegister): number {
  const id = constants[`X86_REG_${name.toUpperCase()}`];
  if (id === undefined) throw new EngineError(`unicorn.js knows no register ${name}`);
  return id;
}

const SYSTEM_REGISTERS = ['cr0', 'cr3', 'cr4', 'gdtr'] as const;
type SystemRegister = (typeof SYSTEM_REGISTERS)[number];
type RegisterIds = Readonly<Record<RegisterName | SystemRegister, number>>;

/** Unicorn 1.0.3 compiled to plain JavaScript: runs wherever JavaScript does, and shows the same everywhere. */
export class UnicornJs implements Engine {
  readonly name = 'unicorn.js';
  readonly version = '1.0.3';
  readonly size: number;
  readonly #module: UnicornModule;
  readonly #constants: UnicornBuild['constants'];
  #handle = 0; // set by #start, as are the next two
  #env = 0;
  /** Address in the module's heap of physical address 0. */
  #ram = 0;
  readonly #allocations: number[] = [];
  readonly #callbacks: number[] = [];
  readonly #scratch: number;
  readonly #ids: RegisterIds;
  /** Of the two hooks that tell of accesses, while there are any. */
  readonly #accessHooks: { readonly hook: number; readonly callback: number }[] = [];
  #closed = false;
  #heap: Uint8Array = NO_HEAP; // set by #refresh, as are the next three
  #words: Uint32Array = new Uint32Array(0);
  #bytes: Uint8Array = NO_HEAP;
  #general: Uint32Array = this.#words;
  #general64: BigUint64Array = new BigUint64Array(0);

  /**
   * @param size bytes of physical memory, a multiple of 4096; its content is undefined
   * @throws EngineError when unicorn.js is not loaded, or there is not so much memory to be had
   */
  constructor(size: number, events: EngineEvents) {
    const { module, constants } = unicornBuild();
    this.#module = module;
    this.#constants = constants;
    const named = [...REGISTERS, ...SYSTEM_REGISTERS].map((name) => [name, registerId(constants, name)]);
    this.#ids = Object.fromEntries(named) as RegisterIds;
    this.size = size;
    reserve(this.#module);
    this.#scratch = this.#allocate(64);
    try {
      this.#start(size, events);
    } catch (error) {
      this.close();
      // What is not an Error comes from the module's own attempts to allocate.
      throw error instanceof Error ? error : new EngineError('unicorn.js has no memory left (2 GiB is its most)');
    }
  }

  #start(size: number, events: EngineEvents): void {
    check(this.#module._uc_open(this.#constant('ARCH_X86'), this.#constant('MODE_64'), this.#scratch), 'open a CPU');
    this.#handle = this.#module.HEAPU32[this.#scratch >> 2];
    this.#ram = (this.#allocate(size + PAGE) + PAGE - 1) & -PAGE;
    check(
      this.#module._uc_mem_map_ptr(this.#handle, 0, 0, size, this.#constant('PROT_ALL'), this.#ram),
      `map ${size} bytes of memory`,
    );
    const heap = this.#module.HEAPU32;
    this.#env = heap[(heap[(this.#handle + CPU_OF_UC) >> 2] + ENV_OF_CPU) >> 2];
    const end = (heap[heap[(this.#handle + BLOCKS_OF_UC) >> 2] >> 2] + END_OF_REGION) >> 2;
    if (heap[end] !== size) throw unknownBuild();
    // Unicorn looks each address up among the mapped regions before the page tables, and stops inexactly where there
    // is none. With this region reaching to the end of the address space it leaves that to the page tables. Its end
    // is exclusive, so 0: the very last byte is where pointers of -1 go.
    heap.fill(0, end, end + 2);
    this.#checkShape();
    const exitRequest = (heap[(this.#handle + CPU_OF_UC) >> 2] + EXIT_REQUEST_OF_CPU) >> 2;
    this.#hook('HOOK_BLOCK', 'viiii', (_handle, low, high, size) => {
      // Each start but the first begins with an exit request (of Unicorn's own writing of RIP). A block is announced
      // before that is looked at, does not execute, and is announced again.
      if (this.#module.HEAPU32[exitRequest] !== 0) return;
      events.block(high * 0x100000000 + (low >>> 0), size);
    });
    this.#hook('HOOK_INTR', 'viii', (_handle, vector) => events.interrupt(vector));
    this.#hook('HOOK_INSN', 'vii', () => events.syscall(), this.#constant('X86_INS_SYSCALL'));
  }

  get words(): Uint32Array {
    if (this.#heap !== this.#module.HEAPU8) this.#refresh();
    return this.#words;
  }

  get bytes(): Uint8Array {
    if (this.#heap !== this.#module.HEAPU8) this.#refresh();
    return this.#bytes;
  }

  get general(): Uint32Array {
    if (this.#heap !== this.#module.HEAPU8) this.#refresh();
    return this.#general;
  }

  get general64(): BigUint64Array {
    if (this.#heap !== this.#module.HEAPU8) this.#refresh();
    return this.#general64;
  }

  get flags(): number {
    this.#checkOpen();
    this.#module._uc_reg_read(this.#handle, this.#ids.eflags, this.#scratch);
    return this.#module.HEAPU32[this.#scratch >> 2];
  }

  setRax(low: number, high: number): void {
    const general = this.general;
    general[0] = low;
    general[1] = high;
  }

  get rip(): number {
    return this.#env64(ENV.rip);
  }

  get pageFault(): PageFault {
    const heap = this.#module.HEAPU32;
    const at = (this.#env + ENV.cr2) >> 2;
    const address = (BigInt(heap[at + 1]) << 32n) | BigInt(heap[at]);
    return { address, errorCode: heap[(this.#env + ENV.errorCode) >> 2] };
  }

  read(register: RegisterName): bigint {
    this.#checkOpen();
    const width = registerWidth(register);
    const heap = this.#module.HEAPU32;
    const at = this.#scratch >> 2;
    heap.fill(0, at, at + 4);
    const code = this.#module._uc_reg_read(this.#handle, this.#ids[register], this.#scratch);
    if (code !== 0) check(code, `read ${register}`);
    const low = (BigInt(heap[at + 1]) << 32n) | BigInt(heap[at]);
    if (width <= 64) return BigInt.asUintN(width, low);
    return BigInt.asUintN(width, (BigInt(heap[at + 3]) << 96n) | (BigInt(heap[at + 2]) << 64n) | low);
  }

  write(register: RegisterName, value: bigint): void {
    this.#write(this.#ids[register], value);
  }

  enablePaging(root: number, descriptorTable: number, descriptorTableLimit: number): void {
    // uc_x86_mmr: selector u16, base u64 at 8, limit u32 at 16, flags u32.
    const view = new DataView(this.#module.HEAPU8.buffer, this.#scratch, 24);
    for (let i = 0; i < 24; i += 8) view.setBigUint64(i, 0n, true);
    view.setBigUint64(8, BigInt(descriptorTable), true);
    view.setUint32(16, descriptorTableLimit, true);
    check(this.#module._uc_reg_write(this.#handle, this.#ids.gdtr, this.#scratch), 'set the descriptor table');
    this.#write(this.#ids.cr4, CR4_PAE_AND_SSE);
    this.#write(this.#ids.cr3, BigInt(root));
    // This build's CPUID offers no NX, so wrmsr would ignore the bit; the MMU itself honours it.
    this.#module.HEAPU32[(this.#env + ENV.efer) >> 2] = EFER_LONG_MODE | EFER_NO_EXECUTE;
    check(this.#module._uc_reg_read(this.#handle, this.#ids.cr0, this.#scratch), 'read cr0');
    const cr0 = new DataView(this.#module.HEAPU8.buffer).getBigUint64(this.#scratch, true);
    this.#write(this.#ids.cr0, cr0 | CR0_PAGING_AND_WRITE_PROTECT);
  }

  flushTranslations(): void {
    // What QEMU's tlb_flush does; writing CR3 through Unicorn's API does not, and mapping a dummy page costs 0.6 ms.
    this.#module.HEAPU8.fill(0xff, this.#env + ENV.tlb, this.#env + ENV.tlb + TLB_BYTES);
  }

  watchAccesses(tell: EngineAccess | undefined): void {
    this.#checkOpen();
    for (const { hook, callback } of this.#accessHooks.splice(0)) {
      check(this.#module._uc_hook_del(this.#handle, hook), 'take a hook away');
      this.#module.removeFunction(callback);
    }
    if (tell === undefined) return;
    for (const kind of ['read', 'write'] as const) {
      const callback = this.#module.addFunction(
        (_handle, _type, low, high, size) => tell(kind, high * 0x100000000 + (low >>> 0), size),
        'viiiiiiii',
      );
      this.#accessHooks.push({ hook: this.#addHook(`HOOK_MEM_${kind.toUpperCase()}`, callback), callback });
    }
  }

  resume(address: number, until?: number): EngineExit {
    this.#checkOpen();
    // Unicorn takes interrupts off the guest's hands before QEMU would clear this, and a second page fault on top of
    // a first one not yet delivered is a double fault.
    const heap = this.#module.HEAPU32;
    heap[(this.#env + ENV.oldException) >> 2] = NO_EXCEPTION;
    const untilLow = until === undefined ? NOWHERE.low : until >>> 0;
    const untilHigh = until === undefined ? NOWHERE.high : Math.floor(until / 0x100000000);
    // An address too high for a number is where the engine is anyway.
    const known = address <= Number.MAX_SAFE_INTEGER;
    const low = known ? address >>> 0 : heap[(this.#env + ENV.rip) >> 2];
    const high = known ? Math.floor(address / 0x100000000) : heap[((this.#env + ENV.rip) >> 2) + 1];
    let code: number;
    try {
      code = this.#module._uc_emu_start(this.#handle, low, high, untilLow, untilHigh, 0, 0, 0);
    } catch (error) {
      throw new EngineError(
        `unicorn.js broke at 0x${this.rip.toString(16)}: ${(error as Error).message.slice(0, 100)}`,
      );
    }
    if (code === 0) return 'stopped';
    return code === this.#constant('ERR_INSN_INVALID') ? 'invalid instruction' : 'engine error';
  }

  stop(): void {
    if (!this.#closed) this.#module._uc_emu_stop(this.#handle);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#heap = NO_HEAP;
    if (this.#handle !== 0) this.#module._uc_close(this.#handle);
    for (const { callback } of this.#accessHooks.splice(0)) this.#module.removeFunction(callback);
    for (const callback of this.#callbacks.splice(0)) this.#module.removeFunction(callback);
    for (const pointer of this.#allocations.splice(0)) this.#module._free(pointer);
  }

  #constant(name: string): number {
    return this.#constants[name];
  }

  #allocate(bytes: number): number {
    const pointer = this.#module._malloc(bytes);
    if (pointer === 0) throw new EngineError(`unicorn.js has no ${bytes >> 20} MiB of memory left (2 GiB is its most)`);
    this.#allocations.push(pointer);
    return pointer;
  }

  /** Its place in the heap may be another machine's by now. */
  #checkOpen(): void {
    if (this.#closed) throw new EngineError('this machine is closed');
  }

  #write(register: number, value: bigint): void {
    this.#checkOpen();
    const view = new DataView(this.#module.HEAPU8.buffer);
    view.setBigUint64(this.#scratch, BigInt.asUintN(64, value), true);
    view.setBigUint64(this.#scratch + 8, BigInt.asUintN(64, value >> 64n), true);
    check(this.#module._uc_reg_write(this.#handle, register, this.#scratch), 'write a register');
  }

  #env64(offset: number): number {
    const heap = this.#module.HEAPU32;
    const at = (this.#env + offset) >> 2;
    return heap[at + 1] * 0x100000000 + heap[at];
  }

  #hook(type: string, signature: string, callback: UnicornCallback, extra = 0): void {
    const pointer = this.#module.addFunction(callback, signature);
    this.#callbacks.push(pointer);
    this.#addHook(type, pointer, extra);
  }

  #addHook(type: string, callback: number, extra = 0): number {
    const kind = this.#constant(type);
    // begin > end: no limits
    check(this.#module._uc_hook_add(this.#handle, this.#scratch, kind, callback, 0, 1, 0, 0, 0, extra), `add ${type}`);
    return this.#module.HEAPU32[this.#scratch >> 2];
  }

  #refresh(): void {
    this.#checkOpen();
    this.#heap = this.#module.HEAPU8;
    const buffer = this.#heap.buffer;
    this.#words = new Uint32Array(buffer, this.#ram, this.size >> 2);
    this.#bytes = new Uint8Array(buffer, this.#ram, this.size);
    this.#general = new Uint32Array(buffer, this.#env, 2 * REGISTERS_WITH_RIP);
    this.#general64 = new BigUint64Array(buffer, this.#env, REGISTERS_WITH_RIP);
  }

  #checkShape(): void {
    const probe = 0x1122334455667788n;
    this.write('r15', probe);
    const heap = this.#module.HEAPU32;
    const at = (offset: number): number => heap[(this.#env + offset) >> 2];
    check(this.#module._uc_context_alloc(this.#handle, this.#scratch), 'allocate a context');
    const context = heap[this.#scratch >> 2];
    const contextSize = heap[context >> 2];
    this.#module._uc_free(context);
    const asKnown =
      at(15 * 8) === 0x55667788 &&
      at(15 * 8 + 4) === 0x11223344 &&
      at(ENV.efer) === EFER_LONG_MODE &&
      at(ENV.oldException) === NO_EXCEPTION &&
      contextSize === ENV.tlb;
    this.write('r15', 0n);
    if (!asKnown) throw unknownBuild();
  }
}
