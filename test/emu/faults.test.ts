import { describe, expect, test } from 'vitest';
import type { Fault } from '../../emu/fault.js';
import { CODE, DATA, DATA_END, END, endOf, image, open, openText, plainAndStepped, STACK_LOW } from './guest.js';

const at = (offset: number): bigint => BigInt(CODE + offset);

/** Two instructions of 3 bytes each, then one at 6 (or later, behind `setup` of `size` bytes) that faults. */
interface Case {
  readonly name: string;
  /** mov of a 32-bit immediate to ebx is 5 bytes long, of a 64-bit one to rbx 10. */
  readonly setup: string;
  readonly size: number;
  readonly text: string;
  readonly fault: Omit<Fault, 'rip'>;
  /** Where rip is, if not at the instruction. */
  readonly rip?: bigint;
  /** Whether the instruction counts. */
  readonly completes?: boolean;
}

const ebx = (value: number): Pick<Case, 'setup' | 'size'> => ({ setup: `mov $${value}, %ebx`, size: 5 });
const rbx = (value: bigint): Pick<Case, 'setup' | 'size'> => ({ setup: `movabs $${value}, %rbx`, size: 10 });
const esp = (value: number): Pick<Case, 'setup' | 'size'> => ({ setup: `mov $${value}, %esp`, size: 5 });
const page = (access: 'read' | 'write' | 'execute', target: number | bigint): Omit<Fault, 'rip'> => ({
  kind: 'page fault',
  access,
  target: BigInt(target),
});
const protection: Omit<Fault, 'rip'> = { kind: 'general protection fault' };
const refused: Omit<Fault, 'rip'> = { kind: 'refused instruction', reason: expect.any(String) };
const BELOW = DATA - 4096;
const KERNEL = 0xff5000;

