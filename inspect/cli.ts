#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, Option } from 'commander';
import type { CheckOptions } from './contract/command.js';
import { withCheckOptions, withLayoutOptions } from './contract/options.js';
import type { DiffOptions } from './diff/command.js';
import type { Manifest } from './doctor.js';
import { execute, passOutput, type ShowOptions, watchSwitches } from './execute.js';
import { explain } from './explain.js';
import { colors } from './format.js';
import type { LayoutOptions } from './layout/command.js';
import type { MutantsOptions } from './mutants/command.js';
import { withMutantsOptions } from './mutants/options.js';
import type { OpenOptions } from './open/command.js';
import { type ColorOptions, DEFAULTS, NO_COLOR_OPTION, natural, withRunOptions } from './options.js';
import { STATUS } from './outcome.js';
import type { PictureCommandOptions } from './picture/command.js';
import type { WhyCommandOptions } from './provenance/command.js';
import { complain, conclude, print, wantsColor } from './terminal.js';
import type { TraceOptions } from './trace/command.js';
import type { StepOptions } from './tui/command.js';

/** What follows `--` is the guest's, whatever it looks like. */
const DASHES = process.argv.indexOf('--');
const OWN_ARGUMENTS = DASHES < 0 ? process.argv : process.argv.slice(0, DASHES);
const ARGUMENTS = DASHES < 0 ? [] : process.argv.slice(DASHES + 1);

const DEMO = fileURLToPath(new URL('../../fixtures/programs/ping-pong.s', import.meta.url));

const NEXT = `
Try next:
  npx millscope step fixtures/programs/every-slot.s --at 258   step through a switch, in both directions
  npx millscope run fixtures/programs/recursion.s              what a program prints
  npx millscope switches fixtures/programs/three-workers.s     registers kept apart by switches
  npx millscope switches --json fixtures/programs/ping-pong.s  the same as data
`;

const AT_OPTION = [
  '--at <moment>',
  'go to this moment and show the machine there, instead of running to the end',
] as const;

