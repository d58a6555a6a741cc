import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Outcome, Process } from '../../runtime/process.js';
import { UsageError } from '../errors.js';
import { colors } from '../format.js';
import { openGuest } from '../guest.js';
import { AROUND, listingCommand } from '../invocation.js';
import { linkLines } from '../linkable.js';
import { type Ending, ending, STATUS, withLines } from '../outcome.js';
import type { Run, RunOptions } from '../run.js';
import { NobodyReads } from '../write-all.js';
import { EVENT_NAMES, type EventName, parseEvents } from './event.js';
import { JsonLines } from './jsonl.js';
import { Listing } from './listing.js';
import { Perfetto } from './perfetto.js';
import { Progress } from './progress.js';
import { Recorder } from './recorder.js';
import { refuseToOverwrite, Sink } from './sink.js';
import { Text } from './text.js';
import type { End, Header, Writer } from './writer.js';

/** What a trace can be written as. */
export const FORMATS = ['text', 'jsonl', 'perfetto'] as const;

export interface TraceOptions extends RunOptions {
  readonly format: (typeof FORMATS)[number];
  /** A path, or - for standard output. */
  readonly output: string;
  readonly from?: number;
  readonly to?: number;
  /** Instead of both: the moments around this one. */
  readonly at?: number;
  /** A list of names, with commas. */
  readonly events?: string;
}

/** What the command line knows besides its options. */
export interface Surroundings {
  readonly version: string;
  readonly colors: boolean;
}

/** Instructions between two looks at whether somebody has pressed Ctrl-C. */
const STEPS = 20_000;
const INSTRUCTIONS = 500_000;

/** What shows the course of a run in the viewer, whatever else is asked for. */
const COURSE: readonly EventName[] = ['switch', 'coroutine', 'process'];

function eventsOf({ events, format }: TraceOptions): Set<EventName> {
  if (events !== undefined) return parseEvents(events);
  return new Set(EVENT_NAMES.filter((name) => name !== 'memory' && (format === 'text' || name !== 'instruction')));
}

/** Which moments are traced. @throws UsageError */
function momentsOf({ from, to, at }: TraceOptions): { readonly from: number; readonly to?: number } {
  if (at === undefined) return { from: from ?? 0, ...(to === undefined ? {} : { to }) };
  if (from !== undefined || to !== undefined) throw new UsageError('give either --at, or --from and --to');
  return { from: Math.max(0, at - AROUND), to: at + AROUND };
}

function writerOf({ format, at }: TraceOptions, sink: Sink, paint: boolean, listing: Listing | undefined): Writer {
  if (format === 'perfetto') return new Perfetto(sink, listing);
  return format === 'jsonl' ? new JsonLines(sink, listing) : new Text(sink, colors(paint), listing, at);
}

function headerOf(
  { paths, arguments: parameters, options }: Run,
  guest: Process,
  version: string,
): Omit<Header, 'from' | 'to' | 'events'> {
  return {
    millscope: version,
    program: paths,
    arguments: parameters,
    engine: guest.cpu.engine,
    seed: `${options.seed}`,
    clock: options.clock,
    memory: options.memory,
    environment: options.env,
    archives: options.archive,
    runtime: options.runtime,
    cc: options.cc,
  };
}

/** Why the trace is at its end. */
function endOf({ cpu }: Process, outcome: Outcome, { status, message }: Ending, cut: 'to' | 'limit'): End {
  const at = cpu.moment;
  if (outcome.kind === 'exit') return { at, outcome: 'exit', status };
  if (outcome.kind === 'limit') return { at, outcome: cut };
  if (outcome.kind === 'fault' || outcome.kind === 'error' || outcome.kind === 'abort') {
    const last = message?.trimEnd().split('\n').at(-1);
    return { at, outcome: outcome.kind, ...(last === undefined ? {} : { message: last.replace(/^millscope: /, '') }) };
  }
  return { at, outcome: 'interrupted' };
}

/**
 * Runs a program and writes what happens in it.
 * @returns how the command is to end
 * @throws UsageError
 */
