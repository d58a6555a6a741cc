import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { archiveSeeds, BROKEN, mutate, mutateArchive, probe, probeArchive, random, seeds } from './fuzz.js';

describe.each([
  { what: 'object file', cases: 10_000, ending: '.o', files: seeds(), damage: mutate, link: probe },
  { what: 'archive', cases: 5000, ending: '.a', files: archiveSeeds(), damage: mutateArchive, link: probeArchive },
])('a damaged $what', ({ cases, ending, files, damage, link }) => {
  it('is linked or refused with an error that says so, never read or written outside of its bounds', () => {
    const outcomes = new Set<string>();
    for (let at = 0; at < cases; at++) {
      const pick = random(at);
      const { outcome, fault } = link(damage(files[pick(files.length)], pick));
      expect(fault, `case ${at}`).toBeUndefined();
      outcomes.add(outcome);
    }
    // Undamaged files link, and the damage does not all end in one way.
    expect(files.map((bytes) => link(bytes).outcome)).toEqual(files.map(() => 'linked'));
    expect([...outcomes].sort()).toEqual(['LinkError', 'ObjectError', 'linked']);
  });

  const kept = existsSync(BROKEN) ? readdirSync(BROKEN).filter((name) => name.endsWith(ending)) : [];
  it.each(kept)('is refused or linked now: %s', (name) => {
    expect(link(new Uint8Array(readFileSync(BROKEN + name))).fault).toBeUndefined();
  });
});
