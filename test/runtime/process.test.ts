import { describe, expect, it } from 'vitest';
import { UndefinedSymbol } from '../../asm/errors.js';
import { openCpu } from '../../emu/open.js';
import type { Body } from '../../runtime/bodies.js';
import { libmill } from '../../runtime/libmill.js';
import { go, print } from '../../runtime/operations.js';
import { Process } from '../../runtime/process.js';
import { regionAt } from '../../runtime/region.js';
import { fixturePrograms, loadFixture, promised } from '../fixture.js';
import { assemble, listen, run, withProcess } from './guest.js';

const everyRegister = (process: Process) => process.cpu.readAll();

/** Exit status of the command line for a deadlock. */
const DEADLOCK = 3;

describe('a process', () => {
  it.each(fixturePrograms('.s'))('prints what %s promises', async (name) => {
    const { output, outcome } = await run(await loadFixture(name));
    const { output: expected, status } = promised(name);
    expect(output).toBe(expected);
    if (status === DEADLOCK) expect(outcome).toMatchObject({ kind: 'error', error: { name: 'Deadlock' } });
    else expect(outcome).toEqual({ kind: 'exit', status });
  });

  it('needs a main', async () => {
    const image = await assemble('start: ret');
    await expect(withProcess(image, () => {})).rejects.toThrow(UndefinedSymbol);
  });

  const middles = [1, 50, 200, 333, 500];
  it.each(middles)(
    'goes on in a fresh machine from a snapshot at moment %i as if nothing had happened',
    async (moment) => {
      const image = await loadFixture('stack-reuse.s');
      const finish = async (saveAt?: number) =>
        withProcess(image, async (process) => {
          const written = listen(process);
          process.run(saveAt);
          const saved = process.save();
          if (saveAt === undefined) return { written, registers: everyRegister(process), moment: process.cpu.moment };
          return withProcess(image, (fresh) => {
            const more = listen(fresh);
            fresh.restore(saved);
            fresh.run();
            return { written: [...written, ...more], registers: everyRegister(fresh), moment: fresh.cpu.moment };
          });
        });
      expect(await finish(moment)).toEqual(await finish());
    },
  );

  it('makes its generators anew from the results they were given', async () => {
    const counting: Body = function* () {
      for (let i = 0; i < 5; i++) {
        yield* print(`${i}`);
        yield;
      }
    };
    const main: Body = function* () {
      yield* go(counting);
      yield* go(counting);
      for (let i = 0; i < 6; i++) yield;
    };
    const whole = await run(main);
    expect(whole.output).toBe('0011223344');
    for (const moment of [10, 300, 700, 1000]) {
      await withProcess(main, async (process) => {
        const before = listen(process).splice(0);
        const written = listen(process);
        process.run(moment);
        const saved = process.save();
        await withProcess(main, (fresh) => {
          const after = listen(fresh);
          fresh.restore(saved);
          expect(fresh.run()).toEqual({ kind: 'exit', status: 0 });
          expect([...before, ...written, ...after].join('')).toBe(whole.output);
          expect(fresh.cpu.moment).toBe(whole.moment);
        });
      });
    }
  });

  it('goes back to a snapshot of its own', async () => {
    await withProcess(await loadFixture('ping-pong.s'), (process) => {
      const written = listen(process);
      process.run(200);
      const saved = process.save();
      const already = written.length;
      process.run();
      const first = written.splice(already);
      process.restore(saved);
      process.run();
      expect(written.splice(already)).toEqual(first);
    });
  });

  it.each([
    ['exit', 'main: mov $7, %eax\n ret'],
    ['abort', 'main: call abort'],
    ['a panic', 'main: xor %edi, %edi\n xor %esi, %esi\n call mill_chclose_\n ret'],
    ['a fault', 'main: ud2'],
  ])('has ended by %s in its snapshot too', async (_, text) => {
    await withProcess(text, (process) => {
      const outcome = process.run();
      const { moment } = process.cpu;
      const saved = process.save();
      process.restore(saved);
      expect(process.run()).toEqual(outcome);
      expect(process.cpu.moment).toBe(moment);
    });
  });

  it('refuses the state of another program', async () => {
    const saved = await withProcess('main: ret', (process) => process.save());
    await expect(withProcess('main: nop\n ret', (process) => process.restore(saved))).rejects.toThrow(
      /another program/,
    );
  });

  it('has its CPU to itself', async () => {
    await withProcess('main: ret', async ({ cpu, images }) => {
      expect(() => new Process(cpu, libmill(), images[1], ['guest'])).toThrow(/open another/);
    });
  });

  it('can be asked about itself when the program has made circles of its lists', async () => {
    const circle = 'main: lea mill_main+208(%rip), %rax\n mov %rax, mill_main+208(%rip)\n ud2';
    await withProcess(circle, (process) => {
      expect(process.run()).toMatchObject({ kind: 'fault', fault: { kind: 'invalid instruction' } });
      expect(process.running).toBe(process.mill.coroutines.main);
      expect(process.coroutines().length).toBeLessThan(5);
      expect(regionAt(process, process.mill.heap.end + 4096)).toBe('no memory');
    });
  });

  it('has something behind every door', async () => {
    const doors = [...libmill().symbols].filter(([name]) => name.startsWith('door_'));
    expect(doors.length).toBeGreaterThan(20);
    for (const [name, number] of doors) {
      const { outcome } = await run(`main: mov $${number}, %eax\n xor %edi, %edi\n syscall\n ret`);
      const unknown = outcome.kind === 'error' && outcome.error.name === 'UnknownSystemCall';
      expect(unknown, name).toBe(false);
    }
  });

  it('needs room on the main stack for its arguments and its environment', async () => {
    const image = await assemble('main: ret');
    const make = (bytes: number) => {
      const cpu = openCpu({ memory: 64 << 20 });
      try {
        return new Process(cpu, libmill(), image, ['guest'], { environment: [`A=${'x'.repeat(bytes)}`] }).run();
      } finally {
        cpu.close();
      }
    };
    expect(make(7 << 20)).toMatchObject({ kind: 'exit' });
    expect(() => make(8 << 20)).toThrow('the arguments and the environment do not fit the main stack');
  });

  it('has a door of its own for each libc function', () => {
    const image = libmill();
    const code = image.sections.find(({ name }) => name === '.text');
    if (code === undefined) throw new Error('the runtime has no code');
    const view = new DataView(code.bytes.buffer, code.bytes.byteOffset);
    // Which begins by `mov $number, %eax`
    const opening = [...image.globals].filter((name) => image.symbols.has(`door_${name}`));
    expect(opening.length).toBeGreaterThan(100);
    for (const name of opening.filter((each) => view.getUint8(Number(image.symbol(each) - code.address)) === 0xb8)) {
      const door = view.getUint32(Number(image.symbol(name) - code.address) + 1, true);
      expect(door, name).toBe(Number(image.symbol(`door_${name}`)));
    }
  });

  it('does not see another one that runs in turns with it', async () => {
    const [ping, workers] = [await loadFixture('ping-pong.s'), await loadFixture('three-workers.s')];
    const cpus = [openCpu({ memory: 32 << 20 }), openCpu({ memory: 32 << 20 })];
    const processes = [ping, workers].map((image, index) => new Process(cpus[index], libmill(), image, ['guest']));
    const written = processes.map(listen);
    for (let moment = 17; processes.some((process) => process.run(moment).kind === 'limit'); moment += 17);
    for (const cpu of cpus) cpu.close();
    expect(written.map((texts) => texts.join(''))).toEqual([
      promised('ping-pong.s').output,
      promised('three-workers.s').output,
    ]);
  });

  it('says where an address is', async () => {
    await withProcess('main: ret\nlater: nop', (process) => {
      expect(process.describe(process.symbol('later'))).toMatch(/^later \(guest\.s:\d+\)$/);
      expect(process.describe(process.symbol('mill_suspend') + 7n)).toMatch(/^mill_suspend\+0x7 \(libmill\.s:\d+\)$/);
      expect(process.describe(0x123n)).toBe('0x123');
    });
  });
});
