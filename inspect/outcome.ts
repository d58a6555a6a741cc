import { Panic } from '../runtime/errors.js';
import type { Outcome, Process } from '../runtime/process.js';
import { faultReport } from './fault-report.js';
import { coroutineName } from './format.js';

/** Exit statuses besides the guest's own. */
export const STATUS = { usage: 2, deadlock: 3, limit: 124, abort: 134, fault: 139 } as const;

/** How a run is to end on the command line. */
export interface Ending {
  readonly status: number;
  /** For standard error, its last line starting with "millscope: "; undefined if the guest ended by itself. */
  readonly message: string | undefined;
}

/** Says how a run ended: what, where, and what to do. */
export async function ending(process: Process, outcome: Outcome): Promise<Ending> {
  const { cpu, census, coroutines } = process;
  const where = (): string => {
    const running = coroutines.running;
    const who = running === 0 ? 'between coroutines' : `in ${coroutineName(census.id(running))}`;
    return `at ${process.describe(BigInt(cpu.rip))}, ${who}, at moment ${cpu.moment}`;
  };
  switch (outcome.kind) {
    case 'exit':
      return { status: outcome.status, message: undefined };
    case 'paused':
      return { status: 0, message: undefined };
    case 'limit':
      return {
        status: STATUS.limit,
        message: `millscope: stopped by --limit ${where()}: give it more, or look for an endless loop`,
      };
    case 'abort':
      return { status: STATUS.abort, message: `millscope: the program called abort() ${where()}` };
    case 'error': {
      const text = outcome.error instanceof Panic ? `panic: ${outcome.error.message}\n` : '';
      return { status: STATUS.abort, message: `${text}millscope: ${outcome.error.message}, ${where()}` };
    }
    case 'fault': {
      const report = await faultReport(process, outcome.fault);
      return { status: STATUS.fault, message: `${report}\nmillscope: ${report.split('\n', 1)[0]}` };
    }
  }
}
