/** A link opens the very state that its run was in: all registers, and all of memory. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { differingRegisters, differingWords } from '../../../inspect/diff/state.js';
import { openGuest, openLinked } from '../../../inspect/guest.js';
import { readLink, writeLink } from '../../../inspect/link/link.js';
import type { LinkedRun } from '../../../inspect/link/linked-run.js';
import { linkField, linkLines } from '../../../inspect/linkable.js';
import { DEFAULTS } from '../../../inspect/options.js';
import type { Run, RunOptions } from '../../../inspect/run.js';
import type { Process } from '../../../runtime/process.js';
import { file, folder, ROOT } from '../command.js';

const has = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0;
const noTools = !has('cc') || !has('ar');

const runOf = (paths: readonly string[], options: Partial<RunOptions> = {}, args: readonly string[] = []): Run => ({
  paths: paths.map((path) => (path.startsWith('/') ? path : join(ROOT, path))),
  arguments: args,
  options: { ...DEFAULTS, link: true, ...options },
});

/** Takes a process to a moment, past the ends of children. */
function goTo(guest: Process, moment: number): Process {
  while (guest.cpu.moment < moment && guest.run(moment).kind === 'child');
  return guest;
}

const closed = <Result>(guest: Process, result: Result): Result => {
  guest.cpu.close();
  return result;
};

/** Opens a run, goes to a moment of it, and there makes a link. */
async function linkedAt(run: Run, moment: number) {
  const guest = goTo(await openGuest(run), moment);
  const saved = closed(guest, guest.save());
  expect(guest.cpu.moment).toBe(moment);
  const field = await linkField(run, moment);
  if (!('link' in field)) throw new Error(JSON.stringify(field));
  return { saved, link: field.link, linked: await readLink(field.link) };
}

async function stateOf(linked: LinkedRun) {
  const guest = goTo(await openLinked(linked), linked.moment);
  return closed(guest, guest.save());
}

async function expectSameState(run: Run, moment: number): Promise<LinkedRun> {
  const { saved, linked } = await linkedAt(run, moment);
  const opened = await stateOf(linked);
  expect(differingRegisters(saved, opened)).toEqual([]);
  expect([...differingWords(saved, opened)]).toEqual([]);
  expect({ moment: opened.cpu.moment, program: opened.program }).toEqual({ moment, program: saved.program });
  return linked;
}

const LIBRARY = 'int twice(int x) { return 2 * x; }\n';
const USER = 'int twice(int);\nint main(int argc, char **argv) { return twice(argc) + argv[0][0]; }\n';

