import { REGISTER_FILE } from '../../emu/registers.js';
import type { Outcome } from '../../runtime/process.js';
import { registerValue } from '../trace/register-value.js';
import type { Lane, Mark, Written } from './lane.js';
import type { Meaning } from './meaning.js';
import { isSame } from './state.js';

/** Instructions that are run before the two are compared, and within which they are compared one by one if they differ. */
const CHUNK = 50_000;
const WORDS = REGISTER_FILE.length * 2;

/** How two runs are compared. */
export interface Comparison {
  /**
   * Of two programs: what the values of their registers mean. Without it, both have the same code and data, and their
   * memory is compared too.
   */
  readonly meanings?: readonly [Meaning, Meaning];
  /** Addresses of the words of memory that need not be the same: where seeds are. */
  readonly ignored: ReadonlySet<number>;
  /** How far. */
  readonly limit: number;
  readonly progress: (moment: number) => void;
}

/** Where two runs part: at a moment at which they are no longer the same. */
export interface Parting {
  readonly moment: number;
  /** From where both can be run to it. */
  readonly marks: readonly [Mark, Mark];
}

/** Whether two processes have ended in the same way, or both not. */
export function sameEnd(one: Outcome | undefined, other: Outcome | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const text = (outcome: Outcome): string => {
    if (outcome.kind === 'error') return outcome.error.message;
    if (outcome.kind === 'fault') return outcome.fault.kind;
    return outcome.kind === 'exit' ? `${outcome.status}` : '';
  };
  return one.kind === other.kind && text(one) === text(other);
}

/** Of two lists of what was written, the moment of the first that only one has. */
function partingOfOutput(one: readonly Written[], other: readonly Written[]): number | undefined {
  for (let index = 0; index < Math.max(one.length, other.length); index++) {
    const [first, second] = [one[index], other[index]];
    if (first === undefined || second === undefined) return (first ?? second).at;
    const same = first.at === second.at && first.stream === second.stream;
    if (!same || Buffer.compare(first.bytes, second.bytes) !== 0) return Math.min(first.at, second.at);
  }
  return undefined;
}

/** Both step to a moment at most. @returns the first at which their registers differ */
function partingOfRegisters(one: Lane, other: Lane, to: number, meanings: Comparison['meanings']): number | undefined {
  const start = one.moment;
  const recorded = new Uint32Array((to - start + 1) * WORDS);
  const values = new BigUint64Array(REGISTER_FILE.length);
  const words = new Uint32Array(values.buffer);
  one.advance(to, () => {
    one.guest.cpu.readInto(values);
    recorded.set(words, (one.moment - start) * WORDS);
    return true;
  });
  let parted: number | undefined;
  const rip = REGISTER_FILE.indexOf('rip') * 2;
  other.advance(to, () => {
    other.guest.cpu.readInto(values);
    const at = (other.moment - start) * WORDS;
    // Nothing was recorded behind a fork, or behind the end.
    if (recorded[at + rip] === 0 && recorded[at + rip + 1] === 0) return true;
    for (let index = 0; index < WORDS; index++) {
      if (recorded[at + index] === words[index]) continue;
      const register = index >> 1;
      const [first, second] = [registerValue(recorded.subarray(at, at + WORDS), register), values[register]];
      if (meanings !== undefined && meanings[0].of(first) === meanings[1].of(second)) continue;
      parted = other.moment;
      return false;
    }
    return true;
  });
  return parted;
}

/** The first moment behind a mark, up to `to`, at which the state differs; it does so there. */
function bisect(one: Lane, other: Lane, marks: Parting['marks'], to: number, ignored: Comparison['ignored']): number {
  let [same, different] = [marks[0].saved.cpu.moment, to];
  while (different - same > 1) {
    const middle = Math.floor((same + different) / 2);
    if (isSameAt(one, other, marks, middle, ignored)) same = middle;
    else different = middle;
  }
  return different;
}

function isSameAt(
  one: Lane,
  other: Lane,
  marks: Parting['marks'],
  moment: number,
  ignored: Comparison['ignored'],
): boolean {
  [one, other].forEach((lane, index) => {
    lane.backTo(marks[index]);
    lane.advance(moment);
  });
  return isSame(one.guest.save(), other.guest.save(), ignored);
}

/** Compares one instruction after another, up to a moment. */
function closely(one: Lane, other: Lane, marks: Parting['marks'], to: number, how: Comparison): number | undefined {
  const candidates = [partingOfRegisters(one, other, to, how.meanings), partingOfOutput(one.written, other.written)];
  const reached = Math.min(one.moment, other.moment);
  if (one.moment !== other.moment || !sameEnd(one.outcome, other.outcome)) candidates.push(reached);
  const parted = candidates.filter((moment) => moment !== undefined).sort((a, b) => a - b)[0];
  if (how.meanings !== undefined) return parted;
  const last = parted === undefined ? reached : parted - 1;
  return isSameAt(one, other, marks, last, how.ignored) ? parted : bisect(one, other, marks, last, how.ignored);
}

/**
 * Runs both, which have not run yet, until they part.
 *
 * The same code is compared at intervals first: registers, memory, and what the host has answered. What differs in
 * between and has left no trace at the end of an interval, of some milliseconds, is not seen.
 * @returns undefined if they are the same to their end, or to the limit
 */
export async function findParting(one: Lane, other: Lane, how: Comparison): Promise<Parting | undefined> {
  let marks = [one.mark(), other.mark()] as const;
  // Both are at the same moment, and have ended or have not.
  while (one.outcome === undefined && one.moment < how.limit) {
    const to = Math.min(how.limit, one.moment + CHUNK);
    if (how.meanings === undefined) {
      for (const lane of [one, other]) lane.advance(to);
      const next = [one.guest.save(), other.guest.save()] as const;
      const same =
        one.moment === other.moment &&
        sameEnd(one.outcome, other.outcome) &&
        one.answers === other.answers &&
        isSame(...next, how.ignored);
      if (!same) {
        one.backTo(marks[0]);
        other.backTo(marks[1]);
        return { moment: closely(one, other, marks, to, how) ?? to, marks };
      }
    } else {
      const moment = closely(one, other, marks, to, how);
      if (moment !== undefined) return { moment, marks };
    }
    marks = [one.mark(), other.mark()];
    how.progress(one.moment);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return undefined;
}
