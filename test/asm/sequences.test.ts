import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { code } from './assembling.js';
import { gnuCode, hasGnu } from './gnu.js';

const read = (name: string) => readFileSync(new URL(`../../asm/${name}`, import.meta.url), 'utf8');

// What GNU as 2.40 makes of libmill's two sequences, measured from a build of libmill 1.18.
const EXPECTED = {
  'mill_setjmp.s': '488d0d2a0000004831c048891a48896a084c896210488962184c896a204c8972284c897a3048894a3848897a4048897248',
  'mill_longjmp.s': '488b18488b68084c8b6010488b50184c8b68204c8b70284889d44c8b7830488b5038488b7840488b7048ffe2',
};

describe.each(Object.entries(EXPECTED))('%s', (name, expected) => {
  it('has the bytes of a native libmill, not a ctx laid out with displacements taken for hexadecimal', async () => {
    expect(await code(read(name))).toBe(expected);
  });

  it.skipIf(!hasGnu)('has the same bytes when the machine’s own as makes it', () => {
    expect(gnuCode(read(name)).toString('hex')).toBe(expected);
  });

  it('has twelve instructions, spelled as libmill spells them', () => {
    const text = read(name).replaceAll(/#.*/g, '');
    const instructions = text.split('\n').filter((line) => /^\s+\S/.test(line));
    expect(instructions).toHaveLength(12);
    expect(text).not.toMatch(/0x/);
  });

  it('can be included twice in a row, as it defines no name', async () => {
    const twice = `.include "${name}"\n.include "${name}"\n`;
    expect(await code(twice, { [name]: read(name) })).toBe(expected + expected);
  });
});
