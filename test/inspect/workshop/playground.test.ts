import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Image } from '../../../asm/image.js';
import { openCpu } from '../../../emu/open.js';
import { loadEngine } from '../../../inspect/engine.js';
import { Session } from '../../../inspect/session.js';
import { playgroundPrograms, shippedRun } from '../../../inspect/web/build/playground.js';
import { CTX_SLOTS, MILL_CR } from '../../../runtime/layout.js';
import { libmill } from '../../../runtime/libmill.js';
import { Process } from '../../../runtime/process.js';
import { sourceOf } from './workshop.js';

const FIXTURES = fileURLToPath(new URL('../../../fixtures', import.meta.url));
const PROGRAMS = playgroundPrograms(FIXTURES, `${FIXTURES}/lessons`);

it('has every program in assembly, with names that no other has', () => {
  const names = PROGRAMS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const inAssembly = readdirSync(`${FIXTURES}/programs`).filter((name) => name.endsWith('.s'));
  const files = PROGRAMS.flatMap((one) => one.files.map((path) => path.replace(/.*\//, '')));
  expect(files).toEqual(expect.arrayContaining(inAssembly));
});

it('ships each so that it can be built again of its files', async () => {
  for (const one of PROGRAMS.filter(({ name }) => /^(broken-r13|recursion|c-timers|09-faults-deadlock)$/.test(name))) {
    const { files, program, moment, runtime } = JSON.parse(JSON.stringify(await shippedRun(one)));
    expect(files.length, one.name).toBeGreaterThan(0);
    expect(moment, one.name).toBeGreaterThanOrEqual(0);
    expect(Image.fromJSON(program.image).symbols.has('main'), one.name).toBe(true);
    expect(program.runtime === undefined, one.name).toBe(runtime.length === 0);
  }
});

describe('the broken slot of r13', () => {
  it("differs from libmill's in one offset", async () => {
    const { runtime } = await broken();
    expect(runtime).toEqual([sourceOf('mill_setjmp.s', '%r13, 32(%rdx)', '%r13, 40(%rdx)')]);
  });

  it('opens in front of the instruction that loses it: r13 is 1 then, and 0 where its coroutine goes on', async () => {
    const { program, moment, name } = await broken();
    await loadEngine();
    const cpu = openCpu();
    try {
      const runtime = Image.fromJSON(program.runtime ?? libmill().toJSON());
      const guest = new Process(cpu, runtime, Image.fromJSON(program.image), [name]);
      const session = new Session(guest);
      await session.go(moment);
      expect(guest.describe(cpu.read('rip'))).toMatch(/mill_setjmp\.s:21/);
      const { running = 0 } = guest;
      expect(guest.mill.census.id(running)).toBe(1);
      expect(cpu.read('r13')).toBe(1n);
      const slot = (register: (typeof CTX_SLOTS)[number]): bigint =>
        cpu.memory.u64(running + MILL_CR.fields.ctx.offset + 8 * CTX_SLOTS.indexOf(register));
      await session.step();
      expect([slot('r13'), slot('r14')]).toEqual([0n, 1n]);
      await session.step();
      // r14 over it: the value is nowhere any more.
      expect([slot('r13'), slot('r14')]).toEqual([0n, cpu.read('r14')]);
      while (guest.mill.census.id(guest.running ?? 0) !== 1 || session.moment < moment + 20) {
        expect(await session.nextSwitch()).toBe(true);
      }
      expect(cpu.read('r13')).toBe(0n);
    } finally {
      cpu.close();
    }
  });
});

function broken() {
  const [one] = PROGRAMS.filter(({ name }) => name === 'broken-r13');
  return shippedRun(one);
}
