import { setTimeout } from 'node:timers/promises';
import { explainDeadlock } from '../runtime/deadlock.js';
import { Deadlock } from '../runtime/errors.js';
import { goredump } from '../runtime/goredump.js';
import type { Outcome, Process } from '../runtime/process.js';
import { UsageError } from './errors.js';
import { type Colors, colors, switchJson, switchTable } from './format.js';
import { openGuest } from './guest.js';
import { lookCommand } from './invocation.js';
import { linkField, linkLines } from './linkable.js';
import type { ColorOptions } from './options.js';
import { ending, withLines } from './outcome.js';
import type { Run, RunOptions } from './run.js';
import { recordSwitches, type SwitchRecord } from './switches.js';
import { complain, conclude, print, screenWidth, wantsColor } from './terminal.js';

/** What a run is asked to show. */
export interface ShowOptions extends RunOptions, ColorOptions {
  /** A moment. */
  readonly at?: number;
  readonly json?: boolean;
  /** Whether a moment is shown with the switch before it. */
  readonly switches?: boolean;
  readonly dump?: boolean;
}

/** Sleeps until the guest's clock, the real one, shows this time in ms. */
async function untilTime(guest: Process, until: number): Promise<void> {
  await setTimeout(Math.max(1, until - guest.mill.clock.time()));
}

/** Runs, past the ends of children, and sleeps while everybody in the guest waits for the real clock. */
export async function runToEnd(guest: Process, { limit }: Pick<ShowOptions, 'limit'> = {}): Promise<Outcome> {
  for (;;) {
    const outcome = guest.run(limit);
    if (outcome.kind === 'waiting') {
      await untilTime(guest, outcome.until);
    } else if (outcome.kind === 'child') {
      const { message } = await ending(guest, outcome.ended);
      if (message !== undefined) complain(`child process ${outcome.id}:\n${message}`);
    } else {
      return outcome;
    }
  }
}

/**
 * Goes to a moment, without a word of what the program prints on its way.
 * @throws UsageError if the run ends before
 */
export async function reach(guest: Process, at: number): Promise<void> {
  let outcome = guest.run(at);
  while (guest.cpu.moment < at && (outcome.kind === 'child' || outcome.kind === 'waiting')) {
    if (outcome.kind === 'waiting') await untilTime(guest, outcome.until);
    outcome = guest.run(at);
  }
  if (guest.cpu.moment >= at) return;
  const { message } = await ending(guest, outcome);
  const how = message === undefined ? '' : `\n${message}`;
  throw new UsageError(`the run has no moment ${at}: its last one is ${guest.cpu.moment}${how}`);
}

/** Goes to a moment and shows the machine there. */
async function visit(guest: Process, at: number, run: Run, options: ShowOptions): Promise<void> {
  // Here, not above: no other run is to load it.
  const { lookJson, lookText } = await import('./look.js');
  let last: SwitchRecord | undefined;
  recordSwitches(guest, (record) => {
    last = record;
  });
  await reach(guest, at);
  if (options.json) {
    if (last !== undefined) print(1, `${switchJson(last)}\n`);
    print(1, `${lookJson(guest, await linkField(run, at))}\n`);
    return;
  }
  const paint = colors(wantsColor(options));
  if (options.switches && last !== undefined) print(1, `${switchTable(last, guest, paint, screenWidth())}\n\n`);
  print(1, `${[await lookText(guest, paint), ...(await linkLines(run, at))].join('\n')}\n`);
}

/** Opens a machine, loads the program, lets `watch` look at it, and runs it to its end; `watch` returns what is to be done then. */
export async function execute(
  paths: readonly string[],
  parameters: readonly string[],
  options: ShowOptions,
  watch: (guest: Process) => () => void,
): Promise<void> {
  const run: Run = { paths, arguments: parameters, options };
  const guest = await openGuest(run);
  const { cpu } = guest;
  try {
    guest.on('refused', (name) => {
      complain(`millscope: the program made Linux's system call ${name}, which is not here: it got ENOSYS`);
    });
    if (options.at !== undefined) {
      await visit(guest, options.at, run, options);
      return;
    }
    const finish = watch(guest);
    const outcome = await runToEnd(guest, options).finally(finish);
    const deadlocked = outcome.kind === 'error' && outcome.error instanceof Deadlock;
    if (options.dump) print(2, goredump(cpu.memory, guest.mill, deadlocked ? 0 : undefined));
    if (options.json && deadlocked) print(1, `${JSON.stringify({ deadlock: explainDeadlock(guest) })}\n`);
    const { status, message } = await ending(guest, outcome);
    const lines = [`to see that moment: ${lookCommand(run, cpu.moment)}`, ...(await linkLines(run, cpu.moment))];
    conclude({ status, message: message && withLines(message, lines) });
  } finally {
    cpu.close();
  }
}

/** Writes what the program writes. For {@link execute}. */
export function passOutput(guest: Process): () => void {
  guest.on('output', ({ stream, bytes }) => {
    print(stream, bytes);
  });
  return () => {};
}

/** Calls `show` with what is written to a stream, in whole characters; `flush` with what is left of them. */
function decodeOutput(guest: Process, show: (text: string, stream: 1 | 2) => void): () => void {
  const decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  const tell = (text: string, stream: 1 | 2): void => {
    if (text !== '') show(text, stream);
  };
  guest.on('output', ({ stream, bytes }) => tell(decoders[stream].decode(bytes, { stream: true }), stream));
  return () => {
    for (const stream of [1, 2] as const) tell(decoders[stream].decode(), stream);
  };
}

/** Writes each switch as a table, or as a line of JSON, with what the program writes between them. For {@link execute}. */
export function watchSwitches(guest: Process, options: ShowOptions): () => void {
  const out = (text: string): void => print(1, `${text}\n`);
  if (options.json) {
    recordSwitches(guest, (record) => out(switchJson(record)));
    return decodeOutput(guest, (output, stream) => out(JSON.stringify({ output, stream })));
  }
  const paint: Colors = colors(wantsColor(options));
  const width = screenWidth();
  // Programs write lines in pieces; a switch may come in the middle of one.
  const lines = { 1: '', 2: '' };
  const show = (stream: 1 | 2, line: string): void => {
    out(stream === 1 ? paint.green(`output  ${line}`) : paint.red(`error   ${line}`));
  };
  const flush = (): void => {
    for (const stream of [1, 2] as const) {
      if (lines[stream] !== '') show(stream, lines[stream]);
      lines[stream] = '';
    }
  };
  recordSwitches(guest, (record) => {
    flush();
    out(`\n${switchTable(record, guest, paint, width)}`);
  });
  const finish = decodeOutput(guest, (text, stream) => {
    const all = (lines[stream] + text).split('\n');
    lines[stream] = all.pop() ?? '';
    for (const line of all) show(stream, line);
  });
  return () => {
    finish();
    flush();
  };
}
