import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CLI, millscopeAlone, ROOT } from './command.js';

/** Any time that is not now, in seconds since 1970. */
const LONG_AGO = 1_000_000_000;

describe('what V8 keeps of unicorn.js', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'millscope-cache-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));

  const run = (cache = home) =>
    millscopeAlone(['run', 'fixtures/c/prime-sieve.o'], { MILLSCOPE_ENGINE: '', XDG_CACHE_HOME: cache });
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

  const expectMadeAnew = (spoil: (path: string) => void): void => {
    const first = run();
    expect(statSync(kept()).mode & 0o777).toBe(0o600);
    spoil(kept());
    utimesSync(kept(), LONG_AGO, LONG_AGO);
    expect(run()).toEqual(first);
    expect(statSync(kept()).mtimeMs).toBeGreaterThan(LONG_AGO * 1000);
    expect(statSync(kept()).mode & 0o777).toBe(0o600);
  };

  it('is not run when others may write to it', () => {
    expectMadeAnew((path) => chmodSync(path, 0o622));
  });

  // Only root can give a file away.
  it.skipIf(process.getuid?.() !== 0)('is not run when another user has put it there', () => {
    expectMadeAnew((path) => chownSync(path, 12345, 12345));
  });

  it('is nowhere but in a folder that is named in full, or in a home', () => {
    const { XDG_CACHE_HOME, HOME, ...others } = process.env;
    const started = (environment: Record<string, string>) =>
      spawnSync(process.execPath, [CLI, 'run', join(ROOT, 'fixtures/c/prime-sieve.o')], {
        cwd: home,
        encoding: 'utf8',
        env: { ...others, MILLSCOPE_ENGINE: '', ...environment },
      });
    expect(started({ XDG_CACHE_HOME: 'relative', HOME: home }).status).toBe(0);
    expect(readdirSync(home)).toEqual(['.cache']);
    rmSync(join(home, '.cache'), { recursive: true });
    expect(started({ HOME: '' })).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(home)).toEqual([]);
  });

  it('is done without for a user whom the system does not list', () => {
    const { XDG_CACHE_HOME, ...others } = process.env;
    // As in a container that is started with a number for its user.
    const text = `
      import os from 'node:os';
      import { syncBuiltinESMExports } from 'node:module';
      os.homedir = () => { throw new Error('no such user'); };
      syncBuiltinESMExports();
      const { loadEngine, openCpu } = await import(${JSON.stringify(join(ROOT, 'dist/inspect/millscope.js'))});
      await loadEngine('unicorn.js');
      console.log(openCpu({ engine: 'unicorn.js' }).engine);
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', text], {
      env: others,
      encoding: 'utf8',
    });
    expect({ stdout, stderr }).toEqual({ stdout: 'unicorn.js 1.0.3\n', stderr: '' });
  });

  it('is written to no link that stands in its place', () => {
    run();
    const place = kept();
    rmSync(place);
    const target = join(home, 'target');
    writeFileSync(target, 'precious');
    // The name under which it is written first ends in the number of the process.
    const text = `
      import { symlinkSync } from 'node:fs';
      symlinkSync(${JSON.stringify(target)}, ${JSON.stringify(place)} + '.' + process.pid);
      const { loadEngine } = await import(${JSON.stringify(join(ROOT, 'dist/inspect/millscope.js'))});
      await Promise.all([loadEngine('unicorn.js'), loadEngine('unicorn.js')]);
    `;
    const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', text], {
      env: { ...process.env, XDG_CACHE_HOME: home },
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(readFileSync(target, 'utf8')).toBe('precious');
  });

  /** This package with a bundle of its own, whose text begins with `before`. @returns its command */
  const installation = (name: string, before: string): string => {
    const packages = join(home, name, 'node_modules');
    mkdirSync(packages, { recursive: true });
    cpSync(join(ROOT, 'dist'), join(home, name, 'dist'), { recursive: true });
    cpSync(join(ROOT, 'package.json'), join(home, name, 'package.json'));
    for (const other of readdirSync(join(ROOT, 'node_modules'))) {
      if (other !== '@specy') symlinkSync(join(ROOT, 'node_modules', other), join(packages, other));
    }
    const bundle = 'x86/dist/x86/deps/unicorn-x86.min.js';
    mkdirSync(join(packages, '@specy', dirname(bundle)), { recursive: true });
    cpSync(join(ROOT, 'node_modules/@specy/x86/package.json'), join(packages, '@specy/x86/package.json'));
    const text = readFileSync(join(ROOT, 'node_modules/@specy', bundle), 'utf8');
    writeFileSync(join(packages, '@specy', bundle), before + text);
    utimesSync(join(packages, '@specy', bundle), LONG_AGO, LONG_AGO + name.length);
    return join(home, name, 'dist/inspect/cli.js');
  };
  const runs = (cli: string, ...flags: string[]): void => {
    const { status, stderr } = spawnSync(process.execPath, [...flags, cli, 'run', 'fixtures/c/prime-sieve.o'], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, MILLSCOPE_ENGINE: '', XDG_CACHE_HOME: home },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  };

  it('is shared by installations of one bundle, whenever they were made', () => {
    runs(installation('one', ''));
    utimesSync(kept(), LONG_AGO, LONG_AGO);
    runs(installation('other', ''));
    expect(statSync(kept()).mtimeMs).toBe(LONG_AGO * 1000);
  });

  it('is kept apart for another bundle, and for other flags of V8', () => {
    const [one, other] = [installation('one', ''), installation('other', ' ')];
    const files = (): string[] => readdirSync(join(home, 'millscope'));
    runs(one);
    const first = kept();
    utimesSync(first, LONG_AGO, LONG_AGO);
    runs(other);
    expect(files()).toHaveLength(2);
    runs(one, '--no-opt');
    expect(files()).toHaveLength(3);
    runs(one);
    expect(files()).toHaveLength(3);
    expect(statSync(first).mtimeMs).toBe(LONG_AGO * 1000);
  });

  it('is done without where it cannot be written', () => {
    const file = join(home, 'file');
    writeFileSync(file, '');
    expect(run(file)).toEqual(run());
  });
});
