/** What is written into a link comes out of it, and is what its format says. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readObject } from '../../../asm/elf/object.js';
import { LIBMILL_IMAGE } from '../../../asm/libmill.image.js';
import { RunLinkError } from '../../../inspect/link/error.js';
import { leanObject } from '../../../inspect/link/lean.js';
import { MOST_CHARACTERS, readLink, VERSION, writeLink } from '../../../inspect/link/link.js';
import type { LinkedFile, LinkedRun } from '../../../inspect/link/linked-run.js';
import { linkProgram } from '../../../inspect/program-image.js';
import { random } from '../../asm/elf/fuzz.js';
import { fixturePrograms } from '../../fixture.js';
import { ROOT } from '../command.js';

const PLAIN: LinkedRun = {
  name: 'a.s',
  arguments: ['one', ''],
  environment: ['A=b'],
  seed: 7n,
  memory: 64,
  moment: 12,
  runtime: [],
  files: [
    { name: 'a.s', text: 'main: ret\n' },
    { name: 'b.o', bytes: Uint8Array.of(0, 255, 1) },
  ],
};

/** A link as its format has it, made by hand of zlib's own. */
const inside = (link: string): Buffer => inflateSync(Buffer.from(link.replace(/^run=1\./, ''), 'base64url'));

const objects = readdirSync(`${ROOT}/fixtures/c`).filter((name) => name.endsWith('.o'));
const object = (name: string): Uint8Array => new Uint8Array(readFileSync(`${ROOT}/fixtures/c/${name}`));

const word = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll('\0', ''));
const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }));
const file = (name: string): fc.Arbitrary<LinkedFile> =>
  fc.oneof(
    text.map((content) => ({ name, text: content })),
    text.map((content) => ({ name, text: content, beside: true as const })),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ name, bytes })),
  );
const names = ['a.s', 'b.s', 'c.o', 'd.c', 'lib x(é).o', '…', '__proto__', 'constructor'];
const runs: fc.Arbitrary<LinkedRun> = fc.record({
  name: fc.constantFrom(...names),
  arguments: fc.array(word, { maxLength: 4 }),
  environment: fc.array(
    word.map((value) => `N=${value}`),
    { maxLength: 3 },
  ),
  seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  memory: fc.integer({ min: 16, max: 1800 }),
  moment: fc.maxSafeNat(),
  runtime: fc.array(text, { maxLength: 2 }).map((texts) => texts.map((one, at) => ({ name: `r${at}.s`, text: one }))),
  files: fc
    .uniqueArray(fc.constantFrom(...names), { minLength: 1 })
    .chain((some) => fc.tuple(...some.map(file)) as fc.Arbitrary<LinkedFile[]>),
});

