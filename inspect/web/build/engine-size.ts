import type { Plugin } from 'vite';

/** What the worker has in its source for the engine's file and its size. */
const ENGINE = '__ENGINE__';

/** Tells the worker which file the engine is in and how large it is, so that it can say how much of it has come. */
export function engineSize(): Plugin {
  return {
    name: 'engine-size',
    apply: 'build',
    generateBundle(_, bundle) {
      const chunks = Object.values(bundle).filter((one) => one.type === 'chunk');
      const engine = chunks.find(({ name }) => name === 'unicorn');
      const worker = chunks.find(({ code }) => code.includes(ENGINE));
      if (engine === undefined || worker === undefined) return this.error('the engine is not where it is looked for');
      const folder = worker.fileName.replace(/[^/]*$/, '');
      if (!engine.fileName.startsWith(folder)) return this.error('the engine is not beside the worker');
      const bytes = new TextEncoder().encode(engine.code).length;
      worker.code = worker.code.replaceAll(ENGINE, `./${engine.fileName.slice(folder.length)}#${bytes}`);
    },
  };
}
