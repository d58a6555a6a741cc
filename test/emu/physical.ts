import type { PhysicalMemory } from '../../emu/memory.js';

/** Physical memory without a processor, full of what somebody left there; it counts what it is asked to flush. */
export class Physical implements PhysicalMemory {
  readonly size: number;
  readonly words: Uint32Array;
  readonly bytes: Uint8Array;
  flushes = 0;

  constructor(mebibytes: number) {
    this.size = mebibytes << 20;
    const buffer = new ArrayBuffer(this.size);
    this.words = new Uint32Array(buffer);
    // The last 64 MiB hold the tables; a gigabyte takes too long.
    this.bytes = new Uint8Array(buffer).fill(0xa5, Math.max(0, this.size - (64 << 20)));
  }

  flushTranslations(): void {
    this.flushes++;
  }

  /** The page table entry that a processor would find for an address, walking from the root (Intel SDM, volume 3, 4.5). */
  entry(root: number, address: number): bigint | undefined {
    let table = root;
    for (const shift of [39, 30, 21, 12]) {
      const at = table + (Math.floor(address / 2 ** shift) % 512) * 8;
      const value = (BigInt(this.words[(at >> 2) + 1] ?? 0) << 32n) | BigInt(this.words[at >> 2] ?? 0);
      if (shift === 12) return value;
      if ((value & 1n) === 0n) return undefined;
      table = Number(value & 0xffffffffff000n);
    }
    return undefined;
  }
}
