import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { Link } from '../../../asm/elf/link.js';
import type { ObjectFile } from '../../../asm/elf/object.js';
import { COMPILERS, has, Workshop } from './compile.js';
import { executable } from './executable.js';

// Programs that are linked here run on this machine's processor, and must print what they print when the compiler's own
// tools and C library make programs of them.

const VARIANTS: readonly string[] = [
  '-O0 -fcommon',
  '-O1 -fno-pie',
  '-O2 -fPIE',
  '-O3 -fPIC',
  '-O0 -fPIC -fno-plt',
  '-O2 -fPIC -fno-plt -g',
  '-O2 -fno-pie -fno-plt',
  '-O2 -ffunction-sections -fdata-sections',
  '-O1 -fstack-protector-all -fcf-protection',
  '-O1 -mcmodel=medium -fno-pie',
  '-O1 -mcmodel=medium -fPIC',
  '-O1 -mcmodel=large -fno-pie',
  '-O2 -mcmodel=large -fPIC',
  '-O2 -ftls-model=global-dynamic -fPIC',
  '-O2 -ftls-model=local-dynamic -fPIC',
  '-O1 -ftls-model=initial-exec -fPIC',
  '-O1 -ftls-model=local-exec',
];
const CPP_VARIANTS: readonly string[] = ['-O0', '-O2', '-O0 -fPIC -fno-plt', '-O2 -ffunction-sections -g'];
// What would need more of a C++ library
const NO_LIBRARY = '-std=c++17 -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-use-cxa-atexit';

const workshop = new Workshop();
afterAll(() => workshop.remove());

const run = (program: string) => {
  const { stdout, status, signal } = spawnSync(workshop.path(program), { encoding: 'utf8', timeout: 10_000 });
  return { stdout, status, signal };
};

/** Compares files linked here with what a compiler makes of their sources. */
function expectSame(objects: readonly ObjectFile[], compiler: string, ...sources: readonly string[]): void {
  workshop.object('gcc', ['-O1'], 'host.c', 'host.o');
  workshop.run(compiler, '-o', 'theirs', ...sources.map((name) => workshop.source(name)), 'host.o');
  const start = workshop.object(
    'gcc',
    ['-O1', '-ffreestanding', '-fno-stack-protector', '-fno-pie'],
    'start.c',
    'start.o',
  );
  for (const base of [0x400000n, 0x7effe000n]) {
    const image = new Link([start, ...objects], { base }).finish(new Map());
    writeFileSync(workshop.path('ours'), executable(image, image.symbol('_start')), { mode: 0o755 });
    expect(run('ours')).toEqual(run('theirs'));
  }
}

describe.skipIf(!has('gcc'))('a program that is linked here', () => {
  it.for(COMPILERS.flatMap((compiler) => VARIANTS.map((flags) => [compiler, flags])))(
    'runs as one that %s %s makes',
    ([compiler, flags], { skip }) => {
      skip(!has(compiler), `there is no ${compiler}`);
      const objects = ['one', 'two'].map((name) => {
        return workshop.object(compiler, flags.split(' '), `${name}.c`, `${name}.o`);
      });
      expectSame(objects, 'gcc', 'one.c', 'two.c');
    },
  );

  it.for(['g++', 'clang++'].flatMap((compiler) => CPP_VARIANTS.map((flags) => [compiler, flags])))(
    'has one of what several C++ files have: %s %s',
    ([compiler, flags], { skip }) => {
      skip(!has(compiler), `there is no ${compiler}`);
      const objects = ['derived', 'elsewhere'].map((name) => {
        return workshop.object(compiler, [...NO_LIBRARY.split(' '), ...flags.split(' ')], `${name}.cpp`, `${name}.o`);
      });
      expect(objects.every(({ comdats }) => comdats.length > 0)).toBe(true);
      expectSame(objects, compiler, 'derived.cpp', 'elsewhere.cpp');
    },
  );
});
