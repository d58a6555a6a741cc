import type { Landing } from './landings.js';

/** Words for each switch: a moment's low and high half, and the two ids. */
const WORDS = 4;

/** The switches of a run, in the order of their moments, in little memory. */
export class SwitchIndex {
  #words = new Uint32Array(1024 * WORDS);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** @param index from 0 to below {@link length} */
  at(index: number): Landing {
    const at = index * WORDS;
    const words = this.#words;
    return { moment: words[at + 1] * 0x100000000 + words[at], from: words[at + 2], to: words[at + 3] };
  }

  /** Index of the first switch behind a moment; {@link length} if there is none. */
  after(moment: number): number {
    let [low, high] = [0, this.#length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.at(middle).moment > moment) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** @param landing behind all that are here */
  push({ moment, from, to }: Landing): void {
    const at = this.#length * WORDS;
    if (at === this.#words.length) {
      const larger = new Uint32Array(this.#words.length * 2);
      larger.set(this.#words);
      this.#words = larger;
    }
    this.#words.set([moment >>> 0, Math.floor(moment / 0x100000000), from, to], at);
    this.#length += 1;
  }
}
