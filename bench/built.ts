/** The package as people get it, in processes of its own. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The built package. */
export const DIST = new URL('../dist/', import.meta.url);

/** How a process has gone. */
export interface Ran {
  readonly ms: number;
  readonly stdout: string;
}

/**
 * Runs Node.
 * @param parameters `dist/…` is the built package
 * @param statuses that it may end with
 */
export function runNode(parameters: readonly string[], engine = '', statuses: readonly number[] = [0]): Ran {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    encoding: 'utf8',
    env: { ...process.env, ...(engine === '' ? {} : { MILLSCOPE_ENGINE: engine }) },
  });
  const ms = performance.now() - start;
  if (status === null || !statuses.includes(status)) throw new Error(`node ${parameters.join(' ')}: ${stderr}`);
  return { ms, stdout };
}

/** Parameters of Node for a module given as text, with everything of the package imported as `millscope`. */
export const withMillscope = (text: string): string[] => [
  '--input-type=module',
  '-e',
  `import * as millscope from ${JSON.stringify(new URL('inspect/millscope.js', DIST).href)};\n${text}`,
];
