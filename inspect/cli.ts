#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { LinkError, ObjectError, UnresolvedSymbols } from '../asm/elf/errors.js';
import { AssemblyError, UndefinedSymbol } from '../asm/errors.js';
import { EngineError, OutOfMemory } from '../emu/errors.js';
import { DEFAULT_MEMORY, defaultEngine, ENGINES } from '../emu/open.js';
import { explainDeadlock } from '../runtime/deadlock.js';
import { BodyError, Deadlock } from '../runtime/errors.js';
import { goredump } from '../runtime/goredump.js';
import type { Outcome, Process } from '../runtime/process.js';
import type { DiffOptions } from './diff/command.js';
import type { Manifest } from './doctor.js';
import { UsageError } from './errors.js';
import { type Colors, colors, switchJson, switchTable } from './format.js';
import { openGuest, type RunOptions } from './guest.js';
import { lookCommand } from './invocation.js';
import { type Ending, ending, STATUS } from './outcome.js';
import { recordSwitches, type SwitchRecord } from './switches.js';
import type { TraceOptions } from './trace/command.js';
import { NobodyReads, writeAll } from './write-all.js';

interface Options extends RunOptions {
  /** A moment. */
  readonly at?: number;
  readonly json?: boolean;
  /** Whether a moment is shown with the switch before it. */
  readonly switches?: boolean;
  readonly dump?: boolean;
  readonly color: boolean;
}

function natural(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('It must be a whole number.');
  return value;
}

function seed(text: string): bigint {
  if (!/^\d+$/.test(text) || BigInt(text) >= 2n ** 64n) {
    throw new InvalidArgumentError('It must be a whole number below 2^64.');
  }
  return BigInt(text);
}

function mebibytes(text: string): number {
  const value = natural(text);
  if (value < 16 || value > 1800) throw new InvalidArgumentError('It must be from 16 to 1800.');
  return value;
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function variable(text: string, before: readonly string[]): string[] {
  if (!/^[^=]+=/.test(text)) throw new InvalidArgumentError('It must be NAME=VALUE.');
  return collect(text, before);
}

/**
 * Writes at once: a guest may run for long, and whoever reads our output may stop reading, as `head` does. That ends us
 * quietly.
 */
function print(stream: 1 | 2, content: string | Uint8Array): void {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  try {
    writeAll(stream, bytes);
  } catch (error) {
    if (error instanceof NobodyReads) process.exit(0);
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`cannot write to standard ${stream === 1 ? 'output' : 'error'}: ${code}`);
  }
}

/** Writes a message that ends in a line of ours. */
function complain(message: string): void {
  print(2, `${message}\n`);
}

/** What to do about undefined symbols. */
const WHERE_FROM = ': give the object or the archive (--link) that has them; ARCHITECTURE.md lists the libc there is';

/** What to tell people about an error that they can do something about; undefined for all others. */
function explain(error: unknown): string | undefined {
  if (error instanceof AssemblyError) {
    const count = error.problems.length + error.left;
    return `${error.message}\nmillscope: the program cannot be assembled: ${count} error${count === 1 ? '' : 's'}`;
  }
  if (error instanceof UndefinedSymbol && error.symbol === 'main') {
    return 'millscope: the program has no main: define a global symbol main';
  }
  if (error instanceof UnresolvedSymbols) {
    const count = error.missing.length;
    return `${error.message}\nmillscope: the program cannot be linked: ${count} undefined symbol${count === 1 ? '' : 's'}${WHERE_FROM}`;
  }
  if (error instanceof LinkError) {
    return `${error.message}\nmillscope: the program cannot be linked`;
  }
  if (error instanceof OutOfMemory) return `millscope: ${error.message} (--memory)`;
  const known = [UndefinedSymbol, UsageError, ObjectError, EngineError, BodyError].some(
    (type) => error instanceof type,
  );
  return known ? `millscope: ${(error as Error).message}` : undefined;
}

/** Sleeps until the guest's clock, the real one, shows this time in ms. */
async function untilTime(guest: Process, until: number): Promise<void> {
  await setTimeout(Math.max(1, until - guest.mill.clock.time()));
}

