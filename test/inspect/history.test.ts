import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openCpu } from '../../emu/open.js';
import { differenceOf, History } from '../../inspect/history.js';
import { loadProgram } from '../../inspect/program.js';
import { libmill } from '../../runtime/libmill.js';
import { Process, type SavedProcess } from '../../runtime/process.js';
import { file } from './command.js';
import { everyProgram, programNamed, withProcess } from './every-program.js';

const SAMPLES = 200;
/** Of a run of millions of instructions each costs as much as a whole run of the others. */
const SAMPLES_OF_LONG = 50;
const LONG = 500_000;

/**
 * States of a straight run at about so many moments, and at its end; the process is at its start again then. In one
 * machine, since what two of its snapshots share need not be compared.
 */
function straight(process: Process, wanted: number): { readonly states: SavedProcess[]; readonly output: string } {
  const measure = process.save();
  let output = '';
  while (process.run().kind === 'child');
  const length = process.cpu.moment;
  process.restore(measure);
  const samples = length > LONG ? Math.min(wanted, SAMPLES_OF_LONG) : wanted;
  const end = process.on('output', ({ stream, bytes }) => {
    output += `${stream}:${Buffer.from(bytes).toString('latin1')}`;
  });
  const states: SavedProcess[] = [];
  for (let sample = 0; sample <= samples; sample++) {
    const moment = Math.floor((length * sample) / samples);
    if (states.at(-1)?.cpu.moment === moment) continue;
    while (process.cpu.moment < moment) process.run(moment);
    states.push(process.save());
  }
  end();
  process.restore(measure);
  return { states, output };
}

const written = (history: History): string =>
  history.outputs.map(({ stream, bytes }) => `${stream}:${Buffer.from(bytes).toString('latin1')}`).join('');

