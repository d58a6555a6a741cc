import type { Fault } from '../emu/fault.js';
import { PAGE_SIZE } from '../emu/memory.js';
import { GENERAL_REGISTERS } from '../emu/registers.js';
import { looksFreed } from '../runtime/heap.js';
import type { Process } from '../runtime/process.js';
import { regionAt } from '../runtime/region.js';
import { coroutineName, hex, registerRows, whoRuns } from './format.js';
import { instructionText } from './instruction-text.js';

const NO_STACK = { low: 0, high: 0 };

/** What happened, in one line. */
function reason(process: Process, fault: Fault): string {
  const { kind, access, target } = fault;
  const cr = process.running;
  if (kind === 'page fault' && target !== undefined) {
    const where = regionAt(process, Number(target));
    const address = Number(target);
    const { low, high } = cr === undefined ? NO_STACK : process.mill.coroutines.stackOf(cr);
    if (cr !== undefined && address >= low - PAGE_SIZE && address < low) {
      return (
        `stack overflow: ${coroutineName(process.mill.census.id(cr))} has used all ${high - low} bytes of its stack ` +
        `(${hex(BigInt(low))}-${hex(BigInt(high))}) and its next ${access} was at ${hex(target)}, in the guard page`
      );
    }
    return `page fault: the program may not ${access} at ${hex(target)}, which is in ${where}`;
  }
  if (kind === 'bad pointer' && target !== undefined) {
    return `bad pointer: a function was given ${hex(target)} to ${access} at, which is in ${regionAt(process, Number(target))}`;
  }
  if (fault.reason !== undefined) return `${kind}: ${fault.reason}`;
  return kind;
}

/**
 * What gcc's and clang's -fstack-clash-protection probe a page with before they use it. In go() they do so on the way
 * from the parent's stack, where rsp still is, to that of the child, which libmill already takes to be running.
 */
const STACK_PROBE = /^(or|xor)q? \$0, .*\(%rsp/;

/** What may be behind it, as far as that can be seen. */
function advice(process: Process, text: string | undefined): string[] {
  const freed = GENERAL_REGISTERS.filter((name) => looksFreed(process.cpu.read(name)));
  if (freed.length > 0) {
    const come = freed.length === 1 ? 'comes' : 'come';
    return [
      `  ${freed.join(' and ')} ${come} from memory that was freed, or was given out by malloc and never written`,
    ];
  }
  const cr = process.running;
  if (cr === undefined || text === undefined || !STACK_PROBE.test(text)) return [];
  const { low, high } = process.mill.coroutines.stackOf(cr);
  const rsp = Number(process.cpu.read('rsp'));
  if (rsp >= low && rsp <= high) return [];
  return [
    '  this is a probe of -fstack-clash-protection, which in a go() touches every page from one stack to the other:',
    '  compile with -fno-stack-clash-protection',
  ];
}

/**
 * A fault as people need it: what, at which instruction, in which coroutine, at what moment, and all general
 * registers.
 */
export async function faultReport(process: Process, fault: Fault): Promise<string> {
  const text = await instructionText(process, fault.rip);
  return [
    reason(process, fault),
    `  at ${process.describe(fault.rip)} [${hex(fault.rip)}]${text === undefined ? '' : `: ${text}`}`,
    `  ${whoRuns(process)}, at moment ${process.cpu.moment}`,
    ...advice(process, text),
    ...registerRows(process),
  ].join('\n');
}
