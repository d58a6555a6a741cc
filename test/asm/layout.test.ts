import { describe, expect, it } from 'vitest';
import { assemble } from '../../asm/assembler.js';
import { BASE, failure, hex, image, lines } from './assembling.js';

describe('layout', () => {
  it('gives each section a page of its own, so that code and data can be protected apart', async () => {
    const made = await image(
      lines('.bss; d: .zero 5000; .data; c: .byte 1; .section .rodata; b: .zero 4097; .text; a: ret'),
    );
    expect(made.sections.map(({ name, address, size }) => [name, address, size])).toEqual([
      ['.text', 0x400000n, 1],
      ['.rodata', 0x401000n, 4097],
      ['.data', 0x403000n, 1],
      ['.bss', 0x404000n, 5000],
    ]);
    expect([...'abcd'].map((name) => made.symbol(name))).toEqual([0x400000n, 0x401000n, 0x403000n, 0x404000n]);
  });

  it('leaves out empty sections and starts at the base whatever comes first', async () => {
    const made = await image('.data\n.byte 1\n');
    expect(made.sections.map(({ name, address }) => [name, address])).toEqual([['.data', BASE]]);
    expect((await image('')).sections).toEqual([]);
  });

  it('reaches data from code and code from data', async () => {
    const made = await image('.data\nd: .quad c\n.text\nc: mov d(%rip), %rax\n');
    expect(made.sections.map(({ bytes }) => hex(bytes))).toEqual(['488b05f90f0000', '0000400000000000']);
  });

  it('relaxes jumps after measuring, so that a near one is short and a far one is not', async () => {
    const made = await image('jmp far\njmp near\nnear: .skip 200\nfar: ret\n');
    expect(hex(made.sections[0]?.bytes.slice(0, 7) ?? new Uint8Array())).toBe('e9ca000000eb00');
    expect(made.symbol('far')).toBe(BASE + 207n);
  });

  it.each([0x400001n, -0x1000n, 0x80000000n])('refuses the base %d', async (base) => {
    await expect(assemble([], { base })).rejects.toThrow(RangeError);
  });

  it('refuses to end above 2 GiB, where a sign-extended address would be another', async () => {
    const text = '.zero 4097';
    await expect(assemble([{ name: 'a.s', text }], { base: 0x7ffff000n })).rejects.toThrow(
      'the image ends at 0x80000001',
    );
  });

  it('refuses symbols from outside that a 32-bit field cannot hold', async () => {
    const symbols = new Map([['far', 0x80000000n]]);
    await expect(assemble([], { base: BASE, symbols })).rejects.toThrow('outside symbol "far"');
  });
});

describe('several sources', () => {
  const program = (a: string, b: string) => {
    const sources = [
      { name: 'a.s', text: a },
      { name: 'b.s', text: b },
    ];
    return assemble(sources, { base: BASE });
  };

  it('may each have a label of the same name', async () => {
    const made = await program('loop: jmp loop\n', 'nop\nloop: jmp loop\n');
    expect(hex(made.sections[0]?.bytes ?? new Uint8Array())).toBe('ebfe90ebfe');
    expect(made.symbol('loop')).toBe(BASE);
    expect(made.symbol('b.s:loop')).toBe(BASE + 3n);
  });

  it('see each other’s .globl names, labels and numbers', async () => {
    const made = await program('call f\nmov $n, %eax\n', '.globl f, n\nf: ret\nn = 7\n');
    expect(hex(made.sections[0]?.bytes ?? new Uint8Array())).toBe('e805000000b807000000c3');
  });

  it('do not share numeric labels or macros', async () => {
    expect((await failure(program('1: nop\n', 'jmp 1b\n'))).message).toContain(
      'b.s:1:1: there is no label "1:" before',
    );
    expect((await failure(program('.macro m\n.endm\n', 'm\n'))).message).toContain('b.s:1:1: unknown instruction');
  });

  it('say so when a name is only local elsewhere, or global twice', async () => {
    expect((await failure(program('f: ret\n', 'call f\n'))).message).toBe(
      'b.s:1:1: undefined symbol "f": a.s defines it, but without .globl f',
    );
    expect((await failure(program('.globl f\nf: ret\n', '.globl f\nf: ret\n'))).message).toBe(
      'b.s:2:1: "f" is already defined as .globl at a.s:2',
    );
  });
});
