import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readObject } from '../../asm/elf/object.js';
import type { Image } from '../../asm/image.js';
import { EngineError } from '../../emu/errors.js';
import { ENGINES, loadEngine, openCpu } from '../../emu/open.js';
import type { RegisterName } from '../../emu/registers.js';
import { linkProgram } from '../../inspect/program-image.js';
import { recordSwitches, type SwitchRecord } from '../../inspect/switches.js';
import type { Body } from '../../runtime/bodies.js';
import { libmill } from '../../runtime/libmill.js';
import { go, print } from '../../runtime/operations.js';
import { Process } from '../../runtime/process.js';
import { fixturePrograms, loadFixture } from '../fixture.js';
import { argumentsOf, cPrograms } from '../native.js';
import { CODE, END, image, open } from './guest.js';

/* Two emulators that have little in common are each other's witness: whatever can be observed is the same on both. */

await loadEngine('unicorn.js');
const absent = await loadEngine('native').then(
  () => undefined,
  (error: Error) => {
    if (!(error instanceof EngineError)) throw error;
    return error.message;
  },
);

/** Around where a product no longer fits, or has another sign. */
const FACTORS = [
  0n,
  1n,
  3n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

interface Observed {
  readonly outcomes: readonly unknown[];
  readonly moments: readonly number[];
  readonly output: string;
  readonly switches: readonly SwitchRecord[];
  readonly registers: unknown;
}

function observe(engine: string, program: Image | Body, parameters: readonly string[]): Observed {
  const cpu = openCpu({ engine, memory: 512 << 20 });
  try {
    const guest = new Process(cpu, libmill(), program, ['program', ...parameters]);
    let output = '';
    guest.on('output', ({ stream, bytes }) => {
      output += `${stream}:${new TextDecoder('latin1').decode(bytes)}`;
    });
    const switches: SwitchRecord[] = [];
    recordSwitches(guest, (record) => switches.push(record));
    const outcomes: unknown[] = [];
    const moments: number[] = [];
    for (;;) {
      const outcome = guest.run();
      outcomes.push(outcome);
      moments.push(cpu.moment);
      if (outcome.kind !== 'child') break;
    }
    return { outcomes, moments, output, switches, registers: cpu.readAll() };
  } finally {
    cpu.close();
  }
}

async function sameOnBoth(program: () => Promise<Image | Body>, parameters: readonly string[] = []): Promise<void> {
  const [one, other] = await Promise.all(ENGINES.map(async (engine) => observe(engine, await program(), parameters)));
  expect(other).toEqual(one);
  expect(one.moments.at(-1)).toBeGreaterThan(10);
}

describe.skipIf(absent !== undefined)(`both engines${absent === undefined ? '' : ` (${absent})`}`, () => {
  test.each(fixturePrograms('.s'))('%s runs the same', (name) => sameOnBoth(() => loadFixture(name)));

  test('bodies in JavaScript run the same', () =>
    sameOnBoth(
      async () =>
        function* main() {
          for (const letter of ['a', 'b', 'c']) {
            yield* go(function* () {
              for (let count = 0; count < 3; count++) {
                yield* print(`${letter}\n`);
                yield;
              }
            });
          }
          for (let count = 0; count < 3; count++) yield;
        },
    ));

  test.each(['mul %rcx', 'imul %rcx', 'mul %ecx', 'imul %ecx', 'mul %cx', 'mul %cl', 'imul %rcx, %rax'])(
    '%s gives the same product and flags, run and stepped',
    async (multiply) => {
      const program = await image(`${multiply}\nsetc %r8b\nseto %r9b\nadc $0, %r10\n${END}`);
      const cpus = ENGINES.map((engine) => open(program, engine));
      for (const rax of FACTORS) {
        for (const rcx of FACTORS) {
          const ends = cpus.flatMap((cpu) =>
            (['run', 'step'] as const).map((way) => {
              for (const [name, value] of Object.entries({ rax, rcx, rdx: 0n, r8: 0n, r9: 0n, r10: 0n, eflags: 2n })) {
                cpu.write(name as RegisterName, value);
              }
              cpu.write('rip', BigInt(CODE));
              cpu[way](way === 'run' ? Number.POSITIVE_INFINITY : 100);
              return cpu.readAll();
            }),
          );
          for (const end of ends) expect(end, `${rax} * ${rcx}`).toEqual(ends[0]);
        }
      }
    },
  );

  test.each(cPrograms)('%s runs the same', (name) => {
    const file = fileURLToPath(new URL(`../../fixtures/c/${name.replace(/\.\w+$/, '.o')}`, import.meta.url));
    return sameOnBoth(() => linkProgram([readObject({ name, bytes: readFileSync(file) })]), argumentsOf(name));
  });
});

describe('an engine that cannot be had says what to do', () => {
  const opened = (environment: Readonly<Record<string, string>>, text: string) =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', text], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...process.env, ...environment },
    }).then(
      ({ stdout }) => stdout,
      (error: { stderr: string }) => error.stderr,
    );
  const LOADED = `const { loadEngine, openCpu } = await import('./emu/open.ts'); await loadEngine(); console.log(openCpu().engine)`;
  const UNLOADED = `const { openCpu } = await import('./emu/open.ts'); openCpu()`;

  test('without the library', async () => {
    const text = await opened({ MILLSCOPE_ENGINE: 'native', MILLSCOPE_LIBUNICORN: '/nowhere/libunicorn.so' }, LOADED);
    expect(text).toContain(
      'EngineError: the native engine needs libunicorn, and it is not to be found (tried /nowhere/',
    );
    expect(text).toContain('apt install libunicorn2');
  });

  test.skipIf(process.platform !== 'linux')('a library that is not Unicorn', async () => {
    const text = await opened({ MILLSCOPE_ENGINE: 'native', MILLSCOPE_LIBUNICORN: 'libc.so.6' }, LOADED);
    expect(text).toContain('EngineError: the native engine needs libunicorn 2, and this is not it');
  });

  test('not loaded', async () => {
    expect(await opened({ MILLSCOPE_ENGINE: '' }, UNLOADED)).toContain(
      'unicorn.js is not loaded: await loadEngine() first',
    );
    expect(await opened({ MILLSCOPE_ENGINE: 'native' }, UNLOADED)).toContain('await loadEngine("native") first');
  });

  test('no such engine', async () => {
    expect(await opened({ MILLSCOPE_ENGINE: 'qemu' }, LOADED)).toContain('there is no engine "qemu" here');
  });

  test('nothing chosen', async () => {
    expect(await opened({ MILLSCOPE_ENGINE: '' }, LOADED)).toBe('unicorn.js 1.0.3\n');
  });
});
