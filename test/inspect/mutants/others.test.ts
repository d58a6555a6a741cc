import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { summaryOf } from '../../../inspect/mutants/report.js';
import { has } from '../../asm/elf/compile.js';
import { countsAt, equivalents, named, PATIENCE_MS, tryAll } from './trying.js';

const MUSL = '/usr/lib/x86_64-linux-musl/libc.a';
const RELAY = fileURLToPath(new URL('../../../fixtures/consumer/relay_switch.S', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'millscope-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.skipIf(!existsSync(MUSL))("faults in musl's setjmp and longjmp", { timeout: PATIENCE_MS }, () => {
  /*
   * setjmp stores rbx, rbp, r12-r15 and, twice by way of rdx, rsp and the return address; longjmp loads the same, the
   * last one by its jump (src/setjmp/x86_64/*.s). Eight registers are moved, so that seven others are mistaken for each;
   * pointers are rdi, rsp and, as what a call passes second, rsi.
   */
  it('catches all that are not equivalent', async () => {
    const results = await tryAll([MUSL], { save: 'setjmp', restore: 'longjmp' });
    console.log(equivalents(results).join('\n'));
    const ofAMove = { dropped: 1, offset: 2, register: 7, width: 1, base: 2, direction: 1, swapped: 1 };
    expect(countsAt(results, '__setjmp')).toEqual(ofAMove);
    expect(countsAt(results, '__setjmp+0x24')).toEqual(ofAMove);
    expect(countsAt(results, '_longjmp+0x7')).toEqual(ofAMove);
    // lea 8(%rsp), %rdx and jmp *56(%rdi)
    expect(countsAt(results, '__setjmp+0x17')).toEqual({ dropped: 1, offset: 2, base: 2, swapped: 1 });
    expect(countsAt(results, '_longjmp+0x22')).toEqual({ 'no jump': 1, offset: 2, base: 2 });
    // Nine stores and loads that set up (%rsp) and rdx among them, and seven loads.
    expect(results.filter(({ fault }) => fault.kind === 'width')).toHaveLength(16);
    expect(named(results, 'impossible')).toEqual([]);
    // One of them is seen by the return value alone: what comes behind setjmp in memory is longjmp.
    expect(named(results, 'survived')).toEqual([]);
  });
});

describe.skipIf(!has('gcc'))("faults in the consumer's switch", { timeout: PATIENCE_MS }, () => {
  /*
   * relay_switch pops the return address, stores it and seven registers, MXCSR and the x87 word, and loads the same:
   * eight registers are moved, so that seven others are mistaken for each. Pointers are rdi and rsi.
   */
  it('catches all that are not equivalent', async () => {
    const object = join(folder, 'relay_switch.o');
    execFileSync('gcc', ['-c', '-g', RELAY, '-o', object]);
    const results = await tryAll([object], { switch: 'relay_switch' });
    console.log(equivalents(results).join('\n'));
    const line = (text: string): string => {
      const found = results.find(({ fault }) => fault.change === text)?.fault;
      return found?.at.place ?? '';
    };
    const ofAMove = { dropped: 1, offset: 2, register: 7, width: 1, base: 1, direction: 1, swapped: 1 };
    expect(countsAt(results, line('movq %r12, 32(%rdi)'))).toEqual(ofAMove);
    expect(countsAt(results, line('movq 32(%rsi), %r12'))).toEqual(ofAMove);
    // No register is named, and no width can be chosen.
    const ofAControlWord = { dropped: 1, offset: 2, base: 1, direction: 1, swapped: 1 };
    expect(countsAt(results, line('stmxcsr 64(%rdi)'))).toEqual(ofAControlWord);
    expect(countsAt(results, line('fldcw 68(%rsi)'))).toEqual(ofAControlWord);
    expect(countsAt(results, line('popq %rdx'))).toEqual({ dropped: 1, register: 7, direction: 1, swapped: 1 });
    expect(named(results, 'impossible')).toEqual([]);
    expect(named(results, 'survived')).toEqual([]);
    expect(summaryOf(results).percent).toBe(100);
  });
});
