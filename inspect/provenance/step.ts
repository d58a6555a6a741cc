import type { Place } from './place.js';

/** What an instruction did to make a value be where it is. */
export type StepKind =
  /** From one place to another: between registers, out of memory, into memory. */
  | 'copy'
  | 'load'
  | 'store'
  | 'push'
  | 'pop'
  /** Into a slot of a ctx, and out of it. */
  | 'save'
  | 'restore'
  /** By the host: an element of a channel, or what one of libc's functions copies. */
  | 'transfer'
  /** These begin a chain. */
  | 'constant'
  | 'address'
  | 'arithmetic'
  /** Only some of the bytes asked for. */
  | 'part'
  /** rax behind a door. */
  | 'result'
  /** Memory behind a door. */
  | 'host'
  /** It was there before the first instruction. */
  | 'start'
  /** It was changed between two instructions, as memory is by a fork. */
  | 'unseen';

/** A value that an instruction took, as it was in front of it. */
export interface Input {
  readonly place: Place;
  /** In words. */
  readonly name: string;
  /** In the words of a question. */
  readonly query: string;
  readonly value: bigint;
}

/** One station of a value on its way. */
export interface ProvenanceStep {
  readonly kind: StepKind;
  /** At which the instruction begins; 0 for "start". */
  readonly moment: number;
  /** Id of the coroutine in which it was executed; undefined between two, and at the start. */
  readonly coroutine: number | undefined;
  /** In AT&T syntax; what is said in its place of what no instruction did. */
  readonly text: string;
  /** Where it is: symbol, offset, file and line. Empty where there is no instruction. */
  readonly at: string;
  /** What it wrote, or as much of it as is asked for. */
  readonly place: Place;
  /** In words, which are those of that moment. */
  readonly name: string;
  /** In front of the instruction; undefined if nothing was mapped there. */
  readonly before: bigint | undefined;
  readonly after: bigint;
  /** The function whose door it was; the channel by its id, if an element was moved. */
  readonly door: string | undefined;
  readonly channel: number | undefined;
  /** Where the chain goes on, as it was in front of the instruction. */
  readonly from: Input | undefined;
  readonly inputs: readonly Input[];
}

/** From where a value has come: a chain that begins with the last write. */
export interface Provenance {
  /** At which was asked. */
  readonly moment: number;
  readonly place: Place;
  /** In words, which are those of that moment. */
  readonly name: string;
  readonly value: bigint;
  readonly steps: readonly ProvenanceStep[];
  /** Whether the chain came to its beginning, or was long, or was interrupted. */
  readonly end: 'beginning' | 'long' | 'interrupted';
}
