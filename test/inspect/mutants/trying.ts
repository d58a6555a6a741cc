import { loadEngine, openMachine } from '../../../inspect/engine.js';
import type { FaultKind } from '../../../inspect/mutants/fault.js';
import { faultName } from '../../../inspect/mutants/fault.js';
import { type Result, Trial } from '../../../inspect/mutants/trial.js';
import { prepare, type SwitchOptions } from '../../../inspect/probe/prepare.js';
import { readFiles } from '../../../inspect/program.js';

/** Some hundred probes take seconds, and more where others have the processor. */
export const PATIENCE_MS = 600_000;

/** Opens the trial of the one switch in files. */
export async function openTrial(paths: readonly string[], options: SwitchOptions = {}): Promise<Trial> {
  await loadEngine();
  const [code] = await prepare(await readFiles(paths), options, openMachine);
  return Trial.open(code);
}

/** Every fault in a switch, tried against layout and contract. */
export async function tryAll(paths: readonly string[], options: SwitchOptions = {}): Promise<Result[]> {
  const trial = await openTrial(paths, options);
  try {
    const results: Result[] = [];
    for (const fault of await trial.faults()) results.push(await trial.check(fault));
    return results;
  } finally {
    trial.close();
  }
}

/** Names of the faults with a verdict. */
export function named(results: readonly Result[], verdict: Result['verdict']): string[] {
  return results.filter((one) => one.verdict === verdict).map(({ fault }) => faultName(fault));
}

/** The equivalent ones, each with its reason, a line each. */
export function equivalents(results: readonly Result[]): string[] {
  return results.flatMap((one) => (one.verdict === 'equivalent' ? [`${faultName(one.fault)}: ${one.reason}`] : []));
}

/** How many faults of each kind there are in an instruction, by its place. */
export function countsAt(results: readonly Result[], place: string): Partial<Record<FaultKind, number>> {
  const counts: Partial<Record<FaultKind, number>> = {};
  for (const { fault } of results) {
    if (fault.at.place === place) counts[fault.kind] = (counts[fault.kind] ?? 0) + 1;
  }
  return counts;
}
