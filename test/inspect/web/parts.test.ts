import { describe, expect, test } from 'vitest';
import { Disassembler } from '../../../emu/disassembler.js';
import { listingOf } from '../../../inspect/lesson/listing.js';
import type { Scene } from '../../../inspect/view/scene.js';
import { readAddress, writeAddress } from '../../../inspect/web/address.js';
import { Listing } from '../../../inspect/web/listing.js';
import { passageAt } from '../../../inspect/web/passage.js';
import { judgeGuess } from '../../../inspect/web/prediction.js';
import { libmill } from '../../../runtime/libmill.js';

describe('a listing that is made when the site is built', () => {
  test('says of each instruction of the runtime what Capstone says', async () => {
    const image = libmill();
    const [listing, capstone] = [new Listing(await listingOf(image)), await Disassembler.load()];
    const [text] = image.sections;
    let instructions = 0;
    for (let at = 0; at < text.bytes.length; ) {
      const bytes = text.bytes.subarray(at, at + 15);
      const address = text.address + BigInt(at);
      const expected = capstone.disassemble(bytes, address);
      expect(listing.disassemble(bytes, address)).toEqual(expected);
      if (expected !== undefined) instructions += 1;
      at += expected?.length ?? 1;
    }
    capstone.close();
    expect(instructions).toBeGreaterThan(500);
  });
});

describe('the address of a moment', () => {
  test('is read as it was written', () => {
    const address = { lesson: '09-faults', program: 'slot', moment: 57, language: 'zh' } as const;
    expect(readAddress(writeAddress(address))).toEqual(address);
  });

  test.each(['#', '#at=-1', '#at=1e3', '#at=99999999999999999999', '#lang=fr', '#%zz'])(
    'says nothing if it is %s',
    (hash) => {
      expect(readAddress(hash)).toEqual({
        lesson: undefined,
        program: undefined,
        moment: undefined,
        language: undefined,
      });
    },
  );
});

describe('the passage that is read', () => {
  const moments = [0, 10, 10, undefined, 30];

  test.each([
    ['stays as long as no later one has come', 1, 12, 1],
    ['is a later one when its moment has come', 1, 30, 4],
    ['is an earlier one when the machine has gone back', 4, 12, 2],
    ['is the first one in front of everything', 2, 5, 0],
    ['stays the second one of two at the same moment', 2, 10, 2],
    ['is none about another program', 0, 29, 2],
  ])('%s', (_, read, moment, expected) => {
    expect(passageAt(moments, read, moment)).toBe(expected);
  });
});

describe('a prediction', () => {
  const register = (name: string, now: bigint, after: bigint) => ({
    name,
    before: now,
    now,
    after,
    changed: false,
    changes: now !== after,
  });
  const slot = (held: bigint, after: bigint) => ({
    index: 0,
    name: 'rbx',
    held,
    register: 0n,
    after,
    travel: undefined,
    done: false,
  });
  const scene = (registers: readonly unknown[], slots: readonly unknown[], words: readonly unknown[] = []): Scene =>
    ({
      view: { registers },
      parties: [{ context: { coroutine: 1, address: 0x1000, slots }, stack: { words } }],
    }) as unknown as Scene;

  test('is right with the register that changes and what it will hold', () => {
    const one = scene([register('rsp', 0x100n, 0xf8n), register('rip', 1n, 2n)], []);
    expect(judgeGuess(one, { kind: 'register', name: 'rsp' }, 'rsp - 8')).toBe('right');
    expect(judgeGuess(one, { kind: 'register', name: 'rsp' }, '0xf0')).toBe('wrong');
    expect(judgeGuess(one, { kind: 'register', name: 'rbx' }, '0xf8')).toBe('wrong');
    expect(judgeGuess(one, { kind: 'register', name: 'rsp' }, 'less')).toBe('unreadable');
    expect(judgeGuess(one, { kind: 'nothing' }, '')).toBe('wrong');
  });

  test('does not count rip and the flags', () => {
    const one = scene([register('rip', 1n, 2n), register('eflags', 2n, 0x46n)], []);
    expect(judgeGuess(one, { kind: 'nothing' }, '')).toBe('right');
  });

  test('is right with a slot that is given the value that it has', () => {
    const saving = { ...slot(5n, 5n), travel: { from: 'rbx', to: 'slot', value: 5n } };
    const target = { kind: 'slot', coroutine: 1, index: 0, name: 'rbx' } as const;
    expect(judgeGuess(scene([], [saving]), target, '5')).toBe('right');
    expect(judgeGuess(scene([], [slot(5n, 5n)]), target, '5')).toBe('wrong');
  });

  test('knows a word of the stack from one of the ctx', () => {
    const word = (address: number) => ({ address, value: 0n, after: 9n, note: '' });
    expect(judgeGuess(scene([], [slot(0n, 0n)], [word(0x2000)]), { kind: 'stack' }, '9')).toBe('right');
    expect(judgeGuess(scene([], [slot(0n, 9n)], [word(0x1000)]), { kind: 'stack' }, '9')).toBe('wrong');
  });
});
