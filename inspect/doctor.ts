import Table from 'cli-table3';
import type { Cpu } from '../emu/cpu.js';
import { EngineError } from '../emu/errors.js';
import { defaultEngine, ENGINES, openCpu } from '../emu/open.js';
import { loadEngine } from './engine.js';
import { type Colors, NO_LINES_BETWEEN_ROWS } from './format.js';
import { firstLine, selfTest } from './self-test.js';
import { measureSpeed } from './speed.js';
import { findPackages, findTools, type Tool } from './tools.js';

/** Bytes: enough for what is run here, and quickly opened. */
const MEMORY = 16 << 20;

/** An engine, and what has been seen of it. */
export interface EngineReport {
  /** As people choose it. */
  readonly name: string;
  /** Missing: it is not installed, and `problems` says what to do. Broken: it is, and fails its self-test. */
  readonly state: 'works' | 'missing' | 'broken';
  /** Name and version of the emulator; null if it did not open. */
  readonly version: string | null;
  readonly problems: readonly string[];
  /** Without opening the engine; null if there was none. */
  readonly selfTestMs: number | null;
  /** A second, as are steps, which read the whole register file; two digits count; null if it was not measured. */
  readonly yieldsPerSecond: number | null;
  readonly stepsPerSecond: number | null;
}

/** What is here, whether it works, and how fast it is. */
export interface Report {
  readonly millscope: string;
  readonly node: { readonly version: string; readonly needed: string; readonly suffices: boolean };
  readonly platform: string;
  /** Whether text on standard output is coloured. */
  readonly colors: boolean;
  /** What runs programs unless told otherwise. */
  readonly chosenEngine: string;
  readonly engines: readonly EngineReport[];
  /** What the engines come by, the assembler and the disassembler. */
  readonly packages: readonly Tool[];
  /** None of them is needed. */
  readonly tools: readonly Tool[];
  /** Why programs do not run here; null if they do. */
  readonly problem: string | null;
}

/** What the package says of itself. */
export interface Manifest {
  readonly version: string;
  /** `node` as `>=20`. */
  readonly engines: { readonly node: string };
}

/** Looks at everything, which takes some seconds. */
export async function examine(manifest: Manifest, colors: boolean): Promise<Report> {
  const chosenEngine = defaultEngine();
  const engines: EngineReport[] = [];
  for (const name of ENGINES) {
    const open = (): Cpu => openCpu({ engine: name, memory: MEMORY });
    engines.push(await examineEngine(name, () => loadEngine(name), open));
  }
  // Behind the engines, which are measured: what is compiled for these goes on in the background.
  const packages = await findPackages();
  const tools = await findTools();
  const needed = Number(/\d+/.exec(manifest.engines.node)?.[0]);
  return {
    millscope: manifest.version,
    node: {
      version: process.versions.node,
      needed: manifest.engines.node,
      suffices: Number.parseInt(process.versions.node, 10) >= needed,
    },
    platform: `${process.platform} ${process.arch}`,
    colors,
    chosenEngine,
    engines,
    packages,
    tools,
    problem: problemOf(chosenEngine, engines),
  };
}

/** Why programs do not run on the engine that is chosen; null if they do. */
export function problemOf(name: string, engines: readonly EngineReport[]): string | null {
  const chosen = engines.find((engine) => engine.name === name);
  if (chosen === undefined) {
    return `there is no engine "${name}", which MILLSCOPE_ENGINE names: choose one of ${ENGINES.join(', ')}`;
  }
  if (chosen.state === 'works') return null;
  const failed = 'it fails its self-test, so that nothing that runs on it can be trusted: install it again';
  return `the engine that is chosen, ${name}, does not work: ${chosen.state === 'missing' ? chosen.problems[0] : failed}`;
}

/**
 * Tests an engine, and measures it if it passes.
 * @param load makes it ready, and throws EngineError if it is not there
 * @param open makes a CPU with at least 16 MiB of memory
 */
