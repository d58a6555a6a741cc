import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Plugin } from 'vite';

/**
 * Writes `sw.js`, which keeps the site's files for when there is no network: their lists, in front of its code.
 * @param later names of files that the first lesson does not need, and that wait until it is there
 */
export function offline(code: string, later: RegExp): Plugin {
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
        const constants = {
          VERSION: version,
          FILES: files.filter((name) => !later.test(name)),
          LATER: files.filter((name) => later.test(name)),
        };
        const lines = Object.entries(constants).map(([name, value]) => `const ${name} = ${JSON.stringify(value)};\n`);
        this.emitFile({ type: 'asset', fileName: 'sw.js', source: lines.join('') + text });
      },
    },
  };
}
