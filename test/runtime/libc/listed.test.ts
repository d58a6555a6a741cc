import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { libmillSymbols } from '../../../runtime/libmill.js';

const ARCHITECTURE = readFileSync(new URL('../../../ARCHITECTURE.md', import.meta.url), 'utf8');

it('ARCHITECTURE.md lists what libc there is, and nothing else', () => {
  const [, section] = ARCHITECTURE.split('\n## libc\n');
  const [list] = section.split('\n## ');
  const rows = list.split('\n').filter((line) => /^\| `/.test(line));
  const listed = rows.flatMap((row) => row.split('|')[2].trim().split(/\s+/));
  expect(new Set(listed).size).toBe(listed.length);
  // What begins with an underscore is for compilers and header files, not for people.
  const own = /^(_|mill_|goredump$|gotrace$)/;
  const there = [...libmillSymbols().keys()].filter((name) => !own.test(name));
  expect(there.length).toBeGreaterThan(150);
  expect(listed.sort()).toEqual(there.sort());
});