const CASES: readonly Case[] = [
  { name: 'read of NULL', ...ebx(0), text: 'mov (%rbx), %rax', fault: page('read', 0) },
  { name: 'read near NULL', ...ebx(0x18), text: 'mov (%rbx), %rax', fault: page('read', 0x18) },
  { name: 'write to NULL', ...ebx(0), text: 'mov %rax, (%rbx)', fault: page('write', 0) },
  { name: 'call of NULL', ...ebx(0), text: 'call *%rbx', fault: page('execute', 0), rip: 0n, completes: true },
  { name: 'read below the data', ...ebx(BELOW), text: 'mov (%rbx), %al', fault: page('read', BELOW) },
  { name: 'write below the data', ...ebx(BELOW), text: 'movups %xmm0, (%rbx)', fault: page('write', BELOW) },
  { name: 'read beyond memory', ...ebx(1 << 24), text: 'mov (%rbx), %rax', fault: page('read', 1 << 24) },
  { name: 'write beyond memory', ...ebx(0x70000000), text: 'mov %rax, (%rbx)', fault: page('write', 0x70000000) },
  { name: 'read above 2 GiB', ...rbx(0x80000000n), text: 'mov (%rbx), %rax', fault: page('read', 0x80000000n) },
  {
    name: 'read 4 GiB above the data',
    ...rbx(0x100600000n),
    text: 'mov (%rbx), %rax',
    fault: page('read', 0x100600000n),
  },
  { name: 'read of address -1', ...rbx(-1n), text: 'mov (%rbx), %al', fault: page('read', 2n ** 64n - 1n) },
  { name: 'write of address -1', ...rbx(-1n), text: 'mov %rax, (%rbx)', fault: page('write', 2n ** 64n - 1n) },
  {
    name: 'read of an address that no JavaScript number holds',
    ...rbx(0xffffffff81000123n),
    text: 'mov (%rbx), %rax',
    fault: page('read', 0xffffffff81000123n),
  },
  { name: 'write to code', ...ebx(CODE), text: 'movb $1, (%rbx)', fault: page('write', CODE) },
  {
    name: 'write of an instruction to itself',
    ...ebx(CODE + 11),
    text: 'movb $1, (%rbx)',
    fault: page('write', CODE + 11),
  },
  { name: 'write to read-only data', ...ebx(0x500000), text: 'movb $1, (%rbx)', fault: page('write', 0x500000) },
  {
    name: 'read across the end of data',
    ...ebx(DATA_END - 4),
    text: 'mov (%rbx), %rax',
    fault: page('read', DATA_END),
  },
  {
    name: 'write across the beginning of data',
    ...ebx(DATA - 4),
    text: 'mov %rcx, (%rbx)',
    fault: page('write', DATA - 4),
  },
  { name: 'push onto a guard page', ...esp(STACK_LOW), text: 'push %rax', fault: page('write', STACK_LOW - 8) },
  { name: 'call onto a guard page', ...esp(STACK_LOW), text: 'call near', fault: page('write', STACK_LOW - 8) },
  { name: 'pop off the stack', ...esp(0x710000), text: 'pop %rax', fault: page('read', 0x710000) },
  { name: 'ret off the stack', ...esp(0x710000), text: 'ret', fault: page('read', 0x710000) },
  { name: 'read of the kernel page', ...ebx(KERNEL), text: 'mov (%rbx), %rax', fault: page('read', KERNEL) },
  {
    name: 'write to a page table',
    ...ebx(KERNEL + 4096),
    text: 'mov %rax, (%rbx)',
    fault: page('write', KERNEL + 4096),
  },
  { name: 'write to the last page table', ...ebx(0xfffff8), text: 'mov %rax, (%rbx)', fault: page('write', 0xfffff8) },
  {
    name: 'jump into the kernel page',
    ...ebx(KERNEL + 0x100),
    text: 'jmp *%rbx',
    fault: page('execute', KERNEL + 0x100),
    rip: BigInt(KERNEL + 0x100),
    completes: true,
  },
  {
    name: 'execution of data',
    ...ebx(DATA + 16),
    text: 'jmp *%rbx',
    fault: page('execute', DATA + 16),
    rip: BigInt(DATA + 16),
    completes: true,
  },
  {
    name: 'execution of read-only data',
    ...ebx(0x500000),
    text: 'jmp *%rbx',
    fault: page('execute', 0x500000),
    rip: 0x500000n,
    completes: true,
  },
  {
    name: 'jump into the middle of nowhere',
    ...ebx(0x12345678),
    text: 'jmp *%rbx',
    fault: page('execute', 0x12345678),
    rip: 0x12345678n,
    completes: true,
  },
  {
    name: 'jump to an address that no JavaScript number holds',
    ...rbx(0xffffffff81000123n),
    text: 'jmp *%rbx',
    fault: page('execute', 0xffffffff81000123n),
    rip: 0xffffffff81000123n,
    completes: true,
  },
  {
    name: 'jump to -1',
    ...rbx(-1n),
    text: 'jmp *%rbx',
    fault: page('execute', 2n ** 64n - 1n),
    rip: 2n ** 64n - 1n,
    completes: true,
  },
  // Intel SDM, volume 1, 3.3.7.1. QEMU takes the jump first, where a processor faults at the jump itself.
  {
    name: 'jump to a non-canonical address',
    ...rbx(0xdeadbeefdeadbeefn),
    text: 'jmp *%rbx',
    fault: protection,
    rip: 0xdeadbeefdeadbeefn,
    completes: true,
  },
  { name: 'non-canonical read', ...rbx(0x1234567812345678n), text: 'mov (%rbx), %rax', fault: protection },
  { name: 'non-canonical write, lowest', ...rbx(1n << 47n), text: 'mov %rax, (%rbx)', fault: protection },
  { name: 'non-canonical write, highest', ...rbx(0xffff7fffffffffffn), text: 'mov %al, (%rbx)', fault: protection },
  { name: 'cli', ...ebx(1), text: 'cli', fault: protection },
  { name: 'hlt', ...ebx(1), text: 'hlt', fault: protection },
  { name: 'wrmsr', ...ebx(1), text: '.byte 0x0f, 0x30', fault: protection },
  { name: 'a read of cr3', ...ebx(1), text: '.byte 0x0f, 0x20, 0xd8', fault: protection },
  { name: 'a write of cr0', ...ebx(1), text: '.byte 0x0f, 0x22, 0xc0', fault: protection },
  { name: 'lgdt', ...ebx(DATA), text: '.byte 0x0f, 0x01, 0x13', fault: protection },
  { name: 'invlpg', ...ebx(DATA), text: '.byte 0x0f, 0x01, 0x3b', fault: protection },
  { name: 'division by zero', ...ebx(0), text: 'div %ebx', fault: { kind: 'divide error' } },
  { name: 'division overflow', ...ebx(0), text: '.byte 0x48, 0xf7, 0xfb', fault: { kind: 'divide error' } },
  { name: 'ud2', ...ebx(1), text: 'ud2', fault: { kind: 'invalid instruction' } },
  {
    name: 'an opcode that is none in 64-bit mode',
    ...ebx(1),
    text: '.byte 0x06',
    fault: { kind: 'invalid instruction' },
  },
  { name: 'int3', ...ebx(1), text: 'int3', fault: { kind: 'breakpoint' }, rip: at(12), completes: true },
  {
    name: 'int $0x80',
    ...ebx(1),
    text: 'int $0x80',
    fault: { kind: 'software interrupt' },
    rip: at(13),
    completes: true,
  },
  // Each would be taken for the exception of that number, and the first for the end of a step.
  ...[1, 0, 6, 13, 14].map(
    (vector): Case => ({
      name: `int $${vector}`,
      ...ebx(1),
      text: `int $${vector}`,
      fault: { kind: 'software interrupt' },
      rip: at(13),
      completes: true,
    }),
  ),
  { name: 'VEX', ...ebx(1), text: '.byte 0xc5, 0xf3, 0x58, 0xd0', fault: refused }, // vaddsd %xmm0, %xmm1, %xmm2
  { name: 'VEX of three bytes', ...ebx(1), text: '.byte 0xc4, 0xe2, 0xf8, 0xf7, 0xc3', fault: refused }, // bextr
  { name: 'EVEX', ...ebx(1), text: '.byte 0x62, 0xf1, 0xf5, 0x48, 0x58, 0xd0', fault: refused }, // vaddpd %zmm0, …
  { name: 'rdtsc', ...ebx(1), text: '.byte 0x0f, 0x31', fault: refused },
  { name: 'rdrand', ...ebx(1), text: '.byte 0x0f, 0xc7, 0xf0', fault: refused },
  // Left to the engine, it would abort the whole of it. The other form of it is carried out, see pextrw.test.ts.
  { name: 'pextrw to memory', ...ebx(1), text: '.byte 0x66, 0x0f, 0x3a, 0x15, 0x08, 0x03', fault: refused },
  { name: 'in', ...ebx(1), text: 'in $5, %al', fault: { kind: 'general protection fault' } },
  { name: 'outsb', ...ebx(1), text: '.byte 0x6e', fault: { kind: 'general protection fault' } },
];

