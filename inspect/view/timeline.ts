import type { Session } from '../session.js';

/** A stretch of a run in which one coroutine runs. */
export interface Stretch {
  /** Its id. */
  readonly coroutine: number;
  /** Moments: of its first instruction, and of the first one that is not its own. */
  readonly start: number;
  readonly end: number;
}

/** The run as far as it has been seen. */
export interface Timeline {
  readonly moment: number;
  /** The last moment that has been seen. */
  readonly furthest: number;
  /** Whether the run ends there. */
  readonly isWhole: boolean;
  /** Switches up to this moment, and those that have been seen in all. */
  readonly switchesBefore: number;
  readonly switches: number;
  /** Around this moment. */
  readonly stretches: readonly Stretch[];
}

/** @param around stretches on each side of the one that the moment is in */
export function timeline({ moment, history }: Session, around: number): Timeline {
  const { switches, furthest, end } = history;
  const before = switches.after(moment);
  const stretches: Stretch[] = [];
  for (let index = Math.max(0, before - around); index <= Math.min(switches.length, before + around); index++) {
    const start = index === 0 ? 0 : switches.at(index - 1).moment;
    const last = index === switches.length;
    if (switches.length === 0) stretches.push({ coroutine: 0, start, end: furthest });
    else if (last) stretches.push({ coroutine: switches.at(index - 1).to, start, end: furthest });
    else stretches.push({ coroutine: switches.at(index).from, start, end: switches.at(index).moment });
  }
  return { moment, furthest, isWhole: end !== undefined, switchesBefore: before, switches: switches.length, stretches };
}

/**
 * Who runs at each of `count` moments, evenly from the start to the last one that has been seen.
 * @returns ids
 */
export function lane({ history }: Session, count: number): number[] {
  const { switches, furthest } = history;
  return Array.from({ length: count }, (_, cell) => {
    const index = switches.after(Math.floor((furthest * cell) / count));
    if (switches.length === 0) return 0;
    return index === 0 ? switches.at(0).from : switches.at(index - 1).to;
  });
}
