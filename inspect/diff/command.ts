import { didYouMean, nearNames } from '../../asm/near.js';
import { ENGINES } from '../../emu/open.js';
import { UsageError } from '../errors.js';
import { openGuest } from '../guest.js';
import type { Ending } from '../outcome.js';
import type { Run, RunOptions } from '../run.js';
import { Progress } from '../trace/progress.js';
import { Sink } from '../trace/sink.js';
import { NobodyReads } from '../write-all.js';
import { Lane } from './lane.js';
import { Meaning } from './meaning.js';
import { compareMoment } from './moment.js';
import { type Comparison, findParting } from './parting.js';
import { partingText } from './report.js';
import { differingWords } from './state.js';
import { compareTraces, isTrace } from './traces.js';

export interface DiffOptions extends RunOptions {
  /** Two, with a comma. */
  readonly seeds?: string;
  readonly engines?: string;
  /** The moment to compare at. */
  readonly at?: number;
}

/** As diff(1) has them; that they could not be compared is 2. */
const SAME = 0;
const DIFFERENT = 1;

/** Instructions that are run before somebody is told how far it has come. */
const AT_ONCE = 1_000_000;

const WAYS =
  'give two programs, or two traces (--format jsonl), or one program and --seeds 1,2 or --engines unicorn.js,native';

function pair(list: string, option: string): readonly [string, string] {
  const [one, other, ...more] = list.split(',').map((word) => word.trim());
  if (!one || !other || more.length > 0)
    throw new UsageError(`${option} ${list}: it must be two, with a comma between`);
  return [one, other];
}

function seedOf(text: string): bigint {
  if (/^\d+$/.test(text) && BigInt(text) < 2n ** 64n) return BigInt(text);
  throw new UsageError(`--seeds: "${text}" is no whole number below 2^64`);
}

function engineOf(name: string): string {
  if (ENGINES.some((engine) => engine === name)) return name;
  const near = didYouMean(nearNames(name, ENGINES));
  throw new UsageError(`--engines: there is no engine "${name}"${near} There are ${ENGINES.join(', ')}`);
}

interface Side {
  readonly label: string;
  readonly run: Run;
}

/** What is to be compared, from what was given. */
function sidesOf(paths: readonly string[], parameters: readonly string[], options: DiffOptions): readonly [Side, Side] {
  const { seeds, engines } = options;
  const side = (label: string, files: readonly string[], more: Partial<RunOptions> = {}): Side => {
    // Both by the same name, which they may look at.
    const run = { paths: files, arguments: parameters, options: { ...options, ...more }, name: paths[0] };
    return { label, run };
  };
  if (seeds !== undefined && engines !== undefined) throw new UsageError(`give either --seeds or --engines`);
  if (seeds !== undefined) {
    const [one, other] = pair(seeds, '--seeds');
    return [side(`seed ${one}`, paths, { seed: seedOf(one) }), side(`seed ${other}`, paths, { seed: seedOf(other) })];
  }
  if (engines !== undefined) {
    const [one, other] = pair(engines, '--engines').map(engineOf);
    return [side(one, paths, { engine: one }), side(other, paths, { engine: other })];
  }
  if (paths.length !== 2) {
    throw new UsageError(
      `${paths.length === 1 ? 'one file cannot' : `${paths.length} files cannot`} be compared: ${WAYS}`,
    );
  }
  return [side(paths[0], [paths[0]]), side(paths[1], [paths[1]])];
}

function show(text: string): void {
  const screen = new Sink('-');
  screen.open();
  try {
    screen.text(`${text}\n`);
    screen.close();
  } catch (error) {
    if (!(error instanceof NobodyReads)) throw error;
  }
}

/**
 * Finds where two runs, or two traces, part, and prints it.
 * @returns how the command is to end
 * @throws UsageError
 */
export async function diff(
  paths: readonly string[],
  parameters: readonly string[],
  options: DiffOptions,
): Promise<Ending> {
  const progress = new Progress();
  try {
    const { same, text } = await compare(paths, parameters, options, progress);
    progress.end();
    show(text);
    const [what] = text.split(/[,;\n]/, 1);
    return same ? { status: SAME, message: undefined } : { status: DIFFERENT, message: `millscope: ${what}` };
  } finally {
    progress.end();
  }
}

/** @throws UsageError if the run does not get there */
async function toMoment(lane: Lane, moment: number, { limit, progress }: Comparison): Promise<void> {
  if (moment > limit) throw new UsageError(`--at ${moment} is behind --limit ${limit}: the runs do not get there`);
  while (lane.moment < moment && lane.outcome === undefined) {
    lane.advance(Math.min(moment, lane.moment + AT_ONCE));
    progress(lane.moment);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (lane.moment < moment) {
    throw new UsageError(`--at ${moment} is behind the end of ${lane.label}, which is at moment ${lane.moment}`);
  }
}

async function compare(
  paths: readonly string[],
  parameters: readonly string[],
  options: DiffOptions,
  progress: Progress,
): Promise<{ readonly same: boolean; readonly text: string }> {
  const traces = paths.map(isTrace);
  if (traces.includes(true)) {
    if (paths.length !== 2 || traces.includes(false)) {
      throw new UsageError(`a trace can be compared with another trace only: ${WAYS}`);
    }
    if (options.at !== undefined) {
      throw new UsageError(
        '--at is for runs: two traces are compared line by line (--from and --to say of which moments)',
      );
    }
    const { same, text } = compareTraces([paths[0], paths[1]], (line) => progress.tell(() => `line ${line}`));
    const isLinkless = options.link !== undefined && !same;
    return { same, text: isLinkless ? `${text}\nno link can be made: a trace does not hold its program` : text };
  }
  const sides = sidesOf(paths, parameters, options);
  if (options.clock === 'real') {
    throw new UsageError('runs on the real clock part at once: leave --clock away');
  }
  const lanes: Lane[] = [];
  try {
    for (const { label, run } of sides) {
      lanes.push(new Lane(label, run, await openGuest(run)));
    }
    const [one, other] = lanes;
    const twoPrograms = options.seeds === undefined && options.engines === undefined;
    const how: Comparison = {
      ...(twoPrograms ? { meanings: [new Meaning(one.guest), new Meaning(other.guest)] as const } : {}),
      // All that a seed does is done before the first instruction.
      ignored: new Set(options.seeds === undefined ? [] : differingWords(one.guest.save(), other.guest.save())),
      limit: options.limit ?? Number.POSITIVE_INFINITY,
      progress: (moment) => progress.tell(() => `moment ${moment}`),
    };
    if (options.at !== undefined) {
      for (const lane of [one, other]) await toMoment(lane, options.at, how);
      return await compareMoment([one, other], options.at, how);
    }
    const parting = await findParting(one, other, how);
    if (parting !== undefined) return { same: false, text: await partingText([one, other], parting, how) };
    const { outcome, moment } = one;
    const upTo = outcome === undefined ? '--limit' : 'their end';
    return { same: true, text: `the runs are the same, up to ${upTo} at moment ${moment}` };
  } finally {
    for (const lane of lanes) lane.guest.cpu.close();
  }
}
