import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { LIBMILL_IMAGE } from '../../asm/libmill.image.js';
import { Disassembler } from '../../emu/disassembler.js';
import { REGISTERS } from '../../emu/registers.js';
import { openGuest } from '../../inspect/guest.js';
import { stepCommand } from '../../inspect/invocation.js';
import { DEFAULTS } from '../../inspect/options.js';
import type { RunOptions } from '../../inspect/run.js';
import { RUNTIME, runtimeSources } from '../../inspect/runtime-files.js';
import { runtimeWith } from '../../inspect/runtime-with.js';
import { Session } from '../../inspect/session.js';
import { sceneOf } from '../../inspect/view/scene.js';
import { sequencesOf } from '../../inspect/view/sequence.js';
import { Viewer } from '../../inspect/view/viewer.js';
import type { Process } from '../../runtime/process.js';
import { millscope } from './command.js';

const fixture = (path: string): string => fileURLToPath(new URL(`../../fixtures/${path}`, import.meta.url));
const PROGRAM = fixture('playground/broken-r13/program.s');
const BROKEN = fixture('playground/broken-r13/runtime/mill_setjmp.s');
const EVERY_SLOT = fixture('programs/every-slot.s');
const folder = mkdtempSync(join(tmpdir(), 'millscope-runtime-'));
afterAll(() => rmSync(folder, { recursive: true }));

const own = (name: string): string => runtimeSources().find((one) => one.name === name)?.text ?? '';

/** A file with an edited source of the runtime. @param text in it once */
function edited(name: string, text: string, other: string): string {
  expect(own(name).split(text)).toHaveLength(2);
  const path = join(folder, name);
  writeFileSync(path, own(name).replace(text, other));
  return path;
}

async function withGuest<Result>(
  path: string,
  options: Partial<RunOptions>,
  use: (guest: Process) => Result | Promise<Result>,
): Promise<Result> {
  const guest = await openGuest({ paths: [path], arguments: [], options: { ...DEFAULTS, ...options } });
  try {
    return await use(guest);
  } finally {
    guest.cpu.close();
  }
}

/** What a program prints and how it ends. */
function printed(path: string, runtime: readonly string[]): Promise<readonly [text: string, outcome: unknown]> {
  return withGuest(path, { runtime }, (guest) => {
    let text = '';
    guest.on('output', ({ bytes }) => {
      text += new TextDecoder().decode(bytes);
    });
    const outcome = guest.run();
    return [text, outcome] as const;
  });
}

/** All registers at each moment of a run. */
function* moments(guest: Process): Generator<string> {
  for (;;) {
    yield REGISTERS.map((name) => guest.cpu.read(name).toString(16)).join(' ');
    const before = guest.cpu.moment;
    guest.step();
    if (guest.cpu.moment === before) return;
  }
}

it('assembles the shipped runtime of the sources beside it', async () => {
  expect((await runtimeWith(runtimeSources(), [])).toJSON()).toEqual(LIBMILL_IMAGE);
});

it('runs with an unchanged source exactly as without, moment by moment', async () => {
  const run = (runtime: readonly string[]) => withGuest(EVERY_SLOT, { runtime }, (guest) => [...moments(guest)]);
  const [shipped, same] = [await run([]), await run([join(RUNTIME, 'mill_setjmp.s')])];
  expect(shipped.length).toBeGreaterThan(500);
  expect(same).toEqual(shipped);
});

// The save writes r13 to slot 5 and then r14 over it; slot 4, from which r13 is restored, nobody writes. A coroutine's
// ctx is on a page that has just been mapped, so that it is 0: each sheep is counted from 0 again.
it('loses r13 with a save whose slot is wrong', async () => {
  const exit = (status: number) => ({ kind: 'exit', status });
  expect(await printed(PROGRAM, [])).toEqual(['sheep: 1\nsheep: 2\nsheep: 3\n', exit(0)]);
  expect(await printed(PROGRAM, [BROKEN])).toEqual(['sheep: 1\nsheep: 1\nsheep: 1\n', exit(0)]);
  expect(await printed(EVERY_SLOT, [BROKEN])).toEqual(['a register was lost\n', exit(1)]);
});

it('runs programs and objects where a longer sequence has moved all that they refer to', async () => {
  const longer = edited('mill_setjmp.s', 'xor     %rax, %rax', 'xor     %rax, %rax\n        nop\n        nop');
  const addresses = await withGuest(EVERY_SLOT, { runtime: [longer] }, (guest) => guest.symbol('puts'));
  expect(addresses).not.toBe(await withGuest(EVERY_SLOT, {}, (guest) => guest.symbol('puts')));
  for (const path of [EVERY_SLOT, fixture('programs/fan-in.s'), fixture('c/prime-sieve.o')]) {
    expect(await printed(path, [longer]), path).toEqual(await printed(path, []));
  }
});

