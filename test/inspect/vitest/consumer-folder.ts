import { cpSync, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** The environment of a vitest that another one starts, without colours and without what the other one has set. */
export const ENVIRONMENT: NodeJS.ProcessEnv = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:VITEST|NODE_ENV$|TEST$|FORCE_COLOR$)/.test(name)),
  ),
  NO_COLOR: '1',
};

/** A copy of the consumer's repository in a folder of its own, with this package as it is built where npm would put it. */
export function linkedConsumer(): string {
  const folder = mkdtempSync(join(tmpdir(), 'millscope-consumer-'));
  const own = (path: string): boolean => !/node_modules|\.(?:o|a|xml)$/.test(path.slice(ROOT.length));
  cpSync(join(ROOT, 'fixtures/consumer'), folder, { recursive: true, filter: own });
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  symlinkSync(ROOT, join(folder, 'node_modules/millscope'));
  symlinkSync(join(ROOT, 'node_modules/vitest'), join(folder, 'node_modules/vitest'));
  symlinkSync(join(ROOT, 'dist/inspect/cli.js'), join(folder, 'node_modules/.bin/millscope'));
  symlinkSync(join(ROOT, 'node_modules/vitest/vitest.mjs'), join(folder, 'node_modules/.bin/vitest'));
  return folder;
}
