import { describe, expect, it } from 'vitest';
import { UndefinedSymbol } from '../../asm/errors.js';
import { Image, type ImageJson } from '../../asm/image.js';
import { BASE, hex, image } from './assembling.js';

const TEXT = `.globl main
main:   nop
worker: mov 16(%rdx), %rax
.Lhidden:
1:      ret
SIZE = 248
LESS = -1
        .data
datum:  .quad worker
`;

describe('Image', () => {
  it('has labels and numbers by name, but no .L and numeric labels', async () => {
    const made = await image(TEXT);
    expect(Object.fromEntries(made.symbols)).toEqual({
      main: BASE,
      worker: BASE + 1n,
      datum: BASE + 0x1000n,
      SIZE: 248n,
      LESS: -1n,
    });
    expect([...made.globals]).toEqual(['main']);
  });

  it('says what a misspelt symbol may have been', async () => {
    const made = await image(TEXT);
    expect(made.symbol('worker')).toBe(BASE + 1n);
    expect(() => made.symbol('wroker')).toThrow(UndefinedSymbol);
    expect(() => made.symbol('wroker')).toThrow('undefined symbol "wroker"; did you mean "worker"?');
  });

  it('finds the label at or below an address, never across sections or past the end', async () => {
    const made = await image(`.text\nnop\nlate: nop\n.data\n.byte 1\n`);
    expect(made.symbolAt(BASE)).toBeUndefined();
    expect(made.symbolAt(BASE + 1n)).toEqual({ name: 'late', offset: 0n });
    expect(made.symbolAt(BASE + 2n)).toBeUndefined();
    expect(made.symbolAt(BASE + 0x1000n)).toBeUndefined();
  });

  it('prefers a global label where there are several', async () => {
    expect((await image('.globl b\na: b: c: nop\n')).symbolAt(BASE)?.name).toBe('b');
  });

  it('finds the line of an address inside an instruction, and none in padding', async () => {
    const made = await image('nop\n.balign 8\nret\n');
    expect(made.lineAt(BASE)).toMatchObject({ file: 'file.s', line: 1 });
    expect(made.lineAt(BASE + 3n)).toBeUndefined();
    expect(made.lineAt(BASE + 8n)).toMatchObject({ file: 'file.s', line: 3 });
    expect(made.lineAt(BASE + 9n)).toBeUndefined();
    expect((await image(TEXT)).lineAt(BASE + 4n)).toMatchObject({ file: 'file.s', line: 3 });
  });

  it('describes an address for a person', async () => {
    const made = await image(TEXT);
    expect(made.describe(BASE + 1n)).toBe('worker (file.s:3)');
    expect(made.describe(BASE + 5n)).toBe('worker+0x4 (file.s:5)');
    expect(made.describe(0x99n)).toBe('0x99');
  });

  it('describes what a macro of an include brought in by the line that calls it, then by its own', async () => {
    const files = { 'outer.inc': '.macro two\n nop\n .include "inner.inc"\n.endm\n', 'inner.inc': '\n ret\n' };
    const made = await image('.include "outer.inc"\nworker: two\n', files);
    expect(made.describe(BASE)).toBe('worker (file.s:2, outer.inc:2)');
    expect(made.describe(BASE + 1n)).toBe('worker+0x1 (file.s:2, inner.inc:2)');
  });

  it('gives back the same image from JSON, without Keystone', async () => {
    const made = await image(`${TEXT}.bss\n.zero 16\n.text\n.include "i.s"\n`, { 'i.s': 'nop\n' });
    const json: ImageJson = JSON.parse(JSON.stringify(made));
    const again = Image.fromJSON(json);
    expect(again.sections).toEqual(made.sections);
    expect(again.symbols).toEqual(made.symbols);
    expect(again.globals).toEqual(made.globals);
    expect(again.lines).toEqual(made.lines);
    expect(JSON.stringify(again)).toBe(JSON.stringify(made));
    expect(hex(again.sections[0]?.bytes ?? new Uint8Array())).toBe('90488b4210c390');
    expect(again.describe(BASE + 5n)).toBe('worker+0x4 (file.s:5)');
    expect(again.occurrences('i.s')).toEqual([{ start: BASE + 6n, end: BASE + 7n }]);
  });
});

describe('occurrences', () => {
  const files = {
    'two.s': 'nop\nnop\n',
    'outer.s': 'ret\n.include "two.s"\nret\n',
    'm.inc': '.macro two\nnop\nnop\n.endm\n',
  };
  const ranges = async (text: string, file: string) => {
    const found = (await image(text, files)).occurrences(file);
    return found.map(({ start, end }) => [Number(start - BASE), Number(end - BASE)]);
  };

  it('has one range for each inclusion, also back to back, where bytes alone could not tell them apart', async () => {
    expect(await ranges('hlt\n.include "two.s"\n.include "two.s"\nhlt\n.include "two.s"\n', 'two.s')).toEqual([
      [1, 3],
      [3, 5],
      [6, 8],
    ]);
  });

  it('finds inclusions by macros, repetitions and other includes', async () => {
    const text = '.macro m\n.include "two.s"\n.endm\nm\n.rept 2\nm\n.endr\n.include "outer.s"\n';
    expect(await ranges(text, 'two.s')).toEqual([
      [0, 2],
      [2, 4],
      [4, 6],
      [7, 9],
    ]);
    expect(await ranges(text, 'outer.s')).toEqual([
      [6, 7],
      [9, 10],
    ]);
  });

  it('counts a macro of another file as a visit to it, one of the same file as part of it', async () => {
    expect(await ranges('.include "m.inc"\nret\ntwo\ntwo\nret\n', 'm.inc')).toEqual([
      [1, 3],
      [3, 5],
    ]);
    expect(await ranges('.macro own\nnop\n.endm\nret\nown\nret\n', 'file.s')).toEqual([[0, 3]]);
  });

  it('is empty for a file that is not there', async () => {
    expect(await ranges('nop\n', 'two.s')).toEqual([]);
  });
});
