import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { animation } from '../../../inspect/picture/animation.js';
import { colourOf, PALETTES, type Palette } from '../../../inspect/picture/palette.js';
import { picture } from '../../../inspect/picture/picture.js';
import { escaped, fitted } from '../../../inspect/picture/text.js';
import type { Scene } from '../../../inspect/view/scene.js';
import { scenesOf } from './scenes.js';

const THEME = readFileSync(new URL('../../../inspect/web/style/theme.css', import.meta.url), 'utf8');
const HOSTILE = '<script>alert(1)</script>]]>&amp;"\'-->\u0000\u0007\u001b[31m\ud800 \udc00\ufffe\uffff\u202e</text>';

/** Every string of a scene is what a hostile program would have it be. */
function poisoned<Value>(value: Value): Value {
  if (typeof value === 'string') return (value.match(/^[a-z0-9]{1,6}$/) ? value : HOSTILE + value) as Value;
  if (Array.isArray(value)) return value.map(poisoned) as Value;
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    // What says of which kind a thing is comes from no program.
    Object.entries(value).map(([key, one]) => [key, /^(kind|state|rspIs)$/.test(key) ? one : poisoned(one)]),
  ) as Value;
}

/** How many elements of each name there are, as Python's XML parser finds. */
function elements(svg: string): Record<string, number> {
  const program =
    'import sys,json,collections,xml.etree.ElementTree as t;r=t.fromstring(sys.stdin.buffer.read());' +
    'print(json.dumps(collections.Counter(e.tag.split("}")[1] for e in r.iter())))';
  const { stdout, stderr, status } = spawnSync('python3', ['-c', program], { input: svg, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout);
}

const HAS_PYTHON = spawnSync('python3', ['--version']).status === 0;

/** Colours of the page's style sheet by their names. */
function themed(name: string, which: 'light' | 'dark'): string | undefined {
  const [, light, dark] = new RegExp(`--${name}: light-dark\\((#\\w+), (#\\w+)\\)`).exec(THEME) ?? [];
  return which === 'light' ? light : dark;
}

/** The ends of the one arrow: where its line begins, and where its head's point is. */
function arrow(svg: string): { readonly from: number[]; readonly to: number[] } {
  const [, x, y] = /<path d="M([\d.]+) ([\d.]+)[HC][^"]*" class="a"\/><path/.exec(svg) ?? [];
  const [, headX, headY] = /<path d="M([\d.]+) ([\d.]+)l[^"]*z" class="n"/.exec(svg) ?? [];
  return { from: [x, y].map(Number), to: [headX, headY].map(Number) };
}

/** The line that a text is in. */
function lineOf(svg: string, content: string, style: string): number {
  return Number(new RegExp(`y="([\\d.]+)" class="${style}">${content}<`).exec(svg)?.[1]);
}

describe('a picture', () => {
  test('says which value goes where, and draws its arrow that way', async () => {
    // mill_setjmp.s, its line 22: mov %r14, 40(%rdx); main's r14 is a pattern of its own, which line 20 of the program makes.
    const [save] = await scenesOf('every-slot.s', 243);
    const saved = picture(save, { program: 'every-slot.s' });
    expect(saved).toContain('0xf0f1e1e2d2d3c3c goes from r14 to slot 5 r14.');
    expect(saved).toContain('<title>every-slot.s   moment 243   main runs</title>');
    const out = arrow(saved);
    // main is on the left: from the registers to the left, in one line with both texts.
    expect(out.to[0]).toBeLessThan(out.from[0]);
    expect(out.to[1]).toBe(out.from[1]);
    expect(Math.abs(lineOf(saved, 'r14', 'b') - out.to[1])).toBeLessThan(6);

    // mill_longjmp.s, its line 17: movq 48(%rax), %r15; coroutine 2 is on the right.
    const [restore] = await scenesOf('every-slot.s', 259);
    const restored = picture(restore, { program: 'every-slot.s' });
    expect(restored).toContain('goes from slot 6 r15 to r15.');
    const back = arrow(restored);
    expect(back.to[0]).toBeLessThan(back.from[0]);
    expect(back.from[0]).toBeGreaterThan(out.from[0]);
    expect(Math.abs(lineOf(restored, 'r15', 'n b') - back.to[1])).toBeLessThan(6);

    // Line 16: mov %rdx, %rsp stays within the registers, and goes upwards.
    const within = arrow(picture((await scenesOf('every-slot.s', 258))[0], { program: 'every-slot.s' }));
    expect(within.to[0]).toBe(within.from[0]);
    expect(within.to[1]).toBeLessThan(within.from[1]);
  });

  test.skipIf(!HAS_PYTHON)('is well-formed, and has no markup of a hostile program', async () => {
    const scenes = [...(await scenesOf('every-slot.s', 243, 2)), ...(await scenesOf('deadlock.s', 1e6))];
    const made: ((scenes: Scene[], program: string) => string)[] = [
      ([scene], program) => picture(scene, { program }),
      ([, , , ended], program) => picture(ended, { program, colours: 'dark' }),
      (all, program) => animation(all, { program }),
    ];
    for (const make of made) {
      const known = elements(make(scenes, 'a.s'));
      const svg = make(scenes.map(poisoned), HOSTILE);
      const found = elements(svg);
      expect(Object.keys(found).sort()).toEqual(Object.keys(known).sort());
      expect(svg).toContain('&lt;script&gt;alert(1)&lt;/script&gt;]]&gt;&amp;amp;');
      expect(Buffer.from(svg).toString()).toBe(svg);
    }
  });

  test('needs nothing from elsewhere', async () => {
    const svg = animation(await scenesOf('ping-pong.s', 50, 3), { program: 'ping-pong.s' });
    expect(
      svg.match(/url\(|href|@import|<(script|image|foreignObject|use)\b|https?:(?!\/\/www\.w3\.org\/2000\/svg)/gi),
    ).toBeNull();
  });

  test('has the colours of the page', () => {
    const names: Record<Exclude<keyof Palette, 'who'>, string> = {
      paper: 'paper',
      card: 'card',
      ink: 'ink',
      soft: 'soft',
      line: 'line',
      next: 'next',
      nextBack: 'next-back',
      changed: 'changed',
      changedBack: 'changed-back',
      right: 'right',
      wrong: 'wrong',
    };
    for (const which of ['light', 'dark'] as const) {
      const { who, ...others } = PALETTES[which];
      expect(others).toEqual(
        Object.fromEntries(Object.entries(names).map(([key, name]) => [key, themed(name, which)])),
      );
      expect(who).toEqual(who.map((_, index) => themed(`who-${index}`, which)));
    }
    expect([0, 1, 5, 6, 7].map(colourOf)).toEqual([0, 1, 5, 1, 2]);
  });
});

test('twenty moments as one picture are shorter than five of them apart', async () => {
  const scenes = await scenesOf('every-slot.s', 240, 19);
  expect(scenes.length).toBe(20);
  const alone = scenes.map((scene) => picture(scene, { program: 'every-slot.s' }).length);
  const moving = animation(scenes, { program: 'every-slot.s' }).length;
  expect(moving).toBeLessThan(5 * Math.max(...alone));
});

test('texts are cut where they do not fit', () => {
  expect(fitted('abcdef', 6)).toBe('abcdef');
  expect(fitted('abcdefg', 6)).toBe('abcde…');
  expect(fitted('漢字', 4)).toBe('漢字');
  expect(escaped('a\ud83d\ude00\ud800b\t')).toBe('a\ud83d\ude00\ufffdb␉');
});
