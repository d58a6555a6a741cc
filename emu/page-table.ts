/** Bits and places of the guest's page tables. */

export const PAGE_SIZE = 4096;

/*
 * Bits of a page table entry (Intel SDM, volume 3, 4.5). Two are of those left to the operating system. RESERVED: the
 * page is not present, but becomes so, filled with zeros, when it is first touched. FRESH: it has become so, or been
 * loaded, since the last snapshot; dirty would mean that it may be written.
 */
export const PRESENT = 1;
export const WRITABLE = 2;
export const USER = 4;
export const ACCESSED = 0x20;
export const DIRTY = 0x40;
export const RESERVED = 0x200;
export const FRESH = 0x400;
/** Bit 63, in the high word. */
export const NO_EXECUTE = 0x80000000;

/** Error code bits of a page fault (Intel SDM, volume 3, 4.7). */
export const FAULT_PRESENT = 1;
export const FAULT_WRITE = 2;

/** Where the last two levels of tables are, as indices of 32-bit words in physical memory; an entry is two words. */
export interface TableGeometry {
  readonly directories: number;
  readonly firstTable: number;
  /** How many tables there are, one behind the other; each maps 2 MiB. */
  readonly tables: number;
}
