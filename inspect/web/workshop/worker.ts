/** The page's workshop in a thread of its own: Keystone, Capstone and an engine, each loaded when it is needed first. */
import capstone from '@alexaltea/capstone-js/dist/capstone.wasm?url';
import keystone from '@alexaltea/keystone-js/dist/keystone.wasm?url';
import { loadKeystone } from '../../../asm/keystone.js';
import { loadCapstone } from '../../../emu/capstone.js';
import type { Runtime } from '../contents.js';
import { loadEngine, openCpu } from '../engine.js';
import type { FromWorkshop, ToWorkshop } from './protocol.js';
import { Workshop } from './workshop.js';

/** From where the workers are: what all lessons run through. */
const RUNTIME = '../lessons/runtime.json';

const tell = (message: FromWorkshop): void => self.postMessage(message);

/** Loads a part once, and says so; what did not come is tried again when it is needed again. */
function once<Part>(load: () => Promise<Part>, part?: 'assembler' | 'disassembler' | 'engine'): () => Promise<Part> {
  let loading: Promise<Part> | undefined;
  const begin = async (): Promise<Part> => {
    if (part !== undefined) tell({ kind: 'loading', part });
    const loaded = await load();
    if (part !== undefined) tell({ kind: 'loaded', part });
    return loaded;
  };
  return () => {
    loading ??= begin().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}

const at = (asset: string): string => new URL(asset, self.location.href).href;

const workshop = new Workshop({
  runtime: once(async () => {
    const response = await fetch(at(RUNTIME));
    if (!response.ok) throw new Error(`the runtime's sources did not come: ${response.status}`);
    return ((await response.json()) as Runtime).sources;
  }),
  assembler: once(() => loadKeystone(at(keystone)), 'assembler'),
  disassembler: once(async () => void (await loadCapstone(at(capstone))), 'disassembler'),
  engine: once(async () => {
    await loadEngine(() => {});
    return openCpu;
  }, 'engine'),
});

/** One thing after the other. */
let last: Promise<unknown> = Promise.resolve();

self.onmessage = ({ data }: MessageEvent<ToWorkshop>): void => {
  last = last.then(() => answer(data));
};

async function answer({ kind, number, ask }: ToWorkshop): Promise<void> {
  try {
    // Each request's kind names what it carries, which the type of a table cannot say.
    const handle = workshop[kind].bind(workshop) as (ask: unknown) => Promise<unknown>;
    tell({ kind: 'reply', number, reply: await handle(ask) });
  } catch (error) {
    tell({ kind: 'refused', number, message: error instanceof Error ? error.message : String(error) });
  }
}