describe('a fault has its exact rip, kind, access, target and moment, stepped as in a plain run', () => {
  test.each(CASES)('$name', async ({ setup, size, text, fault, rip, completes }) => {
    const program = await image(`inc %rcx\n${setup}\ninc %r8\n${text}\nnear: inc %r9\n${END}`);
    const ends = (['run', 'step'] as const).map((way) => {
      const cpu = open(program);
      cpu.memory.reserve(0x500000, 4096, 'r--');
      const stop = cpu[way](1000);
      expect(cpu.read('rip')).toBe(rip ?? at(6 + size));
      return { way, stop, moment: cpu.moment, registers: cpu.readAll() };
    });
    for (const { way, stop, moment, registers } of ends) {
      expect(stop, way).toEqual({ kind: 'fault', fault: { ...fault, rip: rip ?? at(6 + size) } });
      expect(moment, way).toBe(completes ? 4 : 3);
      expect([registers.rcx, registers.r8, registers.r9], way).toEqual([1n, 1n, 0n]);
      if (!completes && text.includes('(')) expect(registers.rax, 'untouched').toBe(0n);
    }
    expect({ ...ends[1]?.registers, eflags: 0n }).toEqual({ ...ends[0]?.registers, eflags: 0n });
  });
});

test('a push that faults leaves rsp as it was, and a call too', async () => {
  for (const text of ['push %rax', 'call near', 'pushf', 'enter $16, $0', `push ${DATA}`]) {
    const { plain, stepped } = await plainAndStepped(`mov $${STACK_LOW}, %esp\nnop\n${text}\nnear: nop\n${END}`);
    expect(plain.registers.rsp, text).toBe(BigInt(STACK_LOW));
    expect(plain.stop).toMatchObject({ fault: { kind: 'page fault', access: 'write', rip: at(6) } });
    expect(stepped).toEqual(plain);
  }
});

