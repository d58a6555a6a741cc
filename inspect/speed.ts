import type { Cpu } from '../emu/cpu.js';
import { REGISTER_FILE } from '../emu/registers.js';
import { pingPong } from './ping-pong.js';

/**
 * The best one of several short pieces counts, until none has been better for a while: at first JavaScript is being
 * compiled, and other programs may want the processor.
 */
const PIECE_MS = 15;
const BETTER = 1.03;
const PATIENCE_MS = 120;
const LONGEST_MS = 1000;
/** Events from one look at the clock to the next. */
const EVENTS_BETWEEN = 32;

/** How often something happens in a second; undefined if it ended too early to say. */
export interface Speed {
  readonly yields: number | undefined;
  /** Single-stepped instructions, with all of the register file read behind each. */
  readonly steps: number | undefined;
}

/**
 * Measures for about half a second, and two at most.
 * @param open makes a CPU with at least 16 MiB of memory, which is closed again
 */
export function measureSpeed(open: () => Cpu): Speed {
  const measured = (run: (cpu: Cpu, happened: () => void) => void): number | undefined => {
    const cpu = open();
    try {
      return perSecond((happened) => run(cpu, happened), cpu);
    } finally {
      cpu.close();
    }
  };
  return {
    yields: measured((cpu, happened) => {
      const process = pingPong(cpu);
      process.on('switched', happened);
      process.run();
    }),
    steps: measured((cpu, happened) => {
      const registers = new BigUint64Array(REGISTER_FILE.length);
      pingPong(cpu).step(Number.MAX_SAFE_INTEGER, () => {
        cpu.readInto(registers);
        happened();
      });
    }),
  };
}

function perSecond(run: (happened: () => void) => void, cpu: Cpu): number | undefined {
  let best: number | undefined;
  let events = 0;
  const start = performance.now();
  let [since, improved] = [start, start];
  run(() => {
    events += 1;
    if (events % EVENTS_BETWEEN !== 0) return;
    const now = performance.now();
    if (now - since < PIECE_MS) return;
    const rate = (events * 1000) / (now - since);
    if (best === undefined || rate > best * BETTER) improved = now;
    best = Math.max(best ?? 0, rate);
    events = 0;
    since = now;
    if (now - improved > PATIENCE_MS || now - start > LONGEST_MS) cpu.stop();
  });
  return best;
}
