/** Loads the engine that MILLSCOPE_ENGINE names before the tests of a file; where it is not installed they are skipped. */
import { beforeEach } from 'vitest';
import { EngineError } from '../../emu/errors.js';
import { loadEngine } from '../../emu/open.js';

let absent: string | undefined;
try {
  await loadEngine();
} catch (error) {
  if (!(error instanceof EngineError)) throw error;
  absent = error.message;
}
beforeEach(({ skip }) => skip(absent !== undefined, absent));
