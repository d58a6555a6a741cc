/**
 * Loads the engine that MILLSCOPE_ENGINE names before the tests of a file, as the command does, which is quicker where V8
 * has kept it; where it is not installed the tests are skipped.
 */
import { beforeEach } from 'vitest';
import { EngineError } from '../../emu/errors.js';
import { loadEngine } from '../../inspect/engine.js';

let absent: string | undefined;
try {
  await loadEngine();
} catch (error) {
  if (!(error instanceof EngineError)) throw error;
  absent = error.message;
}
beforeEach(({ skip }) => skip(absent !== undefined, absent));
