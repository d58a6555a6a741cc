import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REGISTERS, type RegisterName } from '../../emu/registers.js';
import { recordSwitches, type SwitchRecord } from '../../inspect/switches.js';
import { checkCtx } from '../../runtime/cr.js';
import { MILL_CR } from '../../runtime/layout.js';
import type { Process } from '../../runtime/process.js';
import { fixturePrograms, loadFixture, promised } from '../fixture.js';
import { listen, withProcess } from './guest.js';

/** Exit status of the command line for a deadlock. */
const DEADLOCK = 3;

/** What libmill promises to keep, in the order of the tables below; rsp and the return address come on top. */
const KEPT = ['rbx', 'rbp', 'r12', 'r13', 'r14', 'r15', 'rdi', 'rsi'] as const;
/** What a coroutine may find changed after a switch. */
const SCRATCH = ['rax', 'rcx', 'rdx', 'r8', 'r9', 'r10', 'r11'] as const;

const load = (table: string, names: readonly string[]): string =>
  names.map((name, index) => `mov ${table}+${index * 8}(%rip), %${name}`).join('\n');
const store = (table: string, names: readonly string[]): string =>
  names.map((name, index) => `mov %${name}, ${table}+${index * 8}(%rip)`).join('\n');

/**
 * keeper has a register file in its registers while it yields; scribbler changes every register that it can. Each
 * round keeper stores what it got back, and writes one byte for the test to stop at.
 */
const KEEPER_AND_SCRIBBLER = `
        .text
main:   go      keeper
        go      scribbler
again:  xor     %edi, %edi
        call    mill_yield_
        jmp     again

keeper: sub     $8, %rsp
round:  mov     %rsp, rsp_before(%rip)
        ${load('given', KEPT)}
        call    mill_yield_
        ${store('got', KEPT)}
        mov     %rsp, rsp_after(%rip)
        mov     $1, %edi
        lea     given(%rip), %rsi
        mov     $1, %edx
        call    write
        jmp     round

scribbler:
        sub     $8, %rsp
scribble:
        ${load('garbage', [...KEPT, ...SCRATCH])}
        call    mill_yield_
        jmp     scribble

        .bss
        .balign 8
given:  .zero   8 * ${KEPT.length}
got:    .zero   8 * ${KEPT.length}
garbage: .zero  8 * ${KEPT.length + SCRATCH.length}
rsp_before: .zero 8
rsp_after:  .zero 8
`;

/** Steps through a whole program; `look` sees the machine before and behind each instruction. */
function stepThrough(process: Process, look: (before: bigint) => void): void {
  let before = process.cpu.read('rip');
  process.step(10_000_000, () => {
    look(before);
    before = process.cpu.read('rip');
  });
}

