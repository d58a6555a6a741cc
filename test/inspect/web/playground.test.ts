import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { REGISTER_FILE } from '../../../emu/registers.js';
import { CHROMIUM, openChromium } from '../../../fixtures/pictures/chromium.js';
import { readLink, writeLink } from '../../../inspect/link/link.js';
import type { LinkedRun } from '../../../inspect/link/linked-run.js';
import type { ShippedRun } from '../../../inspect/web/playground/contents.js';
import { random } from '../../asm/elf/fuzz.js';
import { seriousFaults } from './axe.js';
import { atMoment, momentOf, ready, type Visit, visit } from './browser.js';
import { openSite, type Site } from './site.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FIXTURES = join(ROOT, 'fixtures');
const VITE = join(ROOT, 'node_modules/vite/bin/vite.js');
const SETJMP = 'mill_setjmp.s';

describe.skipIf(CHROMIUM === undefined)('the playground, in Chromium', () => {
  let site: Site;
  let browser: Browser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openSite(), openChromium()]);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    site?.close();
  });

  const shipped = (name: string): ShippedRun =>
    JSON.parse(readFileSync(join(site.folder, `playground/${name}.json`), 'utf8'));
  const textOf = (name: string, file: string): string => {
    const found = shipped(name).files.find((one) => one.name === file);
    return found !== undefined && 'text' in found ? found.text : '';
  };
  const open = async (hash: string): Promise<Visit> => {
    const one = await visit(browser, `${site.url}${hash}`, { serviceWorkers: 'block' });
    await ready(one.page);
    return one;
  };

  test('comes when it is entered, and not with the lessons', async () => {
    const asked: string[] = [];
    const one = await visit(browser, 'about:blank', { serviceWorkers: 'block' });
    one.page.on('request', (request) => asked.push(request.url()));
    await one.page.goto(site.url);
    await ready(one.page);
    expect(asked.filter((url) => /place-|playground|keystone|capstone/.test(url))).toEqual([]);
    await one.page.getByRole('button', { name: 'Playground' }).click();
    await one.page.locator('.workbench .switchboard').waitFor();
    await one.page.getByRole('button', { name: 'Lessons' }).click();
    await one.page.locator('.lesson h1').waitFor();
    await ready(one.page);
    await one.page.goBack();
    await one.page.locator('.workbench .switchboard').waitFor();
    expect(one.errors).toEqual([]);
    await one.close();
  });

  test('says at which line and column an error is, until it is mended', async () => {
    const { page, errors, close } = await open('#play=ping-pong');
    const text = textOf('ping-pong', 'ping-pong.s');
    const lines = text.split('\n');
    const index = lines.findIndex((line) => /^ {8}call {4}puts/.test(line));
    const broken = lines.with(index, '        call    puts, %rfx').join('\n');
    await type(page, 'ping-pong.s', broken);
    const problem = page.locator('.problems li');
    await poll(() => problem.count()).toBe(1);
    // The register is what is unknown: behind eight spaces, `call`, four spaces, `puts` and `, `.
    expect(await problem.getByRole('button').textContent()).toBe(`ping-pong.s:${index + 1}:23`);
    expect(await page.locator('.cm-error').textContent()).toBe('%rfx');
    expect(await page.locator('.cm-message').textContent()).toContain('%rfx');
    await problem.getByRole('button').click();
    await poll(() => page.locator('.cm-activeLine').textContent()).toContain('%rfx');
    await type(page, 'ping-pong.s', text);
    await page.locator('.problems .fine').waitFor();
    expect(await page.locator('.cm-error').count()).toBe(0);
    expect(errors).toEqual([]);
    await close();
  });

  test('a slot is changed: its line, its row, its clause and the outcome say so', async () => {
    const { page, errors, close } = await open('#play=broken-r13');
    const output = page.locator('.outcome .run').first().locator('pre');
    const row = page.locator('.slots [data-offset="32"]');
    const clause = page.locator('[data-clause="r13"]');
    // As its author says in it: with libmill's own switch it counts.
    await page.getByRole('button', { name: `Reset ${SETJMP}` }).click();
    await poll(() => output.textContent()).toBe('sheep: 1\nsheep: 2\nsheep: 3\n');
    await poll(() => row.getAttribute('class')).toBe('');
    expect(await page.locator('.slots tbody tr').count()).toBe(10);
    expect(await clause.getAttribute('class')).toBe('');
    expect(await page.locator('.cm-wrong').count()).toBe(0);
    await type(page, SETJMP, shipped('broken-r13').runtime[0].text);
    await poll(() => output.textContent()).toBe('sheep: 1\nsheep: 1\nsheep: 1\n');
    await poll(() => row.getAttribute('class')).toBe('wrong');
    expect(await row.locator('.verdict').textContent()).toMatch(/^✗ /);
    expect(await page.locator('.cm-wrong').textContent()).toContain('%r13, 40(%rdx)');
    expect(await clause.getAttribute('class')).toBe('wrong');
    expect(errors).toEqual([]);
    await close();
  });

  test('breaks the switch, asks what is broken, and says it', async () => {
    const { page, errors, close } = await open('#play=three-workers');
    await page.getByRole('button', { name: 'Break it for me' }).click();
    const options = page.locator('.riddle').getByRole('radio');
    await poll(() => options.count()).toBe(4);
    expect(await page.locator('.slots').count()).toBe(0);
    expect(await page.locator('.cm-shown, .cm-wrong, .files .edited').count()).toBe(0);
    await options.nth(1).check();
    await page.locator('.riddle').getByRole('button', { name: 'Check' }).click();
    await poll(() => page.locator('.riddle .told strong').textContent()).toMatch(/^[✓✗] /);
    expect(await page.locator('.riddle label.right').count()).toBe(1);
    // The line that was changed is seen, or that in front of which one was left out.
    const [, file, line, was] =
      /(mill_\w+\.s):(\d+) was "([^"]+)"/.exec((await page.locator('.riddle .told').textContent()) ?? '') ?? [];
    expect(
      readFileSync(join(ROOT, 'asm', file), 'utf8')
        .split('\n')
        [Number(line) - 1].trim()
        .replace(/\s+/g, ' '),
    ).toBe(was);
    expect(await page.locator('.tab[aria-pressed="true"]').textContent()).toContain(file);
    await page.locator('.cm-shown').waitFor();
    await page.getByRole('button', { name: 'Another one' }).click();
    await page.getByRole('button', { name: 'I give up' }).click();
    await page.locator('.riddle .told strong').waitFor();
    await page.getByRole('button', { name: 'Mend the switch' }).click();
    await page.locator('.contract .verdict.fine').first().waitFor();
    expect(await page.locator('.riddle').count()).toBe(0);
    expect(errors).toEqual([]);
    await close();
  });

  test('the address leads to the same text, the same options and the same moment', async () => {
    const first = await open('#play=three-workers');
    const text = `${textOf('three-workers', 'three-workers.s')}# and no more\n`;
    await type(first.page, 'three-workers.s', text);
    await first.page.getByText('Run with …').click();
    await first.page.getByRole('textbox', { name: 'Arguments' }).fill(`one "two words"`);
    await first.page.getByRole('textbox', { name: 'Seed' }).fill('7');
    await first.page.getByRole('button', { name: 'Run', exact: true }).click();
    await first.page.locator('.problems .fine').waitFor();
    await first.page.getByRole('slider', { name: 'Who ran when' }).fill('77');
    await atMoment(first.page, 77);
    const moment = async (): Promise<number | undefined> =>
      first.page.url().includes('#run=') ? (await readLink(first.page.url())).moment : undefined;
    await poll(moment).toBe(77);
    const url = first.page.url();
    const before = await registersIn(first.page);
    expect(first.errors).toEqual([]);
    await first.close();

    const second = await open(url.slice(url.indexOf('#')));
    await atMoment(second.page, 77);
    expect(await registersIn(second.page)).toEqual(before);
    await second.page.getByText('Run with …').click();
    expect(await second.page.getByRole('textbox', { name: 'Arguments' }).inputValue()).toBe('one "two words"');
    expect(await second.page.getByRole('textbox', { name: 'Seed' }).inputValue()).toBe('7');
    expect((await readLink(url)).files).toContainEqual({ name: 'three-workers.s', text });
    // What is copied is the same link.
    await second.page.getByText('Share').click();
    await second.page.getByRole('button', { name: 'Copy a command line' }).click();
    const given = second.page.getByRole('textbox', { name: 'Copy a command line' });
    expect(await given.inputValue()).toContain(new URL(url).hash.replace(/&.*/, ''));
    await second.page.getByRole('button', { name: 'Copy a test for vitest' }).click();
    await poll(() => second.page.locator('.given textarea').inputValue()).toContain('# and no more');
    expect(second.errors).toEqual([]);
    await second.close();
  });

  test('refuses damaged and hostile links, and goes on', async () => {
    const { page, errors, close } = await open('#play=ping-pong');
    const run: LinkedRun = {
      files: [{ name: '<img src=x onerror=alert(1)>.s', text: '        .include "<img src=x>"\n' }],
      runtime: [],
      arguments: ['<b>'],
      name: '<i>',
      environment: [],
      seed: 0n,
      memory: 512,
      moment: 0,
    };
    const good = await writeLink(run);
    const draw = random(12);
    const damaged = Array.from({ length: 24 }, (_, index) => {
      const at = 7 + draw(good.length - 8);
      if (index % 3 === 0) return good.slice(0, at);
      if (index % 3 === 1) return `${good.slice(0, at)}${good[at] === 'A' ? 'B' : 'A'}${good.slice(at + 1)}`;
      return `run=1.${Buffer.from(Array.from({ length: 60 }, () => draw(256))).toString('base64url')}`;
    });
    const others = [
      'run=2.AAAA',
      'run=',
      'run=1.',
      'run=1.%00',
      'run=<svg onload=alert(3)>',
      `run=1.${'A'.repeat(50_000)}`,
    ];
    for (const hash of [...damaged, ...others]) {
      // A program that is opened takes the message of the last one away.
      await page.evaluate(() => {
        location.hash = 'play=ping-pong&at=3';
      });
      await poll(() => page.locator('.message').textContent()).toBe('');
      await page.evaluate((to) => {
        location.hash = to;
      }, hash);
      await poll(() => page.locator('.message').textContent(), hash).toMatch(/link/);
    }
    await page.locator('.mover[title*="(s)"]').click();
    expect(await momentOf(page)).toBeGreaterThan(0);
    // A whole one, all of whose names would be harm if they were HTML.
    await page.evaluate((to) => {
      location.hash = to;
    }, good);
    await poll(() => page.locator('.files .tab').first().textContent()).toContain('<img src=x');
    await page.locator('.cm-message', { hasText: '<img src=x>' }).waitFor();
    expect(await foreignElements(page)).toEqual([]);
    expect(errors).toEqual([]);
    await close();
  });

  test('an object is dropped, stepped, and gone when the page is loaded again', async () => {
    const { page, errors, close } = await open('#play=ping-pong');
    await drop(page, 'arguments.o', readFileSync(join(FIXTURES, 'c/arguments.o')));
    await page.locator('.object').waitFor();
    await poll(() => page.locator('.outcome .ending').textContent()).toContain('The program has ended');
    await page.keyboard.press('Home');
    await atMoment(page, 0);
    await page.keyboard.press('s');
    await atMoment(page, 1);
    // What is no object, and what is a damaged one.
    await drop(page, 'note.o', Buffer.from('<img src=x onerror=alert(1)>'));
    await poll(() => page.locator('.message').textContent()).toContain('note.o');
    const damaged = readFileSync(join(FIXTURES, 'c/arguments.o'));
    damaged.fill(0xff, 40, 64);
    await drop(page, '<b>.o', damaged);
    await poll(() => page.locator('.problems, .message').allTextContents()).not.toEqual(['', '']);
    await page.locator('.problems li, .message p').first().waitFor();
    expect(await foreignElements(page)).toEqual([]);
    await drop(page, 'arguments.o', readFileSync(join(FIXTURES, 'c/arguments.o')));
    await poll(() => page.locator('.object').textContent()).toContain('arguments.o');
    await poll(() => page.url()).not.toContain('run=');
    await page.reload();
    await ready(page);
    expect(await page.locator('.object').count()).toBe(0);
    expect(errors).toEqual([]);
    await close();
  });

  test('a program that never ends is stopped', async () => {
    const { page, errors, close } = await open('#play=ping-pong');
    await type(page, 'ping-pong.s', '        .globl  main\nmain:   jmp     main\n');
    await poll(() => page.locator('.outcome').textContent()).toContain('It goes on');
    await page.locator('.mover[title*="(G)"]').click();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.locator('.mover[title*="(g)"]').click();
    await atMoment(page, 0);
    expect(errors).toEqual([]);
    await close();
  });

  test('a moment is saved as a picture', async () => {
    const { page, errors, close } = await open('#play=broken-r13');
    await page.getByText('Share').click();
    for (const [name, file] of [
      ['Save as SVG', /^program-\d+\.svg$/],
      ['Save as PNG', /^program-\d+\.png$/],
      ['Save the next 24 steps as a moving SVG', /^program-\d+-moving\.svg$/],
    ] as const) {
      const [saved] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name, exact: true }).click(),
      ]);
      expect(saved.suggestedFilename()).toMatch(file);
      const bytes = readFileSync(await saved.path());
      expect(bytes.subarray(0, 4).toString('latin1')).toBe(name.includes('PNG') ? '\x89PNG' : '<svg');
    }
    expect(errors).toEqual([]);
    await close();
  });

  test('a number that there is no room for is seen to be cut', async () => {
    const { page, close } = await open('#play=every-slot&at=258');
    for (const width of [1440, 1024, 390]) {
      await page.setViewportSize({ width, height: 900 });
      const { cut, wrong } = await page.evaluate(() => {
        const values = [...document.querySelectorAll<HTMLElement>('.board td .value')];
        const isOut = (value: HTMLElement): boolean => {
          const cell = value.closest('td')?.getBoundingClientRect();
          return cell !== undefined && value.getBoundingClientRect().right > cell.right + 1;
        };
        const cut = values.filter((value) => value.scrollWidth > value.clientWidth);
        const unseen = cut.filter((value) => getComputedStyle(value).textOverflow !== 'ellipsis');
        return { cut: cut.length, wrong: [...unseen, ...values.filter(isOut)].map(({ textContent }) => textContent) };
      });
      expect(wrong, `${width} pixels`).toEqual([]);
      // Or nothing has been tried: its numbers have sixteen digits.
      expect(cut, `${width} pixels`).toBeGreaterThan(5);
    }
    await close();
  });

  test('can be used by keyboard, and axe finds no serious fault', async () => {
    const { page, errors, close } = await open('#play=broken-r13');
    await page.locator('.slots').waitFor();
    const text = editor(page, SETJMP);
    await text.focus();
    // Keys of the machine are letters here.
    const moment = await momentOf(page);
    await page.keyboard.press('Tab');
    await page.keyboard.press('s');
    expect(await focusedText(page)).toBe(true);
    // The first one takes away what is offered.
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(`Reset ${SETJMP}`);
    await page.keyboard.press('Enter');
    await page.locator('.contract .verdict.fine').first().waitFor();
    expect(await momentOf(page)).toBe(moment);
    await page.getByText('Share').click();
    await page.getByText('Run with …').click();
    expect(await seriousFaults(page, '.desk')).toEqual([]);
    await page.getByRole('button', { name: 'Break it for me' }).click();
    await page.locator('.riddle').getByRole('radio').first().check();
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.setViewportSize({ width: 390, height: 844 });
    expect(await seriousFaults(page, '.desk')).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    expect(errors).toEqual([]);
    await close();
  });

  test('opens as README says, at the instruction that loses r13', async () => {
    const [, address] =
      /^\$ npm run web -- --open '([^']+)'$/m.exec(readFileSync(join(ROOT, 'README.md'), 'utf8')) ?? [];
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(scripts.web).toMatch(/&& vite preview inspect\/web$/);
    // The second half of that command, on what is built here, and with a browser that writes down where it is sent.
    const said = join(site.folder, 'said.txt');
    const note = join(site.folder, 'browser.js');
    writeFileSync(
      note,
      `import('node:fs').then((fs) => fs.writeFileSync(${JSON.stringify(said)}, process.argv.at(-1)));`,
    );
    const server = spawn(
      process.execPath,
      [VITE, 'preview', 'inspect/web', '--outDir', site.folder, '--port', '4290', '--open', address],
      { cwd: ROOT, env: { ...process.env, BROWSER: note }, stdio: 'ignore' },
    );
    try {
      await poll(() => existsSync(said) && readFileSync(said, 'utf8')).toMatch(/^http/);
      const { page, errors, close } = await visit(browser, readFileSync(said, 'utf8'), { serviceWorkers: 'block' });
      await ready(page);
      await poll(() => page.locator('.cm-here').textContent()).toContain('mov     %r13, 40(%rdx)');
      expect(await page.locator('.instructions [aria-current] code').textContent()).toBe('movq %r13, 0x28(%rdx)');
      await poll(() => page.locator('.slots [data-offset="32"]').getAttribute('class')).toBe('wrong');
      expect(errors).toEqual([]);
      await close();
    } finally {
      server.kill();
    }
  });

  // The last one: nothing comes from this site any more.
  test('works without a network once it is loaded', async () => {
    const { page, errors, close } = await visit(browser, `${site.url}#play=broken-r13`);
    await ready(page);
    await page.evaluate(async () => {
      const kept = async (): Promise<boolean> => {
        for (const name of await caches.keys()) {
          const requests = await (await caches.open(name)).keys();
          const urls = requests.map(({ url }) => url);
          if (urls.some((url) => /keystone.*wasm/.test(url)) && urls.some((url) => /whispers\.json/.test(url)))
            return true;
        }
        return false;
      };
      while (!(await kept())) await new Promise((resolve) => setTimeout(resolve, 100));
    });
    site.unplug();
    await page.reload();
    await ready(page);
    await page.getByRole('button', { name: `Reset ${SETJMP}` }).click();
    await page.locator('.contract .verdict.fine').first().waitFor();
    expect(errors).toEqual([]);
    await close();
  });
});