test('a rep that faults in its middle has its count and addresses there, and does not count', async () => {
  const { plain, stepped } = await plainAndStepped(
    `mov $${DATA}, %esi\nmov $${DATA_END - 0x2010}, %edi\nmov $0x1000, %ecx\nnop\nrep movsl\nnop\n${END}`,
  );
  expect(plain.stop).toEqual({ kind: 'fault', fault: { ...page('write', DATA_END), rip: at(16) } });
  // 0x2010 bytes are 0x804 doublewords.
  expect([plain.moment, plain.registers.rcx, plain.registers.rdi, plain.registers.rsi]).toEqual([
    4,
    0x1000n - 0x804n,
    BigInt(DATA_END),
    BigInt(DATA + 0x2010),
  ]);
  expect(stepped).toEqual(plain);
});

test('a fault in a block that the engine cuts for its length is exact', async () => {
  const before = 333;
  const adds = (count: number): string => `.rept ${count}\nadd %eax, (%rbx)\ninc %ecx\n.endr\n`;
  const { plain, stepped } = await plainAndStepped(
    `mov $${DATA}, %ebx\n${adds(before)}mov %eax, 16\n${adds(100)}${END}`,
  );
  // Each add and each inc has 2 bytes.
  expect(plain.stop).toEqual({ kind: 'fault', fault: { ...page('write', 16), rip: at(5 + before * 4) } });
  expect([plain.moment, plain.registers.rcx]).toEqual([1 + before * 2, BigInt(before)]);
  expect(stepped).toEqual(plain);
});

test('code that runs off the end of its page faults there, block and instruction split by it too', async () => {
  const nops = new Uint8Array(4096).fill(0x90);
  const split = nops.slice();
  split.set([0x48, 0xb8], 4094); // movabs, of which the immediate is on the next page
  for (const neighbour of [undefined, 'rw-', 'r--'] as const) {
    for (const [code, rip] of [
      [nops, 4096],
      [split, 4094],
    ] as const) {
      for (const start of [0, 4000, 4090]) {
        for (const way of ['run', 'step'] as const) {
          const cpu = open(code);
          if (neighbour !== undefined) cpu.memory.reserve(CODE + 4096, 4096, neighbour);
          cpu.write('rip', at(start));
          expect(cpu[way](5000)).toEqual({ kind: 'fault', fault: { ...page('execute', CODE + 4096), rip: at(rip) } });
          expect(cpu.moment).toBe(rip - start);
        }
      }
    }
  }
});