async function visitDoctor(manifest: Manifest, options: ColorOptions & { readonly json?: boolean }): Promise<void> {
  // Here, not above: no other command is to load it.
  const { examine, reportText } = await import('./doctor.js');
  const report = await examine(manifest, wantsColor(options));
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
  withRunOptions(cli.command('run'))
    .description("run a program: its output on standard output, its exit status as millscope's")
    .option(...AT_OPTION, natural)
    .option('--dump', "at the end, goredump()'s census of coroutines and channels on standard error")
    .action((paths: string[], options: ShowOptions) => execute(paths, ARGUMENTS, options, passOutput));
  withRunOptions(cli.command('switches'))
    .description('run a program and print each switch as a table: who was saved, who was restored, all ten slots')
    .option(...AT_OPTION, natural)
    .option('--json', 'print one JSON object a line instead')
    .action((paths: string[], options: ShowOptions) =>
      execute(paths, ARGUMENTS, { ...options, switches: true }, (guest) => watchSwitches(guest, options)),
    );
  withRunOptions(cli.command('step'))
    .description('step through a program on the whole terminal, forwards and backwards; ? there says how')
    .option('--at <moment>', 'begin at this moment', natural)
    .action(async (paths: string[], options: StepOptions) => {
      const { step } = await import('./tui/command.js');
      process.exitCode = await step(paths, ARGUMENTS, options);
    });
  cli
    .command('demo')
    .description('the switches of a little program, and what to try next')
    .action(async () => {
      const options = { ...DEFAULTS, color: true };
      await execute([DEMO], [], options, (guest) => watchSwitches(guest, options));
      print(1, NEXT);
    });
  withRunOptions(cli.command('trace'))
    .description('run a program and write what happens in it: as a listing, as JSON lines, or for ui.perfetto.dev')
    .option('-o, --output <file>', 'where to; - is standard output', '-')
    .addOption(new Option('--format <name>', 'of the trace').choices(['text', 'jsonl', 'perfetto']).default('text'))
    .option('--from <moment>', 'where the trace begins, if not at the start', natural)
    .option('--to <moment>', 'where it ends, and the run with it', natural)
    .option('--at <moment>', 'instead of both: what is around this moment, with its instruction marked', natural)
    .option(
      '--events <names>',
      'with commas between: instruction, memory, switch, coroutine, channel, transfer, timer, output, process (all but memory, and instruction in text only)',
    )
    .action(async (paths: string[], options: TraceOptions & ColorOptions) => {
      const { trace } = await import('./trace/command.js');
      conclude(await trace(paths, ARGUMENTS, options, { version: manifest.version, colors: wantsColor(options) }));
    });
  withRunOptions(cli.command('picture'))
    .description('draw a moment of a run as an SVG, or several moments as one that moves')
    .requiredOption('--at <moment>', 'the moment, or the first one', natural)
    .option('--steps <instructions>', 'so many further moments, one after the other', natural, 0)
    .option('--dark', 'for dark surroundings')
    .option('-o, --output <file>', 'where to; - is standard output', '-')
    .action(async (paths: string[], options: PictureCommandOptions) => {
      const { drawPicture } = await import('./picture/command.js');
      await drawPicture(paths, ARGUMENTS, options);
    });
  withRunOptions(cli.command('why'))
    .usage('[options] <file...> <place> [-- <argument...>]')
    .description(
      'say why a place holds what it holds at a moment: who wrote it, and from where that came, back to where it was made. A place is a register (rbx, eax, xmm0), "slot r12 of coroutine 2", or memory: a symbol, symbol+8, rsp+8, 0x…, "4 bytes at symbol"',
    )
    .requiredOption('--at <moment>', 'at which it is asked', natural)
    .option('--json', 'print the same as one JSON object')
    .action(async (words: string[], options: WhyCommandOptions & ColorOptions) => {
      const { explainValue } = await import('./provenance/command.js');
      conclude(await explainValue(words, ARGUMENTS, options, wantsColor(options)));
    });
  withRunOptions(cli.command('diff'))
    .description(
      'find the first moment at which two programs, two traces, two seeds or two engines part: status 0 if none',
    )
    .option('--seeds <a,b>', 'one program, with two seeds')
    .option('--engines <a,b>', 'one program, on two engines')
    .option('--at <moment>', 'compare at this moment, instead of finding the first at which they part', natural)
    .action(async (paths: string[], options: DiffOptions) => {
      const { diff } = await import('./diff/command.js');
      conclude(await diff(paths, ARGUMENTS, options));
    });
  cli
    .command('open')
    .description('open a link to a moment: on the terminal, as step does, or without one as run --at does')
    .argument('<link>', 'its address, or what is behind the #; in quotes')
    .option('--run', 'run it from its start to its end instead')
    .addOption(new Option('--json', 'print the moment as one JSON object').conflicts('run'))
    .addOption(
      new Option('--extract <folder>', 'write its files there instead, and over none').conflicts(['run', 'json']),
    )
    .option(...NO_COLOR_OPTION)
    .action(async (link: string, options: OpenOptions) => {
      const { open } = await import('./open/command.js');
      await open(link, options);
    });
  withLayoutOptions(cli.command('layout')).action(async (paths: string[], options: LayoutOptions) => {
    const { layout } = await import('./layout/command.js');
    conclude(await layout(paths, options));
  });
  withCheckOptions(cli.command('check')).action(async (paths: string[], options: CheckOptions) => {
    const { checkFiles } = await import('./contract/command.js');
    conclude(await checkFiles(paths, options));
  });
  withMutantsOptions(cli.command('mutants')).action(async (paths: string[], options: MutantsOptions) => {
    const { mutants } = await import('./mutants/command.js');
    conclude(await mutants(paths, ARGUMENTS, options));
  });
  cli
    .command('doctor')
    .description('which engines and tools are here, whether they work, and how fast they are')
    .option('--json', 'print the same as one JSON object')
    .option(...NO_COLOR_OPTION)
    .action((options: ColorOptions & { readonly json?: boolean }) => visitDoctor(manifest, options));
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
