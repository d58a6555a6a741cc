import { CTX_SLOTS, MILL_CR, offsets } from '../runtime/layout.js';
import type { Process } from '../runtime/process.js';

/** Bytes from a mill_cr to where its coroutine goes on. */
const RIP_OF_CTX = offsets(MILL_CR).ctx + CTX_SLOTS.indexOf('rip') * 8;

/** A switch, in short. */
export interface Landing {
  /** Of the first instruction of the one that goes on. */
  readonly moment: number;
  /** Ids of who ran until then and who goes on. */
  readonly from: number;
  readonly to: number;
}

/**
 * Tells of each switch of a process when it is complete.
 * @returns what ends that
 */
export function watchLandings(process: Process, tell: (landing: Landing) => void): () => void {
  const { cpu } = process;
  const { coroutines, census } = process.mill;
  const [runtime] = process.images;
  const [door, resumed] = [Number(runtime.symbol('mill_schedule')), Number(runtime.symbol('mill_resumed'))];
  let from = 0;
  let endOfLanding = (): void => {};
  /** Behind the door and in front of the jump: the switch has been decided, and is not complete. */
  const inRestore = (rip: number): boolean => rip > door && rip < resumed;
  const land = (): void => {
    endOfLanding();
    const to = census.id(coroutines.running);
    tell({ moment: cpu.moment, from, to });
    from = to;
  };
  const expect = (cr: number): void => {
    const goesOn = cpu.memory.pointer(cr + RIP_OF_CTX);
    endOfLanding = cpu.onBlock((address) => {
      if (address === goesOn) land();
    });
  };
  const start = (): void => {
    endOfLanding();
    const { running } = process;
    from = running === undefined ? 0 : census.id(running);
    if (running !== undefined && inRestore(cpu.rip)) expect(running);
  };
  const ends = [
    process.on('restored', start),
    process.on('switched', ({ restored }) => {
      // A child runs at once; whoever is restored, from where its ctx says.
      if (restored === 0) {
        land();
        return;
      }
      expect(restored);
    }),
  ];
  start();
  return () => {
    endOfLanding();
    for (const end of ends) end();
  };
}
