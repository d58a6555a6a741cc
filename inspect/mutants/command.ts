import { loadEngine, openMachine } from '../engine.js';
import { UsageError } from '../errors.js';
import { colors } from '../format.js';
import { stepCommand } from '../invocation.js';
import type { MeasureOptions } from '../layout/command.js';
import { titleOf } from '../layout/words.js';
import { type ColorOptions, DEFAULTS } from '../options.js';
import { type Ending, STATUS } from '../outcome.js';
import type { Code } from '../probe/code.js';
import { prepare } from '../probe/prepare.js';
import { readFiles } from '../program.js';
import { complain, print, wantsColor } from '../terminal.js';
import { Progress } from '../trace/progress.js';
import { type Fault, faultName } from './fault.js';
import { Interruption } from './interruption.js';
import { type MutableObject, mutableObjects, mutantObject } from './object.js';
import { type Row, resultJson, resultsText, summaryOf, summaryText } from './report.js';
import { Suite, type SuiteEnd, VARIABLE } from './suite.js';
import { type Result, Trial } from './trial.js';

/** What `millscope mutants` is asked to do. */
export interface MutantsOptions extends MeasureOptions, ColorOptions {
  /** In seconds. */
  readonly timeout: number;
  readonly json?: boolean;
}

/** A user's tests, and the objects that they are run with. */
interface Own {
  readonly suite: Suite;
  readonly files: readonly MutableObject[];
}

/** Results of one switch. */
interface Part {
  readonly code: Code;
  readonly rows: readonly Row[];
}

/** The command that steps to an instruction of a probe. */
function commandFor(paths: readonly string[], options: MeasureOptions, probe: number, moment: number | undefined) {
  if (moment === undefined) return undefined;
  const { save, restore, switch: swap, archive, cc, from, to } = options;
  const ctx = from && to ? ([from, to] as const) : options.ctx;
  const said = {
    ...(save && { save }),
    ...(restore && { restore }),
    ...(swap && { switch: swap }),
    ...(ctx && { ctx }),
  };
  return stepCommand({ paths, arguments: [], options: { ...DEFAULTS, archive, cc, probe, ...said } }, moment);
}

/** Runs the tests with a fault; undefined if they were interrupted. */
async function tested(fault: Fault, trial: Trial, { suite, files }: Own, number: number): Promise<Result | undefined> {
  const made = mutantObject(fault, trial.runOf(fault), trial.code.image, files, trial.disassembler);
  if (made === undefined) return { fault, verdict: 'impossible' };
  const end = await suite.run(made.file.path, made.bytes, number);
  if (end.kind === 'interrupted') return undefined;
  if (end.kind === 'passed') return trial.unnoticed(fault, trial.catchesOf(fault) ?? []);
  return { fault, verdict: 'killed', by: [{ check: 'command', where: '', what: end.how }] };
}

/** @throws UsageError if the tests do not pass with an object that has no fault */
async function expectPass({ suite, files }: Own, command: readonly string[]): Promise<SuiteEnd> {
  let end: SuiteEnd = { kind: 'passed' };
  for (const { path, bytes } of files) {
    end = await suite.run(path, bytes, 0);
    if (end.kind !== 'failed') continue;
    if (suite.said !== '') complain(suite.said);
    throw new UsageError(
      `your tests fail without any mutant: "${command.join(' ')}" ended with ${end.how}, with ${VARIABLE} naming a copy of ${path}`,
    );
  }
  return end;
}

/** Lets signals and timers have their turn. */
const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Tries faults of several switches, each once where they have code in common. */
async function tryAll(
  codes: readonly Code[],
  own: Own | undefined,
  interruption: Interruption,
  commandAt: (probe: number, moment: number | undefined) => string | undefined,
): Promise<Part[]> {
  const progress = new Progress();
  const seen = new Set<string>();
  const parts: Part[] = [];
  let number = 0;
  for (const [index, code] of codes.entries()) {
    const trial = await Trial.open(code);
    const rows: Row[] = [];
    parts.push({ code, rows });
    try {
      const faults = (await trial.faults()).filter((fault) => {
        const key = `${fault.at.address} ${faultName(fault)}`;
        return !seen.has(key) && seen.add(key);
      });
      for (const [done, fault] of faults.entries()) {
        await pause();
        progress.tell(() => `${code.name}: ${done} of ${faults.length} mutants: ${faultName(fault)}`);
        if (interruption.hasCome) break;
        const result = own === undefined ? await trial.check(fault) : await tested(fault, trial, own, ++number);
        if (result === undefined) break;
        rows.push({ result, command: commandAt(index + 1, trial.momentOf(fault)) });
      }
    } finally {
      progress.end();
      trial.close();
    }
    if (interruption.hasCome) break;
  }
  return parts;
}

/**
 * Puts every fault into every switch of the files, one at a time.
 * @param command the user's own tests; without, layout and contract are what has to notice
 * @throws NothingToMeasure, UsageError and what reading and linking throw
 */
export async function mutants(
  paths: readonly string[],
  command: readonly string[],
  options: MutantsOptions,
): Promise<Ending> {
  if (options.timeout === 0) throw new UsageError('--timeout 0 leaves no time for a test command');
  await loadEngine();
  const files = command.length === 0 ? [] : mutableObjects(paths, options.cc);
  const codes = await prepare(await readFiles(paths, options.cc, options.archive), options, openMachine);
  const interruption = new Interruption();
  const suite = command.length === 0 ? undefined : new Suite(command, options.timeout * 1000, interruption);
  try {
    const own = suite && { suite, files };
    if (own !== undefined) await expectPass(own, command);
    const parts = await tryAll(codes, own, interruption, (probe, moment) => commandFor(paths, options, probe, moment));
    return report(parts, interruption.hasCome, options);
  } finally {
    suite?.close();
    interruption.close();
  }
}

function report(parts: readonly Part[], interrupted: boolean, options: MutantsOptions): Ending {
  const results = parts.flatMap(({ rows }) => rows.map(({ result }) => result));
  const summary = summaryOf(results);
  if (options.json) {
    const switches = parts.map(({ code, rows }) => ({ name: code.name, mutants: rows.map(resultJson) }));
    print(1, `${JSON.stringify({ switches, summary, ...(interrupted && { interrupted }) }, null, 1)}\n`);
  } else {
    const paint = colors(wantsColor(options));
    const tried = parts.filter(({ rows }) => rows.length > 0);
    print(1, `${tried.map(({ code, rows }) => resultsText(titleOf(code), rows, paint)).join('\n\n')}\n`);
    if (tried.length > 1) print(1, `\nall: ${summaryText(summary)}\n`);
  }
  if (interrupted) {
    return {
      status: STATUS.usage,
      message: 'millscope: interrupted: these are the mutants that were tried until then',
    };
  }
  if (summary.survived === 0) return { status: 0, message: undefined };
  const count = summary.survived;
  return {
    status: STATUS.ours,
    message: `millscope: ${count} mutant${count === 1 ? '' : 's'} survived: nobody noticed`,
  };
}
