/** Links on the command line: printed with --link, opened with open. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLink, writeLink } from '../../../inspect/link/link.js';
import { extract } from '../../../inspect/open/extract.js';
import { linkedSources } from '../../../inspect/tui/sources.js';
import { expectComplaint, file, folder, millscope, ROOT } from '../command.js';

const SLOT = 'fixtures/programs/every-slot.s';
const USAGE = 2;
const LINE = /^as a link: (\S+)$/m;

const linkIn = (text: string): string => LINE.exec(text)?.[1] ?? '';

describe('--link', () => {
  it('puts a link below each message that names a moment, and the same into JSON', async () => {
    const site = { MILLSCOPE_SITE: 'https://example.org/mill/' };
    const looked = millscope(['run', SLOT, '--at', '258', '--seed', '5', '--link'], site);
    expect(looked.stdout.trimEnd().split('\n').at(-1)).toMatch(LINE);
    const link = linkIn(looked.stdout);
    expect(link.startsWith('https://example.org/mill/#run=1.')).toBe(true);
    const text = readFileSync(join(ROOT, SLOT), 'utf8');
    const run = {
      name: 'every-slot.s',
      arguments: [],
      environment: [],
      seed: 5n,
      memory: 512,
      moment: 258,
      runtime: [],
    };
    expect(await readLink(link)).toEqual({ ...run, files: [{ name: 'every-slot.s', text }] });

    const asked = millscope(['why', SLOT, 'r12', '--at', '258', '--json', '--link', 'http://other/']);
    const { link: fromJson } = JSON.parse(asked.stdout);
    expect(fromJson).toBe(`http://other/#${await writeLink({ ...(await readLink(link)), seed: 0n })}`);
  });

  it('is there when a run ends badly, and opens to the same end', async () => {
    const { status, stderr } = millscope(['run', 'fixtures/programs/deadlock.s', '--link']);
    const lines = stderr.trimEnd().split('\n');
    expect(lines.at(-3)).toBe('to see that moment: millscope run fixtures/programs/deadlock.s --at 399');
    expect(lines.at(-2)).toMatch(LINE);
    expect((await readLink(linkIn(stderr))).moment).toBe(399);

    const again = millscope(['open', linkIn(stderr), '--run']);
    expect({ status: again.status, first: again.stderr.split('\n')[1] }).toEqual({ status, first: lines[1] });
    expect(again.stderr).toContain(`to see that moment: npx millscope open '${linkIn(stderr)}'`);
    expectComplaint(again, 3, /^millscope: deadlock/m);
  });

  it('is there for both sides of a difference, and for a trace that ends badly', async () => {
    const { stdout } = millscope(['diff', SLOT, 'fixtures/programs/recursion.s', '--link']);
    const both = await Promise.all([...stdout.matchAll(/^ {2}as a link: (\S+)$/gm)].map(([, link]) => readLink(link)));
    expect(both.map(({ files }) => files[0].name)).toEqual(['every-slot.s', 'recursion.s']);
    // Both are told the same name.
    expect(both.map(({ name }) => name)).toEqual(['every-slot.s', 'every-slot.s']);
    expect(new Set(both.map(({ moment }) => moment)).size).toBe(1);
    const { stderr } = millscope(['trace', 'fixtures/programs/deadlock.s', '--from', '390', '--link']);
    expect((await readLink(linkIn(stderr))).moment).toBe(399);
  });

  it('says in one line why there is none, and goes on', () => {
    const { status, stdout, stderr } = millscope(['run', 'fixtures/programs/generators.mjs', '--at', '50', '--link']);
    expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^no link can be made of this run: .*is a module/);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('is no longer for archives, and says what is', () => {
    const message = /Archives are given by --archive now: --archive x\.a/;
    expectComplaint(millscope(['run', SLOT, '--link', 'x.a']), USAGE, message);
    expectComplaint(millscope(['layout', SLOT, '--link', 'x.a']), USAGE, message);
    expectComplaint(millscope(['run', '--link', SLOT]), USAGE, /--link without one goes behind the files/);
    const env = { MILLSCOPE_SITE: 'nowhere' };
    expectComplaint(millscope(['run', SLOT, '--link'], env), USAGE, /MILLSCOPE_SITE=nowhere: it must be an address/);
  });
});

describe('open', () => {
  const linkOf = (text: string, moment: number, name = 'a.s'): Promise<string> =>
    writeLink({
      name,
      arguments: ['x y'],
      environment: ['A=b'],
      seed: 3n,
      memory: 64,
      moment,
      runtime: [],
      files: [
        { name, text },
        { name: 'part.inc', text: 'nop\n', beside: true },
      ],
    });
  const PROGRAM =
    '        .globl main\n        .include "part.inc"\nmain:   mov $7, %ebx\n        mov %ebx, %eax\n        ret\n';

  it('shows the moment as run --at does, and runs the program as run does', async () => {
    const path = file('a.s', PROGRAM);
    file('part.inc', 'nop\n');
    const moment = await linkOf(PROGRAM, 3);
    const options = ['--seed', '3', '--memory', '64', '--env', 'A=b'];
    const opened = millscope(['open', moment]);
    expect(opened.status).toBe(0);
    expect(opened).toEqual(millscope(['run', path, ...options, '--at', '3', '--', 'x y']));
    const { stdout } = millscope(['open', moment, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ moment: 3, coroutines: [{ id: 0 }] });
    expect(millscope(['open', `http://site/#${moment}`, '--run'])).toEqual({ status: 7, stdout: '', stderr: '' });
  });

  it('refuses what is no link, and a moment that is not there', async () => {
    expectComplaint(millscope(['open', 'https://example.org/#lesson=1']), USAGE, /is no link to a moment/);
    expectComplaint(millscope(['open', await linkOf(PROGRAM, 4000)]), USAGE, /the run has no moment 4000: its last/);
    expectComplaint(millscope(['open', await linkOf('nonsense\n', 1)]), USAGE, /a\.s:1:1/, /cannot be assembled/);
  });

  it('shows nothing that acts on a terminal', async () => {
    const text = '        .globl main\nmain:   call "\x1b]0;title\x07"\n';
    const { stdout, stderr } = millscope(['open', await linkOf(text, 1)]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(stdout + stderr).not.toMatch(/[\x00-\x09\x0b-\x1f]/);
  });

  it('writes its files where there are none of them, and the command that goes on from there', async () => {
    const run = await readLink(await linkOf(PROGRAM, 3));
    const where = join(folder, 'new/deep');
    const said = extract(run, where);
    expect(readdirSync(where).sort()).toEqual(['a.s', 'part.inc']);
    expect(readFileSync(join(where, 'a.s'), 'utf8')).toBe(PROGRAM);
    const [, command] = /^to see the moment: millscope (.*)$/m.exec(said) ?? [];
    expect(command).toBe(`run ${where}/a.s --seed 3 --memory 64 --env A=b --at 3 -- 'x y'`);
    const words = command
      .replaceAll("'x y'", 'x_y')
      .split(' ')
      .map((word) => word.replace('x_y', 'x y'));
    expect(millscope(words)).toEqual(millscope(['open', await linkOf(PROGRAM, 3)]));

    writeFileSync(join(where, 'part.inc'), 'edited');
    expect(() => extract(run, where)).toThrow(/a\.s is there already: name an empty or a new folder$/);
    const other = join(folder, 'other');
    mkdirSync(other);
    symlinkSync(join(folder, 'outside'), join(other, 'part.inc'));
    expect(() => extract(run, other)).toThrow(/part\.inc is there already/);
    expect({ outside: existsSync(join(folder, 'outside')), there: readdirSync(other) }).toEqual({
      outside: false,
      there: ['part.inc'],
    });
    expect(readFileSync(join(where, 'part.inc'), 'utf8')).toBe('edited');
    expect(() => extract(run, join(where, 'a.s'))).toThrow(/^cannot write into .*a\.s: E/);
  });

  it('reads no file of this machine, whatever the program says of where it was written', () => {
    const secret = file('secret.s', 'secret\n');
    const sources = linkedSources([
      { name: 'a.s', text: 'one\ntwo' },
      { name: 'a.o', bytes: new Uint8Array() },
    ]);
    expect(sources('a.s')).toEqual(['one', 'two']);
    expect(sources('libmill.s')?.length).toBeGreaterThan(10);
    for (const name of [secret, 'README.md', '../README.md', 'asm/libmill.s', '../../secret.s', 'package.json']) {
      expect(sources(name), name).toBeUndefined();
    }
  });
});
