import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Image } from '../../asm/image.js';
import { openCpu } from '../../emu/open.js';
import { ending, STATUS } from '../../inspect/outcome.js';
import type { Body } from '../../runtime/bodies.js';
import { type DeadlockReport, explainDeadlock } from '../../runtime/deadlock.js';
import { Deadlock } from '../../runtime/errors.js';
import { libmill } from '../../runtime/libmill.js';
import { chdone, chmake, choose, chr, chs, go, goprepare, msleep, now } from '../../runtime/operations.js';
import { Process } from '../../runtime/process.js';
import { loadFixture, promised } from '../fixture.js';
import { run, withProcess } from './guest.js';

/** Runs a program that is to end in a deadlock, and has it explained. */
async function deadlock(program: string | Image | Body): Promise<DeadlockReport> {
  return withProcess(program, (process) => {
    expect(process.run(50_000_000)).toMatchObject({ kind: 'error', error: { name: 'Deadlock' } });
    return explainDeadlock(process);
  });
}

const EXIT_0 = { kind: 'exit', status: 0 };

/** One who sends, on a channel that only they know. */
const selfish: Body = function* () {
  yield* chs(yield* chmake(8), 1);
};

describe('a deadlock', () => {
  it('in a circle says who waits where, who used the other end last, and in which order they wait', async () => {
    const report = await deadlock(await loadFixture('deadlock.s'));
    const end = (channel: number, lastPeer: number | undefined) => [
      { channel, wants: 'receive', lastPeer, heldBy: expect.any(Array) },
    ];
    expect(report).toEqual({
      waiters: [
        { coroutine: 0, operation: 'chr(<3>)', at: 'main, for the result', channels: end(3, undefined) },
        { coroutine: 1, operation: 'chr(<2>)', at: '1, for the next answer', channels: end(2, 2) },
        { coroutine: 2, operation: 'chr(<1>)', at: '2, for the next question', channels: end(1, 1) },
      ],
      cycle: [1, 2],
    });
    // go() leaves main's rbx to its children, and the result's channel is in it.
    expect(report.waiters[0]?.channels[0]?.heldBy).toEqual([1, 2]);
  });

  it('of one who waits alone has no circle, and says where by the call', async () => {
    const report = await deadlock(`
main:   push %rbx
        mov $8, %edi
        xor %esi, %esi
        xor %edx, %edx
        call mill_chmake_
        mov %rax, %rdi
        mov $8, %esi
        xor %edx, %edx
        call mill_chr_
        hlt`);
    expect(report).toEqual({
      waiters: [
        {
          coroutine: 0,
          operation: 'chr(<1>)',
          at: expect.stringMatching(/^main.*\(guest\.s:\d+\)$/),
          channels: [{ channel: 1, wants: 'receive', lastPeer: undefined, heldBy: [] }],
        },
      ],
      cycle: undefined,
    });
  });

  it('names the last one at the other end, though it has ended', async () => {
    const { waiters, cycle } = await deadlock(function* () {
      const x = yield* chmake(8);
      yield* go(function* () {
        yield* chs(x, 1);
      });
      yield* chr(x);
      yield* chr(x);
    });
    expect(waiters).toMatchObject([{ coroutine: 0, operation: 'chr(<1>)', channels: [{ lastPeer: 1 }] }]);
    expect(cycle).toBeUndefined();
  });

  it('of one that waits for itself is no circle of others', async () => {
    const { waiters } = await deadlock(function* () {
      const x = yield* chmake(8, 1);
      yield* chs(x, 1);
      yield* chr(x);
      yield* chr(x);
    });
    expect(waiters).toMatchObject([{ coroutine: 0, channels: [{ channel: 1, wants: 'receive', lastPeer: 0 }] }]);
  });

  it('names every channel of a choose, and at which end', async () => {
    const { waiters } = await deadlock(function* () {
      const [x, y] = [yield* chmake(8), yield* chmake(8)];
      yield* choose({ in: x }, { out: y, value: 1 }, { deadline: -1 });
    });
    expect(waiters).toEqual([
      {
        coroutine: 0,
        operation: 'choose(<1>,<2>)',
        at: undefined,
        channels: [
          { channel: 1, wants: 'receive', lastPeer: undefined, heldBy: [] },
          { channel: 2, wants: 'send', lastPeer: undefined, heldBy: [] },
        ],
      },
    ]);
  });

  it('of senders has the last receiver as the other end', async () => {
    const { waiters, cycle } = await deadlock(function* () {
      const [x, y] = [yield* chmake(8), yield* chmake(8)];
      yield* go(function* () {
        yield* chr(x);
        yield* chs(y, 1);
        yield* chs(y, 2);
      });
      yield* chs(x, 1);
      yield* chr(y);
      yield* chs(x, 2);
    });
    // Main sends over x again, and 1 over y again.
    expect(waiters).toMatchObject([
      { coroutine: 0, operation: 'chs(<1>)', channels: [{ channel: 1, wants: 'send', lastPeer: 1 }] },
      { coroutine: 1, operation: 'chs(<2>)', channels: [{ channel: 2, wants: 'send', lastPeer: 0 }] },
    ]);
    expect(cycle).toEqual([0, 1]);
  });

  it('is also that of one who sleeps for ever, and of a choose without clauses', async () => {
    const { waiters, cycle } = await deadlock(function* () {
      yield* go(function* () {
        yield* choose();
      });
      yield* msleep(-1);
    });
    expect(waiters).toMatchObject([
      { coroutine: 0, operation: 'msleep()', channels: [] },
      { coroutine: 1, operation: 'choose()', channels: [] },
    ]);
    expect(cycle).toBeUndefined();
  });

  it('comes when the last one who could run has ended', async () => {
    const { waiters } = await deadlock(function* () {
      yield* go(function* () {
        yield;
        yield* now();
      });
      yield* selfish();
    });
    expect(waiters).toMatchObject([{ coroutine: 0, operation: 'chs(<1>)' }]);
  });

  it('is none while a timer can still wake somebody', async () => {
    const { outcome } = await run(function* () {
      const x = yield* chmake(8);
      const start = yield* now();
      yield* go(selfish);
      yield* go(function* () {
        yield* msleep(start + 1_000_000);
        yield* chdone(x, 1);
      });
      yield* chr(x);
    });
    expect(outcome).toEqual(EXIT_0);
  });

  it('stays one when it is run again, and goes when the process is set back', async () => {
    await withProcess(selfish, (process) => {
      const begin = process.save();
      const outcome = process.run();
      const { moment } = process.cpu;
      expect(process.run()).toBe(outcome);
      process.restore(begin);
      expect(process.run(moment - 1)).toEqual({ kind: 'limit' });
      expect(process.run()).toMatchObject({ kind: 'error' });
    });
  });

  it('is seen at once on the real clock too', () => {
    const cpu = openCpu({ memory: 32 << 20 });
    try {
      const process = new Process(cpu, libmill(), selfish, ['guest'], { clock: 'real' });
      expect(process.run()).toMatchObject({ kind: 'error', error: new Deadlock() });
    } finally {
      cpu.close();
    }
  });
});