describe('a history', () => {
  test.each(everyProgram)('goes to any moment, forwards and backwards, exactly: %s', async (_, load, argv) => {
    await withProcess(await load(), argv, async (process) => {
      const { states, output } = straight(process, SAMPLES);
      const length = states[states.length - 1].cpu.moment;
      const history = new History(process, { interval: 10_000 });
      await history.go(Number.POSITIVE_INFINITY);
      expect([history.moment, history.furthest]).toEqual([length, length]);
      expect(history.end?.kind).not.toBe('child');
      for (const state of [...[...states].reverse(), ...states.filter((_, index) => index % 4 === 0)]) {
        await history.go(state.cpu.moment);
        expect(history.moment).toBe(state.cpu.moment);
        expect(differenceOf(state.cpu, history.process.save().cpu), `at ${history.moment}`).toBeUndefined();
      }
      expect(written(history), 'nothing is written twice').toBe(output);
    });
  });

  test('is the same on any walk', async () => {
    const walked = ['pipeline.s', 'timeouts.s', 'bodies', 'fork-workers.c', 'prime-sieve.c', 'deep-recursion.c'];
    for (const [name, load, argv] of walked.map(programNamed)) {
      await withProcess(await load(), argv, async (process) => {
        const { states } = straight(process, 500);
        const history = new History(process, { interval: 1000 });
        const index = fc.nat({ max: states.length - 1 });
        await fc.assert(
          fc.asyncProperty(fc.array(index, { minLength: 50, maxLength: 50 }), async (walk) => {
            for (const at of walk) {
              const { cpu } = states[at];
              await history.go(cpu.moment);
              expect(differenceOf(cpu, history.process.save().cpu), `${name} at ${cpu.moment}`).toBeUndefined();
            }
          }),
          { numRuns: 6 },
        );
      });
    }
  });

  test('keeps to its memory, and is as exact with few snapshots as with many', async () => {
    const [, load, argv] = programNamed('thousand.c');
    await withProcess(await load(), argv, async (process) => {
      const { states } = straight(process, 20);
      const history = new History(process, { bytes: 20 << 20, interval: 1000 });
      await history.go(Number.POSITIVE_INFINITY);
      expect(history.cost.bytes).toBeLessThanOrEqual(20 << 20);
      expect(history.cost.interval).toBeGreaterThan(1000);
      for (const { cpu } of [...states].reverse()) {
        await history.go(cpu.moment);
        expect(differenceOf(cpu, history.process.save().cpu)).toBeUndefined();
      }
    });
  });

  test('says so when a run is not repeated', async () => {
    const [, load, argv] = programNamed('pipeline.s');
    await withProcess(await load(), argv, async (process) => {
      const history = new History(process, { interval: 500 });
      await history.go(Number.POSITIVE_INFINITY);
      await history.go(600);
      process.cpu.memory.setU8(process.mainStack.low + 4096, 1);
      const never = { watch: () => () => {} };
      await expect(history.forward(never)).rejects.toThrow(
        /not repeatable: at moment 1000 memory at 0x[0-9a-f]+ is not what it was/,
      );
    });
  });

  test('a body that does something else the second time is named', async () => {
    let runs = 0;
    const program = function* () {
      runs += 1;
      yield { function: 'puts', arguments: [`run ${runs}`] };
      for (let count = 0; count < 100; count++) yield;
    };
    await withProcess(program, [], async (process) => {
      const history = new History(process, { interval: 500 });
      await history.go(Number.POSITIVE_INFINITY);
      await expect(history.go(600)).rejects.toThrow('not repeatable: with the same results it did puts("run 1") first');
    });
  });

  test.each(['timeouts.s', 'timers.c', 'sleeping.c', 'fork-times.c'])(
    'of a run on the real clock tells the guest the same again: %s',
    async (name) => {
      const [, load, argv] = programNamed(name);
      const cpu = openCpu();
      const process = new Process(cpu, libmill(), await load(), ['program', ...argv], { clock: 'real' });
      const history = new History(process, { interval: 700 });
      const states: SavedProcess[] = [];
      while (history.outcome === undefined) {
        await history.go(history.moment + 97);
        states.push(process.save());
      }
      const output = written(history);
      const { end, furthest } = history;
      expect(end?.kind).toBe('exit');
      for (const state of [...states].reverse()) {
        await history.go(state.cpu.moment);
        expect(differenceOf(state.cpu, process.save().cpu), `at ${state.cpu.moment}`).toBeUndefined();
      }
      await history.go(0);
      await history.go(furthest);
      expect([history.moment, history.outcome, written(history)]).toEqual([furthest, end, output]);
      cpu.close();
    },
  );

  test('of a run on the real clock lets no time be lost when a child ends', async () => {
    const path = file(
      'child.s',
      `.include "libmill.inc"
.text
.globl main
main: push %rbx
 call mill_now_
 mov %rax, %rbx
 call fork
 test %eax, %eax
 jnz parent
 mov $400000, %edi
 call usleep
 xor %edi, %edi
 call _exit
parent: call mill_now_
 sub %rbx, %rax
 cmp $400, %rax
 setge %al
 movzx %al, %eax
 pop %rbx
 ret
`,
    );
    const cpu = openCpu();
    const process = new Process(cpu, libmill(), await loadProgram([path]), ['program'], { clock: 'real' });
    const history = new History(process);
    await history.go(Number.POSITIVE_INFINITY);
    // The parent has waited for its child, as all of them do here.
    expect(history.end).toEqual({ kind: 'exit', status: 1 });
    cpu.close();
  });

  test('a move that is not to wait ends where the guest waits for the real clock, and another goes on from there', async () => {
    const path = file(
      'sleeper.s',
      `.globl main
main: push %rbx
 call mill_now_
 lea 300(%rax), %rdi
 xor %esi, %esi
 call mill_msleep_
 xor %eax, %eax
 pop %rbx
 ret
`,
    );
    const cpu = openCpu();
    const process = new Process(cpu, libmill(), await loadProgram([path]), ['program'], { clock: 'real' });
    const history = new History(process);
    await history.go(Number.POSITIVE_INFINITY, { waits: false });
    const { moment } = history;
    expect(history.end).toBeUndefined();
    await history.go(moment + 1, { waits: false });
    expect(history.moment).toBe(moment);
    await history.go(Number.POSITIVE_INFINITY);
    expect(history.end).toEqual({ kind: 'exit', status: 0 });
    // What was waited for once is known now.
    await history.go(0);
    await history.go(Number.POSITIVE_INFINITY, { waits: false });
    expect(history.outcome).toEqual({ kind: 'exit', status: 0 });
    cpu.close();
  });

  test('a long move can be interrupted, and tells how far it is', async () => {
    const [, load, argv] = programNamed('thousand.c');
    await withProcess(await load(), argv, async (process) => {
      const history = new History(process, { interval: 1000 });
      const controller = new AbortController();
      const told: number[] = [];
      await history.go(Number.POSITIVE_INFINITY, {
        signal: controller.signal,
        progress: (moment) => {
          told.push(moment);
          controller.abort();
        },
      });
      expect(told).toEqual([history.moment]);
      expect(history.end).toBeUndefined();
      await history.go(Number.POSITIVE_INFINITY);
      expect(history.end).toEqual({ kind: 'exit', status: 0 });
    });
  });
});
