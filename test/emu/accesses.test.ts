import { expect, test } from 'vitest';
import type { Cpu } from '../../emu/cpu.js';
import { BadAddress } from '../../emu/errors.js';
import { CODE, DATA, DATA_END, END, endOf, image, open, openText, STACK } from './guest.js';

/** `moment kind offset+size`, offsets from DATA or, of the stack, from its top. */
function listen(cpu: Cpu): { readonly told: string[]; readonly end: () => void } {
  const told: string[] = [];
  const place = (address: number): string =>
    address < DATA_END ? `0x${(address - DATA).toString(16)}` : `top${address - STACK}`;
  const end = cpu.onAccess((kind, address, size) => told.push(`${cpu.moment} ${kind} ${place(address)}+${size}`));
  return { told, end };
}

const at = (offset: number): string => `${DATA + offset}`;

/** Each statement with what it does to memory, by the Intel SDM's description of it. */
const INSTRUCTIONS: readonly (readonly [text: string, ...accesses: readonly string[]])[] = [
  ['push %rax', 'write top-8+8'],
  ['pop %rbx', 'read top-8+8'],
  ['call next; next:', 'write top-8+8'],
  ['pushf', 'write top-16+8'],
  ['popf', 'read top-16+8'],
  ['lea on(%rip), %rax'],
  ['mov %rax, (%rsp)', 'write top-8+8'],
  ['ret; on:', 'read top-8+8'],
  [`mov $${at(0)}, %edi`],
  ['movb $5, (%rdi)', 'write 0x0+1'],
  ['movw $5, 2(%rdi)', 'write 0x2+2'],
  ['movl $5, 4(%rdi)', 'write 0x4+4'],
  ['movq (%rdi), %rdx', 'read 0x0+8'],
  ['addq $1, (%rdi)', 'read 0x0+8', 'write 0x0+8'],
  ['cmpq $1, (%rdi)', 'read 0x0+8'],
  ['xchg %rax, 8(%rdi)', 'read 0x8+8', 'write 0x8+8'],
  ['lock xadd %rbx, 16(%rdi)', 'read 0x10+8', 'write 0x10+8'],
  ['setz 24(%rdi)', 'write 0x18+1'],
  ['nop'],
  ['lea 64(%rdi), %rsi'],
  ['xchg %rsi, %rdi'],
  ['mov $2, %ecx'],
  ['rep movsb', 'read 0x0+1', 'write 0x40+1', 'read 0x1+1', 'write 0x41+1'],
  [`mov $${at(0)}, %edi`],
  ['stosq', 'write 0x0+8'],
  ['movsd %xmm0, (%rdi)', 'write 0x8+8'],
  [`movaps %xmm0, ${at(0x100)}`, 'write 0x100+8', 'write 0x108+8'],
  [`movups ${at(0x101)}, %xmm1`, 'read 0x101+8', 'read 0x109+8'],
  // Across two pages, of which neither has been touched before.
  [`movq %rax, ${at(0x1ffc)}`, 'write 0x1ffc+8'],
  [`movq ${at(0x3ffc)}, %rdx`, 'read 0x3ffc+8'],
  [`addw $1, ${at(0x5fff)}`, 'read 0x5fff+2', 'write 0x5fff+2'],
  [`movups %xmm0, ${at(0x7ff8)}`, 'write 0x7ff8+8', 'write 0x8000+8'],
  [`movups ${at(0x9ffc)}, %xmm0`, 'read 0x9ffc+8', 'read 0xa004+8'],
  ['enter $16, $0', 'write top-8+8'],
  ['leave', 'read top-8+8'],
];
const PROGRAM = `${INSTRUCTIONS.map(([text]) => text).join('\n')}\n${END}`;
const EXPECTED = INSTRUCTIONS.flatMap(([, ...accesses], index) => accesses.map((access) => `${index + 1} ${access}`));

test('each access of each instruction is told, when that is complete', async () => {
  const cpu = await openText(PROGRAM);
  const { told } = listen(cpu);
  expect(cpu.step(100_000)).toEqual({ kind: 'stopped' });
  expect(told).toEqual(EXPECTED);
});

test('they are the same one step at a time', async () => {
  const cpu = await openText(PROGRAM);
  const { told } = listen(cpu);
  while (cpu.step().kind === 'limit');
  expect(told).toEqual(EXPECTED);
});

test('they are told of code that has run before, and no longer when nobody listens', async () => {
  const program = await image(`mov $${DATA}, %edi\nagain: mov (%rdi), %rax\nmov %rax, 8(%rdi)\njmp again`);
  const cpu = open(program);
  cpu.run(151);
  cpu.step(150);
  const { told, end } = listen(cpu);
  cpu.step(4);
  end();
  cpu.step(3);
  expect(told).toEqual(['302 read 0x0+8', '303 write 0x8+8', '305 read 0x0+8']);
  const again = listen(cpu);
  cpu.run(400);
  cpu.step(3);
  expect(again.told).toEqual(['401 read 0x0+8', '402 write 0x8+8']);
});

