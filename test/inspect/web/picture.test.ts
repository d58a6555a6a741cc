import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHROMIUM, openChromium } from '../../../fixtures/pictures/chromium.js';
import { animation } from '../../../inspect/picture/animation.js';
import { picture } from '../../../inspect/picture/picture.js';
import type { Scene } from '../../../inspect/view/scene.js';
import { scenesOf } from '../picture/scenes.js';

/** A text as it is seen. */
interface Seen {
  readonly text: string;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const draw = (scene: Scene): string => picture(scene, { program: 'program.s' });
/** Of the rows of code: in a run of pictures they stay where they are as long as they can. */
const isCode = ({ left, right, top }: Seen): boolean => left > 250 && right < 770 && top > 465 && top < 600;

describe.skipIf(CHROMIUM === undefined)('pictures, in Chromium', () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await openChromium();
    page = await browser.newPage({ viewport: { width: 1100, height: 800 } });
  });

  afterAll(async () => browser?.close());

  /** Shows an SVG, and stops it at a time if that is given. @param ms since its beginning */
  const show = async (svg: string, ms?: number): Promise<Seen[]> => {
    if (ms === undefined || !page.url().startsWith('data:')) {
      await page.goto(`data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`);
    }
    return page.evaluate((time) => {
      if (time !== undefined) {
        for (const one of document.getAnimations()) {
          one.pause();
          one.currentTime = time;
        }
      }
      const texts = [...document.querySelectorAll('text')].filter(
        (one) => one.textContent !== '' && getComputedStyle(one).visibility === 'visible',
      );
      return texts.map((one) => {
        const { left, top, right, bottom } = one.getBoundingClientRect();
        return { text: one.textContent ?? '', left, top, right, bottom };
      });
    }, ms);
  };

  test('no text covers another, or is outside of the picture', async () => {
    const scenes = [
      ...(await scenesOf('every-slot.s', 243)),
      ...(await scenesOf('every-slot.s', 258)),
      ...(await scenesOf('ping-pong.s', 0)),
      ...(await scenesOf('prime-sieve.c', 5000)),
      ...(await scenesOf('deadlock.s', 1e6)),
      ...(await scenesOf('thousand.c', 100_000)),
    ];
    for (const scene of scenes) {
      const svg = draw(scene);
      const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? [];
      const seen = await show(svg);
      expect(seen.length).toBeGreaterThan(50);
      for (const [index, one] of seen.entries()) {
        const { moment } = scene.view;
        expect(
          one.left >= 0 && one.right <= Number(width) && one.bottom <= Number(height),
          `${moment}: ${one.text}`,
        ).toBe(true);
        for (const other of seen.slice(index + 1)) {
          // Lines stand closer than the boxes of their letters, which have room for accents.
          const isApart =
            one.right <= other.left ||
            other.right <= one.left ||
            one.bottom - 4 <= other.top ||
            other.bottom - 4 <= one.top;
          expect(isApart, `at moment ${moment} "${one.text}" covers "${other.text}"`).toBe(true);
        }
      }
    }
  });

  test('a picture that moves shows at each of its moments what the picture of that moment shows', async () => {
    const scenes = await scenesOf('every-slot.s', 246, 8);
    const alone: string[][] = [];
    const told = (seen: readonly Seen[]): string[] =>
      seen
        .filter((one) => !isCode(one))
        .map(({ text, left, top }) => `${text} at ${left.toFixed()} ${top.toFixed()}`)
        .sort();
    for (const scene of scenes) alone.push(told(await show(draw(scene))));
    await page.goto('about:blank');
    const svg = animation(scenes, { program: 'program.s' });
    for (const [index, expected] of alone.entries()) {
      // Values set out a quarter of a moment later.
      expect(told(await show(svg, 1600 * (index + 0.1))), `moment ${index}`).toEqual(expected);
    }
    // A value more is on its way then.
    const midway = await show(svg, 1600 * 0.5);
    expect(midway.length).toBe((await show(svg, 1600 * 0.1)).length + 1);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    expect(told(await show(svg))).toEqual(alone[0]);
    await page.emulateMedia({ reducedMotion: 'no-preference' });
  });
});
