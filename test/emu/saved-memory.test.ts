import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Cpu } from '../../emu/cpu.js';
import { PAGE_SIZE } from '../../emu/memory.js';
import { firstDifference, type SavedMemory } from '../../emu/saved-memory.js';
import { CODE, DATA, image, open, openText } from './guest.js';

/** Pages that the guest and the host write here, in two page tables. */
const NEAR = DATA + 16 * PAGE_SIZE;
const FAR = DATA + (4 << 20);
const PAGES = 6;
const SIZE = PAGES * PAGE_SIZE;

/** Stores rax where rdi points, loads from where rsi points, again and again. */
const STORE_AND_LOAD = 'again: mov %rax, (%rdi)\nmov (%rsi), %rbx\njmp again';

type Action =
  | { readonly kind: 'write'; readonly by: 'guest' | 'host' | 'loader'; readonly page: number; readonly value: number }
  | { readonly kind: 'release'; readonly page: number }
  | { readonly kind: 'reserve'; readonly page: number }
  | { readonly kind: 'save' }
  | { readonly kind: 'restore'; readonly nth: number };

const page = fc.nat({ max: 2 * PAGES - 1 });
const value = fc.integer({ min: 1, max: 255 });
const action: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ kind: fc.constant('write' as const), by: fc.constantFrom('guest', 'host', 'loader'), page, value }),
  fc.record({ kind: fc.constant('release' as const), page }),
  fc.record({ kind: fc.constant('reserve' as const), page }),
  fc.record({ kind: fc.constant('save') }),
  fc.record({ kind: fc.constant('restore'), nth: fc.nat() }),
);

const addressOf = (nth: number): number => (nth < PAGES ? NEAR : FAR - SIZE) + nth * PAGE_SIZE;

/** What a page allows, and what is in it: looked at without touching it. */
function pages(cpu: Cpu): string[] {
  const saved = cpu.memory.save();
  return Array.from({ length: 2 * PAGES }, (_, nth) => {
    const number = addressOf(nth) / PAGE_SIZE;
    const content = saved.tables[number >> 9].pages[number & 511];
    return `${cpu.memory.protectionAt(addressOf(nth))} ${content === undefined ? '' : content[8]}`;
  });
}

function prepare(cpu: Cpu): void {
  cpu.memory.reserve(NEAR, SIZE, 'rw-');
  cpu.memory.reserve(FAR, SIZE, 'rw-');
}

