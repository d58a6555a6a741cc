/** Links that nobody has made with writeLink: at worst they are refused. */
import { deflateSync, inflateSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { LinkError, ObjectError, UnresolvedSymbols } from '../../../asm/elf/errors.js';
import { UndefinedSymbol } from '../../../asm/errors.js';
import { OutOfMemory } from '../../../emu/errors.js';
import { openLinked } from '../../../inspect/guest.js';
import { whatIsWrong } from '../../../inspect/link/check.js';
import { RunLinkError } from '../../../inspect/link/error.js';
import { leanObject } from '../../../inspect/link/lean.js';
import { readLink, writeLink } from '../../../inspect/link/link.js';
import type { LinkedRun } from '../../../inspect/link/linked-run.js';
import { mutate, type Random, random, seeds } from '../../asm/elf/fuzz.js';

const RUN: LinkedRun = {
  name: 'a.s',
  arguments: ['one', 'two'],
  environment: ['A=b', 'C=d'],
  seed: 7n,
  memory: 64,
  moment: 12,
  runtime: [{ name: 'mill_setjmp.s', text: 'ret\n' }],
  files: [
    { name: 'a.s', text: '        .globl main\nmain:   mov $3, %eax\n        ret\n' },
    { name: 'print.inc', text: 'nop\n', beside: true },
    { name: 'b.o', bytes: Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0, 0, 1, 2) },
    { name: 'c.o', bytes: new Uint8Array(40) },
  ],
};

const CHARACTERS = 'ABCabc019-_=.&#%+/ \n\0…é\u{1f600}run';
const TYPES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  0.5,
  1e308,
  2 ** 53,
  2 ** 31,
  '',
  '..',
  'a/b',
  '\u0000',
  '\u001b[2J',
  '\ud800',
  '99999999999999999999',
  '0x10',
  '-0',
  [],
  {},
  [[]],
  [null],
  { length: 3 },
  { name: 'x.s', text: 'ret' },
  { name: 'a.s', size: 1 },
  { name: 'x.o', size: 2 ** 40 },
  { name: 'x.o', size: -1, text: '' },
];
const KEYS = ['__proto__', 'constructor', 'toString', 'length', 'name', 'size', 'text', 'beside', 'files', 'x', ''];

const linkOf = (bytes: Uint8Array): string => `run=1.${deflateSync(bytes).toString('base64url')}`;

function flip(bytes: Uint8Array, pick: Random): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (let count = 1 + pick(4); count > 0; count--) copy[pick(copy.length)] = pick(256);
  if (pick(4) === 0) return copy.subarray(0, pick(copy.length));
  return copy;
}