export async function examineEngine(name: string, load: () => Promise<void>, open: () => Cpu): Promise<EngineReport> {
  const unmeasured = { selfTestMs: null, yieldsPerSecond: null, stepsPerSecond: null };
  try {
    await load();
  } catch (error) {
    const missing = error instanceof EngineError;
    const problem = missing ? error.message : `it does not start: ${firstLine(error)}`;
    return { ...unmeasured, name, version: null, state: missing ? 'missing' : 'broken', problems: [problem] };
  }
  let version: string | null = null;
  let openingMs = 0;
  const start = performance.now();
  const problems = selfTest(() => {
    const before = performance.now();
    const cpu = open();
    openingMs += performance.now() - before;
    version = cpu.engine;
    return cpu;
  });
  const selfTestMs = Math.round(performance.now() - start - openingMs);
  const seen = { name, version, problems, selfTestMs };
  if (problems.length > 0) return { ...unmeasured, ...seen, state: 'broken' };
  const { yields, steps } = measureSpeed(open);
  return { ...seen, state: 'works', yieldsPerSecond: rounded(yields), stepsPerSecond: rounded(steps) };
}

function rounded(rate: number | undefined): number | null {
  return rate === undefined ? null : Number(rate.toPrecision(2));
}

/** More failures than this are not shown as text: the first ones say what is wrong. */
const SHOWN = 5;

function tableOf(head: readonly string[], paint: Colors): InstanceType<typeof Table> {
  return new Table({
    head: head.map(paint.bold),
    style: { head: [], border: paint.isColorSupported ? ['gray'] : [] },
    chars: NO_LINES_BETWEEN_ROWS,
  });
}

/** The report as text for a screen of 80 columns; what is to be done comes in lines below the tables. */
export function reportText(report: Report, paint: Colors): string {
  const { node, engines, packages, tools, chosenEngine } = report;
  const here = `millscope ${report.millscope}, Node ${node.version} (${node.needed}), ${report.platform}`;
  const engineTable = tableOf(['engine', 'emulator', 'self-test', 'yields/s', 'steps/s'], paint);
  for (const engine of engines) engineTable.push(engineRow(engine, paint));
  const toolTable = tableOf(['found', 'version', 'what it is for'], paint);
  for (const tool of [...packages, ...tools]) toolTable.push(toolRow(tool, paint));
  return [
    `${here}, colours ${report.colors ? 'on' : 'off'}`,
    ...(node.suffices ? [] : [paint.red(`Node ${node.version} is too old: ${node.needed} is needed`)]),
    engineTable.toString(),
    `Programs run on ${chosenEngine}, unless --engine or MILLSCOPE_ENGINE says otherwise.`,
    'A step is one instruction, with 16 general registers, rip and eflags read behind it.',
    toolTable.toString(),
    ...engines.flatMap(({ name, state, problems }) => {
      const color = state === 'missing' ? paint.yellow : paint.red;
      return problems.slice(0, SHOWN).map((problem) => color(`${name}: ${problem}`));
    }),
    ...packages.flatMap(({ name, problem }) => (problem === null ? [] : [paint.red(`${name}: ${problem}`)])),
    '',
  ].join('\n');
}

function engineRow({ name, state, version, selfTestMs, yieldsPerSecond, stepsPerSecond }: EngineReport, paint: Colors) {
  const verdict = {
    works: paint.green(`passed, ${selfTestMs} ms`),
    missing: paint.yellow('not installed'),
    broken: paint.red('failed'),
  }[state];
  const figures = [yieldsPerSecond, stepsPerSecond].map((rate) => (rate === null ? '' : rate.toLocaleString('en')));
  return [name, version ?? '', verdict, ...figures.map((content) => ({ content, hAlign: 'right' as const }))];
}

function toolRow({ name, version, command, purpose, problem }: Tool, paint: Colors): string[] {
  const elsewhere = command?.includes('/') ? ` (${command})` : '';
  const found = version === null ? paint.dim('not found') : `${version}${elsewhere}`;
  return [name, problem === null ? found : paint.red('does not work'), purpose];
}
