import type { Source } from '../../asm/statement.js';
import type { Language } from '../lesson/lesson.js';
import type { Provenance, ProvenanceStep } from '../provenance/step.js';
import type { Scene } from '../view/scene.js';
import type { WatchedValue } from '../watched.js';
import type { Arrival, Stop } from './protocol.js';

/** How far the engine has come. */
export type EngineState =
  | { readonly kind: 'loading'; readonly loaded: number; readonly total: number }
  | { readonly kind: 'ready' }
  | { readonly kind: 'broken'; readonly message: string };

/** From where a number has come: its last writes first. */
export interface Origin {
  readonly steps: readonly ProvenanceStep[];
  /** Whether that is all of it; or there is more, which can be asked for. */
  readonly end: Provenance['end'] | 'searching';
}

/** A number that somebody has asked about. */
export interface Inquiry {
  /** What it is: `rbx`, `slot 2 r12`. */
  readonly name: string;
  readonly value: bigint;
  /** Where it is, if the machine can be asked who wrote it there. */
  readonly asking: WatchedValue | undefined;
  /** The moment at which it was seen. */
  readonly moment: number;
  /** What it is an address of; undefined while the machine is being asked. */
  readonly meaning: string | undefined;
  /** From where it has come, as far as that was asked. */
  readonly origin: Origin | undefined;
}

/** What all places of the page show. */
export interface State {
  readonly language: Language;
  /** The texts that the program is made of. */
  readonly sources: readonly Source[];
  /** Marks of the run, such as a lesson's passages; undefined for those about another program. */
  readonly moments: readonly (number | undefined)[];
  readonly engine: EngineState;
  readonly scene: Scene | undefined;
  /** What was shown one instruction before, if the last movement was that one on. */
  readonly previous: Scene | undefined;
  /** Something takes longer: where it is. */
  readonly busy: { readonly moment: number | undefined } | undefined;
  /** What could not be done. */
  readonly refused: string | undefined;
  /** The mark that is read: its index. */
  readonly passage: number;
  /** Id of a coroutine that is to be seen. */
  readonly pinned: number | undefined;
  readonly playing: boolean;
  /** Instructions a second. */
  readonly speed: number;
  /** Whether what comes next is hidden. */
  readonly predicting: boolean;
  readonly inquiry: Inquiry | undefined;
  readonly stops: readonly Stop[];
  /** Why the last movement ended here; undefined if there was none. */
  readonly arrival: Arrival | undefined;
  readonly showsKeys: boolean;
}
