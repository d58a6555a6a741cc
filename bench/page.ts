import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { build, preview } from 'vite';
import { CHROMIUM, openChromium } from '../fixtures/pictures/chromium.js';
import { Contest, type Row } from './contest.js';
import { percentile } from './history.js';
import type { Effort } from './measure.js';

const CONFIG = fileURLToPath(new URL('../inspect/web/vite.config.ts', import.meta.url));
/** A lesson with two coroutines, and a moment in the middle of its run. */
const PLACE = '#lesson=07-channels&at=200';
/** Keys that are pressed for each figure, one after the other. */
const PRESSES = 60;
const SECONDS = 3;

export const EMPTY_FRAME = 'empty frame';
export const STEP_TO_REPAINT = 'one instruction on, until it is painted';
export const BACK_TO_REPAINT = 'one instruction back, until it is painted';
const FRAMES = 'frames while playing at 60 instructions a second';
const PLAYED = 'instructions while playing at 60 a second';

/**
 * In the page: presses a key at no particular time within a frame, waits for another moment, or without a key for
 * nothing, and then for the frame to be painted. Text, since this is compiled where there is no document.
 */
const PAINTED = `async ({ key, presses }) => {
  const painted = () => new Promise((resolve) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = resolve;
    port2.postMessage(0);
  }));
  const changed = () => new Promise((resolve) => {
    const observer = new MutationObserver(() => { observer.disconnect(); resolve(); });
    observer.observe(document.querySelector('.moment'), { attributes: true, attributeFilter: ['data-moment'] });
  });
  const figures = [];
  for (let press = 0; press < presses; press++) {
    await new Promise((resolve) => setTimeout(resolve, 40 + Math.random() * 16));
    const start = performance.now();
    if (key !== '') {
      const change = changed();
      window.dispatchEvent(new KeyboardEvent('keydown', { key }));
      await change;
    }
    await painted();
    figures.push(performance.now() - start);
  }
  return figures;
}`;

/** In the page: plays for some seconds. */
const PLAYING = `async (seconds) => {
  const moment = () => Number(document.querySelector('.moment').dataset.moment);
  document.querySelector('.mover.play').click();
  await new Promise((resolve) => setTimeout(resolve, 300));
  const [start, first] = [performance.now(), moment()];
  let frames = 0;
  while (performance.now() - start < seconds * 1000) {
    await new Promise((resolve) => requestAnimationFrame(resolve));
    frames += 1;
  }
  const passed = (performance.now() - start) / 1000;
  const last = moment();
  document.querySelector('.mover.play').click();
  return { frames: frames / passed, instructions: (last - first) / passed };
}`;

interface Played {
  readonly frames: number;
  readonly instructions: number;
}

/** How long the page takes from a key to what it shows, in Chromium. */
export async function page({ rounds, divisor }: Effort): Promise<Row[]> {
  const contest = new Contest();
  const on = 'Chromium';
  if (CHROMIUM === undefined) {
    contest.miss({ what: STEP_TO_REPAINT, on }, 'ms', 'there is no Chromium here');
    return contest.rows({ rounds });
  }
  await build({ configFile: CONFIG, logLevel: 'silent' });
  const server = await preview({ configFile: CONFIG, logLevel: 'silent', preview: { port: 0 } });
  const browser = await openChromium();
  try {
    const shown = await show(browser, server.resolvedUrls?.local[0] ?? '');
    const presses = Math.ceil(PRESSES / divisor);
    const median = async (key: string): Promise<number> =>
      percentile(await run<number[]>(shown, PAINTED, { key, presses }), 0.5);
    contest.add({ what: EMPTY_FRAME, on }, 'ms', () => median(''));
    contest.add({ what: STEP_TO_REPAINT, on }, 'ms', () => median('s'), { what: EMPTY_FRAME });
    contest.add({ what: BACK_TO_REPAINT, on }, 'ms', () => median('S'), { what: EMPTY_FRAME });
    let played: Played | undefined;
    contest.add({ what: FRAMES, on }, '1/s', async () => {
      await run(shown, `() => { location.hash = '${PLACE}'; }`, undefined);
      played = await run<Played>(shown, PLAYING, Math.max(1, SECONDS / divisor));
      return played.frames;
    });
    contest.add({ what: PLAYED, on }, '1/s', () => played?.instructions ?? 0);
    return await contest.rows({ rounds });
  } finally {
    await browser.close();
    await server.close();
  }
}

async function show(browser: Browser, url: string): Promise<Page> {
  const shown = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await shown.goto(`${url}${PLACE}`);
  await shown.locator('.speed select').selectOption('60');
  await shown.locator('.switchboard').waitFor();
  return shown;
}

/** Runs a function, as text, in the page. */
function run<Result>(shown: Page, script: string, argument: unknown): Promise<Result> {
  return shown.evaluate(`(${script})(${JSON.stringify(argument)})`);
}
