import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { REGISTER_FILE } from '../../../emu/registers.js';
import type { Shown } from './in-node.js';

/** A page, and what went wrong in it. */
export interface Visit {
  readonly page: Page;
  /** What the console calls errors or warnings, and what nobody caught. */
  readonly errors: readonly string[];
  close(): Promise<void>;
}

/** Opens the site in a browser context of its own: no cache, no storage. */
export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const errors: string[] = [];
  page.on('console', (message) => {
    // What a test has asked for itself.
    if (message.text().includes('blocked by Playwright')) return;
    if (['error', 'warning'].includes(message.type())) errors.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(url);
  return { page, errors, close: () => context.close() };
}

/** Waits until the machine is at a moment. */
export async function atMoment(page: Page, moment: number): Promise<void> {
  await page.locator(`.moment[data-moment="${moment}"]`).waitFor();
}

/** The moment that the machine is at. */
export async function momentOf(page: Page): Promise<number> {
  return Number(await page.locator('.moment').getAttribute('data-moment'));
}

/** Waits until the machine can be moved. */
export async function ready(page: Page): Promise<void> {
  await page.locator('.switchboard').waitFor();
}

/** The registers, and both ctx, as they stand on the page. */
export async function shownInPage(page: Page): Promise<Pick<Shown, 'registers' | 'output'> & { contexts: string[][] }> {
  return page.evaluate((names) => {
    const text = (selector: string, within: ParentNode): string => within.querySelector(selector)?.textContent ?? '';
    const rows = [...document.querySelectorAll('.context')];
    return {
      registers: names.map((name): [string, string] => [name, text(`[data-register="${name}"] .now .value`, document)]),
      contexts: rows.map((row) => [
        row.getAttribute('data-coroutine') ?? '',
        ...[...row.querySelectorAll('[data-slot] .value')].map((value) => value.textContent ?? ''),
      ]),
      output: text('.output pre', document),
    };
  }, REGISTER_FILE);
}
