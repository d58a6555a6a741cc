import { expect, test } from 'vitest';
import type { Cpu } from '../../emu/cpu.js';
import { EngineError } from '../../emu/errors.js';
import { CODE, DATA, END, endOf, image, open, openText, plainAndStepped, STACK } from './guest.js';

const at = (offset: number): bigint => BigInt(CODE + offset);

test('a step executes exactly one instruction', async () => {
  const cpu = await openText(`inc %rax\njmp on\non: call sub\n${END}\nsub: push %rax\npop %rbx\nret`);
  const addresses: bigint[] = [];
  for (let i = 1; i <= 7; i++) {
    expect(cpu.step()).toEqual({ kind: 'limit' });
    expect(cpu.moment).toBe(i);
    addresses.push(cpu.read('rip') - at(0));
  }
  // inc 0, jmp 3, call 5, END 10 and 15, sub 17, 18, 19
  expect(addresses).toEqual([3n, 5n, 17n, 18n, 19n, 10n, 15n]);
  expect(cpu.read('rbx')).toBe(1n);
});

test('a rep is one step, though it touches fresh pages in its middle', async () => {
  const cpu = await openText(`mov $${DATA + 0xff0}, %edi\nmov $0x3000, %ecx\nrep stosb\ninc %rdx\n${END}`);
  cpu.step(2);
  expect(cpu.step()).toEqual({ kind: 'limit' });
  expect([cpu.moment, cpu.read('rcx'), cpu.read('rdi')]).toEqual([3, 0n, BigInt(DATA + 0x3ff0)]);
});

test('the visitor sees each moment once, with address and registers there', async () => {
  const cpu = await openText(`mov $2, %ecx\nagain: inc %rax\npushf\npopf\ndec %ecx\njnz again\n${END}`);
  const seen: unknown[] = [];
  expect(cpu.step(12, () => seen.push([cpu.moment, cpu.rip - CODE, cpu.low(0)]))).toEqual({ kind: 'limit' });
  // mov 0, inc 5, pushf 8, popf 9, dec 10, jnz 12, END 14
  expect(seen).toEqual([
    [1, 5, 0],
    [2, 8, 1],
    [3, 9, 1],
    [4, 10, 1],
    [5, 12, 1],
    [6, 5, 1],
    [7, 8, 2],
    [8, 9, 2],
    [9, 10, 2],
    [10, 12, 2],
    [11, 14, 2],
    [12, 19, 99],
  ]);
});

test('stop in the visitor ends the stepping right there, at any kind of instruction', async () => {
  const program = await image(
    `inc %rax\npushf\npopf\nmov $5, %ecx\nmov $${DATA}, %edi\nrep stosb\njmp on\non: mov $1, %eax\nsyscall\n${END}`,
  );
  const whole = open(program);
  const stepped = open(program);
  expect(whole.run(10)).toEqual({ kind: 'limit' });
  for (let moment = 1; moment <= 10; moment++) {
    let calls = 0;
    const stop = stepped.step(100, () => {
      calls++;
      stepped.stop();
    });
    expect([stop, stepped.moment, calls]).toEqual([{ kind: 'stopped' }, moment, 1]);
  }
  expect(endOf(stepped, { kind: 'limit' })).toEqual(endOf(whole, { kind: 'limit' }));
});

test('what the visitor throws is thrown by step, and nothing has run behind it', async () => {
  const cpu = await openText(`inc %rax\ninc %rax\npushf\ninc %rax\n${END}`);
  for (const [moment, rip, rax] of [
    [1, 3, 1n],
    [2, 6, 2n],
    [3, 7, 2n],
    [4, 10, 3n],
  ] as const) {
    expect(() =>
      cpu.step(100, () => {
        throw new RangeError('enough');
      }),
    ).toThrow(RangeError);
    expect([cpu.moment, cpu.rip - CODE, cpu.read('rax')]).toEqual([moment, rip, rax]);
  }
  expect([cpu.run(), cpu.moment]).toEqual([{ kind: 'stopped' }, 6]);
});

test('onBlock names each instruction before it executes, while stepping', async () => {
  const cpu = await openText(`inc %rax\npushf\npopf\njmp on\non: inc %rax\n${END}`);
  cpu.memory.write(STACK - 8, new Uint8Array(8));
  const seen: number[] = [];
  cpu.onBlock((address) => seen.push(address - CODE, cpu.moment));
  cpu.step(5);
  expect(seen).toEqual([0, 0, 3, 1, 4, 2, 5, 3, 7, 4]);
});

test('onBlock names an instruction once, though it touches fresh pages', async () => {
  const program = await image(`mov $${DATA}, %edi\nmov (%rdi), %rax\nnop\nmov %rax, 0xffc(%rdi)\n${END}`);
  const told = (go: (cpu: Cpu) => void): number[] => {
    const cpu = open(program);
    const seen: number[] = [];
    cpu.onBlock((address) => seen.push(address - CODE));
    go(cpu);
    return seen;
  };
  expect(told((cpu) => cpu.step(4))).toEqual([0, 5, 8, 9]);
  // At once, and with a step in front: the block then begins with what touches the page.
  expect(
    told((cpu) => {
      cpu.step(1);
      cpu.run();
    }),
  ).toEqual([0, 5, 9]);
});

