import { clausesOf, type Verdict } from '../contract/clauses.js';
import { type LayoutData, layoutData } from '../layout/data.js';
import { differencesFrom } from '../layout/golden.js';
import { layoutOf } from '../layout/layout.js';
import type { Code } from '../probe/code.js';
import { type Measurement, measure } from '../probe/measure.js';

/** What the checks say of a switch. */
export interface Findings {
  readonly layout: LayoutData;
  /** By the ids of the clauses. */
  readonly clauses: ReadonlyMap<string, Verdict>;
}

/** A check that says something else of a mutant than of the original. */
export interface Catch {
  readonly check: 'end' | 'layout' | 'contract' | 'command';
  /** A slot, a clause; of an end or a command, nothing. */
  readonly where: string;
  readonly what: string;
}

/** Measures a switch, and holds it to its contract. */
export function findingsOf(code: Code): { measurement: Measurement; findings: Findings } {
  const measurement = measure(code);
  const layout = layoutOf(measurement);
  const clauses = clausesOf(layout, { statement: undefined });
  const byId = new Map(clauses.map(({ id, verdict }) => [id, verdict]));
  return { measurement, findings: { layout: layoutData(layout), clauses: byId } };
}

/** What a golden file and the contract check of the original would say of a mutant; empty if nothing. */
export function catches(original: Findings, mutant: Findings): Catch[] {
  const found: Catch[] = [];
  const { failed } = mutant.layout;
  if (failed !== original.layout.failed) found.push({ check: 'end', where: '', what: failed ?? 'it is measured now' });
  const differences = differencesFrom([original.layout], [mutant.layout]);
  for (const { what, golden, now } of differences) {
    if (what === 'measured') continue;
    found.push({ check: 'layout', where: what, what: `was ${golden || 'nothing'}, is ${now || 'nothing'}` });
  }
  for (const id of new Set([...original.clauses.keys(), ...mutant.clauses.keys()])) {
    const [before, now] = [original.clauses.get(id), mutant.clauses.get(id)];
    if (before !== now) found.push({ check: 'contract', where: id, what: now ?? 'no clause' });
  }
  return found;
}
