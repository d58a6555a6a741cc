import { expect, test } from 'vitest';
import { BadAddress, EngineError } from '../../emu/errors.js';
import { CODE, DATA, END, endOf, image, open, openText, STACK } from './guest.js';

const at = (offset: number): bigint => BigInt(CODE + offset);

test('a run stops at its limit exactly, also in the middle of a block', async () => {
  // inc of a 64-bit register has 3 bytes, jmp back 2
  const cpu = await openText('again: inc %rax\ninc %rbx\ninc %rcx\njmp again');
  for (const limit of [1, 2, 3, 4, 5, 7, 11, 1000, 1003, 4099]) {
    expect(cpu.run(limit)).toEqual({ kind: 'limit' });
    expect(cpu.moment).toBe(limit);
    const inLoop = limit % 4;
    expect(cpu.read('rip'), `at ${limit}`).toBe(at(inLoop * 3));
    expect(cpu.read('rax')).toBe(BigInt(Math.floor((limit + 3) / 4)));
    expect(cpu.read('rcx')).toBe(BigInt(Math.floor((limit + 1) / 4)));
  }
});

test('a limit that is already reached runs nothing', async () => {
  const cpu = await openText(`inc %rax\n${END}`);
  cpu.run(1);
  expect(cpu.run(1)).toEqual({ kind: 'limit' });
  expect(cpu.run(0)).toEqual({ kind: 'limit' });
  expect(cpu.step(0)).toEqual({ kind: 'limit' });
  expect([cpu.moment, cpu.read('rax')]).toEqual([1, 1n]);
});

test('a rep counts once, whatever its count, zero included', async () => {
  const counts = [0, 1, 2, 255, 5000];
  for (const count of counts) {
    const cpu = await openText(`mov $${count}, %ecx\nmov $${DATA}, %edi\nrep stosb\ninc %rdx\n${END}`);
    expect(cpu.run()).toEqual({ kind: 'stopped' });
    expect([cpu.moment, cpu.read('rcx'), cpu.read('rdi')]).toEqual([6, 0n, BigInt(DATA + count)]);
  }
});

test('a rep that begins with its own loop counts once each time around', async () => {
  const cpu = await openText(
    `mov $3, %edx\nmov $${DATA}, %edi\nagain: mov $2, %ecx\nrep stosb\ndec %edx\njnz again\n${END}`,
  );
  cpu.run();
  expect(cpu.moment).toBe(2 + 3 * 4 + 2);
});

test('a limit behind a rep lets it finish, though it touches fresh pages in its middle', async () => {
  const program = await image(`mov $${DATA + 0xff0}, %edi\nmov $0x3000, %ecx\nrep stosb\ninc %rdx\n${END}`);
  for (const limit of [2, 3, 4]) {
    const cpu = open(program);
    expect(cpu.run(limit)).toEqual({ kind: 'limit' });
    expect(cpu.moment).toBe(limit);
    expect(cpu.read('rcx')).toBe(limit < 3 ? 0x3000n : 0n);
    cpu.run();
    expect([cpu.moment, cpu.read('rdi')]).toEqual([6, BigInt(DATA + 0x3ff0)]);
  }
});

test('a hypercall sees its own address, the moment behind it, and the registers', async () => {
  const text = `mov $7, %edi\nmov $1, %eax\nsyscall\nmov %rax, %rbx\n${END}`;
  for (const way of ['run', 'step'] as const) {
    const cpu = await openText(text);
    const seen: unknown[] = [];
    cpu.onHypercall = () => {
      seen.push([cpu.rip, cpu.read('rip'), cpu.moment, cpu.low(0), cpu.pointer(7)]);
      if (seen.length === 2) cpu.stop();
      else cpu.setRax(5);
    };
    expect(cpu[way](100)).toEqual({ kind: 'stopped' });
    expect(seen).toEqual([
      [CODE + 10, at(10), 3, 1, 7],
      [CODE + 20, at(20), 6, 99, 7],
    ]);
    expect([cpu.read('rip'), cpu.moment, cpu.read('rbx')]).toEqual([at(22), 6, 5n]);
  }
});

test('a run goes on behind the hypercall that stopped it', async () => {
  const cpu = await openText(`syscall\ninc %rax\nsyscall\ninc %rax\n${END}`);
  cpu.onHypercall = () => cpu.stop();
  expect([cpu.run(), cpu.moment]).toEqual([{ kind: 'stopped' }, 1]);
  expect([cpu.run(), cpu.moment]).toEqual([{ kind: 'stopped' }, 3]);
  expect([cpu.run(), cpu.moment, cpu.read('rip')]).toEqual([{ kind: 'stopped' }, 6, at(17)]);
});

test('what a hypercall throws is thrown by the run, which can go on behind it, with no trap flag left', async () => {
  const text = `inc %rbx\nsyscall\ninc %rbx\n${END}`;
  for (const way of ['run', 'step'] as const) {
    const cpu = await openText(text);
    cpu.onHypercall = () => {
      throw new RangeError('no such function');
    };
    expect(() => cpu[way](50)).toThrow(RangeError);
    expect([cpu.moment, cpu.read('rip'), cpu.read('rbx')]).toEqual([2, at(5), 1n]);
    cpu.onHypercall = () => cpu.stop();
    expect([cpu.run(), cpu.moment, cpu.read('rbx')]).toEqual([{ kind: 'stopped' }, 5, 2n]);
  }
});

