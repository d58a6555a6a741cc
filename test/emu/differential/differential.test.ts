import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { defaultEngine } from '../../../emu/open.js';
import { Comparison } from './comparison.js';
import { hasRealCpu, RealCpu } from './real-cpu.js';
import { presentEngines, search } from './search.js';

/*
 * Sequences of instructions made by chance leave the same behind on each engine, run and stepped, and on the CPU that
 * these tests run on: registers, defined flags, memory, and faults. `long.ts` makes more of them, from other seeds.
 */

const SEQUENCES = 1000;
const FAULTS = 600;

/** With the native engine as the default, that one alone, on other sequences. */
const isNative = defaultEngine() === 'native';
const engines = (await presentEngines()).filter((engine) => !isNative || engine === 'native');
const seed = isNative ? 2 : 1;

describe(`on ${[...engines, hasRealCpu ? 'the real CPU' : 'no real CPU'].join(', ')}`, () => {
  let comparison: Comparison;
  beforeAll(() => {
    comparison = new Comparison(engines, hasRealCpu ? new RealCpu() : undefined);
  });
  afterAll(() => comparison.close());

  test(`${SEQUENCES} sequences of instructions leave the same behind`, async () => {
    const endings = await search(comparison, 'sequences', SEQUENCES, seed);
    expect([...endings.keys()], 'none of them faults').toEqual(['end']);
  });

  test(`${FAULTS} with a fault in their midst leave the same behind`, async () => {
    const endings = await search(comparison, 'faults', FAULTS, seed);
    const kinds = ['divide error', 'end', 'general protection fault', 'invalid instruction', 'page fault'];
    expect([...endings.keys()].sort(), 'all kinds are among them').toEqual(kinds);
    expect(endings.get('page fault'), 'mostly this one').toBeGreaterThan(FAULTS / 3);
  });
});
