/** A link is the same state wherever it is opened: on the page, on the command line, and on the page again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHROMIUM, openChromium } from '../../../fixtures/pictures/chromium.js';
import { openLinked } from '../../../inspect/guest.js';
import { readLink, writeLink } from '../../../inspect/link/link.js';
import type { LinkedRun } from '../../../inspect/link/linked-run.js';
import { Session } from '../../../inspect/session.js';
import { random } from '../../asm/elf/fuzz.js';
import { millscope, ROOT } from '../command.js';
import { atMoment, ready, shownInPage, visit } from './browser.js';
import { type Shown, shownNow } from './in-node.js';
import { openSite, type Site } from './site.js';

const COUNT = 100;
const KEPT = ['rbx', 'r12', 'r13', 'r14', 'r15'];
const BROKEN = readFileSync(join(ROOT, 'fixtures/playground/broken-r13/runtime/mill_setjmp.s'), 'utf8');

type Draw = (below: number) => number;

/** Coroutines that put numbers into the registers that a switch keeps, and yield. */
function programText(draw: Draw): string {
  const body = (name: string, rounds: number, within: readonly string[]): string[] => [
    `${name}:`,
    ...KEPT.map((register) => `        push    %${register}`),
    ...within,
    ...Array.from({ length: rounds }, () => [
      `        mov     $${draw(2 ** 31)}, %${KEPT[draw(KEPT.length)]}`,
      '        xor     %edi, %edi',
      '        call    mill_yield_',
      `        lea     said_${name}(%rip), %rdi`,
      '        call    puts',
    ]).flat(),
    '        xor     %eax, %eax',
    ...KEPT.toReversed().map((register) => `        pop     %${register}`),
    '        ret',
    `said_${name}:`,
    `        .asciz  "${name} ${draw(1000)}"`,
  ];
  const workers = Array.from({ length: 1 + draw(3) }, (_, index) => `worker${index}`);
  return [
    '        .include "libmill.inc"',
    '        .globl  main',
    ...body(
      'main',
      1 + draw(3),
      workers.map((name) => `        go      ${name}`),
    ),
    ...workers.flatMap((name) => body(name, 1 + draw(2), [])),
    '',
  ].join('\n');
}

/** Every tenth one runs on a switch that loses r13. */
function generated(index: number): LinkedRun {
  const draw = random(index);
  return {
    files: [{ name: 'generated.s', text: programText(draw) }],
    runtime: index % 10 === 9 ? [{ name: 'mill_setjmp.s', text: BROKEN }] : [],
    arguments: Array.from({ length: draw(3) }, () => `${draw(10 ** 6)}`),
    name: `program${index}`,
    environment: draw(2) === 0 ? [] : [`NUMBER=${draw(100)}`],
    seed: BigInt(draw(2 ** 31)),
    memory: 512,
    moment: 0,
  };
}

/** A moment of a run, but not its last one, and what is there and one instruction later. */
async function inNode(run: LinkedRun, draw: Draw): Promise<{ moment: number; here: Shown; later: Shown }> {
  const session = new Session(await openLinked(run, 'unicorn.js'));
  try {
    await session.go(Number.POSITIVE_INFINITY);
    const moment = 1 + draw(session.moment - 1);
    await session.go(moment);
    const here = shownNow(session);
    await session.step(1);
    return { moment, here, later: shownNow(session) };
  } finally {
    session.process.cpu.close();
  }
}

/** @param expected as the machine in Node has it */
async function isShown(page: Page, expected: Shown, what: string): Promise<void> {
  await expect
    .poll(async () => (await shownInPage(page)).registers, { timeout: 20_000, message: what })
    .toEqual(expected.registers);
  const { contexts, output } = await shownInPage(page);
  expect(contexts.length, what).toBe(Math.min(2, expected.coroutines.size));
  for (const [id, ...slots] of contexts) expect(slots, `${what}, ctx of ${id}`).toEqual(expected.coroutines.get(id));
  expect(output.trim(), what).toBe(expected.output.trim());
}

describe.skipIf(CHROMIUM === undefined)('links', () => {
  let site: Site;
  let browser: Browser;

  beforeAll(async () => {
    [site, browser] = await Promise.all([openSite(), openChromium()]);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    site?.close();
  });

  test(`lead from the page to the command line and back to the same state, ${COUNT} programs and moments`, async () => {
    const { page, errors, close } = await visit(browser, `${site.url}#play=ping-pong`, { serviceWorkers: 'block' });
    await ready(page);
    for (let index = 0; index < COUNT; index++) {
      const run = generated(index);
      const { moment, here, later } = await inNode(run, random(1000 + index));
      const what = `program ${index} at moment ${moment}`;
      await page.evaluate(
        (hash) => {
          location.hash = hash;
        },
        await writeLink({ ...run, moment }),
      );
      await isShown(page, here, what);
      // What the page then makes a link of is one instruction later.
      await page.locator('.mover[title*="(s)"]').click();
      await atMoment(page, moment + 1);
      await isShown(page, later, `${what}, one later`);
      const linked = async (): Promise<number> => (await readLink(page.url())).moment;
      await expect.poll(linked, { timeout: 20_000, message: what }).toBe(moment + 1);
      expect(await readLink(page.url())).toEqual({ ...run, moment: moment + 1 });
      const { status, stdout } = millscope(['open', page.url(), '--json']);
      expect(status, what).toBe(0);
      const { moment: reached, registers } = JSON.parse(stdout);
      expect(reached).toBe(moment + 1);
      expect(Object.entries(registers), what).toEqual(later.registers);
    }
    expect(errors).toEqual([]);
    await close();
  }, 400_000);
});
