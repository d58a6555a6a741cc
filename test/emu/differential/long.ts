import { Comparison } from './comparison.js';
import { hasRealCpu, RealCpu } from './real-cpu.js';
import { presentEngines, search, type What } from './search.js';

// npx tsx test/emu/differential/long.ts [count] [seed] [faults]
// Runs generated sequences of instructions, or such as fault, on all engines and on the CPU of this machine, and compares
// what they leave behind.

const [count = 20_000, seed = 1] = process.argv.slice(2, 4).map(Number);
const what: What = process.argv[4] === 'faults' ? 'faults' : 'sequences';
const engines = await presentEngines();
const comparison = new Comparison(engines, hasRealCpu ? new RealCpu() : undefined);
const start = performance.now();
try {
  const endings = await search(comparison, what, count, seed);
  const seconds = (performance.now() - start) / 1000;
  const against = hasRealCpu ? ' and the real CPU' : ', without a real CPU';
  console.log(`${count} ${what} are the same on ${engines.join(', ')}${against}: ${seconds.toFixed(0)} s`);
  console.log([...endings].map(([stop, times]) => `${stop}: ${times}`).join(', '));
} catch (error) {
  console.log(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  comparison.close();
}
