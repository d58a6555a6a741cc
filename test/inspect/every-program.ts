/** All programs of the fixtures, for what must hold of each. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readObject } from '../../asm/elf/object.js';
import type { Image } from '../../asm/image.js';
import { openCpu } from '../../emu/open.js';
import { linkProgram } from '../../inspect/program-image.js';
import type { Body } from '../../runtime/bodies.js';
import { libmill } from '../../runtime/libmill.js';
import { chmake, chr, chs, go, print } from '../../runtime/operations.js';
import { Process } from '../../runtime/process.js';
import { fixturePrograms, loadFixture } from '../fixture.js';
import { argumentsOf, cPrograms } from '../native.js';

const MEMORY = 512 << 20;

/** Bodies in TypeScript that hand values, bytes and bodies around. */
function* bodies(): ReturnType<Body> {
  const channel = yield* chmake(8, 2);
  for (const letter of ['a', 'b', 'c']) {
    yield* go(function* () {
      for (let count = 0; count < 3; count++) {
        yield* print(`${letter}${count}\n`);
        yield* chs(channel, BigInt(count));
        yield;
      }
    });
  }
  let sum = 0n;
  for (let count = 0; count < 9; count++) sum += yield* chr(channel);
  yield* print(`${sum}\n`);
  return 0;
}

/** Each program with a name, and what makes a process of it. */
export const everyProgram: readonly (readonly [
  name: string,
  load: () => Promise<Image | Body>,
  argv: readonly string[],
])[] = [
  ...fixturePrograms('.s').map((name) => [name, () => loadFixture(name), []] as const),
  ...cPrograms.map((name) => [name, () => loadObject(name), argumentsOf(name)] as const),
  ['bodies', () => Promise.resolve(bodies), []],
];

async function loadObject(name: string): Promise<Image> {
  const path = fileURLToPath(new URL(`../../fixtures/c/${name.replace(/\.\w+$/, '.o')}`, import.meta.url));
  return linkProgram([readObject({ name, bytes: readFileSync(path) })]);
}

/** Makes a process of a program in a machine of its own, which is closed when `use` is done with it. */
export async function withProcess<Result>(
  program: Image | Body,
  argv: readonly string[],
  use: (process: Process) => Result | Promise<Result>,
): Promise<Result> {
  const cpu = openCpu({ memory: MEMORY });
  try {
    return await use(new Process(cpu, libmill(), program, ['program', ...argv]));
  } finally {
    cpu.close();
  }
}

/** One of the programs. @throws Error if there is none of that name */
export function programNamed(name: string): (typeof everyProgram)[number] {
  const found = everyProgram.find(([one]) => one === name);
  if (found === undefined) throw new Error(`there is no program ${name} among the fixtures`);
  return found;
}