describe('a deadlock of 10,000 coroutines', () => {
  const COUNT = 10_000;

  // Each waits for a value from the next one, and the last one for main, which waits for the first.
  const ring: Body = function* () {
    yield* goprepare(COUNT, 4096, 16);
    const first = yield* chmake(8);
    let left = first;
    for (let i = 0; i < COUNT; i++) {
      const [from, to] = [yield* chmake(8), left];
      yield* go(function* () {
        yield* chs(to, yield* chr(from));
      });
      left = from;
    }
    yield* chr(first);
  };

  it('is explained in seconds, and the table is cut', async () => {
    await withProcess(ring, async (process) => {
      const outcome = process.run();
      expect(outcome).toMatchObject({ kind: 'error', error: { name: 'Deadlock' } });
      const started = performance.now();
      const { status, message } = await ending(process, outcome);
      expect(performance.now() - started).toBeLessThan(15_000);
      expect(status).toBe(3);
      const lines = message?.split('\n') ?? [];
      expect(lines.length).toBeLessThan(60);
      expect(lines.at(-1)).toMatch(/^millscope: deadlock: /);
      // 10,000 and main, of which 30 are shown.
      expect(message).toMatch(/9971 more coroutines/);
    });
  });

  // Whispers without the first word. Who waits holds the channel to its left in r12, and main the last one's, so that
  // each seems to wait for the next, and the last one for main.
  it('in one circle is followed all around', async () => {
    const text = `
main:   push %rbx
        push %r12
        push %r13
        mov $${COUNT}, %edi
        mov $1024, %esi
        mov $16, %edx
        call mill_goprepare_
        call make
        mov %rax, %r12
        mov %rax, first(%rip)
        mov $${COUNT}, %ebx
1:      call make
        mov %rax, %r13
        go whisperer
        mov %r13, %r12
        dec %ebx
        jnz 1b
        xor %r13d, %r13d
        mov first(%rip), %rdi
        mov $8, %esi
        xor %edx, %edx
        call mill_chr_
        hlt
whisperer:
        sub $8, %rsp
        mov %r13, %rdi
        xor %r13d, %r13d
        mov $8, %esi
        xor %edx, %edx
        call mill_chr_
        hlt
make:   mov $8, %edi
        xor %esi, %esi
        xor %edx, %edx
        jmp mill_chmake_
        .bss
        .balign 8
first:  .zero 8`;
    const { waiters, cycle } = await deadlock(text);
    expect(waiters).toHaveLength(COUNT + 1);
    expect(cycle).toEqual(Array.from({ length: COUNT + 1 }, (_, id) => id));
  });
});

