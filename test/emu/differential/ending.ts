import type { State } from './state.js';

/** How a run of a sequence came to its end, and what it left behind. */
export interface Ending {
  /** `end` at the trap behind the last instruction; else a fault, by the name that `Fault` has for it. */
  readonly stop: string;
  /** The trap, or the instruction that raised the fault. */
  readonly rip: bigint;
  /** Of page faults. */
  readonly access: string | undefined;
  readonly target: bigint | undefined;
  readonly state: State;
}