test('a listener sees memory and registers behind the instruction, before the visitor does', async () => {
  const cpu = await openText(`mov $${DATA}, %edi\nmovl $7, (%rdi)\nlock xadd %edi, (%rdi)\n${END}`);
  const seen: unknown[] = [];
  cpu.onAccess((kind, address) => seen.push([kind, cpu.rip - CODE, cpu.memory.u32(address), cpu.low(7)]));
  cpu.step(3, () => seen.push(cpu.moment));
  // mov 5 bytes, movl 6, xadd 4
  expect(seen).toEqual([1, ['write', 11, 7, DATA], 2, ['read', 15, DATA + 7, 7], ['write', 15, DATA + 7, 7], 3]);
});

test('listening changes nothing', async () => {
  const program = await image(PROGRAM);
  const [one, other] = [open(program), open(program)];
  listen(other);
  expect(endOf(other, other.step(100_000))).toEqual(endOf(one, one.step(100_000)));
});

test('an access that faults is not told, nor what the instruction had done before', async () => {
  // push reads its operand, and the stack has no room left.
  const cpu = await openText(`mov $${DATA}, %edi\nmov %rdi, (%rdi)\nmov $0x700000, %esp\npushq (%rdi)`);
  const { told } = listen(cpu);
  expect(cpu.step(10)).toMatchObject({ kind: 'fault', fault: { access: 'write', target: 0x6ffff8n } });
  expect([cpu.moment, told]).toEqual([3, ['2 write 0x0+8']]);
});

test('of a rep that faults the iterations are told that it has completed', async () => {
  const cpu = await openText(`mov $${DATA_END - 2}, %edi\nmov $5, %ecx\nrep stosb`);
  const { told } = listen(cpu);
  expect(cpu.step(10)).toMatchObject({ kind: 'fault', fault: { access: 'write', target: BigInt(DATA_END) } });
  expect(told).toEqual(['2 write 0xfffe+1', '2 write 0xffff+1']);
});

test('what the host writes in a hypercall is told as its own', async () => {
  const cpu = await openText(`mov $1, %eax\nsyscall\nmov %rax, ${at(0)}\n${END}`);
  cpu.onHypercall = () => {
    if (cpu.low(0) === 99) return cpu.stop();
    const { memory } = cpu;
    memory.setU8(DATA + 1, 1);
    memory.setU32(DATA + 4, 1);
    memory.setU32(DATA + 9, 1);
    memory.setU64(DATA + 16, 1n);
    memory.setPointer(DATA + 24, DATA);
    memory.write(DATA + 32, new Uint8Array(3));
    memory.copy(DATA + 40, DATA + 64, 5);
    memory.fill(DATA + 48, 6, 1);
    memory.fill(DATA + 48, 0, 1);
  };
  const { told } = listen(cpu);
  cpu.memory.setU8(DATA, 1);
  cpu.step(3);
  cpu.memory.setU8(DATA, 1);
  cpu.step(100);
  const writes = ['0x1+1', '0x4+4', '0x9+4', '0x10+8', '0x18+8', '0x20+3', '0x28+5', '0x30+6'];
  expect(told).toEqual([...writes.map((write) => `2 host write ${write}`), '3 write 0x0+8']);
});

test('what the host wrote is told when the hypercall ends the run, fails, or is to be tried again, too', async () => {
  const cpu = await openText(END);
  cpu.onHypercall = () => {
    cpu.memory.setU8(DATA, 1);
    cpu.stop();
  };
  const { told } = listen(cpu);
  cpu.step(100);
  expect(told.splice(0)).toEqual(['2 host write 0x0+1']);

  cpu.write('rip', BigInt(CODE));
  cpu.onHypercall = () => {
    cpu.memory.setU8(DATA, 1);
    throw new BadAddress(0, 'write');
  };
  expect(cpu.step(100)).toMatchObject({ kind: 'fault' });
  expect(told.splice(0)).toEqual(['3 host write 0x0+1']);
  cpu.write('rip', BigInt(CODE));
  cpu.onHypercall = () => {
    cpu.memory.setU8(DATA, 1);
    cpu.retryHypercall(5);
  };
  expect(cpu.step(100)).toEqual({ kind: 'stopped' });
  expect(told.splice(0)).toEqual(['4 host write 0x0+1']);
  cpu.write('rip', BigInt(CODE));
  cpu.onHypercall = () => {
    cpu.memory.setU8(DATA, 1);
    throw new RangeError('enough');
  };
  expect(() => cpu.step(100)).toThrow(RangeError);
  expect(told).toEqual(['6 host write 0x0+1']);
});

test('a listener can stop the run there, and end itself', async () => {
  const cpu = await openText(`mov $${DATA}, %edi\nmov %rdi, (%rdi)\nmov (%rdi), %rdx\n${END}`);
  const end = cpu.onAccess(() => {
    end();
    cpu.stop();
  });
  expect(cpu.step(100)).toEqual({ kind: 'stopped' });
  expect(cpu.moment).toBe(2);
  expect(cpu.step(100)).toEqual({ kind: 'stopped' });
  expect(cpu.moment).toBe(5);
});
