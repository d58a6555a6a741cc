import { describe, expect, test } from 'vitest';
import { PAGE_SIZE } from '../../../emu/memory.js';
import { REGISTER_FILE } from '../../../emu/registers.js';
import { loadProgram } from '../../../inspect/program.js';
import { Session } from '../../../inspect/session.js';
import { type Extent, Viewer } from '../../../inspect/view/viewer.js';
import { CTX_SLOTS } from '../../../runtime/layout.js';
import type { Process } from '../../../runtime/process.js';
import { file } from '../command.js';
import { everyProgram, programNamed, withProcess } from '../every-program.js';

const EXTENT: Extent = { code: 6, words: 12, coroutines: 6, output: 1000, switches: 3, lane: 20 };
const MOMENTS = 12;
const CTX = 96;

/** A sequence of numbers below 1 that looks random and is always the same (the "minimal standard" generator). */
function* numbers(): Generator<number, never> {
  for (let state = 42; ; ) {
    state = (state * 48271) % 0x7fffffff;
    yield state / 0x7fffffff;
  }
}

interface Told {
  readonly registers: readonly bigint[];
  readonly output: string;
  /** The ten slots of whoever runs. */
  readonly words: readonly bigint[];
}

/** What a straight run of single steps tells of some moments. */
function straight(process: Process, wanted: ReadonlySet<number>, length: number): Map<number, Told> {
  const told = new Map<number, Told>();
  let output = '';
  process.on('output', ({ bytes }) => {
    output += new TextDecoder().decode(bytes);
  });
  const note = (): void => {
    const { cpu } = process;
    if (!wanted.has(cpu.moment)) return;
    const registers = REGISTER_FILE.map((name) => cpu.read(name));
    const { running } = process;
    const words = running === undefined ? [] : CTX_SLOTS.map((_, slot) => cpu.memory.u64(running + CTX + slot * 8));
    told.set(cpu.moment, { registers, output, words });
  };
  note();
  process.step(length, note);
  // The one that ends a process is not visited.
  note();
  return told;
}

describe('the picture of a moment', () => {
  test.each(everyProgram.filter(([name]) => !/fork|thousand|numbers/.test(name)))(
    'shows what a straight run has there, before and after, whichever way it is come to: %s',
    async (_, load, argv) => {
      const program = await load();
      const random = numbers();
      const length = await withProcess(program, argv, (process) => {
        process.run(60_000);
        return process.cpu.moment;
      });
      const moments = Array.from({ length: MOMENTS }, () => 1 + Math.floor(random.next().value * (length - 2)));
      const wanted = new Set(moments.flatMap((moment) => [moment - 1, moment, moment + 1]));
      const told = await withProcess(program, argv, (process) => straight(process, wanted, length));
      await withProcess(program, argv, async (process) => {
        const session = new Session(process);
        const viewer = await Viewer.open(session);
        for (const moment of moments) {
          await session.go(moment);
          const view = await viewer.look(EXTENT);
          expect(session.moment).toBe(moment);
          const [before, now, after] = [moment - 1, moment, moment + 1].map((one) => told.get(one));
          expect(view.registers.map((row) => row.now)).toEqual(now?.registers);
          expect(view.registers.map((row) => row.before)).toEqual(before?.registers);
          if (after !== undefined) expect(view.registers.map((row) => row.after)).toEqual(after.registers);
          // The machine itself is where it was, and nothing is shown that is still to be written.
          expect(REGISTER_FILE.map((name) => process.cpu.read(name))).toEqual(now?.registers);
          expect(view.output.lines.map(({ text }) => text).join('\n')).toBe(now?.output.replace(/\n$/, ''));
          expect(view.output.bytes).toBe(new TextEncoder().encode(now?.output).length);
          if (view.running !== undefined) {
            const own = await viewer.look(EXTENT, view.running);
            expect(own.context.slots.map(({ held }) => held)).toEqual(now?.words);
          }
          const { stack } = view;
          for (const { address, value } of stack.words) expect(process.cpu.memory.u64(address)).toBe(value);
          const next = view.code.rows.filter((row) => row.kind === 'instruction' && row.isNext);
          expect(next.map((row) => row.kind === 'instruction' && row.address)).toEqual([process.cpu.rip]);
        }
        viewer.close();
      });
    },
  );

  test('draws the memory of a coroutine as libmill lays it out', async () => {
    const [, load, argv] = programNamed('pipeline.s');
    await withProcess(await load(), argv, async (process) => {
      const session = new Session(process);
      const viewer = await Viewer.open(session);
      await session.go(604);
      const { stack } = await viewer.look(EXTENT);
      // 256 KiB - 256 bytes, rounded up to pages, and a guard page; mill_cr of 248 bytes is at its end, a valbuf of 128 below.
      expect(stack.end - stack.low).toBe(256 * 1024);
      expect(stack.low - stack.guard).toBe(PAGE_SIZE);
      expect(stack.cr).toBe(stack.end - 248);
      expect(stack.high).toBe(stack.end - 248 - 128);
      expect(stack.words.find(({ address }) => address === stack.rsp)?.note).toMatch(/^returns to mill_chr_/);
      // Nothing below the mark was ever written, and something at it was.
      const { memory } = process.cpu;
      expect(memory.u8(stack.highWater)).not.toBe(0);
      expect(memory.read(stack.low, stack.highWater - stack.low).every((byte) => byte === 0)).toBe(true);
      viewer.close();
    });
  });

  test('shows where rsp points on a stack that the program has made itself', async () => {
    const path = file(
      'own-stack.s',
      `.globl main
main: mov %rsp, %rbx
 lea top(%rip), %rsp
 push $7
pushed: pop %rax
 mov %rbx, %rsp
 xor %eax, %eax
 ret
 .bss
 .skip 64
top: .skip 16
`,
    );
    await withProcess(await loadProgram([path]), ['program'], async (process) => {
      const session = new Session(process);
      const viewer = await Viewer.open(session);
      await session.to('pushed');
      const { stack } = await viewer.look(EXTENT);
      const rsp = Number(process.symbol('top')) - 8;
      expect([stack.rsp, stack.rspIs]).toEqual([rsp, 'register']);
      expect(stack.words).toHaveLength(EXTENT.words);
      expect(stack.words.find(({ address }) => address === rsp)).toMatchObject({ value: 7n, after: 7n });
      viewer.close();
    });
  });

  test('lists compiled code with its lines, and names what it calls', async () => {
    const [, load, argv] = programNamed('prime-sieve.c');
    await withProcess(await load(), argv, async (process) => {
      const session = new Session(process);
      const viewer = await Viewer.open(session, {
        sources: (file) => (file.endsWith('prime-sieve.c') ? ['first line'] : undefined),
      });
      await session.to('main');
      const { code } = await viewer.look({ ...EXTENT, code: 20 });
      expect(code.place).toMatch(/^main \(.*prime-sieve\.c:\d+\)$/);
      expect(code.rows.filter(({ kind }) => kind === 'symbol')).toContainEqual({ kind: 'symbol', name: 'main' });
      expect(code.rows.some((row) => row.kind === 'source' && row.file.endsWith('prime-sieve.c'))).toBe(true);
      expect(
        code.rows.some((row) => row.kind === 'instruction' && /^callq? /.test(row.text) && row.note.startsWith('<')),
      ).toBe(true);
      viewer.close();
    });
  });
});
