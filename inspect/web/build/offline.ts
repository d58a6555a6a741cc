import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

/** Writes `sw.js`, which keeps the site's files for when there is no network: their list, in front of its code. */
export function offline(code: string): Plugin {
  return {
    name: 'offline',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const hash = createHash('sha256');
        const text = readFileSync(code, 'utf8');
        hash.update(text);
        const files = Object.values(bundle)
          .map((one) => {
            hash.update(one.fileName).update(one.type === 'chunk' ? one.code : one.source);
            return one.fileName;
          })
          .filter((name) => !name.endsWith('.map'))
          .sort();
        const version = hash.digest('hex').slice(0, 12);
        const constants = `const VERSION = ${JSON.stringify(version)};\nconst FILES = ${JSON.stringify(files)};\n`;
        this.emitFile({ type: 'asset', fileName: 'sw.js', source: constants + text });
      },
    },
  };
}
