import { explainDeadlock } from '../runtime/deadlock.js';
import { Deadlock, Misuse, Panic } from '../runtime/errors.js';
import type { Outcome, Process } from '../runtime/process.js';
import { deadlockTable } from './deadlock-table.js';
import { faultReport } from './fault-report.js';
import { hex, whoRuns } from './format.js';

/** Exit statuses besides the guest's own. */
export const STATUS = { ours: 1, usage: 2, deadlock: 3, limit: 124, interrupted: 130, abort: 134, fault: 139 } as const;

/** How a run is to end on the command line. */
export interface Ending {
  readonly status: number;
  /** For standard error, its last line starting with "millscope: "; undefined if the guest ended by itself. */
  readonly message: string | undefined;
}

/** Puts lines in front of the last one of a message, which is the one that begins with "millscope: ". */
export function withLines(message: string, more: readonly string[]): string {
  const lines = message.split('\n');
  return [...lines.slice(0, -1), ...more, ...lines.slice(-1)].join('\n');
}

/** Says how a run ended: what, where, and what to do. */
export async function ending(process: Process, outcome: Outcome): Promise<Ending> {
  const { status, message } = await explain(process, outcome);
  const lost = message === undefined ? 0 : process.bufferedOutput;
  if (lost === 0) return { status, message };
  const text = `${lost} byte${lost === 1 ? '' : 's'} of standard output were still in its buffer, as they are in C until a`;
  return { status, message: `${text} line ends, or fflush(stdout)\n${message}` };
}

async function explain(process: Process, outcome: Outcome): Promise<Ending> {
  const { cpu } = process;
  const where = (): string => {
    const running = process.running;
    // Behind a door, rip is already behind its `syscall`.
    const rip = outcome.kind === 'limit' ? cpu.rip : cpu.rip - 1;
    const call = running === undefined ? undefined : process.callSite(running, rip, Number(cpu.read('rsp')));
    // In the runtime only the name of the function says anything to whoever called it.
    const name = call && process.imageAt(BigInt(rip))?.symbolAt(BigInt(rip))?.name;
    const place = name ? `in ${name}, called from ${process.describe(call)}` : `at ${process.describe(BigInt(rip))}`;
    return `${place}, ${whoRuns(process)}, at moment ${cpu.moment}`;
  };
  switch (outcome.kind) {
    case 'exit':
      return { status: outcome.status, message: undefined };
    case 'child':
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
      let { message } = outcome.error;
      // It is the address behind the call that is known, and what a person looks for is the call.
      if (freedAt !== undefined) message = message.replace(hex(freedAt), process.describe(freedAt - 1n));
      return { status: STATUS.abort, message: `${text}millscope: ${message}, ${where()}` };
    }
    case 'fault': {
      const report = await faultReport(process, outcome.fault);
      return { status: STATUS.fault, message: `${report}\nmillscope: ${report.split('\n', 1)[0]}` };
    }
  }
}
