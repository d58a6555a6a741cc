import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Contest, type Row } from '../bench/contest.js';
import { percentile } from '../bench/history.js';
import { insertInto } from '../bench/markdown.js';
import type { Result } from '../bench/result.js';
import { targets, verdict } from '../bench/targets.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'millscope-bench-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Of a bench on a machine that does much else. */
const LONGEST_MS = 240_000;

/** The bench as people start it, one short round each. */
function bench(parameters: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'bench/main.ts', '--quick', ...parameters],
    { cwd: ROOT, encoding: 'utf8', env: { ...process.env, ...environment } },
  );
  return { status, stdout, stderr };
}

const has = (command: string): boolean => spawnSync(command, ['--version']).status === 0;
const HAS_COMPILER = process.platform === 'linux' && process.arch === 'x64' && has('cc');

/** A PATH with nothing on it but what is named. */
function onlyPath(...commands: string[]): string {
  const bin = mkdtempSync(join(folder, 'bin-'));
  for (const command of commands) {
    const found = spawnSync('sh', ['-c', `command -v ${command}`], { encoding: 'utf8' }).stdout.trim();
    symlinkSync(found, join(bin, command));
  }
  return bin;
}

describe('npm run bench', () => {
  const picture = join(folder, 'bench.svg');
  let result: Result;
  let rows: readonly Row[];
  beforeAll(() => {
    const { status, stdout, stderr } = bench(['--json', '--picture', picture, 'switches', 'stepping']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    result = JSON.parse(stdout);
    rows = Object.values(result.parts).flat();
  }, LONGEST_MS);

  it('measures what it is asked for', () => {
    expect(Object.keys(result.parts)).toEqual(['switches', 'stepping']);
  });

  it('gives each figure with its spread, or says what is not there', () => {
    expect(rows.length).toBeGreaterThan(8);
    for (const { what, on, unit, figure, missing } of rows) {
      expect([what, on, unit].every((text) => text.length > 0)).toBe(true);
      expect([figure === undefined, missing === undefined]).toContain(true);
      if (figure === undefined) expect(missing).toMatch(/\w/);
      else expect([figure.min, figure.median, figure.max].every((value) => value > 0)).toBe(true);
    }
  });

  it('gives every figure as a ratio to another of the same run, or is what others are held against', () => {
    const held = rows.flatMap(({ ratios }) => ratios);
    for (const row of rows.filter(({ figure }) => figure !== undefined)) {
      const isHeldAgainst = held.some(({ what, on }) => what === row.what && on === row.on);
      expect(row.ratios.length > 0 || isHeldAgainst, `${row.what} on ${row.on}`).toBe(true);
      for (const { value, what, on } of row.ratios) {
        const other = rows.find((one) => one.what === what && one.on === on);
        // Of one round the median is the ratio of the two.
        expect(value).toBeCloseTo((row.figure?.median ?? 0) / (other?.figure?.median ?? 0), 9);
      }
    }
  });

  it('names the versions of all that took part', () => {
    expect(result.versions.Node).toBe(process.version);
    expect(result.versions['unicorn.js']).toBe('unicorn.js 1.0.3');
    for (const on of new Set(rows.map((row) => row.on).filter((name) => name !== 'this CPU'))) {
      const measured = rows.some((row) => row.on === on && row.figure !== undefined);
      expect([on, result.versions[on].startsWith('not here')]).toEqual([on, !measured]);
    }
  });

  it('draws a picture that is well-formed and names what it shows', () => {
    const svg = readFileSync(picture, 'utf8').replace(/<!\[CDATA\[.*?\]\]>/s, '');
    const tags = [...svg.matchAll(/<(\/?)([\w:]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/g)];
    expect(tags).toHaveLength(svg.split('<').length - 1);
    expect(svg).not.toMatch(/&(?!amp;|lt;|gt;|quot;|#)/);
    const open: string[] = [];
    for (const [, closes, name, , empty] of tags) {
      if (closes === '/') expect(open.pop()).toBe(name);
      else if (empty !== '/') open.push(name);
    }
    expect(open).toEqual([]);
    expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    for (const label of [
      'Switches a second (on a scale of powers of ten)',
      'millscope: yield, unicorn.js',
      'millscope, unicorn.js',
    ]) {
      expect(svg).toContain(`>${label}<`);
    }
    expect(svg).not.toMatch(/NaN|undefined/);
  });

  it.skipIf(!HAS_COMPILER)('compares with the scheduler in C, on this CPU and emulated', () => {
    const found = result.parts.switches.filter(({ what }) => what === 'yield, scheduler in C');
    expect(found.map(({ on }) => on)).toEqual(expect.arrayContaining(['unicorn.js', 'this CPU']));
  });

  it(
    'shows a table, of what a switch consists of',
    () => {
      const table = bench(['per switch']);
      expect(table).toMatchObject({ status: 0, stderr: '' });
      expect(table.stdout).toMatch(/│ per switch +│ on +│ unit +│ +min │ +median │ +max │ ratio +│/);
      const median = (what: string) =>
        new RegExp(`│ ${what} +│ any engine │ a switch │ +\\S+ │ +(\\S+) │`).exec(table.stdout)?.[1];
      // The swap is eight pushes, two moves, eight pops and a ret: 19. In front of it are two lea and a call; behind it
      // dec and jnz on one side, jmp on the other.
      expect(median('swap of the same ten values: instructions')).toBe('23.5');
      expect(median('yield, in assembly: hypercalls')).toBe('1');
      if (!HAS_COMPILER) return;
      // The scheduler in C is all guest code; ours is behind one door, or three: init, in, wait.
      expect(median('yield, scheduler in C: hypercalls')).toBe('0');
      expect(median('choose, scheduler in C: hypercalls')).toBe('0');
      expect(median('yield: hypercalls')).toBe('1');
    },
    LONGEST_MS,
  );

  it(
    'goes back in a run that it has recorded',
    () => {
      const { status, stdout, stderr } = bench(['--json', 'history']);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const { parts, targets: aims }: Result = JSON.parse(stdout);
      const median = (what: string, on = 'unicorn.js') =>
        parts.history.find((row) => row.what === what && row.on === on)?.figure?.median ?? 0;
      // Of 60 numbers: main sends each, four stages hand it on, and each yields once.
      expect(median('switches of the run')).toBeGreaterThan(60 * (1 + 4 + 4));
      expect(median('length of the run')).toBeGreaterThan(60 * 4 * 32 * 8);
      expect(median('snapshots of the run')).toBeGreaterThan((4 * 16 * 4096) / 2 ** 20);
      for (const move of ['one instruction back', 'back to the previous switch']) {
        const [middle, most] = [median(`${move}, median`), median(`${move}, 99th percentile`)];
        expect([middle > 0, most >= middle]).toEqual([true, true]);
        const aim = aims.find(({ what, on }) => what === `${move}, median` && on === 'unicorn.js');
        expect(aim).toMatchObject({ goal: 10, limit: 'at most', unit: 'ms', reached: middle });
      }
      const slowdown = aims.find(({ what, on }) => what === 'run, recorded / run, not recorded' && on === 'unicorn.js');
      const ratio = median('run, recorded') / median('run, not recorded');
      expect(slowdown?.reached).toBeCloseTo(ratio, 9);
    },
    LONGEST_MS,
  );

  it(
    'says what is not here instead of measuring it',
    () => {
      const environment = { PATH: onlyPath('sh'), MILLSCOPE_LIBUNICORN: '/nowhere/libunicorn.so' };
      const { status, stdout, stderr } = bench(['--json', 'switches', 'stepping'], environment);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const alone: Result = JSON.parse(stdout);
      const missing = Object.values(alone.parts)
        .flat()
        .filter(({ figure }) => figure === undefined);
      expect(missing.map(({ on }) => on)).toEqual(
        expect.arrayContaining(['native', 'this CPU', 'gdb', 'ptrace', 'qemu-user']),
      );
      expect(missing.every((row) => row.missing !== '' && row.ratios.length === 0)).toBe(true);
      expect(alone.targets.find(({ what, on }) => what.endsWith('/ gdb') && on === 'native')?.reached).toBeUndefined();
      expect(alone.versions.gdb).toMatch(/^not here: /);
    },
    LONGEST_MS,
  );

  it('says which parts there are', () => {
    const { status, stderr } = bench(['swiches']);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr:
        'there is no part "swiches": switches, per switch, stepping, tracing, start-up, memory, growth, history, stepper, page\n',
    });
  });

  it('says before it measures that a picture has nowhere to go', () => {
    const ended = bench(['--picture', join(folder, 'none/bench.svg'), 'switches']);
    expect(ended).toEqual({ status: 1, stdout: '', stderr: `there is no folder "${join(folder, 'none')}"\n` });
  });
});

describe('figures', () => {
  it('are medians, and ratios medians of the ratios of each round', async () => {
    const contest = new Contest();
    const from = (figures: number[]) => () => figures.shift() ?? 0;
    // The first round of each does not count.
    contest.add({ what: 'fast', on: 'a' }, 'x/s', from([100, 2, 9, 4]), { what: 'slow' });
    contest.add({ what: 'slow', on: 'a' }, 'x/s', from([100, 1, 3, 1]));
    contest.miss({ what: 'fast', on: 'b' }, 'x/s', 'no b');
    expect(await contest.rows({ rounds: 3 })).toEqual([
      {
        what: 'fast',
        on: 'a',
        unit: 'x/s',
        figure: { min: 2, median: 4, max: 9 },
        ratios: [{ what: 'slow', on: 'a', value: 3 }],
      },
      { what: 'fast', on: 'b', unit: 'x/s', missing: 'no b', ratios: [] },
      { what: 'slow', on: 'a', unit: 'x/s', figure: { min: 1, median: 1, max: 3 }, ratios: [] },
    ]);
  });

  const stepped = (value: number): Row => ({
    what: 'stepped, 18 registers read',
    on: 'unicorn.js',
    unit: 'instructions/s',
    figure: { min: 1, median: 1, max: 1 },
    ratios: [{ what: 'stepped, 18 registers read', on: 'Python unicorn', value }],
  });

  it('reach a target or miss it', () => {
    const of = (value: number) => targets({ stepping: [stepped(value)] }).map((target) => verdict(target));
    // To Python unicorn on unicorn.js and native, then to gdb.
    expect(of(5)).toEqual(['reached', 'not measured', 'not measured', 'not measured']);
    expect(of(4.99)).toEqual(['missed', 'not measured', 'not measured', 'not measured']);
  });

  it('in ms are held against a time', () => {
    const row = (value: number): Row => ({
      what: 'one instruction back, 99th percentile',
      on: 'native',
      unit: 'ms',
      figure: { min: 1, median: value, max: 100 },
      ratios: [],
    });
    const of = (value: number) =>
      targets({ history: [row(value)] })
        .filter((target) => target.reached !== undefined)
        .map(verdict);
    expect([of(30), of(30.1)]).toEqual([['reached'], ['missed']]);
  });

  it('of a percentile are what so many do not exceed', () => {
    // Nearest rank: of 1 to 200, 99 in a hundred do not exceed 198; of one, all are that one.
    const upTo200 = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect([percentile(upTo200, 0.5), percentile(upTo200, 0.99), percentile([7], 0.99)]).toEqual([100, 198, 7]);
  });

  it('replace those of before in a text, and nothing else', () => {
    const parts = { stepping: [stepped(5)] };
    const result: Result = { versions: {}, effort: { rounds: 5, divisor: 1 }, parts, targets: targets(parts) };
    const [begin, end] = ['<!-- bench: written by npm run bench -- --readme -->', '<!-- /bench -->'];
    const once = insertInto(`before\n${begin}\nold\n${end}\nafter`, result);
    expect(once.startsWith(`before\n${begin}\n`)).toBe(true);
    expect(once.endsWith(`${end}\nafter`)).toBe(true);
    expect(once).not.toContain('old');
    expect(once).toMatch(/\| unicorn\.js +\| +1 \(1 to 1\) \|/);
    expect(insertInto(once, result)).toBe(once);
    expect(() => insertInto('before', result)).toThrow(/between/);
  });
});