/** Changes a place somewhere in a value of JSON, in the value itself. */
function spoil(value: unknown, pick: Random): unknown {
  if (typeof value !== 'object' || value === null || pick(6) === 0) return TYPES[pick(TYPES.length)];
  if (Array.isArray(value)) {
    if (value.length === 0 || pick(5) === 0) return [...value, TYPES[pick(TYPES.length)]];
    if (pick(8) === 0) return Array.from({ length: pick(3000) }, () => value[0]);
    const at = pick(value.length);
    return value.map((item, index) => (index === at ? spoil(item, pick) : item));
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return TYPES[pick(TYPES.length)];
  const at = pick(entries.length);
  const fields = new Map<string, unknown>(entries);
  if (pick(5) === 0) fields.set(KEYS[pick(KEYS.length)], TYPES[pick(TYPES.length)]);
  else if (pick(8) === 0) fields.delete(entries[at][0]);
  else fields.set(entries[at][0], spoil(entries[at][1], pick));
  // fromEntries defines __proto__ as a field, and does not set it.
  return Object.fromEntries(fields);
}

const DEEP = ['[', '{"a":', '{"files":['].map((open) => Buffer.from(`${open.repeat(300_000)}\0`));
const BOMBS = [
  Buffer.alloc(20 << 20),
  Buffer.from(`{"files":["${'a'.repeat(6 << 20)}"]}\0`),
  Buffer.from(`[${'[],'.repeat(300_000)}[]]\0`),
  ...DEEP,
];

/** One hostile link. */
function hostile(link: string, content: Buffer, bombs: readonly string[], pick: Random): string {
  const end = content.indexOf(0);
  const json = content.subarray(0, end);
  switch (pick(9)) {
    case 0:
      return Array.from({ length: pick(60) }, () => CHARACTERS[pick(CHARACTERS.length)]).join('');
    case 1:
      return `run=${pick(3)}.${Array.from({ length: pick(200) }, () => CHARACTERS[pick(14)]).join('')}`;
    case 2: {
      // A character of a link
      const at = 'run=1.'.length + pick(link.length);
      return link.slice(0, at) + CHARACTERS[pick(CHARACTERS.length)] + link.slice(at + pick(3));
    }
    case 3:
      return `run=1.${Buffer.from(flip(deflateSync(content), pick)).toString('base64url')}`;
    case 4:
      return linkOf(flip(content, pick));
    case 5: {
      // The bytes of objects: fewer or more than it says
      const rest = content.subarray(end, end + pick(content.length - end + 1));
      return linkOf(Buffer.concat([json, rest, Buffer.alloc(pick(3))]));
    }
    case 6:
      return pick(50) === 0 ? bombs[pick(bombs.length)] : linkOf(content.subarray(0, pick(content.length)));
    default: {
      let value: unknown = JSON.parse(json.toString());
      for (let count = 1 + pick(3); count > 0; count--) value = spoil(value, pick);
      return linkOf(Buffer.concat([Buffer.from(`${JSON.stringify(value)}`), content.subarray(end)]));
    }
  }
}

describe('a hostile link', () => {
  let link = '';
  let content: Buffer = Buffer.alloc(0);
  let bombs: readonly string[] = [];
  beforeAll(async () => {
    link = await writeLink(RUN);
    content = inflateSync(Buffer.from(link.slice('run=1.'.length), 'base64url'));
    bombs = BOMBS.map(linkOf);
  });

  it('is refused by a message, or is a run that could have been written: 10,000 of them', async () => {
    const ends = new Map<string, number>();
    const count = (end: string): void => void ends.set(end, (ends.get(end) ?? 0) + 1);
    for (let seed = 0; seed < 10_000; seed++) {
      const wrong = hostile(link, content, bombs, random(seed));
      try {
        const run = await readLink(wrong);
        expect(whatIsWrong(run), `${seed}`).toBeUndefined();
        expect(Object.keys(run).sort(), `${seed}`).toEqual(Object.keys(RUN).sort());
        expect(await readLink(await writeLink(run)), `${seed}`).toEqual(run);
        count('read');
      } catch (error) {
        if (!(error instanceof RunLinkError)) throw error;
        expect(error.message.length, `${seed}`).toBeLessThan(400);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
        expect(error.message, `${seed}`).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
        count(error.message.replace(/"[^"]*"|\d+/g, '…'));
      }
    }
    // Many ways to be refused were met, and not one of them alone.
    expect(ends.get('read')).toBeGreaterThan(100);
    expect(ends.size).toBeGreaterThan(30);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });

  const foreign = (change: (json: string) => string, objects: Uint8Array = content.subarray(content.indexOf(0))) => {
    const json = content.subarray(0, content.indexOf(0)).toString();
    const changed = change(json);
    expect(changed === json && objects.length === content.length - content.indexOf(0), 'nothing is changed').toBe(
      false,
    );
    return readLink(linkOf(Buffer.concat([Buffer.from(changed, 'latin1'), objects])));
  };

  it.each<[string, RegExp, string, string]>([
    ['another field', /the run has "more", which is not known/, '{', '{"more":1,'],
    ['a field that is a prototype', /the run has "__proto__", which is not known/, '{', '{"__proto__":{"seed":"1"},'],
    ['another field of a file', /a file has "path", which is not known/, '"text":"nop', '"path":"/","text":"nop'],
    ['another field of a source', /a source has "size", which is not known/, '"text":"ret', '"size":1,"text":"ret'],
    ['a file that is both', /a file is both text and an object/, '"size":8', '"size":8,"text":"x"'],
    ['a file beside it that is an object', /a file is both text and an object/, '"size":8', '"size":8,"beside":true'],
    ['a file that is nothing', /a file has a field "text" that is no text/, '"size":8', '"beside":true'],
    ['a file that is not beside it', /a file has a field "beside" that is not true/, '"beside":true', '"beside":false'],
    ['an object of no bytes', /an object has -1 bytes, and 48 are there/, '"size":8', '"size":-1'],
    ['an object of half bytes', /an object has 7\.5 bytes/, '"size":8', '"size":7.5'],
    ['an object of too many', /an object has 41 bytes, and 40 are there/, '"size":40', '"size":41'],
    ['an object of fewer', /there is more in it than it says/, '"size":40', '"size":39'],
    ['a number in quotes', /a file has a field "size" that is no number/, '"size":8', '"size":"8"'],
    ['files that are no list', /the run has a field "files" that is no list/, '"files":[', '"files":{"0":[],"x":['],
    ['a missing field', /the run has a field "moment" that is no number/, '"moment":12,', ''],
    ['an argument that is no text', /"arguments" that is no list of texts/, '"two"', '2'],
    ['a file that is none', /a file is no object of JSON/, '"files":[', '"files":[null,'],
    ['a source that is a list', /a source is no object of JSON/, '"runtime":[', '"runtime":[[],'],
    ['a seed with an exponent', /the seed "1e3" is no number/, '"seed":"7"', '"seed":"1e3"'],
    ['a seed of 67 bits', /the seed 99999999999999999999 is not below/, '"seed":"7"', '"seed":"99999999999999999999"'],
    ['too much memory', /there are 4096 MiB of memory/, '"memory":64', '"memory":4096'],
    ['no moment', /-1 is no moment/, '"moment":12', '"moment":-1'],
    ['a path', /"\.\.\/a\.s" is a path/, '"files":[{"name":"a.s"', '"files":[{"name":"../a.s"'],
    ['no JSON', /what it holds cannot be read/, '{', '{{'],
    ['no UTF-8', /what it holds cannot be read/, 'nop', '\xff'],
  ])('is refused with %s', async (_, message, from, to) => {
    const change = (json: string): string => json.replace(from, to).replace(/("x":\[.*)\]\}$/, '$1]}}');
    await expect(foreign(change)).rejects.toThrow(RunLinkError);
    await expect(foreign(change)).rejects.toThrow(message);
  });

  it('is refused with more bytes or fewer than it says', async () => {
    const objects = content.subarray(content.indexOf(0));
    const more = foreign((json) => json, Buffer.concat([objects, Uint8Array.of(0)]));
    await expect(more).rejects.toThrow(/there is more in it than it says/);
    await expect(foreign((json) => json, objects.subarray(0, -1))).rejects.toThrow(/has 40 bytes, and 39 are there/);
    await expect(foreign((json) => json, new Uint8Array())).rejects.toThrow(/what it holds is cut off/);
  });

  it('with a damaged character or byte is never another run', async () => {
    let read = 0;
    for (let seed = 0; seed < 1000; seed++) {
      const packed = flip(deflateSync(content), random(seed));
      const run = await readLink(`run=1.${Buffer.from(packed).toString('base64url')}`).catch(() => undefined);
      if (run === undefined) continue;
      read += 1;
      expect(run).toEqual(RUN);
    }
    // A byte may be replaced by itself.
    expect(read).toBeLessThan(50);
  });

  it('that would fill memory is left in the middle', async () => {
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }, 0);
    for (let count = 0; count < 5; count++) {
      await expect(readLink(bombs[0])).rejects.toThrow(/^the link cannot be opened: it holds more than 1 MiB: /);
    }
    clearInterval(watch);
    expect(most).toBeLessThan(30 << 20);
  });
});

describe('a hostile object in a link', () => {
  const TYPED = [ObjectError, LinkError, UnresolvedSymbols, UndefinedSymbol, OutOfMemory];

  it('is refused by a message, or runs', async () => {
    const files = seeds();
    const ends = new Set<string>();
    for (let seed = 0; seed < 40; seed++) {
      const pick = random(seed + 50_000);
      const bytes = mutate(files[pick(files.length)], pick);
      try {
        const guest = await openLinked({
          ...RUN,
          runtime: [],
          files: [{ name: 'b.o', bytes: leanObject('b.o', bytes) }],
        });
        try {
          guest.run(1000);
        } finally {
          guest.cpu.close();
        }
        ends.add('ran');
      } catch (error) {
        if (!TYPED.some((type) => error instanceof type)) throw error;
        ends.add((error as Error).name);
      }
    }
    expect(ends.has('ran')).toBe(true);
    expect(ends.size).toBeGreaterThan(2);
  });
});