test('a bad pointer given to a hypercall is a fault at the syscall, which has not completed', async () => {
  const text = `inc %rbx\nsyscall\ninc %rbx\n${END}`;
  for (const way of ['run', 'step'] as const) {
    const cpu = await openText(text);
    cpu.onHypercall = () => {
      throw new BadAddress(0x10, 'write');
    };
    expect(cpu[way](50)).toEqual({
      kind: 'fault',
      fault: { kind: 'bad pointer', rip: at(3), access: 'write', target: 0x10n },
    });
    expect([cpu.moment, cpu.read('rip'), cpu.read('rbx')]).toEqual([1, at(3), 1n]);
  }
});

test('onBlock names each block once, a rep of many iterations too', async () => {
  const cpu = await openText(`mov $9, %ecx\nmov $${DATA}, %edi\nrep stosb\ninc %rax\ncall sub\n${END}\nsub: nop\nret`);
  // So that no page fault begins a block in the middle of another.
  cpu.memory.write(STACK - 8, new Uint8Array(8));
  cpu.memory.write(DATA, new Uint8Array(8));
  const blocks: number[] = [];
  cpu.onBlock((address) => blocks.push(address - CODE));
  cpu.run();
  // 0: mov, mov, rep stosb; 12: inc, call; 20: END; 27: sub. The engine may begin the rep as a block of its own.
  expect(blocks.filter((offset) => offset !== 10)).toEqual([0, 12, 27, 20]);
  expect(blocks.filter((offset) => offset === 10).length).toBeLessThan(2);
});

test('stop in onBlock comes back before that block, counted exactly', async () => {
  const text = `inc %rax\njmp on\non: inc %rbx\ninc %rbx\n${END}`;
  for (const way of ['run', 'step'] as const) {
    const cpu = await openText(text);
    const end = cpu.onBlock((address) => {
      if (address === CODE + 5) cpu.stop();
    });
    expect(cpu[way](100)).toEqual({ kind: 'stopped' });
    expect([cpu.moment, cpu.read('rip'), cpu.read('rbx')]).toEqual([2, at(5), 0n]);
    expect(cpu[way](100), 'and again, at once').toEqual({ kind: 'stopped' });
    expect([cpu.moment, cpu.read('rip'), cpu.read('rbx')]).toEqual([2, at(5), 0n]);
    end();
    expect(cpu[way](100)).toEqual({ kind: 'stopped' });
    expect([cpu.moment, cpu.read('rbx')]).toEqual([6, 2n]);
  }
});

test('what onBlock throws is thrown by the run, before that block', async () => {
  const text = `inc %rax\njmp on\non: inc %rbx\n${END}`;
  for (const way of ['run', 'step'] as const) {
    const cpu = await openText(text);
    const end = cpu.onBlock((address) => {
      if (address === CODE + 5) throw new RangeError('here');
    });
    expect(() => cpu[way](100)).toThrow(RangeError);
    expect([cpu.moment, cpu.read('rip'), cpu.read('rbx')]).toEqual([2, at(5), 0n]);
    end();
    expect([cpu[way](100), cpu.moment]).toEqual([{ kind: 'stopped' }, 5]);
  }
});

test('a machine cannot be run or closed from its own callbacks, which would be fatal in the engine', async () => {
  const cpu = await openText(END);
  cpu.onHypercall = () => void cpu.run(5);
  expect(() => cpu.run()).toThrow(EngineError);
  cpu.onHypercall = () => cpu.close();
  expect(() => cpu.run()).not.toThrow();
  const other = await openText(END);
  other.onHypercall = () => other.close();
  expect(() => other.run()).toThrow('cannot be closed from its own callbacks');
  expect(other.step(0)).toEqual({ kind: 'limit' });
});

test('another machine can be run from a callback', async () => {
  const inner = await openText(`mov $5, %ebx\n${END}`);
  const outer = await openText(`mov $6, %ebx\nsyscall\nmov %ebx, %edx\n${END}`);
  outer.onHypercall = () => {
    if (outer.low(0) === 99) return outer.stop();
    outer.setRax(Number(endOf(inner, inner.run()).registers.rbx));
  };
  outer.run();
  expect([outer.moment, outer.read('rdx'), inner.read('rbx')]).toEqual([5, 6n, 5n]);
});

test('a hypercall to be tried again has not happened: same address, same moment, and the number in rax', async () => {
  const text = `mov $7, %eax\nsyscall\nmov %rax, %rbx\n${END}`;
  for (const way of ['run', 'step'] as const) {
    const cpu = await openText(text);
    cpu.onHypercall = () => cpu.retryHypercall(8);
    expect(cpu[way](50)).toEqual({ kind: 'stopped' });
    expect([cpu.moment, cpu.read('rip'), cpu.read('rax')]).toEqual([1, at(5), 8n]);
    cpu.onHypercall = () => {
      if (cpu.low(0) === 99) cpu.stop();
      else cpu.setRax(cpu.low(0) + 1);
    };
    expect(cpu[way](50)).toEqual({ kind: 'stopped' });
    expect([cpu.moment, cpu.read('rbx')]).toEqual([5, 9n]);
  }
});

test('a hypercall that asked to be tried again and then threw leaves nothing for the next run', async () => {
  const cpu = await openText(`mov $7, %eax\nsyscall\nmov %rax, %rbx\n${END}`);
  cpu.onHypercall = () => {
    cpu.retryHypercall(8);
    throw new RangeError('no');
  };
  expect(() => cpu.run()).toThrow(RangeError);
  cpu.onHypercall = () => cpu.stop();
  expect(cpu.run()).toEqual({ kind: 'stopped' });
  expect([cpu.moment, cpu.read('rbx')]).toEqual([5, 7n]);
});