describe('a snapshot costs what has changed, and holds everything', () => {
  test('whatever guest and host have done between any of them', async () => {
    const program = await image(STORE_AND_LOAD);
    fc.assert(
      fc.property(fc.array(action, { minLength: 1, maxLength: 40 }), (actions) => {
        const cpu = open(program);
        prepare(cpu);
        // By hand: what each page allows and holds.
        let now = Array.from({ length: 2 * PAGES }, () => 'rw- ');
        const snapshots: { readonly saved: ReturnType<Cpu['save']>; readonly held: readonly string[] }[] = [];
        for (const each of actions) {
          if (each.kind === 'save') snapshots.push({ saved: cpu.save(), held: [...now] });
          else if (each.kind === 'restore') {
            const wanted = snapshots[each.nth % (snapshots.length || 1)];
            if (wanted === undefined) continue;
            cpu.restore(wanted.saved);
            now = [...wanted.held];
          } else if (each.kind === 'release') {
            cpu.memory.release(addressOf(each.page), PAGE_SIZE);
            now[each.page] = 'undefined ';
          } else if (each.kind === 'reserve') {
            cpu.memory.reserve(addressOf(each.page), PAGE_SIZE, 'rw-');
            now[each.page] = 'rw- ';
          } else {
            if (now[each.page] === 'undefined ') continue;
            const address = addressOf(each.page) + 8;
            if (each.by === 'host') cpu.memory.setU64(address, BigInt(each.value));
            else if (each.by === 'loader') cpu.memory.load(address, Uint8Array.of(each.value));
            else {
              cpu.write('rip', BigInt(CODE));
              cpu.write('rdi', BigInt(address));
              cpu.write('rsi', BigInt(address));
              cpu.write('rax', BigInt(each.value));
              cpu.run(cpu.moment + 7);
              expect(cpu.read('rbx')).toBe(BigInt(each.value));
            }
            now[each.page] = `rw- ${each.value}`;
          }
        }
        expect(pages(cpu)).toEqual(now);
        for (const { saved, held } of snapshots) {
          cpu.restore(saved);
          expect(pages(cpu)).toEqual(held);
        }
        cpu.close();
      }),
      { numRuns: 150 },
    );
  });

  test.each<[string, (cpu: Cpu) => void, string]>([
    ['a write of the host', (cpu) => cpu.memory.setU8(FAR + 8, 7), 'rw- 7'],
    ['a program that is loaded', (cpu) => cpu.memory.load(FAR + 8, Uint8Array.of(7)), 'rw- 7'],
    ['a page that is given up', (cpu) => cpu.memory.release(FAR, PAGE_SIZE), 'undefined '],
    [
      'a page that is given up, taken again and read',
      (cpu) => {
        cpu.memory.release(FAR, PAGE_SIZE);
        cpu.memory.reserve(FAR, PAGE_SIZE, 'rw-');
        cpu.write('rdi', BigInt(NEAR));
        cpu.write('rsi', BigInt(FAR));
        cpu.write('rip', BigInt(CODE));
        cpu.run(cpu.moment + 7);
      },
      'rw- 0',
    ],
  ])('nothing escapes it: %s', async (_, change, expected) => {
    const cpu = await openText(STORE_AND_LOAD);
    prepare(cpu);
    cpu.memory.setU8(FAR + 8, 1);
    const before = cpu.save();
    change(cpu);
    const after = cpu.save();
    expect(pages(cpu)[PAGES]).toBe(expected);
    cpu.restore(before);
    expect(pages(cpu)[PAGES]).toBe('rw- 1');
    change(cpu);
    cpu.restore(before);
    expect(pages(cpu)[PAGES]).toBe('rw- 1');
    cpu.restore(after);
    expect(pages(cpu)[PAGES]).toBe(expected);
  });

  const copies = ({ tables }: SavedMemory): Set<Uint8Array | undefined> => new Set(tables.flatMap((one) => one.pages));

  test('only pages that were written are copied again', async () => {
    const cpu = await openText(STORE_AND_LOAD);
    prepare(cpu);
    for (let nth = 0; nth < PAGES; nth++) cpu.memory.setU8(NEAR + nth * PAGE_SIZE, 1);
    cpu.write('rdi', BigInt(NEAR));
    cpu.write('rsi', BigInt(NEAR + PAGE_SIZE));
    cpu.run(30);
    const before = cpu.memory.save();
    expect(cpu.memory.save().tables).toEqual(before.tables);
    cpu.run(60);
    const after = cpu.memory.save();
    const fresh = [...copies(after)].filter((copy) => !copies(before).has(copy));
    expect(fresh).toHaveLength(1);
    expect(after.tables.filter((table, index) => table !== before.tables[index])).toHaveLength(1);
  });

  test('it is the same whether the program ran there or was stepped', async () => {
    // The first block of the loop goes on into the next page, to which the program has not come by then.
    const program = await image(`jmp on\n.skip 4000\non: ${'lea 0x11223344(%rax,%rbx,2), %rdx\n'.repeat(40)}jmp on`);
    const at = (moment: number, go: (cpu: Cpu) => void): SavedMemory => {
      const cpu = open(program);
      go(cpu);
      expect(cpu.moment).toBe(moment);
      return cpu.memory.save();
    };
    for (const moment of [1, 5, 30]) {
      const ran = at(moment, (cpu) => cpu.run(moment));
      const stepped = at(moment, (cpu) => cpu.step(moment));
      expect(ran).toEqual(stepped);
      expect(firstDifference(ran, stepped)).toBeUndefined();
    }
  });

  test('the first byte that differs is found in whichever page and table it is', async () => {
    const cpu = open(await image(STORE_AND_LOAD));
    prepare(cpu);
    const places = [NEAR, NEAR + 5 * PAGE_SIZE - 1, FAR + 3 * PAGE_SIZE + 7];
    for (const place of places) cpu.memory.setU8(place, 1);
    const before = cpu.memory.save();
    for (const place of [...places].reverse()) {
      cpu.memory.setU8(place, 2);
      expect(firstDifference(before, cpu.memory.save())).toBe(place);
    }
    cpu.close();
  });

  test('nothing of it shows in the machine: dirty bits are not part of a snapshot', async () => {
    const program = await image(STORE_AND_LOAD);
    const run = (stops: readonly number[]): SavedMemory => {
      const cpu = open(program);
      prepare(cpu);
      cpu.write('rdi', BigInt(NEAR));
      cpu.write('rsi', BigInt(FAR));
      for (const stop of stops) {
        cpu.run(stop);
        cpu.memory.save();
      }
      return cpu.memory.save();
    };
    expect(run([1, 2, 3, 50, 60])).toEqual(run([60]));
  });
});
