import { REGISTER_FILE } from '../../emu/registers.js';
import type { Readings } from './readings.js';

/** A register before the last instruction, now, and after the next one. */
export interface RegisterRow {
  readonly name: (typeof REGISTER_FILE)[number];
  /** undefined at the start of the run. */
  readonly before: bigint | undefined;
  readonly now: bigint;
  /** undefined if nothing comes next. */
  readonly after: bigint | undefined;
  /** Whether the last instruction has changed it. */
  readonly changed: boolean;
  /** Whether the next one will. */
  readonly changes: boolean;
}

/** By bit, in the order in which they are shown (Intel SDM, volume 1, 3.4.3). */
const FLAGS = [
  [11, 'OF'],
  [10, 'DF'],
  [7, 'SF'],
  [6, 'ZF'],
  [4, 'AF'],
  [2, 'PF'],
  [0, 'CF'],
] as const;

/** The register file as rows. */
export function registerRows({ before, now, after }: Readings<unknown>): RegisterRow[] {
  return REGISTER_FILE.map((name, index) => {
    const value = now.registers[index];
    const [was, becomes] = [before?.[index], after?.registers[index]];
    return {
      name,
      before: was,
      now: value,
      after: becomes,
      changed: was !== undefined && was !== value,
      changes: becomes !== undefined && becomes !== value,
    };
  });
}

/** The names of the status flags that are set. */
export function flagNames(eflags: bigint): string[] {
  return FLAGS.filter(([bit]) => ((eflags >> BigInt(bit)) & 1n) === 1n).map(([, name]) => name);
}
