import { expect, test } from 'vitest';
import { CODE, DATA, DATA_END, END, image, open, openText } from './guest.js';

/** Memory as host and guest share it, with the engine's caches in between. */

const LOOP = `again: mov (%rbx), %rax\nmov %rax, 8(%rbx)\nmov $1, %eax\nsyscall\njmp again`;

test('a page that the host releases faults, though the engine has its translation cached', async () => {
  for (const way of ['run', 'step'] as const) {
    const cpu = await openText(LOOP);
    cpu.write('rbx', BigInt(DATA));
    cpu.onHypercall = () => {
      if (cpu.moment > 10) cpu.memory.release(DATA, 4096);
    };
    expect(cpu[way](1000)).toEqual({
      kind: 'fault',
      fault: { kind: 'page fault', rip: BigInt(CODE), access: 'read', target: BigInt(DATA) },
    });
    expect(cpu.moment).toBe(15);
  }
});

test('a page that the host makes read-only can no longer be written, though the engine has its translation cached', async () => {
  const cpu = await openText(LOOP);
  cpu.write('rbx', BigInt(DATA));
  cpu.onHypercall = () => {
    if (cpu.moment > 10) cpu.memory.reserve(DATA, 4096, 'r--');
  };
  expect(cpu.run(1000)).toMatchObject({ fault: { access: 'write', target: BigInt(DATA + 8) } });
  expect(cpu.moment).toBe(16);
});

test('a page that the host reserves anew is zeros for the guest', async () => {
  const cpu = await openText(`mov ${DATA}, %rdx\nsyscall\nmov ${DATA}, %rbx\n${END}`);
  cpu.memory.setU64(DATA, 77n);
  let calls = 0;
  cpu.onHypercall = () => {
    if (calls++ > 0) return cpu.stop();
    cpu.memory.release(DATA, 4096);
    cpu.memory.reserve(DATA, 4096, 'rw-');
  };
  cpu.run();
  expect([cpu.read('rdx'), cpu.read('rbx')]).toEqual([77n, 0n]);
});

test('fresh pages are zeros for the guest though their memory held another machine before', async () => {
  const program = await image(
    `mov $${DATA}, %edi\nmov $${(DATA_END - DATA) / 8}, %ecx\nmov $-1, %rax\nrep stosq\n${END}`,
  );
  const reader = await image(
    `mov $${DATA}, %edi\nmov $${(DATA_END - DATA) / 8}, %ecx\nxor %eax, %eax\nrepe scasq\n${END}`,
  );
  for (let i = 0; i < 3; i++) {
    const dirty = open(program);
    dirty.run();
    dirty.close();
    const clean = open(reader);
    clean.run();
    expect([clean.read('rcx'), clean.read('rdi')]).toEqual([0n, BigInt(DATA_END)]);
    clean.close();
  }
});

test('host and guest see what the other wrote, at once', async () => {
  const cpu = await openText(`mov %rdx, ${DATA + 4095}\nsyscall\nmov ${DATA + 4095}, %rbx\n${END}`);
  cpu.write('rdx', 0x1122334455667788n);
  let seen = 0n;
  cpu.onHypercall = () => {
    if (seen !== 0n) return cpu.stop();
    seen = cpu.memory.u64(DATA + 4095);
    cpu.memory.setU64(DATA + 4095, ~seen);
  };
  cpu.run();
  expect(seen).toBe(0x1122334455667788n);
  expect(cpu.read('rbx')).toBe(BigInt.asUintN(64, ~seen));
});

test('a thousand regions with guard pages between them are each found and kept', async () => {
  const cpu = await openText(
    `again: mov %ebx, (%rbx)\nadd $8192, %rbx\ndec %ecx\njnz again\nsub $4096, %rbx\nmov (%rbx), %al\n${END}`,
  );
  const base = 0x780000;
  for (let i = 0; i < 1000; i++) cpu.memory.reserve(base + i * 8192, 4096, 'rw-');
  cpu.write('rbx', BigInt(base));
  cpu.write('rcx', 1000n);
  const guard = BigInt(base + 1000 * 8192 - 4096);
  expect(cpu.run()).toMatchObject({ fault: { access: 'read', target: guard } });
  for (let i = 0; i < 1000; i++) expect(cpu.memory.u32(base + i * 8192)).toBe(base + i * 8192);
});
