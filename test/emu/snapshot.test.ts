import { expect, test } from 'vitest';
import { OutOfMemory } from '../../emu/errors.js';
import { openCpu } from '../../emu/open.js';
import { DATA, END, endOf, image, open, openText } from './guest.js';

/** Control words, status, tags, MXCSR, all x87 and SSE registers live across every cut. */
const FLOATING = `fninit\nfld1\nfldpi\nfldl2e\nfaddp\nmov $0x7f3f, %eax\npush %rax\nldmxcsr (%rsp)\nmovl $0x0e7f, (%rsp)
  fldcw (%rsp)\nmov $1, %eax\ncvtsi2ss %eax, %xmm1\nmov $3, %eax\ncvtsi2ss %eax, %xmm2\nmovaps %xmm2, %xmm15
  divss %xmm15, %xmm1\nmovss %xmm1, ${DATA}\nfld1\nfdivp\nfstpt ${DATA + 16}\nfld1\nfldpi\nfdivrp\nfnstsw ${DATA + 48}
  fstpt ${DATA + 32}\nstmxcsr ${DATA + 52}\nmov %fs:0, %rbx\nstd\npushf\ncld\npopf\nlodsb\ncld\n${END}`;

test('a machine goes on from a snapshot as if there had been none, cut at any moment, here and in another machine', async () => {
  const program = await image(FLOATING);
  const start = () => {
    const cpu = open(program);
    cpu.write('fs_base', BigInt(DATA + 64));
    cpu.write('rsi', BigInt(DATA + 100));
    return cpu;
  };
  const whole = start();
  const end = endOf(whole, whole.run());
  for (let cut = 0; cut < end.moment; cut++) {
    const cpu = start();
    cpu.run(cut);
    const snapshot = cpu.save();
    const other = open(program);
    other.run(end.moment - cut);
    for (const each of [other, cpu]) {
      each.run();
      each.restore(snapshot);
      expect([each.moment, each.readAll()]).toEqual([cut, snapshot.registers]);
      expect(endOf(each, each.run()), `cut at ${cut}`).toEqual(end);
      each.close();
    }
  }
});

test('the rounding modes in a snapshot are in force, not only shown', async () => {
  // Rounding up and down: 1/3 as a float, and π/e with the precision cut to double.
  const cpu = await openText(FLOATING);
  cpu.write('fs_base', BigInt(DATA + 64));
  cpu.write('rsi', BigInt(DATA + 100));
  cpu.run(12);
  cpu.restore(cpu.save());
  cpu.run();
  // 1/3 = 0x3eaaaaaa.aa…, towards zero (RC = 3 in 0x7f3f)
  expect(cpu.memory.u32(DATA)).toBe(0x3eaaaaaa);
});

test('a snapshot of a machine in front of a fault faults the same', async () => {
  const cpu = await openText(`mov $${DATA}, %edi\nmov $0x20000, %ecx\nrep stosb`);
  const stop = cpu.run();
  const end = endOf(cpu, stop);
  cpu.restore(cpu.save());
  expect(endOf(cpu, cpu.run())).toEqual(end);
  expect(end.moment).toBe(2);
});

test('a snapshot taken in the visitor of a step is that moment', async () => {
  const program = await image(`mov $5, %ecx\nagain: add %rcx, %rax\npushf\npop %rbx\ndec %ecx\njnz again\n${END}`);
  const cpu = open(program);
  const snapshots: ReturnType<typeof cpu.save>[] = [];
  const stop = cpu.step(100, () => {
    if (snapshots.length < 10) snapshots.push(cpu.save());
  });
  const end = endOf(cpu, stop);
  for (const [index, snapshot] of snapshots.entries()) {
    expect(snapshot.moment).toBe(index + 1);
    cpu.restore(snapshot);
    expect(cpu.read('eflags') & 0x100n).toBe(0n);
    expect(endOf(cpu, cpu.run())).toEqual(end);
  }
});

test('a snapshot is not changed by what the machine does afterwards', async () => {
  const cpu = await openText(`again: incq ${DATA}\njmp again`);
  cpu.run(20);
  const snapshot = cpu.save();
  const copy = structuredClone(snapshot);
  cpu.run(100);
  cpu.restore(snapshot);
  cpu.run(60);
  expect(snapshot).toEqual(copy);
  expect(cpu.memory.u64(DATA)).toBe(30n);
});

test('a snapshot does not fit a machine with another amount of memory', async () => {
  const snapshot = (await openText(END)).save();
  const larger = openCpu({ memory: 32 << 20 });
  expect(() => larger.restore(snapshot)).toThrow(OutOfMemory);
  larger.close();
});
