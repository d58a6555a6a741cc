/** What the model has met, to see that programs get everywhere. */
export type Feature =
  | 'blocked sends'
  | 'blocked receives'
  | 'buffered sends'
  | 'sends to a waiting receiver'
  | 'receives from a blocked sender'
  | 'refills by a blocked sender'
  | 'several waiting at one end'
  | 'chooses with several ready clauses'
  | 'blocked chooses'
  | 'blocked chooses of one end named twice'
  | 'deadlines fired'
  | 'deadlines cancelled'
  | 'deadlines fired with one end named twice'
  | 'otherwise taken'
  | 'done broadcasts to several'
  | 'receives of the final value'
  | 'items left when done'
  | 'sleeps'
  | 'timer ties'
  | 'jumps of the clock'
  | 'polls without a wait'
  | 'polls that released somebody'
  | 'moves of the clock by now()'
  | 'last closes'
  | 'exits'
  | 'deadlocks'
  | `panic: ${string}`;

/** How often. */
export class Tally {
  readonly #counts = new Map<Feature, number>();

  of(feature: Feature): number {
    return this.#counts.get(feature) ?? 0;
  }

  count(feature: Feature, times = 1): void {
    this.#counts.set(feature, this.of(feature) + times);
  }

  add(other: Tally): void {
    for (const [feature, times] of other.#counts) this.count(feature, times);
  }

  toString(): string {
    return [...this.#counts].map(([feature, times]) => `${feature}: ${times}`).join('\n');
  }
}
