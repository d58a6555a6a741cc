import type { Engine } from './engine.js';
import { type Access, BadAddress, OutOfMemory } from './errors.js';
import {
  ACCESSED,
  DIRTY,
  FAULT_PRESENT,
  FAULT_WRITE,
  FRESH,
  NO_EXECUTE,
  PAGE_SIZE,
  PRESENT,
  RESERVED,
  USER,
  WRITABLE,
} from './page-table.js';
import { MemoryCopies, type SavedMemory } from './saved-memory.js';

export { PAGE_SIZE };

/** What a page allows, as /proc/PID/maps writes it. */
export type Protection = 'r--' | 'rw-' | 'r-x';

/** The part of {@link Engine} that memory is made of. */
export type PhysicalMemory = Pick<Engine, 'size' | 'words' | 'bytes' | 'flushTranslations'>;

/** A page directory covers 1 GiB. The four levels of tables follow the kernel page, the last one in one piece. */
const PML4 = PAGE_SIZE;
const PDPT = 2 * PAGE_SIZE;
const DIRECTORIES = 3 * PAGE_SIZE;
const DIRECTORY_REACH = 2 ** 30;
const TABLE_REACH = 2 ** 21;

/** Offsets in the kernel page of what {@link Memory.allocate} knows: where to go on, and the first free range. */
const NEXT_RANGE = 0xc00;
const FREE_RANGE = 0xc04;

/** How many bytes it is from an address to the next page. */
const restOfPage = (address: number): number => PAGE_SIZE - (address % PAGE_SIZE);

/**
 * Guest memory behind guest page tables, which give each page its protection: `uc_mem_protect` slows down with the
 * number of regions, page tables do not. Pages are zeroed and made present when they are first touched, by the guest
 * or by the host, so that a thousand stacks of 256 KiB cost what they use.
 *
 * Guest addresses are physical addresses, because Unicorn 1.0 heeds the protection in page tables and ignores the
 * translation. The tables and the allocator's state are in guest memory too, out of the guest's reach at its end; a
 * copy of that memory is a copy of everything.
 *
 * Addresses are numbers here, being below 2^31; values of 64 bits are BigInt.
 */
export class Memory {
  /** Where the kernel area begins: guest addresses end here. */
  readonly end: number;
  /** Told of each write by the host, by whoever needs to know. */
  onWrite: ((address: number, size: number) => void) | undefined;
  readonly #physical: PhysicalMemory;
  /** Index of the low word of page 0's entry; the entry of page n is n * 2 words further. */
  readonly #entries: number;
  /** Index of the low word of the first entry of the level above: one for each table, two words apart. */
  readonly #directories: number;
  readonly #copies: MemoryCopies;

