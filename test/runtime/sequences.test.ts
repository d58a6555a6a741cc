import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assemble } from '../../asm/assembler.js';
import { Image } from '../../asm/image.js';
import { INCLUDES, LIBMILL_IMAGE } from '../../asm/libmill.image.js';
import { loadFixture, promised } from '../fixture.js';
import { run } from './guest.js';

/*
 * Is what the fixtures print enough to notice a broken switch? Each instruction of both sequences is left out, and
 * each 64-bit offset in them is moved by a slot, once, in the runtime's copies and in the program's.
 */

const RUNTIME = ['libmill.s', 'libc.s', 'stdio.s', 'stdlib.s', 'search.s', 'unistd.s', 'host.s', 'bodies.s'];
const SEQUENCES = ['mill_setjmp.s', 'mill_longjmp.s'];

const load = (name: string): string => readFileSync(new URL(`../../asm/${name}`, import.meta.url), 'utf8');

/** Instructions of a sequence, by line. */
function instructions(text: string): { line: number; instruction: string }[] {
  return text
    .split('\n')
    .map((instruction, line) => ({ line, instruction: instruction.trim() }))
    .filter(({ instruction }) => /^[a-z]/.test(instruction));
}

/** Runs every-slot.s with `changed` in the place of the files of these names. */
async function runWith(changed: Readonly<Record<string, string>>) {
  const include = (name: string) => {
    const text = changed[name] ?? INCLUDES[name];
    return text === undefined ? undefined : { name, text };
  };
  const runtime = await assemble(
    RUNTIME.map((name) => ({ name, text: load(name) })),
    { base: Image.fromJSON(LIBMILL_IMAGE).sections[0].address, include },
  );
  const globals = new Map([...runtime.symbols].filter(([name]) => runtime.globals.has(name)));
  const source = readFileSync(new URL('../../fixtures/programs/every-slot.s', import.meta.url), 'utf8');
  const program = await assemble([{ name: 'every-slot.s', text: source }], {
    base: 0x400000n,
    symbols: globals,
    include,
  });
  return run(program, runtime);
}

const expected = promised('every-slot.s');
const right = { output: expected.output, outcome: { kind: 'exit', status: expected.status } };

describe('the two sequences', () => {
  it('are what the built image was made of', async () => {
    const rebuilt = await runWith({});
    expect(rebuilt).toMatchObject(right);
    expect(rebuilt).toEqual(await run(await loadFixture('every-slot.s')));
  });

  it('have twelve instructions each', () => {
    expect(SEQUENCES.map((name) => instructions(load(name)).length)).toEqual([12, 12]);
  });

  for (const name of SEQUENCES) {
    const lines = load(name).split('\n');
    it.each(instructions(load(name)))(`${name} is broken without "$instruction"`, async ({ line }) => {
      const without = lines.filter((_, index) => index !== line).join('\n');
      const { output, outcome } = await runWith({ [name]: without }).catch((error: Error) => ({
        output: error.name,
        outcome: undefined,
      }));
      expect({ output, outcome }).not.toEqual(right);
    });

    const withSlot = instructions(load(name)).filter(({ instruction }) => /\(%r[ad]x\)/.test(instruction));
    it.each(withSlot)(`${name} is broken with another slot in "$instruction"`, async ({ line, instruction }) => {
      const offset = Number(/(\d*)\(/.exec(instruction)?.[1] || 0);
      const moved = instruction.replace(/\d*\(/, `${offset === 72 ? 64 : offset + 8}(`);
      const changed = lines.with(line, moved).join('\n');
      const { output, outcome } = await runWith({ [name]: changed });
      expect({ output, outcome }).not.toEqual(right);
    });
  }
});
