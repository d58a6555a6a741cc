import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { readObject } from '../../../asm/elf/object.js';
import { rewriteObject, type SectionChange } from '../../../asm/elf/rewrite.js';
import { has, Workshop } from './compile.js';

const workshop = new Workshop();
afterAll(() => workshop.remove());

/** answer() is 42, by way of a call whose target a linker fills in; main returns whether it is `wanted`. */
const SOURCE = `
        .text
        .globl  answer
        .type   answer, @function
answer: mov     $42, %eax
        call    other
        ret
        .size   answer, .-answer
        .section .note.GNU-stack, "", @progbits
`;
/** mov $imm32, %eax */
const MOV_EAX = 0xb8;
const MAIN = 'int answer(void); int calls; void other(void) { } int main(void) { return answer(); }';

describe.skipIf(!has('gcc', 'ld', 'readelf'))('an object with a section changed', () => {
  workshop.run('true');
  writeFileSync(workshop.path('answer.s'), SOURCE);
  writeFileSync(workshop.path('main.c'), MAIN);
  const build = (): { bytes: Uint8Array; text: number } => {
    workshop.run('gcc', '-c', 'answer.s', '-o', 'answer.o');
    const bytes = new Uint8Array(readFileSync(workshop.path('answer.o')));
    const { sections } = readObject({ name: 'answer.o', bytes });
    return { bytes, text: sections.findIndex(({ name }) => name === '.text') };
  };
  /** Linked by GNU ld with a main, and run: its status. */
  const runs = (bytes: Uint8Array): number | null => {
    writeFileSync(workshop.path('changed.o'), bytes);
    workshop.run('gcc', 'main.c', 'changed.o', '-o', 'program');
    return spawnSync(workshop.path('program')).status;
  };
  const changed = (change: Partial<SectionChange>): Uint8Array => {
    const { bytes, text } = build();
    const all = { section: text, patches: [], appended: new Uint8Array(), relocated: (at: number) => at, ...change };
    return rewriteObject({ name: 'answer.o', bytes }, all);
  };
  const readelf = (bytes: Uint8Array, ...flags: readonly string[]): string => {
    writeFileSync(workshop.path('read.o'), bytes);
    // Warnings are written to standard error, and there are to be none.
    const { stdout, stderr } = spawnSync('readelf', ['-W', ...flags, workshop.path('read.o')], { encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout;
  };

  it('is the same file if nothing changes', () => {
    expect(changed({})).toEqual(build().bytes);
    expect(runs(changed({}))).toBe(42);
  });

  it('has other bytes where it is told', () => {
    expect(runs(changed({ patches: [[0, Uint8Array.of(MOV_EAX, 43, 0, 0, 0)]] }))).toBe(43);
  });

  it('has a longer section, to which the old one can jump', () => {
    const { bytes, text } = build();
    const { size } = readObject({ name: 'answer.o', bytes }).sections[text];
    // mov $44, %eax; ret
    const appended = Uint8Array.of(MOV_EAX, 44, 0, 0, 0, 0xc3);
    const jump = Uint8Array.of(0xe9, size - 5, 0, 0, 0);
    const longer = changed({ patches: [[0, jump]], appended });
    const line = /\.text +PROGBITS +\w+ \w+ (\w+)/.exec(readelf(longer, '-S'));
    expect(Number.parseInt(line?.[1] ?? '', 16)).toBe(size + appended.length);
    expect(runs(longer)).toBe(44);
    expect(() => execFileSync('objdump', ['-d', workshop.path('changed.o')])).not.toThrow();
  });

  it('has a relocation where its instruction has gone, or none', () => {
    // The call first: e8 and four bytes for the linker, at 5 before.
    const swapped = Uint8Array.of(0xe8, 0, 0, 0, 0, MOV_EAX, 45, 0, 0, 0);
    const moved = changed({ patches: [[0, swapped]], relocated: (at) => at - 5 });
    expect(readelf(moved, '-r')).toMatch(/^0+1 .* other - 4$/m);
    expect(runs(moved)).toBe(45);
    const nothing = Uint8Array.of(0x0f, 0x1f, 0x44, 0, 0);
    const dropped = changed({ patches: [[5, nothing]], relocated: () => undefined });
    expect(readelf(dropped, '-r')).toMatch(/R_X86_64_NONE/);
    expect(runs(dropped)).toBe(42);
  });

  it('cannot be changed where the section has no bytes', () => {
    expect(() => changed({ patches: [[1000, Uint8Array.of(0)]] })).toThrow(
      new RangeError(`section ${build().text} has no bytes at 1000 to change`),
    );
  });
});
