import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openCpu } from '../../../emu/open.js';
import { Session } from '../../../inspect/session.js';
import type { ContextView } from '../../../inspect/view/context.js';
import { type Extent, Viewer } from '../../../inspect/view/viewer.js';
import { libmill } from '../../../runtime/libmill.js';
import { Process } from '../../../runtime/process.js';
import { programNamed, withProcess } from '../every-program.js';

const EXTENT: Extent = { code: 8, words: 16, coroutines: 8, output: 8, switches: 2, lane: 10 };

/** The instructions of a sequence, from the text of the file that the assembler reads. */
function instructionsOf(name: string): string[] {
  const text = readFileSync(new URL(`../../../asm/${name}`, import.meta.url), 'utf8');
  return text
    .split('\n')
    .filter((line) => /^\s+[a-z]/.test(line))
    .map((line) => line.trim());
}

/** From the table of slots in the file's own comment: `slot 0 1 …` over `holds rbx rbp …`. */
const SLOTS = ['rbx', 'rbp', 'r12', 'rsp', 'r13', 'r14', 'r15', 'rip', 'rdi', 'rsi'];

/** What a line of assembly text moves between a register and a slot: `16(%rdx)` is slot 2. */
function expected(line: string): { slot: number; from: string; to: string } | undefined {
  const store = /^mov\s+%(\w+), (\d*)\(%rdx\)$/.exec(line);
  if (store !== null) return { slot: Number(store[2]) / 8, from: store[1], to: 'slot' };
  const load = /^movq?\s+(\d*)\(%rax\), %(\w+)$/.exec(line);
  return load === null ? undefined : { slot: Number(load[1]) / 8, from: 'slot', to: load[2] };
}

function travelling({ slots }: ContextView): { slot: number; from: string; to: string; value: bigint } | undefined {
  const all = slots.filter(({ travel }) => travel !== undefined);
  expect(all.length).toBeLessThanOrEqual(1);
  const [slot] = all;
  return slot?.travel === undefined ? undefined : { slot: slot.index, ...slot.travel };
}

describe('a ctx in a switch', () => {
  // The runtime's own, and the copy that a compiler has put into a function.
  test.each(['ping-pong.s', 'prime-sieve.c'])(
    'shows what each of the 20 moves moves, before it does: %s',
    async (name) => {
      const [, load, argv] = programNamed(name);
      await withProcess(await load(), argv, async (process) => {
        const session = new Session(process);
        const viewer = await Viewer.open(session);
        const saves = instructionsOf('mill_setjmp.s');
        const restores = instructionsOf('mill_longjmp.s');
        expect([saves.length, restores.length]).toEqual([12, 12]);
        let moves = 0;
        // From a save to the landing behind the restore that follows it.
        let view = await viewer.look(EXTENT);
        while (view.context.state !== 'being saved' || view.context.step?.number !== 1) {
          await session.step();
          view = await viewer.look(EXTENT);
        }
        for (const line of saves) {
          const wanted = expected(line);
          const moved = travelling(view.context);
          const { cpu } = process;
          if (wanted !== undefined) {
            moves += 1;
            expect(moved, line).toMatchObject(wanted);
            // The value is the register's, and is in the slot behind the instruction.
            const register = wanted.from as 'rbx';
            expect(moved?.value, line).toBe(cpu.read(register));
            const at = view.context.address + wanted.slot * 8;
            await session.step();
            expect(cpu.memory.u64(at), line).toBe(moved?.value);
            expect(view.context.slots[wanted.slot].after, line).toBe(moved?.value);
          } else await session.step();
          view = await viewer.look(EXTENT);
        }
        while (view.context.state !== 'being restored') {
          await session.step();
          view = await viewer.look(EXTENT);
        }
        for (const line of restores) {
          const wanted = expected(line);
          const moved = travelling(view.context);
          if (wanted !== undefined) {
            moves += 1;
            expect(moved, line).toMatchObject(wanted);
            await session.step();
            expect(process.cpu.read(wanted.to as 'rbx'), line).toBe(moved?.value);
          } else await session.step();
          const arrived = await viewer.look(EXTENT);
          // What has come where it belongs is marked, and nothing else: rsp and rip come through rdx.
          for (const slot of arrived.context.step === undefined ? [] : arrived.context.slots) {
            if (slot.done) expect(slot.register, `${slot.name} behind ${line}`).toBe(slot.held);
          }
          view = arrived;
        }
        expect(moves).toBe(20);
        expect(view.context.state).toBe('running');
        viewer.close();
      });
    },
  );

  test('has the registers that gdb read on a real CPU at the landing', async () => {
    const native = JSON.parse(
      readFileSync(new URL('../../../fixtures/native/ping-pong.json', import.meta.url), 'utf8'),
    ) as { first: readonly { restored: { coroutine: number; slots: Readonly<Record<string, string>> } | null }[] };
    const [, load, argv] = programNamed('ping-pong.s');
    const session = new Session(new Process(openCpu(), libmill(), await load(), ['ping-pong', ...argv]));
    const viewer = await Viewer.open(session);
    let compared = 0;
    for (const { restored } of native.first) {
      await session.nextSwitch();
      if (restored === null) continue;
      const { context, registers } = await viewer.look(EXTENT, restored.coroutine);
      expect(context.coroutine).toBe(restored.coroutine);
      for (const name of SLOTS) {
        const value = restored.slots[name];
        // Addresses are symbolic there.
        if (!/^0x/.test(value)) continue;
        compared += 1;
        expect(registers.find((row) => row.name === name)?.now, name).toBe(BigInt(value));
        expect(context.slots.find((slot) => slot.name === name)?.held, name).toBe(BigInt(value));
      }
    }
    expect(compared).toBeGreaterThan(20);
    viewer.close();
    session.process.cpu.close();
  });
});
