import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RegisterUses } from '../../emu/register-access.js';
import { partName, type RegisterPart } from '../../emu/register-parts.js';

const assembler = spawnSync('as', ['--version']).status === 0;

/** GNU as's bytes of one instruction in AT&T syntax. */
function assemble(text: string): Uint8Array {
  const folder = mkdtempSync(join(tmpdir(), 'millscope-'));
  try {
    const [source, object, binary] = ['a.s', 'a.o', 'a.bin'].map((name) => join(folder, name));
    writeFileSync(source, `${text}\n`);
    execFileSync('as', ['-o', object, source]);
    execFileSync('objcopy', ['-O', 'binary', '-j', '.text', object, binary]);
    return readFileSync(binary);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const names = (parts: readonly RegisterPart[]): string[] => parts.map(partName).sort();

let uses: RegisterUses;
beforeAll(async () => {
  uses = await RegisterUses.load();
});
afterAll(() => uses.close());

// What is written is by the Intel SDM, volume 2, without what it calls undefined.
describe.skipIf(!assembler)('registers an instruction writes', () => {
  test.each([
    ['mov %rax, %rbx', 'rbx'],
    ['mov %eax, %ebx', 'rbx'],
    ['mov %ax, %bx', 'bx'],
    ['mov %ah, %bh', 'bh'],
    ['mov %rbx, 8(%rdx)', ''],
    ['movzbl %al, %ecx', 'rcx'],
    ['push $5', 'rsp'],
    ['push %fs', 'rsp'],
    ['pop %r12', 'r12 rsp'],
    ['popq 8(%rsp)', 'rsp'],
    ['popfq', 'eflags rsp'],
    ['enter $16, $0', 'rbp rsp'],
    ['leave', 'rbp rsp'],
    ['call *%rax', 'rsp'],
    ['ret', 'rsp'],
    ['syscall', 'rax'],
    ['cqto', 'rdx'],
    ['cltd', 'rdx'],
    ['cwtd', 'dx'],
    ['cltq', 'rax'],
    ['mul %bl', 'ax eflags'],
    ['imul %rbx', 'eflags rax rdx'],
    ['imul $3, %rbx, %rcx', 'eflags rcx'],
    ['xchg %rax, %r9', 'r9 rax'],
    ['xchg %ecx, (%rdi)', 'rcx'],
    ['xadd %ecx, (%rdi)', 'eflags rcx'],
    ['cmpxchg %rcx, (%rdi)', 'eflags rax'],
    ['cmpxchg %ecx, %edx', 'eflags rax rdx'],
    ['cmpxchg16b (%rdi)', 'eflags rax rdx'],
    ['cmove %eax, %ebx', 'rbx'],
    ['sete %cl', 'cl'],
    ['xlat', 'al'],
    ['lodsb', 'al rsi'],
    ['rep movsq', 'rcx rdi rsi'],
    ['repne scasb', 'eflags rcx rdi'],
    ['test %rax, %rax', 'eflags'],
    ['lock incl (%rax)', 'eflags'],
    ['movq %xmm1, %rax', 'rax'],
    ['movaps (%rax), %xmm2', 'xmm2'],
    ['movsd (%rax), %xmm2', 'xmm2'],
    ['movsd %xmm1, %xmm2', 'xmm2[0..7]'],
    ['movhps (%rax), %xmm2', 'xmm2[8..15]'],
    ['addsd %xmm1, %xmm2', 'xmm2[0..7]'],
    ['cvtsi2sdl %eax, %xmm9', 'xmm9[0..7]'],
    ['addpd %xmm1, %xmm2', 'xmm2'],
    ['nopw (%rax)', ''],
    ['endbr64', ''],
    ['pause', ''],
  ])('%s: %s', (text, expected) => {
    const bytes = assemble(text);
    const fresh = uses.at(BigInt(`0x${Buffer.from(bytes).toString('hex')}`), () => bytes);
    expect(fresh?.length).toBe(bytes.length);
    expect(names(fresh?.writes ?? []).join(' ')).toBe(expected);
  });

  test('operands are read with their sizes and signs', () => {
    const use = uses.at(1n, () => assemble('movl -16(%rbp,%r9,4), %eax'));
    expect(use?.operands).toEqual([
      { kind: 'register', part: { register: 'rax', offset: 0, size: 4 } },
      {
        kind: 'memory',
        segment: undefined,
        base: { register: 'rbp', offset: 0, size: 8 },
        index: { register: 'r9', offset: 0, size: 8 },
        scale: 4,
        displacement: -16n,
        size: 4,
      },
    ]);
    const [, far] = uses.at(2n, () => assemble('mov %fs:40, %rax'))?.operands ?? [];
    expect(far).toMatchObject({ kind: 'memory', segment: 'fs', base: undefined, displacement: 40n, size: 8 });
    const [target] = uses.at(3n, () => assemble('incq 9(%rip)'))?.operands ?? [];
    expect(target).toMatchObject({ kind: 'memory', base: 'rip', displacement: 9n, size: 8 });
  });

  test('what is no instruction has no use of registers', () => {
    expect(uses.at(4n, () => Uint8Array.of(0x06))).toBeUndefined();
  });
});
