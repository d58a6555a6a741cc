import Table from 'cli-table3';
import { REGISTER_FILE } from '../emu/registers.js';
import type { Process } from '../runtime/process.js';
import { type Colors, coroutineName, hex, NO_LINES_BETWEEN_ROWS, registerRows, whoRuns } from './format.js';
import { instructionText } from './instruction-text.js';
import { type ChannelView, type CoroutineView, survey } from './survey.js';

/** More coroutines or channels than this are counted, not shown. */
const SHOWN = 30;

/**
 * A moment of a run for people: what comes next, the registers, and what libmill knows.
 * @param paint colours, or none
 */
export async function lookText(process: Process, paint: Colors): Promise<string> {
  const { cpu } = process;
  const { coroutines, ready, channels, timers, time } = survey(process);
  const rip = BigInt(cpu.rip);
  const instruction = (await instructionText(process, rip)) ?? 'no instruction';
  const queue = ready.length === 0 ? 'nobody' : ready.map(coroutineName).join(', ');
  const waits = timers.map(({ coroutine, deadline }) => `${coroutineName(coroutine)} until ${deadline}`);
  return [
    `${paint.bold(`moment ${cpu.moment}`)}, ${whoRuns(process)}`,
    `next: ${paint.yellow(instruction)} at ${process.describe(rip)}`,
    ...registerRows(process),
    `    eflags ${hex(cpu.read('eflags'))}`,
    coroutineTable(process, coroutines, paint),
    ...(channels.length === 0 ? [] : [channelTable(channels, paint)]),
    `ready: ${queue}; the clock is at ${time} ms${waits.length === 0 ? '' : `; timers: ${waits.slice(0, SHOWN).join(', ')}`}`,
  ].join('\n');
}

/** The same as one line of JSON; 64-bit values in hexadecimal. @param more fields */
export function lookJson(process: Process, more: object = {}): string {
  const { cpu } = process;
  const registers = Object.fromEntries(REGISTER_FILE.map((name) => [name, hex(cpu.read(name))]));
  const place = process.describe(BigInt(cpu.rip));
  return JSON.stringify({ moment: cpu.moment, place, registers, ...survey(process), ...more }, (_, value: unknown) =>
    typeof value === 'bigint' ? hex(value) : value,
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[], paint: Colors): string {
  const made = new Table({
    head: head.map((text) => paint.bold(text)),
    style: { head: [], border: paint.isColorSupported ? ['gray'] : [] },
    chars: NO_LINES_BETWEEN_ROWS,
  });
  for (const row of rows.slice(0, SHOWN)) made.push([...row]);
  const more = rows.length - SHOWN;
  return more > 0 ? `${made.toString()}\nand ${more} more` : made.toString();
}

function coroutineTable(process: Process, coroutines: readonly CoroutineView[], paint: Colors): string {
  const rows = coroutines.map(({ id, address, state, rip, stack }) => {
    const call = process.callSite(address, Number(rip), Number(stack.rsp));
    const inUse = stack.high - Number(stack.rsp);
    const use = inUse >= 0 && inUse <= stack.high - stack.low ? `${inUse} of ${stack.high - stack.low}` : 'left';
    return [coroutineName(id), state, process.describe(call ?? rip), use];
  });
  return table(['who', 'state', 'at', 'bytes of stack'], rows, paint);
}

function channelTable(channels: readonly ChannelView[], paint: Colors): string {
  const rows = channels.map(({ id, items, capacity, senders, receivers, done, references }) => [
    `<${id}>`,
    `${items} of ${capacity}${done ? ', done' : ''}`,
    senders.map(coroutineName).join(', '),
    receivers.map(coroutineName).join(', '),
    String(references),
  ]);
  return table(['channel', 'buffered', 'who sends', 'who receives', 'handles'], rows, paint);
}
