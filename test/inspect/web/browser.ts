import type { Browser, BrowserContextOptions, Page } from 'playwright-core';

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
