/** A run in single steps is the run at full speed. */
import { describe, expect, test } from 'vitest';
import { differenceOf } from '../../inspect/history.js';
import type { Outcome, Process, SavedProcess } from '../../runtime/process.js';
import { everyProgram, withProcess } from './every-program.js';

/** What a run comes to. */
interface Ran {
  /** Of the children first, each as it ends. */
  readonly outcomes: readonly Outcome[];
  readonly output: string;
  readonly end: SavedProcess;
}

/** Runs a process to its end, as `go` runs it on. */
function toEnd(process: Process, go: () => Outcome): Ran {
  let output = '';
  const listening = process.on('output', ({ stream, bytes }) => {
    output += `${stream}:${Buffer.from(bytes).toString('latin1')}`;
  });
  const outcomes: Outcome[] = [];
  do outcomes.push(go());
  while (outcomes.at(-1)?.kind === 'child');
  listening();
  return { outcomes, output, end: process.save() };
}

describe('single steps', () => {
  // In one machine, since what two of its snapshots share need not be compared.
  test.each(everyProgram)('come to the same registers, memory and output as a plain run: %s', async (_, load, argv) => {
    await withProcess(await load(), argv, (process) => {
      const start = process.save();
      const plain = toEnd(process, () => process.run());
      process.restore(start);
      let steps = 0;
      const stepped = toEnd(process, () =>
        process.step(Number.POSITIVE_INFINITY, () => {
          steps++;
        }),
      );
      expect(stepped.outcomes).toEqual(plain.outcomes);
      expect(stepped.output).toBe(plain.output);
      expect(stepped.end.cpu.moment).toBe(plain.end.cpu.moment);
      expect(differenceOf(stepped.end.cpu, plain.end.cpu)).toBeUndefined();
      // Behind each instruction but one that forks or ends a process.
      expect(steps).toBeGreaterThan(plain.end.cpu.moment * 0.9);
    });
  });
});
