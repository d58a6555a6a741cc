import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DATA, DATA_END, END, endOf, image, open } from './guest.js';

/*
 * A program that keeps flags live through everything that stepping could disturb: rdi is a buffer in which it leaves
 * EFLAGS many times and the general registers at its end. It runs here, plain and stepped, and on the real CPU.
 */

// Flags that an instruction leaves undefined (Intel SDM, volume 2) are masked out: AF, OF, all but CF and OF, all but CF.
const ALL = 0x8d5;
const NO_AF = 0x8c5;
const NO_OF = 0xc5;
const CF_OF = 0x801;
const CF_ZF = 0x41;

const OPERATIONS: readonly (readonly [text: string, defined: number])[] = [
  ['xor %rax, %rax', NO_AF],
  ['sub $1, %rax', ALL],
  ['adc $0, %rax', ALL],
  ['sbb %rbx, %rax', ALL],
  ['stc', ALL],
  ['sbb $0x7f, %al', ALL],
  ['neg %rdx', ALL],
  ['inc %r8b', ALL],
  ['dec %r9w', ALL],
  ['cmc', ALL],
  ['add %edx, %ebx', ALL],
  ['cmp %r10, %rbx', ALL],
  ['sete %r11b', ALL],
  ['cmovl %rdx, %r10', ALL],
  ['lahf', ALL],
  ['and $0xff00, %eax', NO_AF],
  ['sahf', NO_AF],
  ['shl $1, %rbx', NO_AF],
  ['sar $3, %rdx', NO_OF & ~0x10],
  ['rcl $1, %r8', NO_AF],
  ['rcr $1, %r9', NO_AF],
  ['rol $1, %r10', NO_AF],
  ['ror $5, %r10', NO_OF & ~0x10],
  ['shld $1, %rdx, %r8', NO_AF],
  ['imul %r8, %r9', CF_OF],
  ['mul %r9', CF_OF],
  ['bt $17, %r9', CF_ZF & 1],
  ['bsf %r9, %rcx', CF_ZF & 0x40],
  ['xadd %rbx, %r9', ALL],
  ['cmpxchg %r8, %rbx', ALL],
  ['test %r9b, %r9b', NO_AF],
  ['bswap %r9', NO_AF],
  ['imul $-77, %rdx, %rdx', CF_OF],
  ['sub %rdx, %r8', ALL],
];

function recording(mask: number): string {
  return `pushf\npop %rsi\nand $${mask}, %esi\nmov %si, (%r15)\nlea 2(%r15), %r15\n`;
}

/** Each operation three times over changing values, between flags that popf has set in all ways. */
function text(): string {
  let program = `push %rbx\npush %r12\npush %r13\npush %r14\npush %r15\nlea (%rdi), %r15\nlea (%rdi), %r14
    movabs $0x8123456789abcdef, %rbx\nmovabs $0x7edcba9876543210, %rdx\nmov $0x80, %r8d\nmov $0x8000, %r9d
    movabs $0x55aa55aa55aa55aa, %r10\nxor %r11d, %r11d\nxor %r13d, %r13d\nxor %ecx, %ecx\nmov $3, %r12d\nround:\n`;
  for (const [operation, defined] of OPERATIONS) program += `${operation}\n${recording(defined)}`;
  for (let image = 0; image < 64; image++) {
    // The six flags, each on and off; then what a branch makes of them.
    const flags = [0, 2, 4, 6, 7, 11].reduce((sum, bit, index) => sum | (((image >> index) & 1) << bit), 2);
    program += `pushq $${flags}\npopf\nadc $1, %r13\npushq $${flags}\npopf\njle less${image}\nlea 1(%r13), %r13
      less${image}: jbe below${image}\nlea 16(%r13), %r13\nbelow${image}: jp even${image}\nlea 256(%r13), %r13
      even${image}: jo over${image}\nlea 4096(%r13), %r13\nover${image}: js minus${image}\nlea 65536(%r13), %r13
      minus${image}:\n${recording(ALL)}`;
  }
  // rep leaves flags alone (movs, stos) or sets them by the last comparison (scas, cmps).
  program += `stc\nmov $40, %ecx\nlea 0x4000(%r14), %rdi\nmov $0x5a, %al\nrep stosb\n${recording(ALL)}
    movb $0x11, 0x4014(%r14)\nmov $64, %ecx\nlea 0x4000(%r14), %rdi\nrepe scasb\n${recording(ALL)}
    mov %rcx, (%r15)\nlea 8(%r15), %r15\nmov $20, %ecx\nlea 0x4000(%r14), %rsi\nlea 0x5000(%r14), %rdi
    rep movsb\nadc $0, %rcx\nmov $64, %ecx\nlea 0x4000(%r14), %rsi\nlea 0x5000(%r14), %rdi\nrepe cmpsb\n${recording(ALL)}
    mov %rcx, (%r15)\nlea 8(%r15), %r15\nstd\nmov $5, %ecx\nlea 0x4020(%r14), %rdi\nrep stosw\ncld
    mov $0, %ecx\nstc\nrepne scasb\n${recording(ALL)}`;
  program += 'dec %r12d\njnz round\n';
  // Addresses differ between the two machines; only what the program computed is left behind.
  program += 'rax rbx rcx rdx r8 r9 r10 r11 r12 r13'
    .split(' ')
    .map((name) => `mov %${name}, (%r15)\nlea 8(%r15), %r15\n`)
    .join('');
  return `${program}pop %r15\npop %r14\npop %r13\npop %r12\npop %rbx\nret\n`;
}