test('data is not executed either after it was read and then written, or displaced in the TLB', async () => {
  // Unicorn 1.0 forgets then that it must not; all zeros would be executed as `add %al, (%rax)`.
  for (const access of [
    `adc %al, ${DATA}`,
    `mov ${DATA}, %al\nmov %al, ${DATA}`,
    // 256 pages apart: one line of the TLB
    `mov %al, ${DATA}\nmov %al, ${DATA + 0x100000}\nmov %al, ${DATA + 0x200000}`,
  ]) {
    const program = await image(`mov $${DATA}, %ebx\n${access}\njmp *%rbx`);
    for (const way of ['run', 'step'] as const) {
      const cpu = open(program);
      cpu.memory.reserve(DATA + 0x200000, 4096, 'rw-');
      expect(cpu[way](100)).toEqual({ kind: 'fault', fault: { ...page('execute', DATA), rip: BigInt(DATA) } });
    }
  }
});

test('code at an address is not taken for that at another one, 2^44 higher', async () => {
  // A page number cut to 32 bits would find the rdtsc there, which is refused.
  const program = await image('.byte 0x0f, 0x31\nmovabs $0x100000400000, %rbx\njmp *%rbx');
  for (const way of ['run', 'step'] as const) {
    const cpu = open(program);
    expect(cpu[way](10)).toEqual({ kind: 'fault', fault: { ...refused, rip: at(0) } });
    cpu.write('rip', at(2));
    const fault = { ...page('execute', 0x100000400000n), rip: 0x100000400000n };
    expect(cpu[way](10)).toEqual({ kind: 'fault', fault });
  }
});

test('nothing of a refused instruction is executed, wherever in a block it stands', async () => {
  // vmovupd %ymm0, (%rbx): would write 32 bytes
  const cpu = await openText(`mov $${DATA}, %ebx\ninc %rax\n.byte 0xc5, 0xfd, 0x11, 0x03\ninc %rax\n${END}`);
  const before = cpu.memory.read(DATA, 64);
  expect(cpu.run()).toEqual({ kind: 'fault', fault: { ...refused, rip: at(8) } });
  expect(cpu.memory.read(DATA, 64)).toEqual(before);
  expect([cpu.moment, cpu.read('rax')]).toEqual([2, 1n]);
  expect(cpu.run(), 'and again').toEqual({ kind: 'fault', fault: { ...refused, rip: at(8) } });
  expect(cpu.moment).toBe(2);
});

test('a machine goes on behind a fault that its host has mended', async () => {
  const cpu = await openText(`inc %rcx\nmovb $7, ${DATA - 4096}\ninc %rcx\n${END}`);
  expect(cpu.run()).toMatchObject({ kind: 'fault', fault: page('write', DATA - 4096) });
  cpu.memory.reserve(DATA - 4096, 4096, 'rw-');
  expect(cpu.run()).toEqual({ kind: 'stopped' });
  expect([cpu.moment, cpu.read('rcx'), cpu.memory.u8(DATA - 4096)]).toEqual([5, 2n, 7]);
});

test('flags are exact at a page fault, a protection fault, an invalid instruction and a trap', async () => {
  for (const text of [
    'mov 16, %rax',
    'push (%rdx)',
    'cli',
    'hlt',
    'ud2',
    'int3',
    'int $0x80',
    'rdtsc',
    'adc %al, 16',
  ]) {
    // 10 - 20: a borrow out of bit 31 and none out of bit 3, negative, and 0xf6 has an even number of ones
    const { plain, stepped } = await plainAndStepped(`mov $5, %eax\nadd %eax, %eax\nsub $20, %eax\n${text}\n${END}`);
    expect(plain.registers.eflags & 0x8d5n, text).toBe(0x85n);
    expect(stepped, text).toEqual(plain);
  }
});

test('an end is the same wherever a program is cut before it', async () => {
  const program = await image(`mov $${DATA_END - 20}, %edi\nmov $5, %ecx\nxor %eax, %eax\nrep stosq\n${END}`);
  const whole = open(program);
  const end = endOf(whole, whole.run());
  for (let cut = 0; cut < 4; cut++) {
    const cpu = open(program);
    cpu.run(cut);
    expect(endOf(cpu, cpu.run())).toEqual(end);
  }
});
