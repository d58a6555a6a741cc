import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { millscope } from './command.js';

/** Any time that is not now, in seconds since 1970. */
const LONG_AGO = 1_000_000_000;

describe('what V8 keeps of unicorn.js', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'millscope-cache-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const run = (cache = home) =>
    millscope(['run', 'fixtures/c/prime-sieve.o'], { MILLSCOPE_ENGINE: '', XDG_CACHE_HOME: cache });
  const kept = (): string => {
    const files = readdirSync(join(home, 'millscope'));
    expect(files).toHaveLength(1);
    return join(home, 'millscope', files[0]);
  };

  it('is written by the first run, for its user only, and left alone by the second', () => {
    const first = run();
    expect(first.status).toBe(0);
    utimesSync(kept(), LONG_AGO, LONG_AGO);
    expect(run()).toEqual(first);
    expect(statSync(kept()).mtimeMs).toBe(LONG_AGO * 1000);
    expect(statSync(join(home, 'millscope')).mode & 0o777).toBe(0o700);
  });

  it.each([
    ['a changed byte', (bytes: Buffer) => bytes.fill(bytes[200_000] ^ 1, 200_000, 200_001)],
    ['a part', (bytes: Buffer) => bytes.subarray(0, 100_000)],
    ['nothing', () => Buffer.alloc(0)],
  ])('is made anew when there is %s in its place', (_, damage) => {
    const first = run();
    const whole = readFileSync(kept()).length;
    writeFileSync(kept(), damage(readFileSync(kept())));
    utimesSync(kept(), LONG_AGO, LONG_AGO);
    expect(run()).toEqual(first);
    expect(statSync(kept()).mtimeMs).toBeGreaterThan(LONG_AGO * 1000);
    expect(statSync(kept()).size).toBeGreaterThan(whole / 2);
  });

  it('is done without where it cannot be written', () => {
    const file = join(home, 'file');
    writeFileSync(file, '');
    expect(run(file)).toEqual(run());
  });
});