/** Runs, past the ends of children, and sleeps while everybody in the guest waits for the real clock. */
async function runToEnd(guest: Process, { limit }: Options): Promise<Outcome> {
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

/** Puts the command that leads to what a message speaks of in front of its last line. */
function withCommand(message: string, command: string): string {
  const lines = message.split('\n');
  return [...lines.slice(0, -1), `to see that moment: ${command}`, ...lines.slice(-1)].join('\n');
}

/** Goes to a moment, without a word of what the program prints on its way, and shows the machine there. */
async function visit(guest: Process, at: number, options: Options): Promise<void> {
  // Here, not above: no other run is to load it.
  const { lookJson, lookText } = await import('./look.js');
  let last: SwitchRecord | undefined;
  recordSwitches(guest, (record) => {
    last = record;
  });
  let outcome = guest.run(at);
  while (guest.cpu.moment < at && (outcome.kind === 'child' || outcome.kind === 'waiting')) {
    if (outcome.kind === 'waiting') await untilTime(guest, outcome.until);
    outcome = guest.run(at);
  }
  if (guest.cpu.moment < at) {
    const { message } = await ending(guest, outcome);
    const how = message === undefined ? '' : `\n${message}`;
    throw new UsageError(`the run has no moment ${at}: its last one is ${guest.cpu.moment}${how}`);
  }
  if (options.json) {
    if (last !== undefined) print(1, `${switchJson(last)}\n`);
    print(1, `${lookJson(guest)}\n`);
    return;
  }
  const paint = colors(useColor(options));
  if (options.switches && last !== undefined) print(1, `${switchTable(last, guest, paint, screenWidth())}\n\n`);
  print(1, `${await lookText(guest, paint)}\n`);
}

/** Opens a machine, loads the program, lets `watch` look at it, and runs it to its end; `watch` returns what is to be done then. */
async function execute(
  paths: readonly string[],
  options: Options,
  watch: (guest: Process) => () => void,
): Promise<void> {
  const run = { paths, arguments: ARGUMENTS, options };
  const guest = await openGuest(run);
  const { cpu } = guest;
  try {
    guest.on('refused', (name) => {
      complain(`millscope: the program made Linux's system call ${name}, which is not here: it got ENOSYS`);
    });
    if (options.at !== undefined) {
      await visit(guest, options.at, options);
      return;
    }
    const finish = watch(guest);
    const outcome = await runToEnd(guest, options).finally(finish);
    const deadlocked = outcome.kind === 'error' && outcome.error instanceof Deadlock;
    if (options.dump) print(2, goredump(cpu.memory, guest.mill, deadlocked ? 0 : undefined));
    if (options.json && deadlocked) print(1, `${JSON.stringify({ deadlock: explainDeadlock(guest) })}\n`);
    const { status, message } = await ending(guest, outcome);
    conclude({ status, message: message && withCommand(message, lookCommand(run, cpu.moment)) });
  } finally {
    cpu.close();
  }
}

/** Ends as a command has said. */
function conclude({ status, message }: Ending): void {
  if (message !== undefined) complain(message);
  process.exitCode = status;
}

function passOutput(guest: Process): () => void {
  guest.on('output', ({ stream, bytes }) => {
    print(stream, bytes);
  });
  return () => {};
}

function useColor(options: Pick<Options, 'color'>): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (!options.color || NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== '0';
  return process.stdout.isTTY === true && TERM !== 'dumb';
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

/** In characters. Only a screen has an end. */
function screenWidth(): number {
  return process.stdout.columns ?? Number.POSITIVE_INFINITY;
}

function watchSwitches(guest: Process, options: Options): () => void {
  const out = (text: string): void => print(1, `${text}\n`);
  if (options.json) {
    recordSwitches(guest, (record) => out(switchJson(record)));
    return decodeOutput(guest, (output, stream) => out(JSON.stringify({ output, stream })));
  }
  const paint: Colors = colors(useColor(options));
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

/** What follows `--` is the guest's, whatever it looks like. */
const DASHES = process.argv.indexOf('--');
const OWN_ARGUMENTS = DASHES < 0 ? process.argv : process.argv.slice(0, DASHES);
const ARGUMENTS = DASHES < 0 ? [] : process.argv.slice(DASHES + 1);

const DEFAULTS = {
  engine: defaultEngine(),
  cc: '',
  link: [],
  env: [],
  seed: 0n,
  memory: DEFAULT_MEMORY >> 20,
  clock: 'virtual',
} as const;
const DEMO = fileURLToPath(new URL('../../fixtures/programs/ping-pong.s', import.meta.url));

const NEXT = `
Try next:
  npx millscope run fixtures/programs/recursion.s              what a program prints
  npx millscope switches fixtures/programs/three-workers.s     registers kept apart by switches
  npx millscope switches --json fixtures/programs/ping-pong.s  the same as data
`;

const AT_OPTION = [
  '--at <moment>',
  'go to this moment and show the machine there, instead of running to the end',
] as const;

const NO_COLOR_OPTION = ['--no-color', 'no colours, as with NO_COLOR in the environment'] as const;

function withOptions(command: Command): Command {
  return command
    .usage('[options] <file...> [-- <argument...>]')
    .argument(
      '<file...>',
      'C or C++ (.c, .cpp), objects (.o) and assembly text (.s) in any mixture, or a module whose default export is a generator function (.mjs); what follows -- goes to main()',
    )
    .option('--link <archive>', 'an archive (.a) to take from what is missing; may be repeated', collect, [])
    .option(
      '--env <NAME=VALUE>',
      "a variable of the guest's environment, which is empty otherwise; may be repeated",
      variable,
      [],
    )
    .option('--cc <flags>', 'for the C compiler, as one string: --cc "-O2 -DNDEBUG"', '')
    .addOption(new Option('--engine <name>', 'what emulates the CPU').choices(ENGINES).default(DEFAULTS.engine))
    .addOption(new Option('--seed <number>', 'of the random numbers').argParser(seed).default(DEFAULTS.seed, '0'))
    .option('--memory <MiB>', 'guest memory, 16 to 1800', mebibytes, DEFAULTS.memory)
    .addOption(
      new Option('--clock <kind>', 'of now() and deadlines').choices(['virtual', 'real']).default(DEFAULTS.clock),
    )
    .option('--limit <instructions>', 'stop when so many have been executed', natural)
    .option(...NO_COLOR_OPTION);
}

type DoctorOptions = Pick<Options, 'json' | 'color'>;

async function visitDoctor(manifest: Manifest, options: DoctorOptions): Promise<void> {
  // Here, not above: no other command is to load it.
  const { examine, reportText } = await import('./doctor.js');
  const report = await examine(manifest, useColor(options));
  print(1, options.json ? `${JSON.stringify(report)}\n` : reportText(report, colors(report.colors)));
  if (report.problem === null) return;
  complain(`millscope: ${report.problem}`);
  process.exitCode = STATUS.ours;
}

function commandLine(): Command {
  const manifest: Manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const cli = new Command('millscope')
    .description("An x86_64 machine that runs libmill's real context switch")
    .version(manifest.version)
    .exitOverride();
  withOptions(cli.command('run'))
    .description("run a program: its output on standard output, its exit status as millscope's")
    .option(...AT_OPTION, natural)
    .option('--dump', "at the end, goredump()'s census of coroutines and channels on standard error")
    .action((paths: string[], options: Options) => execute(paths, options, passOutput));
  withOptions(cli.command('switches'))
    .description('run a program and print each switch as a table: who was saved, who was restored, all ten slots')
    .option(...AT_OPTION, natural)
    .option('--json', 'print one JSON object a line instead')
    .action((paths: string[], options: Options) =>
      execute(paths, { ...options, switches: true }, (guest) => watchSwitches(guest, options)),
    );
  cli
    .command('demo')
    .description('the switches of a little program, and what to try next')
    .action(async () => {
      const options: Options = { ...DEFAULTS, color: true };
      await execute([DEMO], options, (guest) => watchSwitches(guest, options));
      print(1, NEXT);
    });
  withOptions(cli.command('trace'))
    .description('run a program and write what happens in it: as a listing, as JSON lines, or for ui.perfetto.dev')
    .option('-o, --output <file>', 'where to; - is standard output', '-')
    .addOption(new Option('--format <name>', 'of the trace').choices(['text', 'jsonl', 'perfetto']).default('text'))
    .option('--from <moment>', 'where the trace begins', natural, 0)
    .option('--to <moment>', 'where it ends, and the run with it', natural)
    .option(
      '--events <names>',
      'with commas between: instruction, switch, coroutine, channel, transfer, timer, output, process (all, but instruction in text only)',
    )
    .action(async (paths: string[], options: TraceOptions & Options) => {
      const { trace } = await import('./trace/command.js');
      conclude(await trace(paths, ARGUMENTS, options, { version: manifest.version, colors: useColor(options) }));
    });
  withOptions(cli.command('diff'))
    .description(
      'find the first moment at which two programs, two traces, two seeds or two engines part: status 0 if none',
    )
    .option('--seeds <a,b>', 'one program, with two seeds')
    .option('--engines <a,b>', 'one program, on two engines')
    .action(async (paths: string[], options: DiffOptions) => {
      const { diff } = await import('./diff/command.js');
      conclude(await diff(paths, ARGUMENTS, options));
    });
  cli
    .command('doctor')
    .description('which engines and tools are here, whether they work, and how fast they are')
    .option('--json', 'print the same as one JSON object')
    .option(...NO_COLOR_OPTION)
    .action((options: DoctorOptions) => visitDoctor(manifest, options));
  for (const command of [cli, ...cli.commands]) {
    command.exitOverride().configureOutput({
      outputError: (text, write) => {
        write(
          `millscope: ${text
            .replace(/^error: /, '')
            .trimEnd()
            .replaceAll('\n', ' ')} (--help says what there is)\n`,
        );
      },
    });
  }
  return cli;
}

try {
  await commandLine().parseAsync(OWN_ARGUMENTS);
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : STATUS.usage;
  } else {
    const message = explain(error);
    // The engine is one line of 2.5 MB, which Node would show whole with an error it does not know.
    complain(message ?? `millscope: this is a fault of millscope itself, please report it: ${error}`.slice(0, 500));
    process.exitCode = message === undefined ? STATUS.ours : STATUS.usage;
  }
}
