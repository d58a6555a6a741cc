import { PAGE_SIZE } from '../../emu/memory.js';
import { type DeadlockReport, explainDeadlock } from '../../runtime/deadlock.js';
import { Deadlock } from '../../runtime/errors.js';
import type { Outcome, Process } from '../../runtime/process.js';
import { regionAt } from '../../runtime/region.js';

/** How a run has ended, as plain data. */
export type Ending =
  | { readonly kind: 'exit'; readonly status: number }
  | { readonly kind: 'deadlock'; readonly report: DeadlockReport }
  | {
      readonly kind: 'fault';
      /** In the words of the Intel SDM. */
      readonly what: string;
      readonly access: string | undefined;
      readonly target: bigint | undefined;
      /** What is at the target. */
      readonly region: string | undefined;
      /** Id of the running coroutine, if the target is in its guard page. */
      readonly guardOf: number | undefined;
    }
  /** abort(), a panic of libmill's, another misuse. */
  | { readonly kind: 'abort'; readonly message: string };

/** Says how a run has ended; undefined if it can go on. */
export function endingOf(process: Process, outcome: Outcome | undefined): Ending | undefined {
  switch (outcome?.kind) {
    case 'exit':
      return { kind: 'exit', status: outcome.status };
    case 'abort':
      return { kind: 'abort', message: 'abort()' };
    case 'error':
      if (outcome.error instanceof Deadlock) return { kind: 'deadlock', report: explainDeadlock(process) };
      return { kind: 'abort', message: outcome.error.message };
    case 'fault': {
      const { kind: what, access, target } = outcome.fault;
      const region = target === undefined ? undefined : regionAt(process, Number(target));
      return { kind: 'fault', what, access, target, region, guardOf: guardOf(process, target) };
    }
    default:
      return undefined;
  }
}

function guardOf(process: Process, target: bigint | undefined): number | undefined {
  const { running } = process;
  if (running === undefined || target === undefined) return undefined;
  const { low } = process.mill.coroutines.stackOf(running);
  return target >= BigInt(low - PAGE_SIZE) && target < BigInt(low) ? process.mill.census.id(running) : undefined;
}
