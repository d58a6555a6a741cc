import { inspect } from 'node:util';
import type { Image } from '../asm/image.js';
import { openCpu } from '../emu/open.js';
import { differenceOf } from '../inspect/history.js';
import { Session } from '../inspect/session.js';
import { libmill } from '../runtime/libmill.js';
import { Process } from '../runtime/process.js';

/** What a run costs that can be moved to any of its moments. Times in ms. */
export interface Walk {
  readonly instructions: number;
  readonly switches: number;
  readonly plain: number;
  readonly recorded: number;
  /** Of each move, from a random moment. */
  readonly stepsBack: readonly number[];
  readonly switchesBack: readonly number[];
  /** What snapshots take in bytes, and the instructions from one to the next. */
  readonly bytes: number;
  readonly interval: number;
}

/** A run in a machine of its own. */
async function inMachine<Result>(image: Image, use: (guest: Process) => Result | Promise<Result>): Promise<Result> {
  const cpu = openCpu();
  try {
    return await use(new Process(cpu, libmill(), image, ['bench']));
  } finally {
    cpu.close();
  }
}

/**
 * Runs a program, once plainly and once recorded, and goes back from random moments of it.
 * @param moves of each kind
 * @throws Error if the recorded run is not the plain one, or a move does not lead where it should
 */
export async function walk(image: Image, moves: number): Promise<Walk> {
  const [plain, end] = await inMachine(image, (guest) => {
    const start = performance.now();
    const outcome = guest.run();
    const ms = performance.now() - start;
    if (outcome.kind !== 'exit' || outcome.status !== 0) throw new Error(`the guest ended: ${inspect(outcome)}`);
    return [ms, guest.save().cpu];
  });
  return inMachine(image, async (guest) => {
    const session = new Session(guest);
    const { history } = session;
    const start = performance.now();
    await history.go(Number.POSITIVE_INFINITY);
    const recorded = performance.now() - start;
    const difference = end.moment === history.moment ? differenceOf(end, guest.save().cpu) : 'the length';
    if (difference !== undefined) throw new Error(`${difference} of the recorded run is not that of the plain one`);
    const { switches } = history;
    const first = switches.at(0).moment;
    /** From random moments behind the first switch; how one gets there does not count. */
    const timed = async (move: () => Promise<unknown>, expected: (from: number) => number): Promise<number[]> => {
      const times: number[] = [];
      while (times.length < moves) {
        const from = first + 1 + Math.floor(Math.random() * (end.moment - first));
        await session.go(from);
        const began = performance.now();
        await move();
        times.push(performance.now() - began);
        if (session.moment !== expected(from)) throw new Error(`a move back from ${from} led to ${session.moment}`);
      }
      return times;
    };
    const previous = (from: number): number => switches.at(switches.after(from - 1) - 1).moment;
    return {
      instructions: end.moment,
      switches: switches.length,
      plain,
      recorded,
      stepsBack: await timed(
        () => session.stepBack(),
        (from) => from - 1,
      ),
      switchesBack: await timed(() => session.previousSwitch(), previous),
      bytes: history.cost.bytes,
      interval: history.cost.interval,
    };
  });
}
