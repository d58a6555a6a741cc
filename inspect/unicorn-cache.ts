/**
 * unicorn.js is 2.5 MB of JavaScript, and reading it takes V8 longer than most programs run. V8 can keep what it has
 * made of a script, for scripts only and not for modules (before Node 22); so the bundle is run as a script here, with
 * what V8 has kept in the user's folder for such things.
 */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';
import { isUnicornStarted, provideUnicorn, type UnicornBuild } from '../emu/engines/unicorn-module.js';

const BUNDLE = '@specy/x86/dist/x86/deps/unicorn-x86.min.js';
/** What the bundle ends in: the one line that a script cannot have. */
const EXPORT = 'export{uc};';
const DIGEST_BYTES = 32;
const NAMED_DIGITS = 16;

/** What others may do with a file of ours that we trust: not write to it. */
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Where a user's programs keep what they can make again (XDG Base Directory Specification, which ignores relative
 * paths). The name has all that V8 wants to be the same (its version, its flags, the processor), and the bundle, so that
 * of two installations, or of two ways to start Node, neither makes anew what the other one has made.
 * @param identity of the bundle
 * @returns undefined where a user has no such place
 */
function cacheFile(identity: string): string | undefined {
  const file = `unicorn-js-${identity.slice(0, NAMED_DIGITS)}-${cachedDataVersionTag().toString(16)}.v8`;
  const named = process.env.XDG_CACHE_HOME ?? '';
  if (isAbsolute(named)) return join(named, 'millscope', file);
  try {
    const home = homedir();
    return isAbsolute(home) ? join(home, '.cache', 'millscope', file) : undefined;
  } catch {
    // A user without an entry in the system's list.
    return undefined;
  }
}

/** V8 looks at its own version and the length of the text, but not at whether the kept bytes are whole. */
function digest(identity: string, kept: Uint8Array): Buffer {
  return createHash('sha256').update(identity).update(kept).digest();
}

/**
 * What is kept is run, so it is to be this user's, and nobody else's to change: the folder may be one of all users.
 * @returns undefined if there is none, or a damaged one, or one of another bundle or of another user
 */
function readKept(path: string, identity: string): Buffer | undefined {
  try {
    const descriptor = openSync(path, 'r');
    try {
      const { uid, mode } = fstatSync(descriptor);
      const user = process.geteuid?.();
      if (user !== undefined && (uid !== user || (mode & WRITABLE_BY_OTHERS) !== 0)) return undefined;
      const file = readFileSync(descriptor);
      const kept = file.subarray(DIGEST_BYTES);
      return digest(identity, kept).equals(file.subarray(0, DIGEST_BYTES)) ? kept : undefined;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}

/** Keeps it for next time, where that is possible: nothing depends on it. */
function keep(path: string, identity: string, script: Script): void {
  try {
    const kept = script.createCachedData();
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const unfinished = `${path}.${process.pid}`;
    try {
      // A new file, so that no link that stands there is followed.
      writeFileSync(unfinished, Buffer.concat([digest(identity, kept), kept]), { flag: 'wx', mode: 0o600 });
      renameSync(unfinished, path);
    } finally {
      rmSync(unfinished, { force: true });
    }
  } catch {
    // A home that cannot be written to, a full disk: then the next start takes as long as this one.
  }
}

let starting: Promise<void> | undefined;

/**
 * Starts unicorn.js, once, from what V8 has kept of it; without that, as it would start anyway, and has it kept when the
 * process ends, by when the functions that were used are compiled.
 * @throws EngineError when the bundle is not the one of @specy/x86 1.1.0
 */
export function startUnicorn(): Promise<void> {
  starting ??= start();
  return starting;
}

async function start(): Promise<void> {
  if (isUnicornStarted()) return;
  const bundle = createRequire(import.meta.url).resolve(BUNDLE);
  const content = readFileSync(bundle);
  const text = content.toString('latin1').trimEnd();
  // Another build: the module says what is wrong with it.
  if (!text.endsWith(EXPORT)) return;
  const identity = createHash('sha256').update(content).digest('hex');
  const path = cacheFile(identity);
  const cachedData = path === undefined ? undefined : readKept(path, identity);
  const script = new Script(`(function () { "use strict"; ${text.slice(0, -EXPORT.length)}; return uc; })`, {
    filename: bundle,
    ...(cachedData === undefined ? {} : { cachedData }),
  });
  const { takeCaptured } = await import('../emu/engines/unicorn-capture.js');
  let constants: UnicornBuild['constants'];
  let captured: unknown;
  try {
    constants = script.runInThisContext()();
  } finally {
    // Its getters are to stand for exactly that time, even if the bundle does not start.
    captured = takeCaptured();
  }
  provideUnicorn(captured, constants);
  if (path !== undefined && (cachedData === undefined || script.cachedDataRejected === true)) {
    process.once('exit', () => keep(path, identity, script));
  }
}
