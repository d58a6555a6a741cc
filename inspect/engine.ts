import type { Cpu } from '../emu/cpu.js';
import { defaultEngine, loadEngine as loadAnyEngine, openCpu } from '../emu/open.js';

/**
 * Makes an engine ready, which is needed once before `openCpu`: unicorn.js, or the native one, for which
 * MILLSCOPE_LIBUNICORN in the environment is the path of its library if that is in no usual place.
 * @throws EngineError when there is no such engine, or it is not installed
 */
export async function loadEngine(engine = defaultEngine()): Promise<void> {
  if (engine === 'unicorn.js') await (await import('./unicorn-cache.js')).startUnicorn();
  await loadAnyEngine(engine);
}

/** Opens a CPU with so many bytes of memory, on the engine that is chosen if nothing is said. */
export function openMachine(memory: number): Cpu {
  return openCpu({ memory });
}
