import { describe, expect, it } from 'vitest';
import { code, complaints, image, sectionHex } from './assembling.js';

// Every expected encoding is what GNU as 2.40 and ld make of the line.

describe('what Keystone gets wrong', () => {
  it.each([
    ['endbr64 is unknown', 'endbr64', 'f30f1efa'],
    ['notrack is unknown', 'notrack jmp *%rax', '3effe0'],
    ['an address without registers becomes relative to rip', 'mov 0x1000, %ecx', '8b0c2500100000'],
    ['an address without registers becomes 64 bits wide', 'mov 0x1000, %rax', '488b042500100000'],
    ['so does one with a segment', 'mov %fs:0x28, %rax', '64488b042528000000'],
    ['decimal displacements become hexadecimal', 'mov 16(%rdx), %rax; mov 100(%rdx), %rax', '488b4210488b4264'],
    ['decimal immediates become hexadecimal', 'mov $100, %eax; and $-16, %rsp', 'b8640000004883e4f0'],
    ['two registers in an address', 'lea -48(%rax,%rdx), %eax', '8d4410d0'],
    ['a call by way of the procedure linkage table', 'call f@PLT; f:', 'e800000000'],
    ['-16 written as unsigned 64-bit', 'and $0xfffffffffffffff0, %rsp', '4883e4f0'],
  ])('%s', async (_, text, expected) => {
    expect(await code(text)).toBe(expected);
  });

  it('a text of more than 64 KiB overruns the stack of its module', async () => {
    const made = await image('nop\n'.repeat(50_000));
    expect(made.sections).toHaveLength(1);
    expect(made.sections[0]?.bytes).toEqual(new Uint8Array(50_000).fill(0x90));
  });

  it.each([
    ['sizes that do not fit assemble to nothing', 'movb $1, %rax', 'unknown instruction or operands: "movb $1, %rax"'],
    ['the same in the middle', 'nop; mov %eax, %rbx', 'unknown instruction or operands: "mov %eax, %rbx"'],
    [
      'an immediate too large is pushed as 16 bits',
      'push $0xffffffff',
      'the immediate operand 4294967295 is not within',
    ],
    ['an immediate too large is cut', 'movb $300, %al', 'the immediate operand 300 is not within -128 to 255'],
    ['so is that of enter', 'enter $16, $300', 'the immediate operand 300 is not within'],
    ['a displacement too large is cut', 'mov 0xffffffff(%rax), %rbx', 'the displacement 4294967295 is not within'],
    ['so is that of a label', 'a: mov a+0x90000000(%rax), %ebx', 'the displacement 2420113408 is not within'],
    ['and its address', 'a: movq $a+0x90000000, %rdi', 'the immediate operand 2420113408 is not within'],
    ['and a distance', 'a: call a+0x90000000', 'the address 2420113408 is not within 0 to 2147483647'],
    [
      '65-bit numbers never come back',
      '.quad 0x1ffffffffffffffff',
      'the number 0x1ffffffffffffffff does not fit 64 bits',
    ],
    ['neither does a prefix with operands', 'rex64 %rax', 'an instruction is expected instead of "rex64 %rax"'],
    ['movs without a size is taken for 16 bits', 'movs (%rsi), (%rdi)', '"movs" needs a suffix here'],
    ['so is stos alone', 'rep stos', '"stos" needs a suffix here'],
    ['mov copies half of a vector register', 'mov %xmm0, %xmm1', '"mov" does not go with vector registers'],
    ['any prefix goes with anything', 'rep addl $1, (%rax)', '"rep" does not go with "addl"'],
    ['also lock', 'lock mov %rax, %rbx', '"lock" goes only with an instruction that changes memory'],
    ['into is not in 64-bit mode', 'into', '"into" does not exist in 64-bit mode'],
    [
      'a number relative to rip is not what GNU as means',
      'x = 5; mov x(%rip), %rax',
      'a number has no distance from rip',
    ],
    ['a far loop', 'a: .skip 300; loop a', 'a value or distance does not fit its field: "loop a"'],
  ])('%s', async (_, text, reason) => {
    const [first, ...more] = await complaints(text);
    expect(first).toContain(reason);
    expect(more).toEqual([]);
  });
});

describe('symbols from outside', () => {
  it.each([
    ['call foo', 'e8fbff1f00'],
    ['jmp foo', 'e9fbff1f00'],
    ['je foo', '0f84faff1f00'],
    ['lea foo(%rip), %rax', '488d05f9ff1f00'],
    ['mov foo(%rip), %rax', '488b05f9ff1f00'],
    ['movl $1, foo+4(%rip)', 'c705faff1f0001000000'],
    ['mov $foo, %edi', 'bf00006000'],
    ['mov foo(,%rcx,8), %rax', '488b04cd00006000'],
    ['mov foo, %eax', '8b042500006000'],
    ['push $foo', '6800006000'],
    ['call *foo(%rip)', 'ff15faff1f00'],
    ['.quad foo, foo+8', '00006000000000000800600000000000'],
    ['.long foo', '00006000'],
  ])('%s', async (text, expected) => {
    const made = await image(text, {}, new Map([['foo', 0x600000n]]));
    expect(sectionHex(made, '.text')).toBe(expected);
  });

  it('may be below the image, and a number where one is needed', async () => {
    const made = await image('call foo\n.zero foo-0x1ffffe', {}, new Map([['foo', 0x200000n]]));
    expect(sectionHex(made, '.text')).toBe('e8fbffdfff0000');
  });
});
