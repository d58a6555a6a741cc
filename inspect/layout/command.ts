import { readFileSync, writeFileSync } from 'node:fs';
import { loadEngine, openMachine } from '../engine.js';
import { UsageError } from '../errors.js';
import { colors } from '../format.js';
import type { ColorOptions } from '../options.js';
import { type Ending, STATUS } from '../outcome.js';
import { Instructions } from '../probe/instructions.js';
import { type Measurement, measure } from '../probe/measure.js';
import { prepare, type SwitchOptions } from '../probe/prepare.js';
import { readFiles } from '../program.js';
import { print, wantsColor } from '../terminal.js';
import { type LayoutData, layoutData, layoutJson } from './data.js';
import { drawing } from './drawing.js';
import { type Difference, differencesFrom, differenceTable, goldenText, readGolden } from './golden.js';
import { cHeader } from './header.js';
import { type JunitCase, junitText } from './junit.js';
import { type Layout, layoutOf } from './layout.js';
import { layoutText } from './table.js';
import { withUses } from './uses.js';
import { titleOf } from './words.js';

/** What files are measured with. */
export interface MeasureOptions extends SwitchOptions {
  /** Archives. */
  readonly archive: readonly string[];
  /** For the compiler, as one would type them. */
  readonly cc: string;
}

/** What `millscope layout` is asked to do. */
export interface LayoutOptions extends MeasureOptions, ColorOptions {
  readonly json?: boolean;
  readonly drawing?: boolean;
  readonly header?: boolean;
  /** Paths. */
  readonly write?: string;
  readonly golden?: string;
  readonly junit?: string;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}

/** Writes a file. @throws UsageError if that is not possible */
export function writeTo(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    const code = codeOf(error);
    throw new UsageError(`cannot write ${path}: ${code === 'ENOENT' ? 'there is no such folder' : code}`);
  }
}

/** Reads text. @param hint what to do if there is none @throws UsageError if that is not possible */
export function readFrom(path: string, hint = ''): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = codeOf(error);
    throw new UsageError(`cannot read ${path}: ${code === 'ENOENT' ? `there is no such file${hint}` : code}`);
  }
}

/** Measures every switch in files. @throws NothingToMeasure and what reading and linking throw */
export async function measurementsOf(paths: readonly string[], options: MeasureOptions): Promise<Measurement[]> {
  await loadEngine();
  const codes = await prepare(await readFiles(paths, options.cc, options.archive), options, openMachine);
  return codes.map(measure);
}

async function show(
  layouts: readonly Layout[],
  differences: readonly Difference[],
  options: LayoutOptions,
): Promise<void> {
  if (options.drawing) {
    print(1, layouts.map((one) => `${titleOf(one.measurement.code)}\n${drawing(one)}\n`).join('\n'));
    return;
  }
  if (options.header) {
    print(1, layouts.map((layout) => cHeader(layoutData(layout))).join('\n'));
    return;
  }
  const objects: object[] = [];
  for (const [index, layout] of layouts.entries()) {
    const instructions = await Instructions.open(layout.measurement.code.image);
    try {
      if (options.json) objects.push(layoutJson(layout, instructions));
      else print(1, `${index === 0 ? '' : '\n'}${layoutText(layout, instructions, colors(wantsColor(options)))}\n`);
    } finally {
      instructions.close();
    }
  }
  if (!options.json) return;
  const all = objects.length === 1 ? objects[0] : { layouts: objects };
  const compared = options.golden === undefined ? all : { ...all, differences };
  print(1, `${JSON.stringify(compared, null, 1)}\n`);
}

/** A test for each slot, and one for what is no slot. */
function casesOf(data: readonly LayoutData[], differences: readonly Difference[]): JunitCase[] {
  return data.flatMap((layout): JunitCase[] => {
    const own = differences.filter(({ name }) => name === layout.name);
    const text = ({ what, golden, now, uses }: Difference): string =>
      `at ${what}: golden ${golden}, now ${now}${uses === undefined ? '' : `; ${uses}`}`;
    const measured = { suite: layout.name, name: 'is measured to the end', failure: layout.failed };
    const failure = own.length === 0 ? undefined : own.map(text).join('\n');
    return [measured, { suite: layout.name, name: 'is as in the golden file', failure }];
  });
}

/** What is not as a golden file has it; layouts are paired in their order. */
async function differencesOf(golden: readonly LayoutData[], layouts: readonly Layout[]): Promise<Difference[]> {
  if (golden.length !== layouts.length) return differencesFrom(golden, layouts.map(layoutData));
  const found = layouts.map((one, index) => withUses(differencesFrom([golden[index]], [layoutData(one)]), one));
  return (await Promise.all(found)).flat();
}

/** Measures, shows, and compares with a golden file. */
export async function layout(paths: readonly string[], options: LayoutOptions): Promise<Ending> {
  const layouts = (await measurementsOf(paths, options)).map(layoutOf);
  const data = layouts.map(layoutData);
  const golden =
    options.golden === undefined
      ? undefined
      : readGolden(readFrom(options.golden, ': make it with --write'), options.golden);
  const differences = golden === undefined ? [] : await differencesOf(golden, layouts);
  const failed = data.find((one) => one.failed !== undefined)?.failed;
  // What is not whole is nothing to compare with.
  if (options.write !== undefined && failed === undefined) writeTo(options.write, goldenText(data));
  if (options.junit !== undefined) writeTo(options.junit, junitText(casesOf(data, differences)));
  const isQuiet = golden !== undefined || options.write !== undefined;
  const isAsked = options.json || options.drawing || options.header;
  if (!isQuiet || isAsked) await show(layouts, differences, options);
  if (differences.length > 0) {
    // What was asked for is for a program or a file, and nothing else is to be in it.
    print(isAsked ? 2 : 1, `${differenceTable(differences, colors(wantsColor(options)))}\n`);
    return { status: STATUS.ours, message: `millscope: the layout is not as ${options.golden} has it` };
  }
  if (failed !== undefined) return { status: STATUS.usage, message: `millscope: not measured to the end: ${failed}` };
  if (golden !== undefined && !isAsked) {
    const count = data.reduce((sum, { slots }) => sum + slots.length, 0);
    print(1, `${count} slots, all as ${options.golden} has them\n`);
  }
  return { status: 0, message: undefined };
}