describe('on the command line, a deadlock', () => {
  const ROOT = fileURLToPath(new URL('../..', import.meta.url));
  const millscope = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'dist/inspect/cli.js'), ...args], {
      cwd: ROOT,
      encoding: 'utf8',
    });
    return { status, stdout, stderr };
  };

  it.each(['virtual', 'real'])('on the %s clock ends with status 3 behind a table and a line of ours', (clock) => {
    const { status, stdout, stderr } = millscope('run', '--clock', clock, 'fixtures/programs/deadlock.s');
    expect(STATUS.deadlock).toBe(3);
    expect(status).toBe(3);
    expect(stdout).toBe(promised('deadlock.s').output);
    const lines = stderr.trimEnd().split('\n');
    const cells = lines
      .filter((line) => line.startsWith('│'))
      .map((line) => line.split('│').map((cell) => cell.trim()));
    expect(cells.map((row) => row.slice(1, 4))).toEqual([
      ['who', 'waits in', 'at'],
      ['main', 'chr(<3>)', 'main, for the result'],
      ['coroutine 1', 'chr(<2>)', '1, for the next answer'],
      ['coroutine 2', 'chr(<1>)', '2, for the next question'],
    ]);
    expect(cells.map((row) => row[4])).toEqual([
      'the other end',
      expect.stringContaining('nobody ever sent to <3>'),
      expect.stringContaining('coroutine 2 last sent to <2>'),
      expect.stringContaining('coroutine 1 last sent to <1>'),
    ]);
    expect(lines.at(-3)).toBe('in a circle: coroutine 1 → coroutine 2 → coroutine 1');
    const option = clock === 'virtual' ? '' : ' --clock real';
    expect(lines.at(-2)).toMatch(
      new RegExp(`^to see that moment: millscope run fixtures/programs/deadlock.s${option} --at \\d+$`),
    );
    expect(lines.at(-1)).toMatch(/^millscope: deadlock: /);
    expect(lines.filter((line) => line.startsWith('millscope:'))).toHaveLength(1);
  });

  it('of a module with bodies in JavaScript has a table too', () => {
    const folder = mkdtempSync(join(tmpdir(), 'deadlock-'));
    try {
      const library = new URL('../../dist/inspect/millscope.js', import.meta.url).href;
      const program = join(folder, 'alone.mjs');
      writeFileSync(
        program,
        `import { chmake, chr } from '${library}';\nexport default function* () { yield* chr(yield* chmake(8)); }\n`,
      );
      const { status, stderr } = millscope('run', program);
      expect(stderr).toMatch(/│ main +│ chr\(<1>\) +│/);
      expect(stderr).toMatch(/nobody ever sent to <1>/);
      expect(status).toBe(3);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
