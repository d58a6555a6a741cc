import { printable } from '../../asm/printable.js';
import { UsageError } from '../errors.js';
import { coroutineName } from '../format.js';
import { listingCommand } from '../invocation.js';
import type { Run } from '../run.js';
import { EVENT_NAMES } from '../trace/event.js';
import { FORMAT, VERSION } from '../trace/jsonl.js';
import type { Header } from '../trace/writer.js';
import { Lines } from './lines.js';
import { type Sides, sidesTable } from './report.js';

/** A line of a trace. */
type Entry = Readonly<Record<string, unknown>> & { readonly kind: string; readonly at: number };

/** Of each trace's header. */
const BEGINNING = '{"kind":"header"';
const AGAIN = 'trace the program again';
/** Of a table's cell. */
const WIDTH = 100;

/** Whether a file is a trace, by its beginning: a program does not begin so. */
export function isTrace(path: string): boolean {
  const lines = new Lines(path);
  try {
    return lines.startsWith(BEGINNING);
  } finally {
    lines.close();
  }
}

/** A trace that is being read. */
class TraceFile {
  readonly lines: Lines;
  readonly header: Header;
  #last: Entry | undefined;

  constructor(path: string) {
    this.lines = new Lines(path);
    const first = this.#parse(this.lines.next() ?? '');
    if (first.format !== FORMAT) throw new UsageError(`${path} is no trace of millscope's`);
    if (first.version !== VERSION) {
      const theirs = `${first.version}`.slice(0, 20);
      throw new UsageError(
        `${path} is a trace of version ${theirs}, and this millscope reads version ${VERSION}: ${AGAIN} with this one`,
      );
    }
    this.header = first as unknown as Header;
    const { program, arguments: parameters, environment, archives, runtime, events } = this.header;
    const isHeader = [program, parameters, environment, archives, runtime, events].every(Array.isArray);
    if (!isHeader) throw new UsageError(`${path}: its header is damaged: ${AGAIN}`);
  }

  /** The next line as it is; undefined behind the last one. @throws UsageError if the file is cut off */
  next(): string | undefined {
    const line = this.lines.next();
    if (line === undefined && this.#last?.kind !== 'end') throw this.#cut();
    if (line !== undefined && !this.lines.isWhole) throw this.#cut();
    return line;
  }

  /** A line as an entry. */
  entry(line: string): Entry {
    this.#last = this.#parse(line) as Entry;
    if (typeof this.#last.kind !== 'string' || !Number.isSafeInteger(this.#last.at)) throw this.#damaged();
    return this.#last;
  }

  /** The line was the same as the other file's, which has been looked at. */
  sameAs(entry: Entry): void {
    this.#last = entry;
  }

  get run(): Run {
    const {
      program,
      arguments: parameters,
      seed,
      engine,
      memory,
      clock,
      environment,
      archives,
      runtime,
      cc,
    } = this.header;
    const name = engine.startsWith('unicorn.js') ? 'unicorn.js' : 'native';
    const options = {
      seed: BigInt(seed),
      engine: name,
      memory,
      clock,
      env: environment,
      archive: archives,
      runtime,
      cc,
    };
    return { paths: program, arguments: parameters, options };
  }

  #parse(line: string): Readonly<Record<string, unknown>> {
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
    } catch {
      if (!this.lines.isWhole) throw this.#cut();
    }
    throw this.#damaged();
  }

  #cut(): UsageError {
    const { path, number } = this.lines;
    return new UsageError(`${path} is cut off in or behind line ${number}: ${AGAIN}`);
  }

  #damaged(): UsageError {
    const { path, number } = this.lines;
    return new UsageError(`${path}: line ${number} is no line of a trace: ${AGAIN}`);
  }
}

/** Traces of other events, or of other moments, would part where their runs do not. */
function checkComparable(one: TraceFile, other: TraceFile): void {
  const selection = ({ events, from, to }: Header): string =>
    `--events ${EVENT_NAMES.filter((name) => events.includes(name)).join(',')} --from ${from}${to === null ? '' : ` --to ${to}`}`;
  const [first, second] = [selection(one.header), selection(other.header)];
  if (first === second) return;
  throw new UsageError(
    `the traces are not of the same events and moments: ${one.lines.path} has ${first}, ${other.lines.path} ${second}`,
  );
}

const shorten = (text: string): string => (text.length > WIDTH ? `${text.slice(0, WIDTH)}…` : text);

/** The fields in which two entries differ; of instructions, those of the registers that they changed. */
function sides(one: Entry, other: Entry): Sides {
  const flat = (entry: Entry): Map<string, string> => {
    const { changed, values, ...rest } = entry;
    const registers = { ...(changed as object), ...(values as object) };
    const fields = [...Object.entries(rest), ...Object.entries(registers)];
    return new Map(fields.map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]));
  };
  const [first, second] = [flat(one), flat(other)];
  const names = [...new Set([...first.keys(), ...second.keys()])];
  const shown = ['kind', 'at', 'coroutine', 'text', 'place'];
  return names
    .filter((name) => first.get(name) !== second.get(name) || shown.includes(name))
    .map((name) => [name, ...[first, second].map((side) => printable(shorten(side.get(name) ?? '')))])
    .map(([name, left, right]) => [name, left, right] as const);
}

/** Two traces compared. */
export interface TraceComparison {
  readonly same: boolean;
  readonly text: string;
}

/**
 * Compares the lines of two traces; what their headers say of the runs is not compared.
 * @throws UsageError if one is cut off in front of where they part, or they cannot be compared
 */
export function compareTraces(paths: readonly [string, string], progress: (line: number) => void): TraceComparison {
  const [one, other] = [new TraceFile(paths[0]), new TraceFile(paths[1])];
  try {
    checkComparable(one, other);
    let lastSwitch: Entry | undefined;
    for (;;) {
      const [first, second] = [one.next(), other.next()];
      if (first === undefined && second === undefined) {
        return { same: true, text: `the traces are the same, in all of their ${one.lines.number} lines` };
      }
      if (first === second && first !== undefined) {
        const entry = one.entry(first);
        other.sameAs(entry);
        if (entry.kind === 'switch') lastSwitch = entry;
        if (one.lines.number % 10_000 === 0) progress(one.lines.number);
        continue;
      }
      const [left, right] = [one.entry(first ?? '{}'), other.entry(second ?? '{}')];
      const moment = Math.min(left.at, right.at);
      const before =
        lastSwitch === undefined
          ? 'no switch is before it'
          : `the last switch before is at moment ${lastSwitch.at}: ${name(lastSwitch.from)} → ${name(lastSwitch.to)}`;
      const text = [
        `the traces part at moment ${moment}, in line ${one.lines.number}; ${before}`,
        sidesTable(paths, sides(left, right)),
        'to look at both sides:',
        ...[one, other].map((trace) => `  ${listingCommand(trace.run, moment)}`),
      ];
      return { same: false, text: text.join('\n') };
    }
  } finally {
    for (const trace of [one, other]) trace.lines.close();
  }
}

const name = (id: unknown): string => coroutineName(Number(id));