  /**
   * @param physical whose content is undefined and is set up here
   * @throws OutOfMemory when it is too small to be of any use
   */
  constructor(physical: PhysicalMemory) {
    this.#physical = physical;
    const { size, words, bytes } = physical;
    const directories = Math.ceil(size / DIRECTORY_REACH);
    const tables = Math.ceil(size / TABLE_REACH);
    const firstTable = DIRECTORIES + directories * PAGE_SIZE;
    this.end = size - firstTable - tables * PAGE_SIZE;
    if (this.end < 2 * TABLE_REACH) throw new OutOfMemory('a machine needs at least 8 MiB of memory');
    const kernel = this.end;
    bytes.fill(0, kernel, size);
    const link = (at: number, target: number): void => {
      words[(kernel + at) >>> 2] = (kernel + target) | PRESENT | WRITABLE | USER;
    };
    link(PML4, PDPT);
    for (let i = 0; i < directories; i++) link(PDPT + i * 8, DIRECTORIES + i * PAGE_SIZE);
    for (let i = 0; i < tables; i++) link(DIRECTORIES + i * 8, firstTable + i * PAGE_SIZE);
    this.#entries = (kernel + firstTable) >>> 2;
    this.#directories = (kernel + DIRECTORIES) >>> 2;
    this.#copies = new MemoryCopies(physical, { directories: this.#directories, firstTable: this.#entries, tables });
    words[this.#entries + (kernel / PAGE_SIZE) * 2] = kernel | PRESENT | WRITABLE;
    words[(kernel + NEXT_RANGE) >>> 2] = kernel;
  }

  /** Address of the kernel page, which only the processor can use. */
  get kernel(): number {
    return this.end;
  }

  /** Physical address of the top page table, for CR3. */
  get root(): number {
    return this.end + PML4;
  }

  /**
   * Makes the pages of a range usable, as zeros. They cost nothing until they are touched.
   * @param address and `size` are multiples of the page size
   * @throws OutOfMemory when the range ends beyond the machine's memory
   */
  reserve(address: number, size: number, protection: Protection): void {
    if (address + size > this.end) throw this.#exhausted();
    const low = RESERVED | USER | (protection === 'rw-' ? WRITABLE : 0);
    const high = protection === 'r-x' ? 0 : NO_EXECUTE;
    const words = this.#physical.words;
    let before = 0;
    for (let page = address; page < address + size; page += PAGE_SIZE) {
      const entry = this.#entry(page);
      before |= words[entry];
      words[entry] = page | low;
      words[entry + 1] = high;
      this.#markTable(words, entry);
    }
    if ((before & PRESENT) !== 0) this.#physical.flushTranslations();
  }

  /** Takes a range out of use. */
  release(address: number, size: number): void {
    const { words } = this.#physical;
    for (let page = address; page < address + size; page += PAGE_SIZE) {
      const entry = this.#entry(page);
      words[entry] = 0;
      words[entry + 1] = 0;
      this.#markTable(words, entry);
    }
    this.#physical.flushTranslations();
  }

  /**
   * Finds room for a range that nothing else uses, from the end of memory downwards; nothing in it is usable until it
   * is reserved. Ranges given back by {@link free} are used again, last freed first, if the size is the same: they are
   * linked through the high words of their own page table entries.
   * @param size in bytes, a multiple of the page size and at least two pages
   * @param floor the range must not begin below
   * @throws OutOfMemory
   */
  allocate(size: number, floor: number): number {
    const words = this.#physical.words;
    let link = (this.end + FREE_RANGE) >>> 2;
    for (let free = words[link]; free !== 0; free = words[link]) {
      const entry = this.#entry(free);
      if (words[entry + 3] === size) {
        words[link] = words[entry + 1];
        words[entry + 1] = 0;
        words[entry + 3] = 0;
        for (const changed of [link, entry, entry + 3]) this.#markTable(words, changed);
        return free;
      }
      link = entry + 1;
    }
    const nextRange = (this.end + NEXT_RANGE) >>> 2;
    const address = words[nextRange] - size;
    if (address < floor) throw this.#exhausted();
    words[nextRange] = address;
    return address;
  }

  /** Gives back a range that {@link allocate} found, of that size. */
  free(address: number, size: number): void {
    this.release(address, size);
    const words = this.#physical.words;
    const freeRange = (this.end + FREE_RANGE) >>> 2;
    const entry = this.#entry(address);
    words[entry + 1] = words[freeRange];
    words[entry + 3] = size;
    this.#markTable(words, entry);
    this.#markTable(words, entry + 3);
    words[freeRange] = address;
  }

  /** Lowest address that {@link allocate} has handed out; what grows from below must stay under it. */
  get ceiling(): number {
    return this.#physical.words[(this.end + NEXT_RANGE) >>> 2];
  }

  /** What the page at an address allows, or undefined if nothing is mapped there for the guest. */
  protectionAt(address: number): Protection | undefined {
    if (!(address >= 0 && address < this.end)) return undefined;
    const entry = this.#entry(address);
    const words = this.#physical.words;
    const low = words[entry];
    if ((low & (PRESENT | RESERVED)) === 0) return undefined;
    if ((low & WRITABLE) !== 0) return 'rw-';
    return (words[entry + 1] & NO_EXECUTE) !== 0 ? 'r--' : 'r-x';
  }

  /**
   * Makes a reserved page present on which the guest faulted.
   * @returns whether the access may be tried again; if not, it was the guest's mistake
   */
  fault(address: number, errorCode: number): boolean {
    if ((errorCode & FAULT_PRESENT) !== 0 || !(address < this.end)) return false;
    const entry = this.#entry(address);
    const low = this.#physical.words[entry];
    if ((low & RESERVED) === 0 || ((errorCode & FAULT_WRITE) !== 0 && (low & WRITABLE) === 0)) return false;
    this.#makePresent(address, entry);
    return true;
  }

  u8(address: number): number {
    this.#touch(this.#physical.words, address, 'read');
    return this.#physical.bytes[address];
  }

  setU8(address: number, value: number): void {
    this.#touch(this.#physical.words, address, 'write');
    this.#physical.bytes[address] = value;
    this.onWrite?.(address, 1);
  }

  /** 32 bits, unsigned. */
  u32(address: number): number {
    if ((address & 3) !== 0) return this.#unaligned(address, 4).getUint32(0, true);
    const words = this.#physical.words;
    this.#touch(words, address, 'read');
    return words[address >>> 2];
  }

  i32(address: number): number {
    return this.u32(address) | 0;
  }

  setU32(address: number, value: number): void {
    if ((address & 3) !== 0) {
      this.write(address, new Uint8Array(Uint32Array.of(value).buffer));
      return;
    }
    const words = this.#physical.words;
    this.#touch(words, address, 'write');
    words[address >>> 2] = value;
    this.onWrite?.(address, 4);
  }

  u64(address: number): bigint {
    if ((address & 7) !== 0) return this.#unaligned(address, 8).getBigUint64(0, true);
    const words = this.#physical.words;
    this.#touch(words, address, 'read');
    return (BigInt(words[(address >>> 2) + 1]) << 32n) | BigInt(words[address >>> 2]);
  }

  setU64(address: number, value: bigint): void {
    if ((address & 7) !== 0) {
      this.write(address, new Uint8Array(BigUint64Array.of(value).buffer));
      return;
    }
    const words = this.#physical.words;
    this.#touch(words, address, 'write');
    words[address >>> 2] = Number(BigInt.asUintN(32, value));
    words[(address >>> 2) + 1] = Number(BigInt.asUintN(32, value >> 32n));
    this.onWrite?.(address, 8);
  }

  /** A 64-bit pointer as a number. Inexact above 2^53, where no guest memory is, so that using it faults. */
  pointer(address: number): number {
    if ((address & 7) !== 0) return Number(this.u64(address));
    const words = this.#physical.words;
    this.#touch(words, address, 'read');
    const high = words[(address >>> 2) + 1];
    return high === 0 ? words[address >>> 2] : high * 0x100000000 + words[address >>> 2];
  }

  /** @param value what {@link pointer} has returned, or a guest address */
  setPointer(address: number, value: number): void {
    if ((address & 7) !== 0) {
      this.setU64(address, BigInt(value));
      return;
    }
    const words = this.#physical.words;
    this.#touch(words, address, 'write');
    words[address >>> 2] = value;
    words[(address >>> 2) + 1] = value / 0x100000000;
    this.onWrite?.(address, 8);
  }

  /** A copy of a range. */
  read(address: number, size: number): Uint8Array {
    this.#touchRange(address, size, 'read');
    return this.#physical.bytes.slice(address, address + size);
  }

  write(address: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#touchRange(address, bytes.length, 'write');
    this.#physical.bytes.set(bytes, address);
    this.onWrite?.(address, bytes.length);
  }

  /** Writes where the guest may not: for loading programs. */
  load(address: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const { words } = this.#physical;
    this.#touchRange(address, bytes.length, 'read');
    for (let at = address; at < address + bytes.length; at += restOfPage(at)) {
      const entry = this.#entry(at);
      if ((words[entry] & PRESENT) === 0) this.#makePresent(at, entry);
      words[entry] |= FRESH;
      this.#markTable(words, entry);
    }
    this.#physical.bytes.set(bytes, address);
  }

  /** Copies a range, which may overlap with where it goes. Of two bad addresses the one that is nearer its start counts. */
  copy(to: number, from: number, size: number): void {
    const { words, bytes } = this.#physical;
    for (let done = 0; done < size; done += Math.min(restOfPage(from + done), restOfPage(to + done))) {
      this.#touch(words, from + done, 'read');
      this.#touch(words, to + done, 'write');
    }
    if (size === 0) return;
    bytes.copyWithin(to, from, from + size);
    this.onWrite?.(to, size);
  }

  fill(address: number, size: number, byte: number): void {
    this.#touchRange(address, size, 'write');
    if (size === 0) return;
    this.#physical.bytes.fill(byte, address, address + size);
    this.onWrite?.(address, size);
  }

  /**
   * Where the first such byte is. What is behind it is not looked at and need not be mapped.
   * @param size how far to look; without it to the end of what is mapped
   * @returns -1 if there is none
   */
  find(address: number, byte: number, size = Number.POSITIVE_INFINITY): number {
    const { words, bytes } = this.#physical;
    const end = address + size;
    for (let at = address; at < end; at += restOfPage(at)) {
      this.#touch(words, at, 'read');
      const offset = bytes.subarray(at, Math.min(end, at + restOfPage(at))).indexOf(byte);
      if (offset !== -1) return at + offset;
    }
    return -1;
  }

  /** The bytes of a zero-terminated string as text in UTF-8. */
  text(address: number): string {
    return new TextDecoder().decode(this.read(address, this.find(address, 0) - address));
  }

  /** All pages in use, to be given to {@link restore}. It costs what has changed since the last time. */
  save(): SavedMemory {
    return this.#copies.save(this.end);
  }

  /**
   * Makes memory what it was, here or in another machine.
   * @throws OutOfMemory when the other machine has not the same amount
   */
  restore(saved: SavedMemory): void {
    this.#copies.restore(saved, this.end);
  }

  #exhausted(): OutOfMemory {
    return new OutOfMemory(`the guest's ${this.#physical.size >> 20} MiB of memory are used up: give it more`);
  }