it('gives programs that include a sequence the edited one', async () => {
  await withGuest(PROGRAM, { runtime: [BROKEN] }, ({ images: [, program] }) => {
    const [range] = program.occurrences('mill_setjmp.s');
    const section = program.sectionAt(range.start);
    const bytes = section?.bytes.subarray(Number(range.start - section.address), Number(range.end - section.address));
    // mov %r13, 40(%rdx) (Intel SDM, volume 2, MOV: REX.WR 89 /r disp8)
    expect(Buffer.from(bytes ?? []).includes(Buffer.from([0x4c, 0x89, 0x6a, 40]))).toBe(true);
    expect(Buffer.from(bytes ?? []).includes(Buffer.from([0x4c, 0x89, 0x6a, 32]))).toBe(false);
  });
});

it('shows the sequences that run, and no others', async () => {
  const disassembler = await Disassembler.load();
  const slots = (options: Partial<RunOptions>) =>
    withGuest(PROGRAM, options, (guest) => {
      const save = sequencesOf(guest, disassembler).find(({ kind }) => kind === 'save');
      return save?.steps.flatMap(({ carried }) => (carried?.to === 'slot' ? [`${carried.from} ${carried.slot}`] : []));
    });
  const shipped = ['rbx 0', 'rbp 1', 'r12 2', 'rsp 3', 'r13 4', 'r14 5', 'r15 6', 'rcx 7', 'rdi 8', 'rsi 9'];
  expect(await slots({})).toEqual(shipped);
  expect(await slots({ runtime: [BROKEN] })).toEqual(shipped.map((one) => (one === 'r13 4' ? 'r13 5' : one)));
  disassembler.close();
});

it.each([
  ['in the middle of two slots', '36(%rdx)'],
  ['behind the ctx', '80(%rdx)'],
  ['in front of it', '-8(%rdx)'],
  ['from another register', '32(%rbx)'],
])('shows every moment of a save that goes %s', async (_, place) => {
  const wrong = edited('mill_setjmp.s', '%r13, 32(%rdx)', `%r13, ${place}`);
  await withGuest(PROGRAM, { runtime: [wrong] }, async (guest) => {
    const session = new Session(guest);
    const viewer = await Viewer.open(session);
    for (let moment = 0; moment < 160; moment++) {
      await session.go(moment);
      const { view } = await sceneOf(session, viewer, undefined);
      expect(view.moment).toBe(session.moment);
    }
    viewer.close();
  });
});

it('refuses what is no source of the runtime', async () => {
  const sources = runtimeSources();
  const names = sources.map(({ name }) => name).filter((name) => name.endsWith('.s'));
  const wrong = [{ name: 'mill_setjump.s', text: '' }];
  await expect(runtimeWith(sources, wrong)).rejects.toThrow(
    `the runtime has no source mill_setjump.s; did you mean "mill_setjmp.s"? There are ${names.join(', ')}`,
  );
  const [one] = sources.filter(({ name }) => name === 'mill_setjmp.s');
  await expect(runtimeWith(sources, [one, one])).rejects.toThrow(/given twice/);
  const large = { name: 'bodies.s', text: '        .bss\n        .zero   0x300000\n' };
  await expect(runtimeWith(sources, [large])).rejects.toThrow(/ends at 0x4\w+, where programs are/);
});

it('is an option of every command that runs a program', async () => {
  expect(millscope(['run', PROGRAM, '--runtime', BROKEN])).toMatchObject({
    stdout: 'sheep: 1\nsheep: 1\nsheep: 1\n',
    status: 0,
  });
  const wrong = millscope(['run', PROGRAM, '--runtime', PROGRAM]);
  expect(wrong.stderr).toMatch(/^millscope: the runtime has no source program\.s: .*mill_setjmp\.s/);
  expect(wrong.status).toBe(2);
  const probe = millscope(['run', '--probe', '1', '--runtime', BROKEN, BROKEN, join(RUNTIME, 'mill_longjmp.s')]);
  expect(probe.stderr).toMatch(/--runtime and --probe/);
  const run = { paths: ['a.s'], arguments: [], options: { ...DEFAULTS, runtime: ['x/mill_setjmp.s'] } };
  expect(stepCommand(run, 7)).toBe('millscope step a.s --runtime x/mill_setjmp.s --at 7');
  const [header] = millscope(['trace', PROGRAM, '--runtime', BROKEN, '--format', 'jsonl', '--to', '1']).stdout.split(
    '\n',
  );
  expect(JSON.parse(header)).toMatchObject({ runtime: [BROKEN] });
});
