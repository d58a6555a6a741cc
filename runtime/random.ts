import type { Memory } from '../emu/memory.js';
import type { Symbols } from './symbols.js';

/** Of {@link Random.next}. */
const RANGE = 2 ** 31;
const INCREMENT = 0x9e3779b97f4a7c15n;

/**
 * Random numbers that a seed decides: SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
 * 2014), with its 64 bits of state in guest memory.
 */
export class Random {
  readonly #memory: Memory;
  readonly #state: number;

  constructor(memory: Memory, symbols: Symbols) {
    this.#memory = memory;
    this.#state = symbols('random_state');
  }

  seed(seed: bigint): void {
    this.#memory.setU64(this.#state, BigInt.asUintN(64, seed));
  }

  /** A number from 0 to `bound` - 1, each as likely as the others; `bound` is at most 2^31. */
  below(bound: number): number {
    // What is left over above the last multiple of `bound` would make some numbers likelier.
    const end = RANGE - (RANGE % bound);
    for (;;) {
      const number = this.next();
      if (number < end) return number % bound;
    }
  }

  /** 31 bits, as libc's random(). */
  next(): number {
    const state = BigInt.asUintN(64, this.#memory.u64(this.#state) + INCREMENT);
    this.#memory.setU64(this.#state, state);
    let mixed = BigInt.asUintN(64, (state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n);
    mixed = BigInt.asUintN(64, (mixed ^ (mixed >> 27n)) * 0x94d049bb133111ebn);
    return Number((mixed ^ (mixed >> 31n)) >> 33n);
  }
}
