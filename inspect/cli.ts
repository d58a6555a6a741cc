#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { AssemblyError, UndefinedSymbol } from '../asm/errors.js';
import { EngineError, OutOfMemory } from '../emu/errors.js';
import { DEFAULT_MEMORY, ENGINES, openCpu } from '../emu/open.js';
import { libmill } from '../runtime/libmill.js';
import { Process } from '../runtime/process.js';
import { UsageError } from './errors.js';
import { type Colors, colors, switchJson, switchTable } from './format.js';
import { ending, STATUS } from './outcome.js';
import { loadProgram } from './program.js';
import { recordSwitches } from './switches.js';

interface Options {
  readonly engine: string;
  readonly seed: bigint;
  /** MiB */
  readonly memory: number;
  readonly limit?: number;
  readonly json?: boolean;
  readonly color: boolean;
}

function natural(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('It must be a whole number.');
  return value;
}

function seed(text: string): bigint {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return BigInt(text);
}

function mebibytes(text: string): number {
  const value = natural(text);
  if (value < 16 || value > 1800) throw new InvalidArgumentError('It must be from 16 to 1800.');
  return value;
}

/** Writes a message that ends in a line of ours. */
function complain(message: string): void {
  process.stderr.write(`${message}\n`);
}

/** What to tell people about an error that they can do something about; undefined for all others. */
function explain(error: unknown): string | undefined {
  if (error instanceof AssemblyError) {
    const count = error.problems.length;
    return `${error.message}\nmillscope: the program cannot be assembled: ${count} error${count === 1 ? '' : 's'}`;
  }
  if (error instanceof UndefinedSymbol && error.symbol === 'main') {
    return 'millscope: the program has no main: define a global symbol main';
  }
  const known = [UndefinedSymbol, UsageError, EngineError, OutOfMemory].some((type) => error instanceof type);
  return known ? `millscope: ${(error as Error).message}` : undefined;
}

/** Opens a machine, loads the program, lets `watch` look at it, and runs it to its end. */
async function execute(path: string, options: Options, watch: (guest: Process) => void): Promise<void> {
  const program = await loadProgram(path);
  const cpu = openCpu({ engine: options.engine, memory: options.memory << 20 });
  try {
    const guest = new Process(cpu, libmill(), program, [path], options.seed);
    guest.listener.output = (stream, bytes) => {
      (stream === 1 ? process.stdout : process.stderr).write(bytes);
    };
    watch(guest);
    const { status, message } = await ending(guest, guest.run(options.limit));
    if (message !== undefined) complain(message);
    process.exitCode = status;
  } finally {
    cpu.close();
  }
}

function useColor(options: Options): boolean {
  if (!options.color || process.env.NO_COLOR) return false;
  return process.stdout.isTTY === true || Boolean(process.env.FORCE_COLOR);
}

function watchSwitches(guest: Process, options: Options): void {
  const paint: Colors = colors(useColor(options));
  if (options.json) {
    guest.listener.output = (stream, bytes) => {
      process.stdout.write(`${JSON.stringify({ output: new TextDecoder().decode(bytes), stream })}\n`);
    };
    recordSwitches(guest, (record) => process.stdout.write(`${switchJson(record)}\n`));
    return;
  }
  // Programs write lines in pieces; a switch may come in the middle of one.
  let line = '';
  const show = (text: string): void => {
    process.stdout.write(`${paint.green(`output  ${text}`)}\n`);
  };
  guest.listener.output = (_stream, bytes) => {
    const lines = (line + new TextDecoder().decode(bytes)).split('\n');
    line = lines.pop() ?? '';
    lines.forEach(show);
  };
  recordSwitches(guest, (record) => {
    if (line !== '') show(line);
    line = '';
    process.stdout.write(`\n${switchTable(record, guest, paint)}\n`);
  });
}

const NEXT = `
Try next:
  npx millscope run fixtures/programs/recursion.s              what a program prints
  npx millscope switches fixtures/programs/three-workers.s     registers kept apart by switches
  npx millscope switches --json fixtures/programs/ping-pong.s  the same as data
`;

function withOptions(command: Command): Command {
  return command
    .argument('<program>', 'assembly text (.s), or a module whose default export is a generator function (.mjs)')
    .addOption(new Option('--engine <name>', 'what emulates the CPU').choices(ENGINES).default(ENGINES[0]))
    .option('--seed <number>', 'of the random numbers', seed, 0n)
    .option('--memory <MiB>', 'guest memory, 16 to 1800', mebibytes, DEFAULT_MEMORY >> 20)
    .option('--limit <instructions>', 'stop when so many have been executed', natural)
    .option('--no-color', 'no colours, as with NO_COLOR in the environment');
}

function commandLine(): Command {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const cli = new Command('millscope')
    .description("An x86_64 machine that runs libmill's real context switch")
    .version(manifest.version)
    .exitOverride();
  withOptions(cli.command('run'))
    .description("run a program: its output on standard output, its exit status as millscope's")
    .action((path: string, options: Options) => execute(path, options, () => {}));
  withOptions(cli.command('switches'))
    .description('run a program and print each switch as a table: who was saved, who was restored, all ten slots')
    .option('--json', 'print one JSON object a line instead')
    .action(async (path: string, options: Options) => {
      await execute(path, options, (guest) => watchSwitches(guest, options));
      if (!options.json) process.stdout.write(NEXT);
    });
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

// Whoever reads our output may stop reading, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

try {
  await commandLine().parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : STATUS.usage;
  } else {
    const message = explain(error);
    if (message === undefined) throw error;
    complain(message);
    process.exitCode = STATUS.usage;
  }
}
