/** Figures of one quantity from several runs. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** How long to measure: a bench for the README, or a look at whether it works. */
export interface Effort {
  /** How often each contestant runs and counts; once more before that, uncounted. */
  readonly rounds: number;
  /** What sizes are divided by. */
  readonly divisor: number;
}

export function spread(figures: readonly number[]): Spread {
  const sorted = [...figures].sort((a, b) => a - b);
  return { min: sorted[0], median: sorted[sorted.length >> 1], max: sorted[sorted.length - 1] };
}

/**
 * Runs all contestants in turn, `rounds` times over and once before that uncounted, so that whatever else the machine
 * does falls on all of them alike.
 * @param contestants each returns its figure
 * @returns the figures of each, by round
 */
export async function interleave(
  contestants: readonly (() => number | Promise<number>)[],
  rounds: number,
): Promise<number[][]> {
  const figures: number[][] = contestants.map(() => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, run] of contestants.entries()) {
      const figure = await run();
      if (round > 0) figures[index].push(figure);
    }
  }
  return figures;
}
