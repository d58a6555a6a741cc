import { describe, expect, it } from 'vitest';
import { code, image, lines, sectionHex } from './assembling.js';

// Bytes: 90 nop, c3 ret, f4 hlt, eb xx jmp, b8 mov $imm32 to eax, b9 to ecx. From the Intel manual, or by hand.

describe('comments', () => {
  it.each([
    ['#', 'nop # ; hlt'],
    ['//, which Keystone does not know', 'nop // ; hlt'],
    ['/* */ over several lines', 'nop /* ; hlt\n hlt\n */'],
    ['a line marker of the C preprocessor', '# 1 "file.c"\nnop'],
    ['an apostrophe in one', "nop # it's"],
    ['a quotation mark in one', 'nop // "'],
  ])('%s', async (_, text) => {
    expect(await code(`${text}\nret\n`)).toBe('90c3');
  });

  it('are not looked for in strings', async () => {
    expect(await code('.ascii "#;//*"')).toBe('233b2f2f2a');
  });

  it('are not looked for in character constants', async () => {
    expect(await code(".byte '#, ';', '/' ; nop")).toBe('233b2f90');
  });
});

describe('separators and labels', () => {
  it('; separates, several labels may stand in front of one statement', async () => {
    expect(await code('a: b: nop; c: jmp a; jmp c')).toBe('90ebfdebfc');
  });

  it('lines may end in CR LF', async () => {
    expect(await code('nop\r\nret\r\n')).toBe('90c3');
  });

  it('a label may be called like an instruction or a register, which Keystone would misread', async () => {
    expect(await code('add: jmp add\nrax: jmp rax\noffset: jmp offset\n')).toBe('ebfeebfeebfe');
  });
});

describe('numeric labels', () => {
  it('go backward and forward and can be used again', async () => {
    expect(await code('1: jmp 1f; 1: jmp 1b; jmp 1b; jmp 2f; 2:')).toBe('eb00ebfeebfceb00');
  });

  it('are not mistaken for binary or hexadecimal numbers', async () => {
    expect(await code('0: jmp 0b; mov $0b1, %eax; mov $0x1f, %eax; mov $0x1b, %eax')).toBe(
      'ebfeb801000000b81f000000b81b000000',
    );
  });

  it('belong to one use of a macro or include', async () => {
    expect(await code('.macro spin\n1: jmp 1b\n.endm\nspin\nspin\n')).toBe('ebfeebfe');
    expect(await code('.include "i.s"\n.include "i.s"\n', { 'i.s': 'jmp 1f\n1:\n' })).toBe('eb00eb00');
  });
});

describe('.macro', () => {
  it('takes arguments by place, by name and by default', async () => {
    const macro = '.macro m a, b=2\n mov $\\a, %eax\n mov $\\b, %ecx\n.endm\n';
    expect(await code(`${macro}m 1`)).toBe('b801000000b902000000');
    expect(await code(`${macro}m 1, 3`)).toBe('b801000000b903000000');
    expect(await code(`${macro}m b=5, a=4`)).toBe('b804000000b905000000');
    expect(await code(`${macro}m 1 3`)).toBe('b801000000b903000000');
  });

  it('used twice: \\@ differs, where Keystone assembles nothing and reports success', async () => {
    expect(await code('.macro m\nl\\@: jmp l\\@\n.endm\nm\nm\n')).toBe('ebfeebfe');
  });

  it('\\() ends a name, and an argument may be part of a string or label', async () => {
    expect(await code('.macro m a\nx\\a\\()y: .ascii "<\\a>"\n.endm\nm 1\nm 2\n')).toBe('3c313e3c323e');
  });

  it('commas in parentheses or quotation marks do not separate arguments', async () => {
    const macro = '.macro m a, b\n mov \\a, \\b\n.endm\n';
    expect(await code(`${macro}m 8(%rax,%rcx), %rdx`)).toBe('488b540808');
    expect(await code('.macro m a\n.byte \\a\n.endm\nm "1,2"\n')).toBe('0102');
  });

  it('may call another, define another, and include', async () => {
    expect(await code('.macro a\nnop\n.endm\n.macro b\na\na\n.endm\nb\n')).toBe('9090');
    expect(await code('.macro outer\n.macro inner\nret\n.endm\n.endm\nouter\ninner\n')).toBe('c3');
    expect(await code('.macro m\n.include "i.s"\n.endm\nm\nm\n', { 'i.s': 'nop\n' })).toBe('9090');
  });
});

