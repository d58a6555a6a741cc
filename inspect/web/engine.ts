/** Starts unicorn.js in a web worker. */

import { Cpu } from '../../emu/cpu.js';
import { UnicornJs } from '../../emu/engines/unicorn-js.js';

/** Put in when the site is built, see build/engine-size.ts: the engine's file, beside this one, a `#`, and its bytes. */
const ENGINE = '__ENGINE__';

/** The same memory as everywhere, since addresses depend on it: 512 MiB, of which only what is touched is used. */
const MEMORY = 512 << 20;

/**
 * Loads the engine.
 * @param progress told the bytes that have come, and of how many
 * @throws Error if the file does not come
 */
export async function loadEngine(progress: (loaded: number, total: number) => void): Promise<void> {
  const url = new URL(ENGINE, self.location.href);
  const total = Number(url.hash.slice(1));
  await download(url, (loaded) => progress(loaded, total));
  // The bundle knows windows and Node, and refuses to start where it finds a worker: it is to find a window.
  Reflect.deleteProperty(self, 'WorkerGlobalScope');
  Reflect.set(self, 'window', self);
  await import('../../emu/engines/unicorn-bundle.js');
}

/** Opens a CPU. @param memory bytes @throws EngineError when there is not so much memory */
export function openCpu(memory = MEMORY): Cpu {
  return new Cpu((events) => new UnicornJs(memory, events));
}

/** Brings a file into the browser's cache: an import says nothing of how far it has come. */
async function download(url: URL, progress: (loaded: number) => void): Promise<void> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) throw new Error(`${url.pathname} did not come: ${response.status}`);
  const reader = response.body.getReader();
  for (let loaded = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    loaded += value.length;
    progress(loaded);
  }
}
