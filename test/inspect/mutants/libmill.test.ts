import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { faultName } from '../../../inspect/mutants/fault.js';
import { summaryOf } from '../../../inspect/mutants/report.js';
import type { Result } from '../../../inspect/mutants/trial.js';
import { countsAt, equivalents, named, PATIENCE_MS, tryAll } from './trying.js';

const paths = ['mill_setjmp.s', 'mill_longjmp.s'].map((name) =>
  fileURLToPath(new URL(`../../../asm/${name}`, import.meta.url)),
);

/** The lines of a text that have an instruction, as `mill_setjmp.s:17` and what is written there. */
function linesOf(path: string): [place: string, text: string][] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line, index): [string, string][] => {
      const text = line.replace(/#.*/, '').trim();
      return text === '' || text.endsWith(':') ? [] : [[`${path.split('/').at(-1)}:${index + 1}`, text]];
    });
}
const [saving, restoring] = paths.map(linesOf);
const memoryLines = [...saving, ...restoring].filter(([, text]) => text.startsWith('mov') && text.includes('('));

/*
 * What a person can get wrong in `mov %rbx, 8(%rdx)`: leave it out; the slot before and the slot behind; one of the ten
 * other registers that the two texts move (rbx rbp r12 rsp r13 r14 r15 rcx rdx rdi rsi are eleven); 32 bits of it; rax,
 * rdi or rsi for the pointer; the operands the wrong way round; and the next line in front of it.
 */
const OF_A_MEMORY_LINE = { dropped: 1, offset: 2, register: 10, width: 1, base: 3, direction: 1 };

describe("faults in libmill's two sequences", () => {
  let results: Result[];
  beforeAll(async () => {
    results = await tryAll(paths);
  }, PATIENCE_MS);

  it('has 20 instructions that move something to memory or from it', () => {
    expect(memoryLines).toHaveLength(20);
  });

  it.each(memoryLines)('%s, %s: every kind of fault there is', (place) => {
    // The last line of the save has no neighbour behind it.
    const isLast = place === saving.at(-1)?.[0];
    expect(countsAt(results, place)).toEqual({ ...OF_A_MEMORY_LINE, ...(isLast ? {} : { swapped: 1 }) });
  });

  it('tries the other lines too: lea, xor and the move to rsp, and the jump', () => {
    const others = [...saving, ...restoring].filter((line) => !memoryLines.includes(line));
    expect(Object.fromEntries(others.map(([place, text]) => [text, countsAt(results, place)]))).toEqual({
      'lea     5567738f(%rip), %rcx': { dropped: 1, swapped: 1 },
      'xor     %rax, %rax': { swapped: 1 },
      'mov     %rdx, %rsp': { dropped: 1, swapped: 1, 'rsp order': 2 },
      'jmp     *%rdx': { 'no jump': 1 },
    });
    expect(results).toHaveLength(20 * 18 + 19 + 2 + 1 + 4 + 1);
  });

  it('expresses all of them in machine code', () => {
    expect(named(results, 'impossible')).toEqual([]);
  });

  it('catches all that are not equivalent', () => {
    expect(named(results, 'survived')).toEqual([]);
    expect(summaryOf(results).percent).toBe(100);
  });

  it('takes no others for equivalent than neighbours that have nothing to do with each other', () => {
    const pairs = (lines: readonly [string, string][]): string[] => lines.slice(0, -1).map(([place]) => place);
    // All neighbours, but for the jump: what comes behind it is never reached.
    const expected = [...pairs(saving), ...pairs(restoring.slice(0, -1))];
    const found = results.filter(({ verdict }) => verdict === 'equivalent').map(({ fault }) => fault);
    expect(found.map(({ kind }) => kind)).toEqual(expected.map(() => 'swapped'));
    expect(found.map(({ at }) => at.place)).toEqual(expected);
    const reasons = equivalents(results);
    console.log(reasons.join('\n'));
    for (const reason of reasons) expect(reason).toMatch(/: (neither uses |two loads )/);
  });

  it('names the slot and the register', () => {
    const fault = results.find((one) => faultName(one.fault).includes('movq 16(%rax), %r12 → movq 24(%rax), %r12'));
    const line = restoring.find(([, text]) => text.includes('16(%rax)'))?.[0];
    expect(fault && faultName(fault.fault)).toBe(`${line}: movq 16(%rax), %r12 → movq 24(%rax), %r12: offset +8`);
    expect(fault?.verdict === 'killed' && fault.by).toEqual([
      { check: 'layout', where: '16', what: 'was r12 → r12, is r12 → nothing' },
      { check: 'layout', where: '24', what: 'was rsp → rsp, is rsp → rsp + r12' },
      { check: 'contract', where: 'r12', what: 'lost' },
    ]);
  });
});
