import { describe, expect, it } from 'vitest';
import type { Body } from '../../runtime/bodies.js';
import { chmake, choose, chs, go } from '../../runtime/operations.js';
import type { Process } from '../../runtime/process.js';
import { run, withProcess } from './guest.js';

const EXIT_0 = { kind: 'exit', status: 0 };

/** Above these a chi-square with so many degrees of freedom is by chance once in 1,000 times. */
const LIMIT: Readonly<Record<number, number>> = {
  1: 10.828,
  2: 13.816,
  3: 16.266,
  4: 18.467,
  5: 20.515,
  6: 22.458,
  8: 26.124,
  15: 37.697,
  24: 51.179,
  35: 66.619,
  48: 84.037,
};

/** The counts are those of things that are all equally likely. The seed is fixed, so this is so always or never. */
function expectUniform(counts: readonly number[]): void {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  const limit = LIMIT[counts.length - 1];
  if (limit === undefined) throw new Error(`no limit for ${counts.length} counts`);
  expect(chiSquare, counts.join(' ')).toBeLessThan(limit);
}

const CHOICES = 100_000;

/**
 * Chooses 100,000 times among `ready` clauses of channels that are done, and so always ready, all behind `unready` ones
 * of a channel that never is, and counts in `pairs` how often clause b was taken behind clause a, at index 8 * a + b.
 */
const choices = (ready: number, unready: number): string => `
        .set ready, ${ready}
        .set unready, ${unready}
main:   push %rbx
        push %r12
        push %r13
        push %r14
        sub $8, %rsp
        xor %ebx, %ebx
make:   xor %edi, %edi
        xor %esi, %esi
        xor %edx, %edx
        call mill_chmake_
        lea channels(%rip), %rcx
        mov %rax, (%rcx,%rbx,8)
        mov %rax, %rdi
        lea channels(%rip), %rsi
        xor %edx, %edx
        xor %ecx, %ecx
        call mill_chdone_
        inc %ebx
        cmp $ready, %ebx
        jne make
        xor %edi, %edi
        xor %esi, %esi
        xor %edx, %edx
        call mill_chmake_
        mov %rax, never(%rip)
        mov $${CHOICES}, %r12d
        xor %r14d, %r14d
again:  xor %edi, %edi
        call mill_choose_init_
        lea clauses(%rip), %r13
        xor %ebx, %ebx
        .rept unready
        mov %r13, %rdi
        mov never(%rip), %rsi
        xor %edx, %edx
        mov $7, %ecx
        call mill_choose_in_
        add $64, %r13
        .endr
clause: mov %r13, %rdi
        lea channels(%rip), %rax
        mov (%rax,%rbx,8), %rsi
        xor %edx, %edx
        mov %ebx, %ecx
        call mill_choose_in_
        add $64, %r13
        inc %ebx
        cmp $ready, %ebx
        jne clause
        call mill_choose_wait_
        lea pairs(%rip), %rcx
        lea (%rax,%r14,8), %rdx
        incl (%rcx,%rdx,4)
        mov %rax, %r14
        dec %r12d
        jnz again
        xor %eax, %eax
        add $8, %rsp
        pop %r14
        pop %r13
        pop %r12
        pop %rbx
        ret
        .bss
        .balign 8
channels: .zero 64
never:    .zero 8
clauses:  .zero 64 * 16
pairs:    .zero 4 * 64`;

describe('choose', () => {
  it.each([
    [2, 0],
    [3, 0],
    [4, 0],
    [5, 0],
    [6, 0],
    [7, 0],
    [3, 2],
  ])(
    'takes each of %i ready clauses equally often, whatever it took before, with %i unready',
    async (ready, unready) => {
      await withProcess(choices(ready, unready), (process) => {
        expect(process.run(1_000_000_000)).toEqual(EXIT_0);
        const { memory } = process.cpu;
        const table = Number(process.symbol('pairs'));
        const indices = Array.from({ length: ready }, (_, index) => index);
        const pairs = indices.map((a) => indices.map((b) => memory.u32(table + 4 * (8 * a + b))));
        const taken = indices.map((b) => pairs.reduce((sum, row) => sum + row[b], 0));
        expect(taken.reduce((sum, count) => sum + count)).toBe(CHOICES);
        expectUniform(taken);
        expectUniform(pairs.flat());
      });
    },
  );

  it('waits with each of three clauses of one endpoint equally often', async () => {
    const counts = [0, 0, 0];
    const { outcome } = await run(function* () {
      const x = yield* chmake(8);
      yield* go(function* () {
        for (;;) counts[(yield* choose({ in: x }, { in: x }, { in: x })).index] += 1;
      });
      for (let i = 0; i < 6000; i++) yield* chs(x, i);
    });
    expect(outcome).toEqual(EXIT_0);
    expect(counts.reduce((sum, count) => sum + count)).toBe(6000);
    expectUniform(counts);
  });
});

describe('random numbers', () => {
  const idle: Body = function* () {
    yield;
  };
  const withRandom = (use: (random: Process['mill']['random']) => void): Promise<void> =>
    withProcess(idle, (process) => use(process.mill.random));

  it('are the upper 31 bits of SplitMix64, as published for the seed 0', async () => {
    await withRandom((random) => {
      random.seed(0n);
      for (const word of [0xe220a8397b1dcdafn, 0x6e789e6aa1b965f4n, 0x06c45d188009454fn, 0xf88bb8a8724c81ecn]) {
        expect(random.next()).toBe(Number(word >> 33n));
      }
    });
  });

  it('are the same for the same seed, and others for any other, above 32 bits and below 0 too', async () => {
    await withRandom((random) => {
      const draw = (seed: bigint): string => {
        random.seed(seed);
        return [random.next(), random.next(), random.next()].join();
      };
      const seeds = [0n, 1n, 2n, 2n ** 32n, 2n ** 63n, -2n];
      expect(new Set(seeds.map(draw)).size).toBe(seeds.length);
      expect(seeds.map(draw)).toEqual(seeds.map(draw));
    });
  });

  it.each([2, 3, 4, 5, 6, 7, 9, 16])('below %i are equally likely', async (bound) => {
    await withRandom((random) => {
      random.seed(1n);
      const counts = Array.from({ length: bound }, () => 0);
      for (let i = 0; i < CHOICES; i++) counts[random.below(bound)] += 1;
      expectUniform(counts);
    });
  });

  // 2^31 is 4/3 of this bound: a mere remainder would come out below 2^29 half of the time, not in a third of it.
  it('below a large bound are so too', async () => {
    await withRandom((random) => {
      random.seed(1n);
      const counts = [0, 0, 0];
      for (let i = 0; i < 30_000; i++) counts[Math.floor(random.below(3 * 2 ** 29) / 2 ** 29)] += 1;
      expectUniform(counts);
    });
  });

  it('below 1 are 0, and below 2^31 any 31 bits', async () => {
    await withRandom((random) => {
      random.seed(1n);
      let all = 0;
      for (let i = 0; i < 1000; i++) {
        expect(random.below(1)).toBe(0);
        const number = random.below(2 ** 31);
        expect(number).toBeGreaterThanOrEqual(0);
        all |= number;
      }
      expect(all).toBe(0x7fff_ffff);
    });
  });
});