describe('what a link opens', () => {
  it.each<[string, string, number, Partial<RunOptions>, string[]]>([
    ['assembly text', 'fixtures/programs/every-slot.s', 258, {}, []],
    ['assembly text that includes a file', 'fixtures/programs/prime-sieve.s', 2000, {}, []],
    ['another seed and memory', 'fixtures/programs/fan-in.s', 300, { seed: 2n ** 64n - 1n, memory: 32 }, []],
    ['arguments and an environment', 'fixtures/c/arguments.o', 500, { env: ['GREETING=hello'] }, ['a', 'b c', '']],
    ['an object', 'fixtures/c/thousand.o', 70_000, {}, []],
    ['an object of C++', 'fixtures/c/destructors.o', 900, {}, []],
    ['a child of fork', 'fixtures/c/fork-children.o', 1400, {}, []],
  ])('is the state of the files: %s', async (_, path, moment, options, args) => {
    await expectSameState(runOf([path], options, args), moment);
  });

  it('carries what is included, and no file besides', async () => {
    const { linked } = await linkedAt(runOf(['fixtures/programs/prime-sieve.s']), 0);
    expect(linked.files.map(({ name, ...rest }) => [name, 'beside' in rest])).toEqual([
      ['prime-sieve.s', false],
      ['print_number.inc', true],
    ]);
  });

  it.skipIf(noTools)(
    'is the state of C, with its source to read, and of the members of archives that it needs',
    async () => {
      const [main, part, spare] = [file('use.c', USER), file('part.c', LIBRARY), file('spare.c', 'int spare;\n')];
      execFileSync('sh', ['-c', `cc -c ${part} ${spare} && ar rcs libpart.a part.o spare.o`], { cwd: folder });
      const text = file('more.s', '        .globl more\nmore:   ret\n');
      const linked = await expectSameState(
        runOf([main, text], { archive: [join(folder, 'libpart.a')], cc: '-O2' }),
        30,
      );
      expect(linked.files.map(({ name }) => name)).toEqual(['more.s', 'use.c.o', 'use.c', 'libpart.a(part.o)']);
      expect(linked.files[2]).toEqual({ name: 'use.c', text: USER, beside: true });
      expect(linked.name).toBe('use.c');
      const { name: _, ...rest } = linked;
      const called = { ...rest, name: 'a-longer-name.c' };
      // Its name lies on the stack: with another one it is another state.
      expect([...differingWords(await stateOf(linked), await stateOf(called))].length).toBeGreaterThan(0);
    },
  );

  it.skipIf(noTools)('is the state of assembly text behind an archive that nothing is needed of', async () => {
    execFileSync('sh', ['-c', `cc -c ${file('none.c', 'int none;\n')} && ar rcs libnone.a none.o`], { cwd: folder });
    const archive = [join(folder, 'libnone.a')];
    await expectSameState(runOf(['fixtures/programs/every-slot.s'], { archive }), 258);
  });

  it('is what has run, whatever is in the file by then', async () => {
    const path = file('changing.s', '        .globl main\nmain:   mov $3, %eax\n        ret\n');
    const run = runOf([path]);
    closed(await openGuest(run), 0);
    file('changing.s', '        .globl main\nmain:   mov $4, %eax\n        ret\n');
    const field = await linkField(run, 1);
    expect((await readLink('link' in field ? field.link : '')).files).toEqual([
      { name: 'changing.s', text: '        .globl main\nmain:   mov $3, %eax\n        ret\n' },
    ]);
  });

  it.each<[string, string[], Partial<RunOptions>, RegExp]>([
    [
      'a module',
      ['fixtures/programs/generators.mjs'],
      {},
      /: .*generators\.mjs is a module, and a link holds assembly/,
    ],
    ['the real clock', ['fixtures/programs/every-slot.s'], { clock: 'real' }, /: it is on the real clock, and never/],
    ['a probe', ['asm/mill_setjmp.s', 'asm/mill_longjmp.s'], { probe: 1 }, /: it is the probe of a switch/],
  ])('is nothing for %s, and one line says so', async (_, paths, options, message) => {
    const run = runOf(paths, options);
    closed(await openGuest(run), 0);
    const lines = await linkLines(run, 3);
    expect(lines).toEqual([expect.stringMatching(/^no link can be made of this run: [^\n]*$/)]);
    expect(lines[0]).toMatch(message);
  });

  it('has the address of the page in front, the one that was asked for', async () => {
    const { link } = await linkedAt(runOf(['fixtures/programs/every-slot.s']), 3);
    expect(link).toMatch(/^http:\/\/localhost:4178\/#run=1\.[\w-]+$/);
    const site = 'https://example.org/mill/#lesson=1';
    const other = await linkedAt(runOf(['fixtures/programs/every-slot.s'], { link: site }), 3);
    expect(other.link).toBe(link.replace('http://localhost:4178/', 'https://example.org/mill/'));
  });

  it('runs on the runtime that it has with it, as --runtime does', async () => {
    const edited = join(ROOT, 'fixtures/playground/broken-r13/runtime/mill_setjmp.s');
    const linked = await expectSameState(runOf(['fixtures/programs/every-slot.s'], { runtime: [edited] }), 180);
    expect(linked.runtime).toEqual([{ name: 'mill_setjmp.s', text: readFileSync(edited, 'utf8') }]);
    const without = await stateOf({ ...linked, runtime: [] });
    expect([...differingWords(await stateOf(linked), without)]).not.toEqual([]);
  });

  it('is refused with a runtime that there is none of, or a machine that there is none of', async () => {
    const { linked } = await linkedAt(runOf(['fixtures/programs/every-slot.s']), 3);
    const other = { ...linked, runtime: [{ name: 'other.s', text: 'ret\n' }] };
    expect(await readLink(await writeLink(other))).toEqual(other);
    await expect(openLinked(other)).rejects.toThrow(/the runtime has no source other\.s/);
    await expect(openLinked({ ...linked, memory: 1 })).rejects.toThrow(/^the run cannot be opened: there are 1 MiB/);
  });
});