  #entry(address: number): number {
    return this.#entries + (address >>> 12) * 2;
  }

  #clear(address: number): void {
    const page = (address & -PAGE_SIZE) >>> 0;
    this.#physical.bytes.fill(0, page, page + PAGE_SIZE);
  }

  #makePresent(address: number, entry: number): number {
    const { words } = this.#physical;
    this.#clear(address);
    const low = ((words[entry] & ~RESERVED) | PRESENT | FRESH) >>> 0;
    words[entry] = low;
    this.#markTable(words, entry);
    return low;
  }

  /** As the processor does when it looks at a table: marks it, so that a snapshot will look at it. */
  #markTable(words: Uint32Array, entry: number): void {
    if (entry >= this.#entries) words[this.#directories + ((entry - this.#entries) >>> 10) * 2] |= ACCESSED;
  }

  /** As the processor does before each access: checks it, and marks a page that is written as dirty. */
  #touch(words: Uint32Array, address: number, access: Access): void {
    if (!(address >= 0 && address < this.end)) throw new BadAddress(address, access);
    const entry = this.#entry(address);
    let low = words[entry];
    if ((low & PRESENT) === 0) {
      if ((low & RESERVED) === 0) throw new BadAddress(address, access);
      // Looking at memory must not change it.
      if (access === 'read') {
        this.#clear(address);
        return;
      }
      low = this.#makePresent(address, entry);
    }
    if (access === 'write' && (low & DIRTY) === 0) {
      if ((low & WRITABLE) === 0) throw new BadAddress(address, access);
      words[entry] = low | ACCESSED | DIRTY;
      this.#markTable(words, entry);
    }
  }

  #touchRange(address: number, size: number, access: Access): void {
    if (size === 0) return;
    // Numbers above 2^53 do not count on by one, so that the loop would not see them.
    if (!(address < this.end)) throw new BadAddress(address, access);
    for (let at = address; at < address + size; at += restOfPage(at)) this.#touch(this.#physical.words, at, access);
  }

  #unaligned(address: number, size: number): DataView {
    return new DataView(this.read(address, size).buffer);
  }
}
