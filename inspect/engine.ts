import { defaultEngine, loadEngine as loadAnyEngine } from '../emu/open.js';

/**
 * Makes an engine ready, which is needed once before `openCpu`: unicorn.js, or the native one, for which
 * MILLSCOPE_LIBUNICORN in the environment is the path of its library if that is in no usual place.
 * @throws EngineError when there is no such engine, or it is not installed
 */
export async function loadEngine(engine = defaultEngine()): Promise<void> {
  if (engine === 'unicorn.js') await (await import('./unicorn-cache.js')).startUnicorn();
  await loadAnyEngine(engine);
}
