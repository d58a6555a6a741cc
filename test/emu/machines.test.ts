import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { EngineError, MachineError, OutOfMemory } from '../../emu/errors.js';
import { openCpu } from '../../emu/open.js';
import { CODE, DATA, DATA_END, END, openBare, openText } from './guest.js';

test('two machines that take turns do not see each other', async () => {
  const text = (step: number) => `again: add $${step}, %rax\nmov %rax, ${DATA}\npush %rax\npopf\njmp again`;
  const one = await openText(text(1));
  const other = await openText(text(3));
  for (let turn = 1; turn <= 20; turn++) {
    one.run(turn * 5);
    other.step(5);
  }
  expect([one.moment, one.read('rax'), one.memory.u64(DATA)]).toEqual([100, 20n, 20n]);
  expect([other.moment, other.read('rax'), other.memory.u64(DATA)]).toEqual([100, 60n, 60n]);
});

test('opening and closing a machine leaves what another one has in memory alone', async () => {
  const cpu = await openText(`mov $0x1122334455667788, %rax\nmov %rax, ${DATA}\n${END}`);
  openBare().memory.reserve(DATA, DATA_END - DATA, 'rw-');
  const third = openCpu({ memory: 32 << 20 });
  cpu.run();
  third.close();
  expect(cpu.memory.u64(DATA)).toBe(0x1122334455667788n);
});

test('500 machines of the default size, opened, used and closed one after the other, stay under 300 MB', async () => {
  const script = fileURLToPath(new URL('many-machines.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, '500']);
  const { machines, peak } = JSON.parse(stdout) as { machines: number; peak: number };
  expect(machines).toBe(500);
  expect(peak).toBeLessThan(300e6);
});

test('closing twice does nothing, and a closed machine throws instead of using memory of another one', async () => {
  const cpu = await openText(END);
  cpu.close();
  cpu.close();
  const next = await openText(END);
  expect(() => cpu.run(1)).toThrow(EngineError);
  expect(() => cpu.step()).toThrow(EngineError);
  expect(() => cpu.read('rax')).toThrow(EngineError);
  expect(() => cpu.read('eflags')).toThrow(EngineError);
  expect(() => cpu.write('rax', 1n)).toThrow(EngineError);
  expect(() => cpu.memory.u8(CODE)).toThrow(EngineError);
  expect(() => cpu.memory.setU8(DATA, 1)).toThrow(EngineError);
  expect(() => cpu.save()).toThrow(EngineError);
  expect(next.run()).toEqual({ kind: 'stopped' });
});

test('a machine that cannot be opened says so and keeps nothing', () => {
  for (const memory of [0, -4096, 100, 4097 * 1024, Number.NaN, 2 ** 31, 4096, 4 << 20]) {
    expect(() => openCpu({ memory }), `${memory} bytes`).toThrow(OutOfMemory);
  }
  expect(() => openCpu({ engine: 'qemu' })).toThrow('there is no engine "qemu" here: choose one of unicorn.js');
  // Each would leave behind more than ten MiB, of less than two GiB.
  const large = openCpu({ memory: 1 << 30 });
  for (let i = 0; i < 100; i++) {
    expect(() => openCpu({ memory: 1 << 30 })).toThrow(EngineError);
    expect(() => openCpu({ memory: 4 << 20 })).toThrow(OutOfMemory);
  }
  openCpu({ memory: 256 << 20 }).close();
  large.close();
});

test('the smallest machine is 8 MiB', () => {
  const cpu = openCpu({ memory: 8 << 20 });
  expect(cpu.memory.end).toBeGreaterThan(0x700000);
  cpu.close();
});

test('every error of the machine is a MachineError with the name of its class', () => {
  const error = new EngineError('broken');
  expect(error).toBeInstanceOf(MachineError);
  expect([error.name, error.message]).toEqual(['EngineError', 'broken']);
});

test('an engine names itself with its version', () => {
  expect(openBare().engine).toBe('unicorn.js 1.0.3');
});
