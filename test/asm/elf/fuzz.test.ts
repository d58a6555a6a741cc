import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BROKEN, mutate, probe, random, seeds } from './fuzz.js';

const CASES = 5000;

describe('a damaged object file', () => {
  it('is linked or refused with an error that says so, never read or written outside of its bounds', () => {
    const files = seeds();
    const outcomes = new Set<string>();
    for (let at = 0; at < CASES; at++) {
      const pick = random(at);
      const { outcome, fault } = probe(mutate(files[pick(files.length)], pick));
      expect(fault, `case ${at}`).toBeUndefined();
      outcomes.add(outcome);
    }
    // Undamaged files link, and the damage does not all end in one way.
    expect(files.map((bytes) => probe(bytes).outcome)).toEqual(files.map(() => 'linked'));
    expect([...outcomes].sort()).toEqual(['LinkError', 'ObjectError', 'linked']);
  });

  const kept = existsSync(BROKEN) ? readdirSync(BROKEN).filter((name) => name.endsWith('.o')) : [];
  it.each(kept)('is refused or linked now: %s', (name) => {
    expect(probe(new Uint8Array(readFileSync(BROKEN + name))).fault).toBeUndefined();
  });
});
