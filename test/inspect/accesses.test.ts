/** Whatever has changed in memory has been told as a write, in whole programs. */
import { describe, expect, test } from 'vitest';
import { PAGE_SIZE } from '../../emu/memory.js';
import type { SavedMemory } from '../../emu/saved-memory.js';
import { everyProgram, withProcess } from './every-program.js';

/**
 * What replaces memory as a whole, and x87 stores of 80 bits, which unicorn.js does not tell of; and a run of 1.7 million
 * instructions.
 */
const LEFT_OUT = /^(fork|floating-point|formats|whispers)/;
const programs = everyProgram.filter(([name]) => !LEFT_OUT.test(name));

const PAGES_OF_TABLE = 512;
const NO_PAGE = new Uint8Array(PAGE_SIZE);

function pageOf(memory: SavedMemory, page: number): Uint8Array | undefined {
  return memory.tables[Math.floor(page / PAGES_OF_TABLE)]?.pages[page % PAGES_OF_TABLE];
}

describe('the accesses that are told', () => {
  test.each(programs)('explain all that changes in memory: %s', async (_, load, argv) => {
    await withProcess(await load(), argv, (process) => {
      const { cpu } = process;
      const { memory } = cpu;
      const start = process.save().cpu.memory;
      /** What each byte that was written became last. */
      const written = new Map<number, number>();
      const kinds = new Map<string, number>();
      const end = cpu.onAccess((kind, address, size) => {
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        if (kind === 'read' || memory.protectionAt(address) === undefined) return;
        const bytes = memory.read(address, size);
        for (let at = 0; at < size; at++) written.set(address + at, bytes[at]);
      });
      while (process.step(Number.POSITIVE_INFINITY).kind === 'child');
      end();
      const after = process.save().cpu.memory;
      let changed = 0;
      for (let page = 0; page * PAGE_SIZE < memory.end; page++) {
        const [one, other] = [pageOf(start, page), pageOf(after, page)];
        if (one === other || other === undefined) continue;
        for (let offset = 0; offset < PAGE_SIZE; offset++) {
          const was = (one ?? NO_PAGE)[offset];
          const is = other[offset];
          if (was === is) continue;
          changed++;
          const told = written.get(page * PAGE_SIZE + offset);
          if (told !== is) throw new Error(`0x${(page * PAGE_SIZE + offset).toString(16)}: ${is}, told ${told}`);
        }
      }
      expect(changed).toBeGreaterThan(50);
      for (const kind of ['read', 'write', 'host write']) expect(kinds.get(kind)).toBeGreaterThan(0);
    });
  });
});
