import { type Command, InvalidArgumentError, Option } from 'commander';
import { DEFAULT_MEMORY, defaultEngine, ENGINES } from '../emu/open.js';
import { withProbeOptions } from './probe/options.js';
import type { RunOptions } from './run.js';

/** Reads a whole number from 0. @throws InvalidArgumentError */
export function natural(text: string): number {
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

/** Adds to a list that an option makes when it is repeated. */
export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

function variable(text: string, before: readonly string[]): string[] {
  if (!/^[^=]+=/.test(text)) throw new InvalidArgumentError('It must be NAME=VALUE.');
  return collect(text, before);
}

/** What a run is like if nothing is said. */
export const DEFAULTS = {
  engine: defaultEngine(),
  cc: '',
  archive: [],
  runtime: [],
  env: [],
  seed: 0n,
  memory: DEFAULT_MEMORY >> 20,
  clock: 'virtual',
} as const satisfies RunOptions;

const RENAMED = 'Archives are given by --archive now: --archive';

function site(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  if (text.endsWith('.a')) throw new InvalidArgumentError(`${RENAMED} ${text}`);
  throw new InvalidArgumentError('It must be an address (https://…); --link without one goes behind the files.');
}

/** A command that takes archives. */
export function withArchives(command: Command): Command {
  return command.option(
    '--archive <file>',
    'an archive (.a) to take from what is missing; may be repeated',
    collect,
    [],
  );
}

/** A command whose moments are of probes, which no link holds. */
export function withoutLinks(command: Command): Command {
  const refuse = (text: string): never => {
    throw new InvalidArgumentError(`${RENAMED} ${text}`);
  };
  return command.addOption(new Option('--link <archive>').hideHelp().argParser(refuse));
}

/** What the command line knows of how to show things. */
export interface ColorOptions {
  readonly color: boolean;
}

/** For commander. */
export const NO_COLOR_OPTION = ['--no-color', 'no colours, as with NO_COLOR in the environment'] as const;

/** A command that runs a program: with the options that decide what its run is like. */
export function withRunOptions(command: Command): Command {
  const complete = withArchives(command)
    .usage('[options] <file...> [-- <argument...>]')
    .argument(
      '<file...>',
      'C or C++ (.c, .cpp), objects (.o) and assembly text (.s) in any mixture, or a module whose default export is a generator function (.mjs); what follows -- goes to main()',
    )
    .option(
      '--env <NAME=VALUE>',
      "a variable of the guest's environment, which is empty otherwise; may be repeated",
      variable,
      [],
    )
    .option(
      '--runtime <file>',
      'an edited source of the runtime instead of its own of that name, such as mill_setjmp.s; may be repeated',
      collect,
      [],
    )
    .option('--cc <flags>', 'for the C compiler, as one string: --cc "-O2 -DNDEBUG"', '')
    .addOption(new Option('--engine <name>', 'what emulates the CPU').choices(ENGINES).default(DEFAULTS.engine))
    .addOption(new Option('--seed <number>', 'of the random numbers').argParser(seed).default(DEFAULTS.seed, '0'))
    .option('--memory <MiB>', 'guest memory, 16 to 1800', mebibytes, DEFAULTS.memory)
    .addOption(
      new Option('--clock <kind>', 'of now() and deadlines').choices(['virtual', 'real']).default(DEFAULTS.clock),
    )
    .option(
      '--link [address]',
      'with each message that names a moment, a link that opens it: at this site, at that of MILLSCOPE_SITE, or where "npm run web" serves the page',
      site,
    )
    .option('--limit <instructions>', 'stop when so many have been executed', natural)
    .option(...NO_COLOR_OPTION);
  return withProbeOptions(complete);
}