describe('a link to a moment', () => {
  it('is of a version of its own for each runtime, as moments count what that executes', () => {
    const digest = createHash('sha256').update(JSON.stringify(LIBMILL_IMAGE.sections)).digest('hex');
    expect(`${VERSION} ${digest.slice(0, 16)}`, 'the runtime is another: raise VERSION, and put this here').toBe(
      '1 9028e354b2e7c47f',
    );
  });

  it('holds the run that it was made of, whatever is in it, and is the same for the same one', async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (run) => {
        const link = await writeLink(run);
        expect(link).toMatch(/^run=1\.[\w-]+$/);
        expect(await readLink(link)).toEqual(run);
        expect(await writeLink({ ...run })).toBe(link);
      }),
      { numRuns: 200 },
    );
  });

  it('is a zlib stream of JSON, a zero, and the bytes of objects', async () => {
    const bytes = inside(await writeLink(PLAIN));
    const end = bytes.indexOf(0);
    expect(JSON.parse(bytes.toString('utf8', 0, end))).toEqual({
      ...PLAIN,
      seed: '7',
      files: [
        { name: 'a.s', text: 'main: ret\n' },
        { name: 'b.o', size: 3 },
      ],
    });
    expect([...bytes.subarray(end + 1)]).toEqual([0, 255, 1]);
  });

  it('is found in an address, behind its #, in lines as mail breaks them, and among what else an address says', async () => {
    const link = await writeLink(PLAIN);
    for (const form of [
      `https://example.org/mill/?a=b#${link}`,
      `#${link}`,
      ` ${link.replace(/.{50}/g, '$&\r\n  ')}\n`,
      `http://localhost:4178/#lang=zh&${link}&at=3`,
    ]) {
      expect(await readLink(form)).toEqual(PLAIN);
    }
  });

  it.each([
    ['hello', /^"hello" is no link to a moment: such a link has #run=… at its end$/],
    ['https://example.org/#lesson=01-context&at=3', /is no link to a moment/],
    ['', /^"" is no link/],
    ['run=', /^the link is cut off or damaged: copy all of it again/],
    ['run=1.', /cut off or damaged/],
    ['run=2.eJwDAAAAAAE', /^the link is of version 2, and this millscope reads version 1: update it/],
    ['run=1.!!!!', /cut off or damaged/],
    [`run=1.${'A'.repeat(40_000)}`, /^the link has 40006 characters, and 32000 is the most: /],
  ])('is refused, and it is said why: %.30s', async (wrong, message) => {
    await expect(readLink(wrong)).rejects.toThrow(RunLinkError);
    await expect(readLink(wrong)).rejects.toThrow(message);
  });

  it('is refused when it is cut off anywhere, or goes on', async () => {
    const link = await writeLink(PLAIN);
    for (let length = 'run=1.'.length; length < link.length; length++) {
      await expect(readLink(link.slice(0, length)), `${length}`).rejects.toThrow(/cut off or damaged/);
    }
    await expect(readLink(`${link}AAAA`)).rejects.toThrow(/cut off or damaged/);
  });

  it('holds every program of the fixtures', async () => {
    const lengths: number[] = [];
    for (const name of fixturePrograms('.s')) {
      const files = [{ name, text: readFileSync(`${ROOT}/fixtures/programs/${name}`, 'utf8') }];
      lengths.push((await writeLink({ ...PLAIN, files })).length);
    }
    for (const name of objects) {
      const files = [{ name, bytes: leanObject(name, object(name)) }];
      lengths.push((await writeLink({ ...PLAIN, files })).length);
    }
    expect(lengths.length).toBeGreaterThan(40);
    expect(Math.max(...lengths)).toBeLessThan(MOST_CHARACTERS / 3);
  });

  it('that would be too long is not made, and it is said how long it would be', async () => {
    const pick = random(1);
    const noise = new Uint8Array(30_000).map(() => pick(256));
    const made = writeLink({ ...PLAIN, files: [{ name: 'noise.o', bytes: noise }] });
    await expect(made).rejects.toThrow(
      /^no link can be made: it would have [34]\d{4} characters, and 32000 is the most/,
    );
    const zeros = { name: 'zeros.o', bytes: new Uint8Array(2 << 20) };
    await expect(writeLink({ ...PLAIN, files: [zeros] })).rejects.toThrow(
      /has 209\d{4} bytes, and 1048576 is the most/,
    );
  });

  it.each<[string, Partial<LinkedRun>, RegExp]>([
    ['no file', { files: [] }, /there is no file/],
    ['a path', { files: [{ name: '../a.s', text: '' }] }, /"\.\.\/a\.s" is a path/],
    ['a path of Windows', { files: [{ name: 'a\\b.s', text: '' }] }, /is a path/],
    ['a folder', { files: [{ name: '..', text: '' }] }, /"\.\." is a path/],
    ['a control character', { files: [{ name: 'a\x1b[2J', text: '' }] }, /"a\\x1b\[2J" has characters that cannot be/],
    ['a name that reads backwards', { files: [{ name: 'a\u202eo.s', text: '' }] }, /cannot be seen/],
    ['one name twice', { files: ['a.s', 'A.S'].map((name) => ({ name, text: '' })) }, /two files are called "A\.S"/],
    ['a name of the runtime twice', { runtime: [{ name: 'a.s', text: '' }] }, /two files are called/],
    ['a zero byte', { arguments: ['a\0b'] }, /"a\\x00b" has a zero byte/],
    ['no variable', { environment: ['=b'] }, /"=b" is no variable/],
    ['a seed of 65 bits', { seed: 2n ** 64n }, /the seed 18446744073709551616 is not below 2\^64/],
    ['a negative seed', { seed: -1n }, /the seed -1/],
    ['too little memory', { memory: 15 }, /15 MiB of memory: it must be 16 to 1800/],
    ['too much memory', { memory: 1801 }, /1801 MiB/],
    ['half a moment', { moment: 0.5 }, /0\.5 is no moment/],
    ['a moment that no number holds', { moment: 2 ** 53 }, /is no moment/],
    ['many files', { files: Array.from({ length: 201 }, (_, at) => ({ name: `${at}`, text: '' })) }, /201 files/],
  ])('holds no run with %s', async (_, wrong, message) => {
    await expect(writeLink({ ...PLAIN, ...wrong })).rejects.toThrow(RunLinkError);
    await expect(writeLink({ ...PLAIN, ...wrong })).rejects.toThrow(message);
  });
});

describe('an object in a link', () => {
  it.each(objects)('%s is the same program, with the same lines, and packs to less', async (name) => {
    const bytes = object(name);
    const lean = leanObject(name, bytes);
    const [whole, made] = await Promise.all(
      [bytes, lean].map(async (one) => (await linkProgram([readObject({ name, bytes: one })])).toJSON()),
    );
    expect(made).toEqual(whole);
    expect(whole.lines.length).toBeGreaterThan(0);
    const size = async (one: Uint8Array): Promise<number> =>
      (await writeLink({ ...PLAIN, files: [{ name, bytes: one }] })).length;
    expect(await size(lean)).toBeLessThan(0.7 * (await size(bytes)));
  });
});
