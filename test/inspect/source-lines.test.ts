import { describe, expect, test } from 'vitest';
import type { Image, Line } from '../../asm/image.js';
import { loadProgram } from '../../inspect/program.js';
import { Session } from '../../inspect/session.js';
import type { Process } from '../../runtime/process.js';
import { file } from './command.js';
import { programNamed, withProcess } from './every-program.js';

/** The address of the instruction at each moment of a run, by single steps alone. */
function addressesOf(process: Process): number[] {
  const start = process.save();
  const addresses = [process.cpu.rip];
  const visit = (): void => {
    addresses[process.cpu.moment] = process.cpu.rip;
  };
  while (process.step(Number.POSITIVE_INFINITY, visit).kind === 'child');
  // The last one has ended the run and was not visited.
  addresses[process.cpu.moment] = process.cpu.rip;
  process.restore(start);
  return addresses;
}

/** The moments at which lines begin, by a full trace, the line table, and the bytes of the code. */
function beginnings(process: Process, image: Image, addresses: readonly number[]): number[] {
  const code = (address: number, length: number): string =>
    Buffer.from(process.cpu.memory.read(address, length)).toString('hex');
  const rows = new Map<number, Line>();
  for (const line of image.lines) for (let at = line.start; at < line.end; at++) rows.set(at, line);
  const lineOf = (address: number): string => {
    const from = rows.get(address)?.from;
    return from === undefined ? '' : `${from.file} ${from.line}`;
  };
  return [...addresses.keys()].slice(1).filter((moment) => {
    const [before, here] = [addresses[moment - 1], addresses[moment]];
    const line = lineOf(here);
    if (line === '' || rows.get(here)?.start !== here || lineOf(here - 1) === line) return false;
    const bytes = code(before, 3);
    const isCall = /^(e8|ff[d1]|41ff[d1])/.test(bytes);
    // What returns, or comes from where there are no lines, was called from the line in front.
    const cameFrom = /^(c3|c2|f3c3)/.test(bytes) || lineOf(before) === '' ? lineOf(here - 1) : lineOf(before);
    return isCall || cameFrom !== line;
  });
}

describe.each(['prime-sieve.c', 'deep-recursion.c', 'choose-loop.c', 'pipeline.s', 'sorting.c'])(
  'steps by line in %s',
  (name) => {
    test('come to where a full trace says, forwards and backwards', async () => {
      const [, load, argv] = programNamed(name);
      const image = (await load()) as Image;
      await withProcess(image, argv, async (process) => {
        const addresses = addressesOf(process);
        const begin = beginnings(process, process.images[1], addresses);
        expect(begin.length).toBeGreaterThan(20);
        const end = addresses.length - 1;
        const session = new Session(process, { interval: 700 });
        // One after the other from the start; and from anywhere, in both directions.
        for (const moment of begin.slice(0, 100)) {
          await session.stepLine();
          expect(session.moment).toBe(moment);
        }
        for (const moment of begin.slice(0, 99).reverse()) {
          await session.stepLineBack();
          expect(session.moment).toBe(moment);
        }
        let state = 4711;
        for (let i = 0; i < 60; i++) {
          state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
          const at = state % end;
          await session.go(at);
          await session.stepLine();
          expect(session.moment, `from ${at}`).toBe(begin.find((moment) => moment > at) ?? end);
          await session.go(at);
          await session.stepLineBack();
          expect(session.moment, `back from ${at}`).toBe(begin.findLast((moment) => moment < at) ?? 0);
        }
      });
    });
  },
);

test('a function that calls itself on its only line is stepped into each time', async () => {
  const path = file(
    'one-line.s',
    '.text\n.globl main\nmain: mov $3, %edi\n call f\n xor %eax, %eax\n ret\nf: dec %edi; jz out; call f; out: ret\n',
  );
  await withProcess(await loadProgram([path]), [], async (process) => {
    const session = new Session(process);
    const lines: (number | undefined)[] = [];
    for (let step = 0; step < 7; step++) {
      await session.stepLine();
      lines.push(process.images[1].lineAt(BigInt(process.cpu.rip))?.line);
    }
    expect(lines).toEqual([3, 4, 7, 7, 7, 5, 6]);
    for (const line of lines.slice(0, -1).reverse()) {
      await session.stepLineBack();
      expect(process.images[1].lineAt(BigInt(process.cpu.rip))?.line).toBe(line);
    }
  });
});

test('a line that switches leads to a line of the coroutine that runs then', async () => {
  const [, load, argv] = programNamed('pipeline.s');
  await withProcess(await load(), argv, async (process) => {
    const session = new Session(process);
    await session.nextSwitch();
    await session.nextSwitch();
    const [, first] = [session.history.switches.at(0), session.history.switches.at(1)];
    const before = first.moment;
    await session.stepLineBack();
    const leaving = process.mill.census.id(process.mill.coroutines.running);
    expect(leaving).toBe(first.from);
    await session.stepLine();
    expect(session.moment).toBeGreaterThanOrEqual(before);
    expect(process.mill.census.id(process.mill.coroutines.running)).toBe(first.to);
  });
});

test('a program without lines cannot be stepped by line', async () => {
  const [, load, argv] = programNamed('bodies');
  await withProcess(await load(), argv, async (process) => {
    await expect(new Session(process).stepLine()).rejects.toThrow(/nothing is known of lines.*-g/);
  });
});
