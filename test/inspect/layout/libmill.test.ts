/** libmill's own ctx, as the prober finds it, against what is written of it and what a compiler makes of it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LayoutData } from '../../../inspect/layout/data.js';
import { CTX_SLOTS } from '../../../runtime/layout.js';
import { millscope, ROOT } from '../command.js';
import { file, folder, layout, SEQUENCES, short } from './measuring.js';

const GOLDEN = 'fixtures/golden/libmill.json';
/** libmill 1.18's binary interface: slot, byte, register; a return address comes by way of rdx, which keeps it. */
const ABI = [
  '0:8 rbx > rbx',
  '8:8 rbp > rbp',
  '16:8 r12 > r12',
  '24:8 rsp > rsp',
  '32:8 r13 > r13',
  '40:8 r14 > r14',
  '48:8 r15 > r15',
  '56:8 rip > rip + rdx',
  '64:8 rdi > rdi',
  '72:8 rsi > rsi',
];

const golden = (): LayoutData => JSON.parse(readFileSync(join(ROOT, GOLDEN), 'utf8')).layouts[0];

describe("libmill's two sequences", () => {
  it('have the ten slots of its binary interface', async () => {
    const found = await layout(SEQUENCES);
    expect(short(found)).toEqual(ABI);
    expect(found.convention).toEqual({ shape: 'jump', save: 'rdx', restore: 'rax' });
    expect(found.failed).toBeUndefined();
  });

  it('are told in the same way, instructions included, whenever they are measured', () => {
    const run = () => millscope(['layout', '--json', ...SEQUENCES]);
    const [one, two] = [run(), run()];
    expect(one.status).toBe(0);
    expect(two.stdout).toBe(one.stdout);
    const { slots } = JSON.parse(one.stdout);
    expect(slots[0]).toMatchObject({ offset: 0, saved: 'rbx', restored: 'rbx' });
    // The line of mill_setjmp.s that stores rsp, and the one of mill_longjmp.s that loads it.
    const line = (name: string, text: string) =>
      readFileSync(join(ROOT, 'asm', name), 'utf8')
        .split('\n')
        .findIndex((each) => each.includes(text)) + 1;
    expect(slots[3].savedBy[0].place).toBe(`mill_setjmp.s:${line('mill_setjmp.s', '%rsp, 24(%rdx)')}`);
    expect(slots[3].restoredBy[0].place).toBe(`mill_longjmp.s:${line('mill_longjmp.s', '24(%rax)')}`);
    expect(slots[3].savedBy[0].text).toBe('movq %rsp, 0x18(%rdx)');
  });

  it('are in the README as they are printed, and so is what they keep', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
    for (const command of ['layout', 'check']) {
      const { stdout } = millscope([command, ...SEQUENCES]);
      expect(stdout.length).toBeGreaterThan(1000);
      expect(readme).toContain(`\`\`\`text\n${stdout}\`\`\`\n`);
    }
  });

  it('are as the golden file has them, which is as the runtime has them', () => {
    expect(millscope(['layout', ...SEQUENCES, '--golden', GOLDEN])).toEqual({
      status: 0,
      stdout: `10 slots, all as ${GOLDEN} has them\n`,
      stderr: '',
    });
    expect(golden().slots.map(({ saved }) => saved)).toEqual([...CTX_SLOTS]);
    expect(golden().slots.map(({ offset }) => offset)).toEqual(CTX_SLOTS.map((_, index) => 8 * index));
  });

  it.skipIf(spawnSync('gcc', ['--version']).status !== 0)('are as a C compiler lays out the same structure', () => {
    const path = file(
      'ctx.c',
      `#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
struct ctx { uint64_t rbx, rbp, r12, rsp, r13, r14, r15, rip, rdi, rsi; };
int main(void) {
${CTX_SLOTS.map((name) => `    printf("${name} %zu\\n", offsetof(struct ctx, ${name}));`).join('\n')}
    printf("end %zu\\n", sizeof(struct ctx));
}
`,
    );
    execFileSync('gcc', ['-o', join(folder, 'ctx'), path]);
    const printed = execFileSync(join(folder, 'ctx'), { encoding: 'utf8' }).trim().split('\n');
    const { slots } = golden();
    expect([...slots.map(({ saved, offset }) => `${saved} ${offset}`), 'end 80']).toEqual(printed);
    const last = slots[slots.length - 1];
    expect(last.offset + last.size).toBe(80);
  });
});
