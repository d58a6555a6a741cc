import { mkdirSync, writeFileSync } from 'node:fs';
import {
  archiveSeeds,
  BROKEN,
  compiledSeeds,
  mutate,
  mutateArchive,
  probe,
  probeArchive,
  random,
  seeds,
} from './fuzz.js';

// npx tsx test/asm/elf/fuzz-long.ts [count] [seed] [archives]
// Damages object files, or archives of them, and links them. What goes wrong, takes a second of the processor or takes 256 MiB is kept in fixtures/broken/.

const MOST_MS = 1000;
const MOST_BYTES = 256 << 20;

const [count = 20_000, seed = 1] = process.argv.slice(2, 4).map(Number);
const { files, damage, link, ending } =
  process.argv[4] === 'archives'
    ? { files: archiveSeeds(), damage: mutateArchive, link: probeArchive, ending: 'a' }
    : { files: [...seeds(), ...compiledSeeds()], damage: mutate, link: probe, ending: 'o' };
const outcomes = new Map<string, number>();
const worst = { ms: 0, slowest: 0, bytes: 0, largest: 0 };
let failures = 0;
const inUse = () => {
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

for (let at = 0; at < count; at++) {
  const pick = random(seed * 1_000_003 + at);
  const bytes = damage(files[pick(files.length)], pick);
  const before = inUse();
  const start = process.cpuUsage();
  const { outcome, fault } = link(bytes);
  const { user, system } = process.cpuUsage(start);
  const ms = (user + system) / 1000;
  const used = inUse() - before;
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  if (ms > worst.ms) Object.assign(worst, { ms, slowest: at });
  if (used > worst.bytes) Object.assign(worst, { bytes: used, largest: at });
  const why = fault ?? (ms > MOST_MS ? `${ms} ms` : used > MOST_BYTES ? `${used} bytes` : undefined);
  if (why === undefined) continue;
  failures++;
  mkdirSync(BROKEN, { recursive: true });
  writeFileSync(`${BROKEN}fuzz-${seed}-${at}.${ending}`, bytes);
  console.log(`case ${at}: ${why}`);
}

const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
console.log(`${count} cases of ${files.length} files: ${[...outcomes].map((each) => each.join(' ')).join(', ')}`);
console.log(
  `slowest: case ${worst.slowest}, ${worst.ms.toFixed(1)} ms; most memory: case ${worst.largest}, ${mib(worst.bytes)}`,
);
console.log(`largest size of this process: ${mib(process.resourceUsage().maxRSS * 1024)}; failures: ${failures}`);
process.exitCode = failures === 0 ? 0 : 1;