describe('.rept and .include', () => {
  it('.rept repeats, also inside itself, as often as a .set says', async () => {
    expect(await code('n = 2\n.rept n\n.byte 1\n.rept 2\n.byte 2\n.endr\n.endr\n')).toBe('010202010202');
    expect(await code('.rept 0\nnop\n.endr\nret\n')).toBe('c3');
  });

  it('.include puts the text in place, with its macros', async () => {
    expect(await code('nop\n.include "i.s"\nm\n', { 'i.s': '.macro m\nret\n.endm\n' })).toBe('90c3');
  });
});

describe('sections', () => {
  it('collect their statements from all over the text, where Keystone traps or assembles nothing', async () => {
    const text = lines(
      'nop; .data; .byte 1; .text; ret; .section .rodata; .byte 2; .bss; .zero 3',
      '.section .text.hot,"ax",@progbits; hlt; .section .rodata.str1.1,"aMS",@progbits,1; .asciz "x"',
      '.data; .byte 3',
    );
    const made = await image(text);
    expect(sectionHex(made, '.text')).toBe('90c3f4');
    expect(sectionHex(made, '.rodata')).toBe('027800');
    expect(sectionHex(made, '.data')).toBe('0103');
    expect(made.sections.at(-1)).toMatchObject({ name: '.bss', size: 3, bytes: new Uint8Array() });
  });

  it('notes to the linker are left out, with all that is in them', async () => {
    expect(await code('nop\n.section .note.GNU-stack,"",@progbits\n.long 5\nx: hlt\n.text\nret\n')).toBe('90c3');
  });

  it('.comm and .lcomm reserve aligned space in .bss, without leaving the section', async () => {
    const made = await image('.lcomm a, 3\n.comm b, 16, 8\nnop\n');
    expect(made.symbol('b') - made.symbol('a')).toBe(8n);
    expect(made.globals.has('b')).toBe(true);
    expect(sectionHex(made, '.text')).toBe('90');
  });
});

describe('data', () => {
  it.each([
    ['.byte 1, -1, 017, 0b11, 0xff', '01ff0f03ff'],
    [".byte 'a', 'b, '\\n', '\\\\', '\\''", '61620a5c27'],
    ['.short 1; .word 2; .value 3; .hword 4; .2byte 5', '01000200030004000500'],
    ['.long 1; .int 16; .4byte 0x10', '010000001000000010000000'],
    ['.quad 1; .8byte -1', '0100000000000000ffffffffffffffff'],
    ['.quad 18446744073709551615, -0x8000000000000000', 'ffffffffffffffff0000000000000080'],
    ['.ascii "a\\tb\\\\\\"\\101\\x41", "c"', '6109625c22414163'],
    ['.asciz "x", "y"; .string "\u00e9"', '78007900c3a900'],
    ['.zero 2; .skip 1, 0x41; .space 1', '00004100'],
    ['.fill 2, 2, 0x1234; .fill 1', '3412341200'],
    ['.float 1.5; .single -2; .double 0.5', '0000c03f000000c0000000000000e03f'],
    ['.byte 1; .balign 4, 0xcc; .byte 2; .p2align 1, 0; .byte 3; .align 2, 0xee', '01cccccc020003ee'],
    ['.byte 1; .p2align 4, 0, 2; .byte 2', '0102'],
    ['.data; .byte 1; .balign 4; .byte 2', '0100000002'],
    ['.long 5|3+1, 2*3+4*5, 7/2, -7%3, 1<<4, ~5, -(3-5)', '080000001a00000003000000ffffffff10000000faffffff02000000'],
    ['nop; .long .-4, .', '90fdff3f0005004000'],
  ])('%s', async (text, expected) => {
    const made = await image(text);
    expect(sectionHex(made, text.startsWith('.data') ? '.data' : '.text')).toBe(expected);
  });

  it('a count may be set behind its use, where Keystone takes it for 0 without a word', async () => {
    expect(await code('.zero n\nret\n.set n, 3\n')).toBe('000000c3');
  });
});

describe('.set', () => {
  it('.set, .equ, .equiv and = define numbers, which may be set again', async () => {
    expect(await code('.set a, 1; .equ b, a+1; .equiv c, b*2; d = c\n.byte a, b, c, d\nd = d + 1\n.byte d\n')).toBe(
      '0102040405',
    );
  });

  it('may measure what is before it, and be used before', async () => {
    expect(await code('mov $length, %eax\ntext: .ascii "abc"\nlength = . - text\n')).toBe('b803000000616263');
  });
});

describe('directives that change nothing', () => {
  it.each([
    '.type f, @function',
    '.size f, .-f',
    '.file "a.c"',
    '.ident "GCC"',
    '.cfi_startproc',
    '.cfi_def_cfa_offset 16',
    '.att_syntax',
    '.globl f',
  ])('%s', async (directive) => {
    expect(await code(`f: nop\n${directive}\nret\n`)).toBe('90c3');
  });
});