const RECORDED = 3 * (OPERATIONS.length * 2 + 64 * 2 + 5 * 2 + 2 * 8) + 10 * 8;

/** Run on an AMD EPYC with the program below, of which the next test makes sure: bytes 0 to RECORDED of the buffer. */
const ON_REAL_CPU = [
  '4400950084000000450091008500840014080500010885000000440004000400040004008400040001000008050004000000000000000000',
  '1000140080000000000004000000010004000500100011001400150040004100440045005000510054005500800081008400850090009100',
  '94009500c000c100c400c500d000d100d400d500000801080408050810081108140815084008410844084508500851085408550880088108',
  '840885089008910894089508c008c108c408c508d008d108d408d508010000002b0000000000000004002b00000000000000010044009500',
  '8400800001009100440004009400010000000100000044000400040004000400440004000108010801000400010801080100000084009508',
  '8400040000001500000001000400050010001100140015004000410044004500500051005400550080008100840085009000910094009500',
  'c000c100c400c500d000d100d400d50000080108040805081008110814081508400841084408450850085108540855088008810884088508',
  '9008910894089508c008c108c408c508d008d108d408d508010000002b0000000000000004002b0000000000000001004400950084000400',
  '0100910015000400000045000400050004000000440004004400040004000000450801080000040001080108010000008400040084000400',
  '00000100000001000400050010001100140015004000410044004500500051005400550080008100840085009000910094009500c000c100',
  'c400c500d000d100d400d5000008010804080508100811081408150840084108440845085008510854085508800881088408850890089108',
  '94089508c008c108c408c508d008d108d408d508010000002b0000000000000004002b0000000000000001005a235a9264be8583d0235a92',
  '64be85830000000000000000022ff5ffffffffffe6b90e00000000008385be649a73f7e2a55aa55aa55aa55a000000000000000000000000',
  '000000005064660000000000000000000000',
].join('');

function onRealCpu(): string {
  const directory = mkdtempSync(join(tmpdir(), 'flags-'));
  try {
    const path = (name: string): string => join(directory, name);
    writeFileSync(
      path('program.s'),
      `.text\n.globl program\nprogram:\n${text()}.section .note.GNU-stack,"",@progbits\n`,
    );
    writeFileSync(
      path('main.c'),
      `#include <stdio.h>
       static unsigned char buffer[65536];
       void program(unsigned char *);
       int main(void) {
         program(buffer);
         for (int i = 0; i < ${RECORDED}; i++) printf("%02x", buffer[i]);
         return 0;
       }`,
    );
    execFileSync('gcc', ['-O0', '-o', path('flags'), path('main.c'), path('program.s')], { stdio: 'pipe' });
    return execFileSync(path('flags'), { encoding: 'utf8' });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const hasGcc = process.arch === 'x64' && process.platform === 'linux' && spawnSync('gcc', ['--version']).status === 0;

test("flag-heavy code, pushf, popf and rep among it, gives the real CPU's results, plain and stepped alike", async () => {
  const program = await image(`mov $${DATA}, %edi\ncall program\n${END}program:\n${text()}`);
  const one = open(program);
  const other = open(program);
  const plain = endOf(one, one.run(1_000_000));
  const stepped = endOf(other, other.step(1_000_000));
  expect(plain.stop).toEqual({ kind: 'stopped' });
  expect(stepped).toEqual(plain);
  expect(Buffer.from(one.memory.read(DATA, RECORDED)).toString('hex')).toBe(ON_REAL_CPU);
  expect(one.memory.read(DATA + RECORDED, 8), 'nothing was recorded behind it').toEqual(new Uint8Array(8));
  expect(DATA_END - DATA).toBe(65536);
});

test.skipIf(!hasGcc)('the results above are what the CPU under this test computes', () => {
  expect(onRealCpu()).toBe(ON_REAL_CPU);
});
