import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHROMIUM, openChromium } from '../../../fixtures/pictures/chromium.js';
import { SHOWN, shownText, WINDOW } from '../../../fixtures/pictures/shown.js';
import type { Contents } from '../../../inspect/web/contents.js';
import { seriousFaults } from './axe.js';
import { atMoment, momentOf, ready, shownInPage, visit } from './browser.js';
import { type Chain, chainInNode, lessonFile, shownInNode, stopsInNode } from './in-node.js';
import { openSite, type Site } from './site.js';

const MEGABYTE = 1_000_000;
/** Steps of a value's way that are shown at once. */
const SHORT = 6;

describe.skipIf(CHROMIUM === undefined)('the page, in Chromium', () => {
  let site: Site;
  let browser: Browser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openSite(), openChromium()]);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    site?.close();
  });

  const contents = (): Contents => JSON.parse(readFileSync(join(site.folder, 'lessons/index.json'), 'utf8'));

  test('transfers less than a megabyte until the first lesson can be stepped', async () => {
    const before = site.sent();
    const { page, errors, close } = await visit(browser, site.url, { serviceWorkers: 'block' });
    await ready(page);
    expect(site.sent() - before).toBeLessThan(MEGABYTE);
    // It opens where its text begins, at main.
    await expect.poll(() => page.locator('.switchboard + .code .place').textContent()).toMatch(/^main /);
    const begins = await momentOf(page);
    await page.keyboard.press('s');
    await atMoment(page, begins + 1);
    expect(errors).toEqual([]);
    await close();
  });

  test('a lesson brings nothing of Node, no assembler, no disassembler and no native engine', async () => {
    const before = site.asked.length;
    const { page, close } = await visit(browser, site.url, { serviceWorkers: 'block' });
    await ready(page);
    const scripts = [...new Set(site.asked.slice(before))]
      .filter((path) => path.endsWith('.js'))
      .map((path) => basename(path));
    expect(scripts.length).toBeGreaterThan(2);
    for (const name of scripts) {
      const text = readFileSync(join(site.folder, 'assets', name), 'utf8');
      expect(text.match(/koffi|ks_asm|cs_disasm|["'`]node:\w+["'`]|cli-table|picocolors/gi), name).toBeNull();
    }
    await close();
  });

  test('says who wrote a value, back to where it was made, and brings the disassembler then', async () => {
    const { page, errors, close } = await visit(browser, `${site.url}#lesson=06-yield`, { serviceWorkers: 'block' });
    const before = site.asked.length;
    await page.reload();
    await ready(page);
    const { moment, chain: expected } = await chainInNode(site, contents()[5].name);
    await goTo(page, moment);
    const asked = (): string[] => site.asked.slice(before).filter((one) => /capstone|origin/.test(one));
    expect(asked()).toEqual([]);
    await page.locator('[data-register="rsi"] .now .value').click();
    await page.getByRole('button', { name: 'Who wrote it?' }).click();
    await chainIs(page, expected.slice(0, SHORT));
    expect(asked().some((one) => one.endsWith('.wasm'))).toBe(true);
    // The rest is asked for.
    const further = page.getByRole('button', { name: 'Further back' });
    for (let count = SHORT; count < expected.length; count += SHORT) {
      await further.click();
      await chainIs(page, expected.slice(0, count + SHORT));
    }
    expect(await further.count()).toBe(0);
    expect(expected.length).toBeGreaterThan(SHORT);
    // Each step leads to its moment.
    await page.locator('.chain li').nth(1).getByRole('button').click();
    await atMoment(page, expected[1].moment);
    // And all that is said in Chinese, too.
    await page.getByRole('combobox', { name: 'Language' }).selectOption('zh');
    await expect.poll(() => page.locator('.chain .from').first().textContent()).toMatch(/\p{Script=Han}/u);
    expect(errors).toEqual([]);
    await close();
  });

  test('stops at breakpoints and when what is watched changes, in both directions, and says why', async () => {
    const { page, errors, close } = await visit(browser, `${site.url}#lesson=06-yield`, { serviceWorkers: 'block' });
    await ready(page);
    const stops = await stopsInNode(site, contents()[5].name);
    const news = page.locator('.news');
    const marked = page.locator('.instructions [aria-pressed="true"]');
    // At the instruction of a breakpoint, by the gutter.
    await goTo(page, stops.breakpoint[0]);
    await page.locator('.instructions [aria-current] .gutter').click();
    await marked.waitFor();
    await page.locator('.source [aria-current] [aria-pressed="true"]').waitFor();
    await goTo(page, 0);
    for (const moment of stops.breakpoint) {
      await page.keyboard.press('c');
      await atMoment(page, moment);
      await expect.poll(() => news.textContent()).toMatch(/^breakpoint 1: /);
    }
    await page.keyboard.press('c');
    await expect.poll(() => news.textContent()).toBe('It does not come any more: this is the end.');
    await page.keyboard.press('Shift+C');
    await atMoment(page, stops.breakpoint.at(-1) ?? 0);
    await marked.waitFor();
    // By the keyboard: taken away at the line that has the focus, and set at the next instruction.
    await page.locator('.instructions [aria-current] .gutter').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('b');
    await expect.poll(() => page.locator('.stops').count()).toBe(0);
    // A line of the source.
    await page.locator('.source [aria-current] .gutter').focus();
    await page.keyboard.press('Enter');
    await page.locator('.source [aria-current] [aria-pressed="true"]').waitFor();
    await page.locator('.stops').getByRole('button', { name: 'remove' }).click();
    await expect.poll(() => page.locator('.stops').count()).toBe(0);
    // A register.
    await page.locator('[data-register="rbx"] .now .value').click();
    await page.getByRole('button', { name: 'Stop when it changes' }).click();
    await page.locator('.stops').waitFor();
    await page.keyboard.press('Escape');
    await goTo(page, 0);
    for (const { moment, before, after } of stops.changes) {
      await page.keyboard.press('c');
      await atMoment(page, moment);
      await expect
        .poll(() => news.textContent())
        .toMatch(new RegExp(`^watchpoint 3: rbx was ${before}, is ${after}, by .+, moment ${moment - 1}$`));
    }
    // And a slot, which is the only one then.
    await page.locator('.stops').getByRole('button', { name: 'remove' }).click();
    await page.locator('.context [data-slot="0"] .value').first().click();
    await page.getByRole('button', { name: 'Stop when it changes' }).click();
    await expect.poll(() => page.locator('.stops li').textContent()).toMatch(/^4 slot rbx, main/);
    expect(errors).toEqual([]);
    await close();
  });

  test('every lesson opens, and is read to its end and back', async () => {
    const { page, errors, close } = await visit(browser, site.url);
    let answered = 0;
    for (const { name, titles } of contents()) {
      await page.getByRole('combobox', { name: 'Lesson' }).selectOption(name);
      await expect.poll(() => page.locator('.lesson h1').textContent()).toBe(titles.en);
      await ready(page);
      const { passages } = await lessonFile(site, name);
      for (let passage = 1; passage < passages; passage++) {
        await page.keyboard.press('.');
        await expect.poll(() => page.locator('.where').textContent()).toBe(`${passage + 1} of ${passages}`);
        await ready(page);
        answered += await answerAll(page);
      }
      await page.keyboard.press('End');
      await page.locator('.ending').waitFor();
      const end = await momentOf(page);
      for (const back of [end - 1, end - 2]) {
        await page.keyboard.press('ArrowLeft');
        await atMoment(page, back);
      }
      await page.keyboard.press('T');
      await page.keyboard.press('Home');
      await atMoment(page, 0);
      await page.keyboard.press('ArrowRight');
      await atMoment(page, 1);
    }
    expect(contents().length).toBe(9);
    expect(answered).toBeGreaterThan(9);
    expect(errors).toEqual([]);
    await close();
  }, 240_000);

  test('shows at 100 moments what a session in Node has there', async () => {
    const { name } = contents()[5];
    const { moments, shown } = await shownInNode(site, name, 100);
    const { page, errors, close } = await visit(browser, `${site.url}#lesson=${name}`);
    await ready(page);
    for (const [index, moment] of moments.entries()) {
      await goTo(page, moment);
      const { registers, contexts, output } = await shownInPage(page);
      const expected = shown[index];
      expect(registers, `registers at moment ${moment}`).toEqual(expected.registers);
      expect(contexts.length, `coroutines at moment ${moment}`).toBe(Math.min(2, expected.coroutines.size));
      for (const [id, ...slots] of contexts) {
        expect(slots, `ctx of ${id} at moment ${moment}`).toEqual(expected.coroutines.get(id));
      }
      expect(output.trim(), `output at moment ${moment}`).toBe(expected.output.trim());
    }
    expect(errors).toEqual([]);
    await close();
  }, 120_000);

  test('a question about the next instruction is not answered by the picture', async () => {
    const { page, errors, close } = await visit(browser, `${site.url}#lesson=${contents()[1].name}`);
    await ready(page);
    await toPassage(page, 3);
    const next = page.locator('[data-register="rcx"] .next .value');
    const question = page.locator('form.question');
    expect(await next.count()).toBe(0);
    await question.getByRole('textbox').fill('0');
    await question.getByRole('button', { name: 'Check' }).click();
    await question.locator('.verdict .wrong').waitFor();
    expect(await next.count()).toBe(0);
    await question.getByRole('textbox').fill('saved');
    await question.getByRole('button', { name: 'Check' }).click();
    await question.locator('.verdict .right').waitFor();
    await next.waitFor();
    // Nor is it hidden once the machine has gone on, and it is again when the question comes anew.
    await page.locator('.lesson h1').click();
    await toPassage(page, 4);
    await toPassage(page, 3);
    expect(await next.count()).toBe(0);
    await page.keyboard.press('s');
    await page.locator('[data-register="rip"] .next .value').waitFor();
    expect(errors).toEqual([]);
    await close();
  });

  test('what a stack overflow is about is seen without scrolling', async () => {
    const { page, errors, close } = await visit(browser, `${site.url}#lesson=09-faults&program=overflow`);
    await ready(page);
    await toPassage(page, 3);
    await page.locator('.ending').waitFor();
    const bottom = async (selector: string): Promise<number> => {
      const box = await page.locator(selector).first().boundingBox();
      return box === null ? Number.POSITIVE_INFINITY : box.y + box.height;
    };
    const controls = await page.locator('.controls').boundingBox();
    expect(await bottom('.ending')).toBeLessThan(controls?.y ?? 0);
    expect(await bottom('.column.register .rsp')).toBeLessThan(controls?.y ?? 0);
    expect(await page.locator('.column.register .segment').allTextContents()).toContain('guard page');
    // And what is asked for when predicting, wherever the page has been scrolled to.
    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await page.keyboard.press('p');
    await expect.poll(async () => (await page.locator('.predict').boundingBox())?.y ?? -1).toBeGreaterThan(40);
    expect(errors).toEqual([]);
    await close();
  });

  test.each(SHOWN)('is what README has a picture of ($name): npm run pictures makes it anew', async (shown) => {
    const { page, close } = await visit(browser, `${site.url}${shown.place}`, WINDOW);
    const text = readFileSync(new URL(`../../../fixtures/pictures/${shown.name}.txt`, import.meta.url), 'utf8');
    expect(await shownText(page, shown)).toBe(text);
    await close();
  });

  test('makes a PNG of a picture, under the policy that it has', async () => {
    const { page, errors, close } = await visit(browser, site.url, { serviceWorkers: 'block' });
    const source = readFileSync(new URL('../../../inspect/web/png.ts', import.meta.url), 'utf8');
    const options = { module: ts.ModuleKind.ES2022, target: ts.ScriptTarget.ES2022 };
    const body = ts
      .transpileModule(source, { compilerOptions: options })
      .outputText.replace('export async', 'globalThis.toPng = toPng; async');
    await page.route('**/png.js', (route) => route.fulfill({ body, contentType: 'text/javascript' }));
    await page.addScriptTag({ url: 'png.js', type: 'module' });
    const made = await page.evaluate(async () => {
      const { toPng } = globalThis as unknown as typeof import('../../../inspect/web/png.js');
      const svg = (inner: string): string =>
        `<svg xmlns="http://www.w3.org/2000/svg" width="30" height="20">${inner}</svg>`;
      const blob: Blob = await toPng(svg('<style>.a{fill:#102030}</style><rect class="a" width="30" height="20"/>'), 2);
      const image = await createImageBitmap(blob);
      const drawing = new OffscreenCanvas(image.width, image.height).getContext('2d');
      drawing?.drawImage(image, 0, 0);
      const refused = await toPng('<svg', 1).catch((error: Error) => error.name);
      return {
        type: blob.type,
        size: [image.width, image.height],
        pixel: [...(drawing?.getImageData(59, 39, 1, 1).data ?? [])],
        refused,
      };
    });
    expect(made).toEqual({ type: 'image/png', size: [60, 40], pixel: [0x10, 0x20, 0x30, 255], refused: 'PngError' });
    expect(errors).toEqual([]);
    await close();
  });

  test('keys that come faster than the machine are not lost', async () => {
    const { page, errors, close } = await visit(browser, `${site.url}#lesson=${contents()[6].name}&at=0`);
    await ready(page);
    for (let press = 0; press < 20; press++) await page.keyboard.press('s', { delay: 0 });
    await atMoment(page, 20);
    for (let press = 0; press < 5; press++) await page.keyboard.press('S', { delay: 0 });
    await atMoment(page, 15);
    for (let press = 0; press < 4; press++) await page.keyboard.press('.', { delay: 0 });
    await expect.poll(() => page.locator('.where').textContent()).toMatch(/^5 of/);
    expect(errors).toEqual([]);
    await close();
  });

  test('a program that never ends is stopped, and the machine goes on being used', async () => {
    const { page, errors, close } = await visit(browser, 'about:blank', { serviceWorkers: 'block' });
    const endless = await lessonFile(site, 'endless');
    await page.route('**/lessons/01-*.json', (route) =>
      route.fulfill({ json: { ...endless.json, name: contents()[0].name } }),
    );
    await page.goto(site.url);
    await ready(page);
    await page.keyboard.press('End');
    await page.getByRole('button', { name: 'Stop' }).click();
    await expect.poll(() => page.getByRole('button', { name: 'Stop' }).count()).toBe(0);
    const stopped = await momentOf(page);
    expect(stopped).toBeGreaterThan(0);
    await page.keyboard.press('ArrowLeft');
    await atMoment(page, stopped - 1);
    // And if nothing else helps, with another machine.
    await page.keyboard.press('End');
    await page.getByRole('button', { name: 'Start the machine again' }).click();
    await atMoment(page, 0);
    await page.keyboard.press('s');
    await atMoment(page, 1);
    expect(errors).toEqual([]);
    await close();
  });

  test('axe finds no serious fault', async () => {
    const { page, close } = await visit(browser, site.url);
    await ready(page);
    expect(await seriousFaults(page)).toEqual([]);
    // With everything that can be opened, in the middle of a switch, in dark colours and at the width of a phone.
    await page.keyboard.press('t');
    await page.keyboard.press('S');
    await page.keyboard.press('p');
    await page.keyboard.press('b');
    await page.locator('.registers .now .value').first().click();
    await page.getByRole('complementary').waitFor();
    await page.keyboard.press('y');
    await page.locator('.chain li').first().waitFor();
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await seriousFaults(page)).toEqual([]);
    await page.keyboard.press('?');
    expect(await seriousFaults(page)).toEqual([]);
    await close();
  }, 240_000);

  test('works without a network once it is loaded', async () => {
    const offline = await openSite();
    const { page, errors, close } = await visit(browser, offline.url);
    await ready(page);
    // What is kept for later is there when the last of it is.
    const isKept = (): Promise<boolean> =>
      page.evaluate(async () => {
        const worker = await navigator.serviceWorker.ready;
        const all = await Promise.all((await caches.keys()).map((name) => caches.open(name)));
        const kept = (await Promise.all(all.map((cache) => cache.keys()))).flat().map(({ url }) => url);
        const later = [/capstone-.*wasm$/, /capstone-.*js$/, /origin-.*js$/];
        return worker.active !== null && later.every((name) => kept.some((url) => name.test(url)));
      });
    await expect.poll(isKept, { timeout: 20_000 }).toBe(true);
    offline.unplug();
    await page.reload();
    await ready(page);
    const last = contents()[contents().length - 1];
    await page.getByRole('combobox', { name: 'Lesson' }).selectOption(last.name);
    await expect.poll(() => page.locator('.lesson h1').textContent()).toBe(last.titles.en);
    await ready(page);
    await page.keyboard.press('Home');
    await atMoment(page, 0);
    await page.keyboard.press('s');
    await atMoment(page, 1);
    await page.locator('[data-register="rdi"] .now .value').click();
    await page.getByRole('button', { name: 'Who wrote it?' }).click();
    await page.locator('.chain li').first().waitFor();
    expect(errors).toEqual([]);
    await close();
    offline.close();
  });

  test('runs no scripts but its own, and evaluates no text', async () => {
    const { page, close } = await visit(browser, site.url);
    await ready(page);
    const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
    // Only an image may be of the page's own making: see png.ts.
    const strict = policy?.replace("'wasm-unsafe-eval'", '').replace("img-src 'self' blob:;", '');
    expect(strict).not.toMatch(/unsafe|data:|blob:|\*/);
    const evaluated = await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'window.wasRun = true';
      document.head.append(script);
      return 'wasRun' in window;
    });
    expect(evaluated).toBe(false);
    await close();
  });
});

