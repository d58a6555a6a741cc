import { spawnSync } from 'node:child_process';
import { cpus, release, type } from 'node:os';
import { ENGINES, loadEngine, openCpu } from '../emu/open.js';
import { tools } from './tools.js';

/** What was measured with: names and versions, or why something is not here. */
export async function versions(): Promise<Record<string, string>> {
  const engines: [string, string][] = [];
  for (const engine of ENGINES) {
    try {
      await loadEngine(engine);
      const cpu = openCpu({ engine, memory: 16 << 20 });
      engines.push([engine, cpu.engine]);
      cpu.close();
    } catch (error) {
      engines.push([engine, `not here: ${(error as Error).message}`]);
    }
  }
  const compiler = spawnSync('cc', ['--version'], { encoding: 'utf8' });
  return {
    CPU: `${cpus().length} x ${cpus()[0]?.model.trim()}`,
    system: `${type()} ${release()}`,
    Node: process.version,
    ...Object.fromEntries(engines),
    'C compiler': compiler.status === 0 ? compiler.stdout.split('\n', 1)[0] : 'not here',
    ...Object.fromEntries(tools().map(({ name, version, missing }) => [name, version ?? `not here: ${missing}`])),
  };
}
