import { describe, expect, it } from 'vitest';
import { assemble } from '../../asm/assembler.js';
import { BASE, complaints, failure, image } from './assembling.js';

describe('AssemblyError', () => {
  it('names the line and column, which Keystone does not', async () => {
    const error = await failure(image('nop\nnop\nnop\nnop\nnop\nnop\n    moov %rax, %rbx\nnop\n'));
    expect(error.message).toBe('file.s:7:5: unknown instruction or operands: "moov %rax, %rbx"');
    expect(error.problems).toEqual([
      { file: 'file.s', line: 7, column: 5, reason: 'unknown instruction or operands: "moov %rax, %rbx"', trail: [] },
    ]);
  });

  it('names all problems at once, in the order of the text', async () => {
    expect(await complaints('jmp nowhere\nmoov %rax\nnop\n.foo\nmov %rax, %raxx; moov %rbx\n')).toEqual([
      'file.s:1:1: undefined symbol "nowhere"',
      'file.s:2:1: unknown instruction or operands: "moov %rax"',
      'file.s:4:1: unknown directive ".foo"',
      'file.s:5:1: unknown register "%raxx"; did you mean "%rax"?',
      'file.s:5:18: unknown instruction or operands: "moov %rbx"',
    ]);
  });

  it('names every statement that Keystone leaves out without a word', async () => {
    expect(await complaints('nop\nmovb $1, %rax\nnop\nmovb $2, %rbx\n')).toEqual([
      'file.s:2:1: unknown instruction or operands: "movb $1, %rax"',
      'file.s:4:1: unknown instruction or operands: "movb $2, %rbx"',
    ]);
  });

  it('stops at twenty', async () => {
    const found = await complaints('moov\n'.repeat(25));
    expect(found).toHaveLength(21);
    expect(found.at(-1)).toBe('and 5 more');
  });

  it('leads from a macro in an include back to where it was used', async () => {
    const files = { 'm.inc': '.macro broken r\n  nop\n  moov \\r\n.endm\n', 'use.inc': 'nop\n  broken %rax\n' };
    const error = await failure(image('.include "m.inc"\nnop\n .include "use.inc"\n', files));
    expect(error.message).toBe(
      'm.inc:3:3: unknown instruction or operands: "moov %rax" ' +
        '(in macro broken called at use.inc:2:3, included at file.s:3:2)',
    );
    expect(error.problems[0]?.trail.map(({ kind, name }) => [kind, name])).toEqual([
      ['macro', 'broken'],
      ['include', 'use.inc'],
    ]);
  });

  it.each([
    ['worker: ret\ncall wroker\n', 'undefined symbol "wroker"; did you mean "worker"?', 'wroker'],
    ['main: ret\ncall mian\n', 'undefined symbol "mian"; did you mean "main"?', 'mian'],
    ['a: nop\na: nop\n', '"a" is already defined at file.s:1', 'a'],
    ['nop\nmov %rex, %rax\n', 'unknown register "%rex"; did you mean', '%rex'],
    ['nop\n.bite 1\n', 'unknown directive ".bite"; did you mean ".byte"?', '.bite'],
    ['nop\n.intel_syntax noprefix\n', 'Intel syntax is not supported here: write AT&T syntax', '.intel_syntax'],
    ['nop\n.include "gone.s"\n', 'include file not found: "gone.s"', 'gone.s'],
    ['nop\n.org 16\n', '".org" is not supported: use .balign, or .skip', '.org'],
    [
      'nop\n.section .init_array\n',
      'unknown section ".init_array": there are .text, .rodata, .data and .bss',
      undefined,
    ],
    ['nop\njmp 1f\n', 'there is no label "1:" behind this', '1f'],
    ['nop\njmp 1b\n', 'there is no label "1:" before this', '1b'],
    ['nop\nmov $12ab, %eax\n', '"12ab" is neither a number nor a name', '12ab'],
    ['nop\nmov $089, %eax\n', '"089" is octal', '089'],
    ['nop\n.ascii "abc\n', 'this string has no end', undefined],
    ['nop\n/* abc\nnop\n', 'this comment has no end', undefined],
    ['nop\n.macro m\nnop\n', '".macro" without ".endm"', undefined],
    ['nop\n.endr\n', '".endr" without a ".rept"', '.endr'],
    ['b = a\na = b\n', '"b" is defined by way of itself', undefined],
    ['nop\n.zero -1\n', '".space": the count -1 is negative', '-1'],
    ['a: nop\n.skip 8-(.-a)\n', 'must be a number that does not depend on a label', undefined],
    ['.bss\n.byte 1\n', '.bss has no bytes of its own', undefined],
    ['nop\nmov foo@GOTPCREL(%rip), %rax\n', 'needs a dynamic linker', 'foo@GOTPCREL'],
    ['nop\nmov [rax], %rbx\n', 'unexpected "["', '['],
    ['nop\nlea (%rax,%rsp,2), %rax\n', '"%rsp" cannot be the index of an address', '%rsp'],
    ['nop\nlea (%rax,%rcx,3), %rax\n', 'the scale of an address is 1, 2, 4 or 8', undefined],
    ['nop\n.balign 3\n', 'an alignment is a power of two up to 4096, not 3', '3'],
    ['nop\n.byte 256\n', 'the value 256 does not fit 8 bits', '256'],
  ])('%j', async (text, reason, token) => {
    // Every text here has its fault in line 2, but for the circle, which is found where it begins.
    const line = text.startsWith('b =') ? 1 : 2;
    const error = await failure(image(text));
    expect(error.problems).toHaveLength(1);
    const [problem] = error.problems;
    expect(problem?.reason).toContain(reason);
    expect(problem?.line).toBe(line);
    if (token !== undefined) expect(problem?.token).toBe(token);
  });

  it.each([
    [
      'a file that includes itself',
      '.include "a.s"\n',
      { 'a.s': '.include "b.s"\n', 'b.s': '.include "a.s"\n' },
      'a file includes itself: "a.s" includes "b.s" includes "a.s"',
    ],
    ['a macro that calls itself', '.macro m\nm\n.endm\nm\n', {}, 'nested deeper than 64: is "m" its own cause?'],
    ['a repetition without bound', '.rept 1000000000\nnop\n.endr\n', {}, 'the program has more than 100000 statements'],
    [
      'many large fills',
      '.zero 0x3000000\n.zero 0x3000000\n',
      {},
      'from here on the program is larger than 67108864 bytes',
    ],
    ['a fill without bound', '.zero 0x100000000\n', {}, 'are more than 67108864'],
  ])('%s ends with a message, not the memory', async (_, text, files, reason) => {
    expect((await failure(image(text, files))).problems[0]?.reason).toContain(reason);
  });

  it('a wrong number of macro arguments is one problem', async () => {
    const macro = '.macro m a\nmov $\\a, %eax\n.endm\n';
    expect(await complaints(`${macro}m\n`)).toEqual(['file.s:4:1: macro m is missing its argument "a"']);
    expect(await complaints(`${macro}m 1, 2\n`)).toEqual(['file.s:4:1: macro m takes 1 arguments, not 2']);
  });

  it('a .set that cannot be evaluated is one problem, however often it is used', async () => {
    expect(await complaints('a = gone + 1\n.byte a\nmov $a, %eax\n')).toEqual(['file.s:1:1: undefined symbol "gone"']);
  });

  it('two sources of one name are refused', async () => {
    const source = { name: 'a.s', text: '' };
    await expect(assemble([source, source], { base: BASE })).rejects.toThrow('two sources are named "a.s"');
  });
});
