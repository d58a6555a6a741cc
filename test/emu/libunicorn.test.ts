import { expect, test } from 'vitest';
import { openCpu } from '../../emu/open.js';
import { END, endOf, image, open, openBare } from './guest.js';

/* The native engine alone; what it does as unicorn.js does is in the other files. */

test('it names itself with its version', () => {
  expect(openBare().engine).toMatch(/^libunicorn 2\.\d+\.\d+$/);
});

test('code that has run before is stepped one instruction at a time', async () => {
  // The plain run translates the block that begins with a pushf as a whole.
  const cpu = open(await image(`jmp on\non: pushf\npop %rax\npushf\npop %rbx\n${END}`));
  const start = cpu.save();
  const end = endOf(cpu, cpu.run());
  for (let round = 0; round < 3; round++) {
    cpu.restore(start);
    const moments: number[] = [];
    expect(
      endOf(
        cpu,
        cpu.step(7, () => moments.push(cpu.moment)),
      ),
    ).toMatchObject({ moment: 7 });
    expect(moments).toEqual([1, 2, 3, 4, 5, 6]);
    cpu.restore(start);
    expect(endOf(cpu, cpu.run())).toEqual(end);
  }
});

test('closed machines leave no callback behind, of which there are 8192', () => {
  for (let i = 0; i < 2200; i++) openCpu({ memory: 8 << 20 }).close();
});
