import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FORMS } from './forms.js';
import { Layout } from './layout.js';
import type { Form } from './operand.js';
import { CODE, EXCEPTIONS_MASKED } from './state.js';

/** What GNU objdump calls an instruction, where that is not its name in the Intel SDM. */
const ALIASES: Readonly<Record<string, string>> = {
  cbw: 'cbw|cwde|cdqe',
  cwd: 'cwd|cdq|cqo',
  'rep bsf': 'tzcnt',
  xchg: 'xchg|nop',
  cmpps: 'cmp[a-z]+ps',
  cmppd: 'cmp[a-z]+pd',
  cmpss: 'cmp[a-z]+ss',
  cmpsd: 'cmp[a-z]+sd',
  movd: 'mov[dq]',
};

/** What an instruction is called there, with any operand size. */
function expected(name: string): RegExp {
  const word = name.startsWith('rep') ? name : name.split(' ')[0];
  return new RegExp(`^(?:lock )?(?:${ALIASES[word] ?? word.replace(/^repne /, 'repnz ').replace(/^rep /, 'repz? ')})`);
}

/** An instruction in each operand size, with registers and with memory. */
function samples(form: Form): Layout[] {
  return [0, 1, 2, 3].flatMap((size) =>
    [true, false].map((inMemory) => {
      const layout = new Layout(CODE, new Set(), EXCEPTIONS_MASKED);
      const registers = { reg: 1 + size * 4, rm: 3, base: 9, index: 2 };
      const address = { inMemory, mode: size * 2, scale: 1, displacement: 8, target: 64 };
      form.add(layout, { form: 0, size, high: false, value: 5n, ...registers, ...address });
      return layout;
    }),
  );
}

/** The text of each instruction in some machine code, by its offset. */
function disassemble(code: Uint8Array): ReadonlyMap<number, string> {
  const directory = mkdtempSync(join(tmpdir(), 'forms-'));
  try {
    const file = join(directory, 'code');
    writeFileSync(file, code);
    const options = ['-D', '-b', 'binary', '-m', 'i386:x86-64', '-M', 'intel', '-w', '--no-show-raw-insn'];
    const text = execFileSync('objdump', [...options, file], { encoding: 'utf8', maxBuffer: 1 << 26 });
    const lines = text.matchAll(/^\s*([0-9a-f]+):\t(.*)$/gm);
    return new Map([...lines].map(([, offset, line]) => [Number.parseInt(offset, 16), line]));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test.skipIf(spawnSync('objdump', ['--version']).status !== 0)('instructions are what GNU objdump says they are', () => {
  const placed = FORMS.flatMap((form) =>
    samples(form).map((layout) => ({ form, all: layout.placed.map(({ bytes }) => bytes) })),
  );
  const texts = disassemble(Buffer.concat(placed.flatMap(({ all }) => all)));
  let offset = 0;
  let count = 0;
  for (const { form, all } of placed) {
    const found = all.map(({ length }) => {
      // One that objdump lets end elsewhere leaves none at the place of the next one.
      const text = texts.get(offset) ?? '(bad)';
      offset += length;
      return text;
    });
    count += all.length;
    expect(found.join('; '), form.name).not.toContain('(bad)');
    expect(
      found.filter((text) => expected(form.name).test(text)),
      `${form.name}: ${found.join('; ')}`,
    ).not.toEqual([]);
  }
  expect(texts.size, 'as many as there are').toBe(count);
  expect(FORMS.length).toBeGreaterThan(350);
});