/** Goes on or back in the text, by keys. */
async function toPassage(page: Page, number: number): Promise<void> {
  const where = page.locator('.where');
  const at = Number((await where.textContent())?.split(' ')[0]);
  for (let press = 0; press < Math.abs(number - at); press++) await page.keyboard.press(number > at ? '.' : ',');
  await expect.poll(() => where.textContent()).toMatch(new RegExp(`^${number} of`));
  // The text is there before the machine is, and the address says where that rests.
  await expect
    .poll(async () =>
      page
        .url()
        .split(/at=|&/)
        .includes(String(await momentOf(page))),
    )
    .toBe(true);
}

/** Answers all questions of a passage: wrongly, and then as the machine says. @returns how many there are */
async function answerAll(page: Page): Promise<number> {
  const questions = page.locator('form.question');
  for (const question of await questions.all()) {
    const check = question.getByRole('button', { name: 'Check' });
    const options = question.getByRole('radio');
    if ((await options.count()) > 0) {
      const right = question.locator('.verdict .right');
      for (const option of await options.all()) {
        await option.check();
        await check.click();
        await question.locator('.verdict p').first().waitFor();
        if ((await right.count()) > 0) break;
      }
      await right.waitFor();
      continue;
    }
    const field = question.getByRole('textbox');
    await field.fill('no answer at all');
    await check.click();
    await question.getByRole('button', { name: 'see what the machine says' }).click();
    const answer = await question.locator('.machine').textContent();
    await field.fill(answer ?? '');
    await check.click();
    await question.locator('.verdict .right').waitFor();
  }
  // Keys are for the machine again.
  await page.locator('.lesson h1').click();
  return questions.count();
}

/** Waits until a chain is on the page: moments and values, the last write first. */
async function chainIs(page: Page, expected: Chain): Promise<void> {
  const link = /moment (\d+).* = (0x[0-9a-f]+)/s;
  const shown = async (): Promise<unknown> => {
    const texts = await page.locator('.chain li').allInnerTexts();
    return texts.map((text) => {
      const [, moment, value] = link.exec(text) ?? [];
      return { moment: Number(moment), value };
    });
  };
  await expect.poll(shown, { timeout: 20_000 }).toEqual(expected);
}

/** Goes to a moment by the slider. */
async function goTo(page: Page, moment: number): Promise<void> {
  await page.getByRole('slider', { name: 'Who ran when' }).fill(String(moment));
  await atMoment(page, moment);
}