/** What comes of something in time. */
function poll<Seen>(look: () => Promise<Seen> | Seen, message?: string) {
  return expect.poll(look, { timeout: 20_000, ...(message !== undefined && { message }) });
}

/** The text of a file. */
function editor(page: Page, file: string): Locator {
  return page.getByRole('textbox', { name: `Text of ${file}.` });
}

/** Puts a text into the editor, as if it were pasted. */
async function type(page: Page, file: string, text: string): Promise<void> {
  await page.locator('.files .tab', { hasText: file }).click();
  const box = editor(page, file);
  await box.focus();
  await page.keyboard.press('Control+a');
  await box.evaluate((element, pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', pasted);
    element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}

/** Whether keys go to the editor. */
async function focusedText(page: Page): Promise<boolean> {
  return page.evaluate(
    () => document.activeElement?.shadowRoot?.activeElement?.classList.contains('cm-content') ?? false,
  );
}

/** Lets a file go over the page. */
async function drop(page: Page, name: string, bytes: Buffer): Promise<void> {
  const data = await page.evaluateHandle(
    ({ name, base64 }) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0))], name));
      return transfer;
    },
    { name, base64: bytes.toString('base64') },
  );
  await page.dispatchEvent('main', 'dragover', { dataTransfer: data });
  await page.locator('.drop').waitFor();
  await page.dispatchEvent('main', 'drop', { dataTransfer: data });
}

/** What no part of the page makes, and a text that was taken for HTML would. */
async function foreignElements(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const shadows = [...document.querySelectorAll('*')].flatMap(({ shadowRoot }) => shadowRoot ?? []);
    const foreign = 'img, iframe, object, embed, body script:not([src]), b, i, [onerror], [onload]';
    return [document, ...shadows].flatMap((root) =>
      [...root.querySelectorAll(foreign)].map(({ outerHTML }) => outerHTML),
    );
  });
}

async function registersIn(page: Page): Promise<string[]> {
  return page.evaluate(
    (names) =>
      names.map((name) => document.querySelector(`[data-register="${name}"] .now .value`)?.textContent ?? 'none'),
    REGISTER_FILE,
  );
}