test('onBlock tells a callback that was given twice until both are taken away', async () => {
  const cpu = await openText(`nop\nnop\nnop\n${END}`);
  let told = 0;
  const callback = (): void => {
    told++;
  };
  const ends = [cpu.onBlock(callback), cpu.onBlock(callback)];
  const counts = [0, 1, 2].map((step) => {
    ends[step - 1]?.();
    cpu.step();
    return told;
  });
  expect(counts).toEqual([2, 3, 3]);
});

test('callbacks can only look, or stop, at any kind of instruction', async () => {
  const cpu = await openText(`inc %rax\npushf\npopf\npextrw $0, %xmm0, %ebx\ninc %rax\n${END}`);
  const refused: string[] = [];
  const meddle = (): void => {
    for (const attempt of [() => cpu.write('rax', 7n), () => cpu.run(), () => cpu.close()]) {
      try {
        attempt();
      } catch (error) {
        if (error instanceof EngineError) refused.push(error.message.slice(0, 23));
      }
    }
  };
  cpu.onBlock(meddle);
  cpu.step(5, meddle);
  expect(refused).toEqual(Array.from({ length: 2 * 5 * 3 }, () => 'this machine is running'));
  expect([cpu.moment, cpu.read('rax')]).toEqual([5, 2n]);
});

test('pushf stores the same under stepping, and popf does not end it', async () => {
  const { plain, stepped } = await plainAndStepped(
    `xor %rax, %rax\nsub $1, %rax\npushf\npop %rbx\nxor %eax, %eax\npushf\npushq $0x8d5\npopf\nadc $0, %rax
    pushfw\npopfw\npushq $0\npopf\nadc $0, %rax\npushf\n${END}`,
  );
  expect(stepped).toEqual(plain);
  // 0 - 1: borrow, odd parity of 0xff is even: PF, AF, SF; bit 1 is always set (Intel SDM, volume 1, 3.4.3)
  expect((plain.registers.rbx ?? 0n) & 0x8d7n).toBe(0x97n);
  expect(plain.moment).toBe(17);
});

const IRET = {
  iretq: `mov %rsp, %rbx\nmov %ss, %eax\npush %rax\npush %rbx\npushq $0x8d7\nmov %cs, %eax\npush %rax
    lea on(%rip), %rax\npush %rax\niretq`,
  // 32-bit pops: half the frame
  iretd: `lea -64(%rsp), %rbx\nlea -20(%rsp), %rsp\nlea on(%rip), %rax\nmov %eax, (%rsp)\nmov %cs, %eax
    mov %eax, 4(%rsp)\nmovl $0x8d7, 8(%rsp)\nmov %ebx, 12(%rsp)\nmov %ss, %eax\nmov %eax, 16(%rsp)\n.byte 0xcf`,
};

test.each(Object.entries(IRET))(
  '%s goes where the stack says, stepped as in a plain run, and no further',
  async (_name, text) => {
    const { plain, stepped } = await plainAndStepped(`${text}\nhlt\non: pushf\npop %rdx\n${END}`);
    expect(stepped).toEqual(plain);
    expect(plain.stop).toEqual({ kind: 'stopped' });
    expect(plain.registers.rdx & 0x8d7n).toBe(0x8d7n);
  },
);

test('an iret that jumps to itself is one step each time', async () => {
  const text = `mov %rsp, %rbp\nagain: mov %rbp, %rsp\nsub $40, %rsp\nlea self(%rip), %rax\nmov %rax, (%rsp)
    mov %cs, %eax\nmov %rax, 8(%rsp)\nmovq $2, 16(%rsp)\nlea 40(%rsp), %rax\nmov %rsp, 24(%rsp)\nmov %ss, %eax
    mov %rax, 32(%rsp)\nself: iretq`;
  const program = await image(text);
  const one = open(program);
  const other = open(program);
  expect([one.run(60), other.step(60)]).toEqual([{ kind: 'limit' }, { kind: 'limit' }]);
  expect(endOf(other, { kind: 'limit' })).toEqual(endOf(one, { kind: 'limit' }));
  expect(one.moment).toBe(60);
});

test('an iret off the stack is a fault of the guest, stepped as well', async () => {
  const { plain, stepped } = await plainAndStepped('mov $16, %esp\niretq');
  expect(plain.stop).toEqual({ kind: 'fault', fault: { kind: 'page fault', rip: at(5), access: 'read', target: 16n } });
  expect(stepped).toEqual(plain);
});

test('a trap flag that the guest sets itself traps behind the next instruction, stepped as in a plain run', async () => {
  // Intel SDM, volume 3, 17.3.1.4
  const { plain, stepped } = await plainAndStepped(`pushf\norq $0x100, (%rsp)\npopf\ninc %rbx\ninc %rbx\n${END}`);
  expect(plain.stop).toEqual({ kind: 'fault', fault: { kind: 'trap', rip: at(13) } });
  expect([plain.moment, plain.registers.rbx]).toEqual([4, 1n]);
  expect(stepped).toEqual(plain);
});

test('the instruction behind a load of ss, or behind pause, is counted though no trap comes between them', async () => {
  // The processor holds traps off for the one behind a load of ss (Intel SDM, volume 3, 6.8.3).
  const { plain, stepped } = await plainAndStepped(`mov %ss, %eax\nmov %eax, %ss\ninc %rbx\ninc %rbx\n${END}`);
  expect([plain.moment, stepped.moment]).toEqual([6, 6]);
  expect(stepped.registers).toEqual(plain.registers);
  const paused = await plainAndStepped(`nop\npause\nnop\npause\npause\ninc %rbx\n${END}`);
  expect([paused.plain.moment, paused.stepped.moment]).toEqual([8, 8]);
});