describe('a switch', () => {
  it('brings back every register that libmill promises, whatever others did to it', async () => {
    await withProcess(KEEPER_AND_SCRIBBLER, (process) => {
      const { cpu } = process;
      const at = (name: string): number => Number(process.symbol(name));
      const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
      const files = (count: number) => fc.array(word, { minLength: count, maxLength: count });
      process.on('output', () => cpu.stop());
      const next = (): void => {
        expect(process.run(cpu.moment + 10_000)).toEqual({ kind: 'paused' });
      };
      next();
      fc.assert(
        fc.property(files(KEPT.length), files(KEPT.length + SCRATCH.length), (given, garbage) => {
          for (const [index, value] of given.entries()) cpu.memory.setU64(at('given') + index * 8, value);
          for (const [index, value] of garbage.entries()) cpu.memory.setU64(at('garbage') + index * 8, value);
          next();
          expect(KEPT.map((_, index) => cpu.memory.u64(at('got') + index * 8))).toEqual(given);
          expect(cpu.memory.u64(at('rsp_after'))).toBe(cpu.memory.u64(at('rsp_before')));
        }),
        { numRuns: 1000 },
      );
    });
  });

  it.each(fixturePrograms('.s'))(
    'executes each instruction of its sequences as often as %s is said to switch',
    async (name) => {
      await withProcess(await loadFixture(name), (process) => {
        listen(process);
        const records: SwitchRecord[] = [];
        recordSwitches(process, (record) => records.push(record));
        const executed = new Map<bigint, number>();
        stepThrough(process, (rip) => executed.set(rip, (executed.get(rip) ?? 0) + 1));

        const count = (file: string): number => {
          let total = 0;
          for (const { start, end } of process.images.flatMap((image) => image.occurrences(file))) {
            const times = [...executed].filter(([rip]) => rip >= start && rip < end).map(([, often]) => often);
            if (times.length > 0) expect(times).toEqual(Array(12).fill(times[0]));
            total += times[0] ?? 0;
          }
          return total;
        };
        // The last to wait in a deadlock is saved, and nobody is restored.
        const unanswered = promised(name).status === DEADLOCK ? 1 : 0;
        expect(count('mill_setjmp.s') - unanswered).toBe(records.filter(({ saved }) => saved !== null).length);
        expect(count('mill_longjmp.s')).toBe(records.filter(({ restored }) => restored !== null).length);
        expect(records.length).toBeGreaterThan(0);
      });
    },
  );

  it.each(fixturePrograms('.s'))('lets the host write no register but rax in %s', async (name) => {
    await withProcess(await loadFixture(name), (process) => {
      listen(process);
      const { cpu } = process;
      const handle = cpu.onHypercall;
      const others = REGISTERS.filter((register): register is RegisterName => register !== 'rax');
      const read = () => others.map((register) => cpu.read(register));
      let calls = 0;
      cpu.onHypercall = () => {
        const before = calls < 200 ? read() : undefined;
        calls += 1;
        handle();
        if (before !== undefined) expect(read()).toEqual(before);
      };
      expect(['exit', 'error']).toContain(process.run().kind);
      expect(calls).toBeGreaterThan(0);
    });
  });

  it('lands with ctx in rax, at the label behind the save, which is what slot 7 holds', async () => {
    await withProcess(await loadFixture('every-slot.s'), (process) => {
      listen(process);
      const { cpu } = process;
      const labels = process.images.flatMap((image) => image.occurrences('mill_setjmp.s')).map(({ end }) => end);
      const restores = process.images.flatMap((image) => image.occurrences('mill_longjmp.s'));
      let landings = 0;
      stepThrough(process, (before) => {
        // jmp *%rdx is the sequence's last instruction, of two bytes.
        if (!restores.some(({ end }) => before === end - 2n)) return;
        landings += 1;
        const ctx = process.mill.coroutines.running + MILL_CR.fields.ctx.offset;
        expect(cpu.read('rax') & 0xffffffffn).toBe(BigInt(ctx) & 0xffffffffn);
        expect(labels).toContain(cpu.read('rip'));
        expect(cpu.memory.u64(ctx + 7 * 8)).toBe(cpu.read('rip'));
      });
      expect(landings).toBeGreaterThan(5);
    });
  });

  it('refuses a ctx whose second return would read as a save', () => {
    expect(() => checkCtx(0x1_0000_0000)).toThrow(
      /0x100000000 cannot be restored: the low half of its address is zero/,
    );
    expect(() => checkCtx(0)).toThrow();
    expect(checkCtx(0x1_0000_0008)).toBe(0x1_0000_0008);
  });

  it('is recorded the same in two runs, and in a stepped one', async () => {
    const image = await loadFixture('stack-reuse.s');
    const record = (run: (process: Process) => unknown): Promise<SwitchRecord[]> =>
      withProcess(image, (process) => {
        listen(process);
        const records: SwitchRecord[] = [];
        recordSwitches(process, (one) => records.push(one));
        run(process);
        return records;
      });
    const first = await record((process) => process.run());
    expect(await record((process) => process.run())).toEqual(first);
    expect(await record((process) => process.step(1_000_000))).toEqual(first);
    expect(first.map(({ number }) => number)).toEqual(first.map((_, index) => index + 1));
  });
});
