/** Matchers for vitest that guard a context switch, and what a test needs around them. Importing this adds them. */
import { expect } from 'vitest';
import { layoutSerializer } from './vitest/layout-snapshot.js';
import type { LoadedSwitch } from './vitest/loaded-switch.js';
import { matchers, type SwitchMatchers } from './vitest/matchers.js';

export type { Clause, Verdict } from './contract/clauses.js';
export type { LayoutData, SlotData } from './layout/data.js';
export type { SwitchRecord } from './switches.js';
export { type LoadSwitchOptions, loadSwitch, loadSwitches } from './vitest/load-switch.js';
export type { Executed, LoadedSwitch, Passage, UsedSlot } from './vitest/loaded-switch.js';
export type { ContractOptions, PreservedRegister, SwitchMatchers } from './vitest/matchers.js';
export {
  type FileName,
  type FileNames,
  type ProgramRun,
  type RunProgramOptions,
  runProgram,
} from './vitest/run-program.js';

/** A matcher, for a switch; for anything else what cannot be called. */
type ForSwitch<Received, Name extends keyof SwitchMatchers> = Received extends LoadedSwitch
  ? SwitchMatchers[Name]
  : (onlyForWhatLoadSwitchReturns: never, ...rest: never[]) => void;

declare module 'vitest' {
  interface Matchers<T> {
    /** {@link SwitchMatchers.toHaveCtxLayout} */
    toHaveCtxLayout: ForSwitch<T, 'toHaveCtxLayout'>;
    /** {@link SwitchMatchers.toPreserve} */
    toPreserve: ForSwitch<T, 'toPreserve'>;
    /** {@link SwitchMatchers.toKeepContract} */
    toKeepContract: ForSwitch<T, 'toKeepContract'>;
    /** {@link SwitchMatchers.toSwitchWithin} */
    toSwitchWithin: ForSwitch<T, 'toSwitchWithin'>;
  }
}

expect.extend(matchers);
expect.addSnapshotSerializer(layoutSerializer);