export async function trace(
  paths: readonly string[],
  parameters: readonly string[],
  options: TraceOptions,
  surroundings: Surroundings,
): Promise<Ending> {
  const { limit = Number.POSITIVE_INFINITY } = options;
  const { from, to = Number.POSITIVE_INFINITY } = momentsOf(options);
  const events = eventsOf(options);
  if (from > to) throw new UsageError(`--from ${from} is behind --to ${to}: give them the other way round`);
  if (from > limit) throw new UsageError(`--from ${from} is behind --limit ${limit}: the run does not get there`);
  refuseToOverwrite(paths, options.output);
  const run: Run = { paths, arguments: parameters, options };
  const guest = await openGuest(run);
  const listing = events.has('instruction') ? await Listing.of(guest) : undefined;
  const sink = new Sink(options.output);
  try {
    return await write(run, options, guest, events, sink, listing, surroundings);
  } catch (error) {
    if (error instanceof NobodyReads) return { status: 0, message: undefined };
    throw error;
  } finally {
    sink.abandon();
    listing?.close();
    guest.cpu.close();
  }
}

async function write(
  run: Run,
  options: TraceOptions,
  guest: Process,
  events: ReadonlySet<EventName>,
  sink: Sink,
  listing: Listing | undefined,
  { version, colors: paint }: Surroundings,
): Promise<Ending> {
  const { limit = Number.POSITIVE_INFINITY, output, format, at } = options;
  const moments = momentsOf(options);
  const { from, to = Number.POSITIVE_INFINITY } = moments;
  const { cpu } = guest;
  const writer = writerOf(options, sink, paint && output === '-', listing);
  const recorder = new Recorder(guest, format === 'perfetto' ? new Set([...events, ...COURSE]) : events, writer);
  const progress = new Progress();
  let interrupted = false;
  const interrupt = (): void => {
    interrupted = true;
  };
  const advance = async (moment: number, step: boolean): Promise<Outcome> => {
    while (cpu.moment < moment) {
      const next = Math.min(moment, cpu.moment + (step ? STEPS : INSTRUCTIONS));
      const outcome = step ? guest.step(next - cpu.moment) : guest.run(next);
      if (outcome.kind === 'child') recorder.childEnded(outcome.id, outcome.ended);
      else if (outcome.kind !== 'limit' && outcome.kind !== 'waiting') return outcome;
      progress.tell(() => `moment ${cpu.moment}, ${Math.round(sink.size / 1e6)} MB`);
      if (outcome.kind === 'waiting') await setTimeout(Math.max(1, outcome.until - guest.mill.clock.time()));
      else await setImmediate();
      if (interrupted) return { kind: 'paused' };
    }
    return { kind: 'limit' };
  };
  process.on('SIGINT', interrupt);
  try {
    let outcome = await advance(from, false);
    if (outcome.kind !== 'limit' && !interrupted && cpu.moment < from) {
      const first = at === undefined ? `--from ${from}` : `--at ${at}`;
      throw new UsageError(`${first} is behind the end of the run, which is at moment ${cpu.moment}`);
    }
    sink.open();
    writer.begin(
      { ...headerOf(run, guest, version), from, to: moments.to ?? null, events: [...events] },
      recorder.coroutine,
    );
    recorder.step();
    if (outcome.kind === 'limit') outcome = await advance(Math.min(to, limit), recorder.needsSteps);
    recorder.close();
    const isCut = outcome.kind === 'limit' && to <= limit;
    const end = isCut ? { status: 0, message: undefined } : await ending(guest, outcome);
    writer.end(endOf(guest, outcome, end, isCut ? 'to' : 'limit'));
    sink.close();
    if (output !== '-') tellOfFile(options, sink.size, from, cpu.moment);
    if (!interrupted) {
      const lines = [
        `to list what led there: ${listingCommand(run, cpu.moment)}`,
        ...(await linkLines(run, cpu.moment)),
      ];
      return { ...end, message: end.message && withLines(end.message, lines) };
    }
    return {
      status: STATUS.interrupted,
      message: `millscope: stopped by Ctrl-C at moment ${cpu.moment}; the trace ends there`,
    };
  } finally {
    process.off('SIGINT', interrupt);
    progress.end();
  }
}

function tellOfFile({ output, format }: TraceOptions, bytes: number, from: number, to: number): void {
  const where = format === 'perfetto' ? '; open it at https://ui.perfetto.dev' : '';
  const screen = new Sink('-');
  screen.open();
  screen.text(`${output}: moments ${from} to ${to}, ${bytes} bytes${where}\n`);
  screen.close();
}
