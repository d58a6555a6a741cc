import { explainDeadlock } from '../runtime/deadlock.js';
import { Deadlock, Misuse, Panic } from '../runtime/errors.js';
import type { Outcome, Process } from '../runtime/process.js';
import { deadlockTable } from './deadlock-table.js';
import { faultReport } from './fault-report.js';
import { whoRuns } from './format.js';

/** Exit statuses besides the guest's own. */
export const STATUS = { ours: 1, usage: 2, deadlock: 3, limit: 124, abort: 134, fault: 139 } as const;

/** How a run is to end on the command line. */
export interface Ending {
  readonly status: number;
  /** For standard error, its last line starting with "millscope: "; undefined if the guest ended by itself. */
  readonly message: string | undefined;
}

/** Says how a run ended: what, where, and what to do. */
export async function ending(process: Process, outcome: Outcome): Promise<Ending> {
  const { cpu } = process;
  const where = (): string => {
    const running = process.running;
    // Behind a door, rip is already behind its `syscall`.
    const rip = outcome.kind === 'limit' ? cpu.rip : cpu.rip - 1;
    const call = running === undefined ? undefined : process.callSite(running, rip, Number(cpu.read('rsp')));
    const from = call === undefined ? '' : `, called from ${process.describe(call)}`;
    return `at ${process.describe(BigInt(rip))}${from}, ${whoRuns(process)}, at moment ${cpu.moment}`;
  };
  switch (outcome.kind) {
    case 'exit':
      return { status: outcome.status, message: undefined };
    case 'paused':
    case 'waiting':
      return { status: 0, message: undefined };
    case 'limit':
      return {
        status: STATUS.limit,
        message: `millscope: stopped by --limit ${where()}: give it more, or look for an endless loop`,
      };
    case 'abort':
      return { status: STATUS.abort, message: `millscope: the program called abort() ${where()}` };
    case 'error': {
      if (outcome.error instanceof Deadlock) {
        const table = deadlockTable(explainDeadlock(process));
        return { status: STATUS.deadlock, message: `${table}\nmillscope: deadlock: ${outcome.error.message}` };
      }
      const text = outcome.error instanceof Panic ? `panic: ${outcome.error.message}\n` : '';
      const { freedAt } = outcome.error instanceof Misuse ? outcome.error : {};
      // What is known is the address behind the call.
      const freed = freedAt === undefined ? '' : `; it was freed at ${process.describe(freedAt - 1n)}`;
      return { status: STATUS.abort, message: `${text}millscope: ${outcome.error.message}${freed}, ${where()}` };
    }
    case 'fault': {
      const report = await faultReport(process, outcome.fault);
      return { status: STATUS.fault, message: `${report}\nmillscope: ${report.split('\n', 1)[0]}` };
    }
  }
}
