import { type Command, Option } from 'commander';
import { NO_COLOR_OPTION, withArchives, withoutLinks } from '../options.js';
import { withMeasureOptions } from '../probe/options.js';

const FILES = 'assembly text (.s), objects (.o), archives (.a) or C (.c) with a switch in them';

function withFiles(command: Command, files: string): Command {
  return withArchives(withoutLinks(command).usage('[options] <file...>').argument('<file...>', files)).option(
    '--cc <flags>',
    'for the C compiler, as one string',
    '',
  );
}

/** The command that measures where a switch keeps what. */
export function withLayoutOptions(command: Command): Command {
  return withMeasureOptions(withFiles(command, FILES))
    .description(
      'run a switch and find out where it keeps which register: what is saved, what is restored, slot by slot',
    )
    .addOption(new Option('--json', 'print the same as one JSON object').conflicts(['drawing', 'header']))
    .addOption(new Option('--drawing', 'print the ctx as it is in memory, eight bytes a row').conflicts('header'))
    .option('--header', 'print the offsets as a C header')
    .option('--write <file>', 'make a golden file of the layout')
    .option(
      '--golden <file>',
      'compare with a golden file: status 0 if equal, 1 if different, 2 if it cannot be measured',
    )
    .option('--junit <file>', 'write the outcome as JUnit XML')
    .option(...NO_COLOR_OPTION);
}

/** The command that holds a switch to the ABI. */
export function withCheckOptions(command: Command): Command {
  return withMeasureOptions(withFiles(command, `${FILES}; and headers (.h) with asm statements`))
    .description('run a switch and hold it to its contract: the System V ABI, clause by clause, each with its evidence')
    .option('--json', 'print the same as one JSON object')
    .option('--require <clauses>', 'with commas between, or abi, or all: status 1 if one is lost', (text: string) =>
      text.split(','),
    )
    .option('--junit <file>', 'write the outcome as JUnit XML')
    .option(...NO_COLOR_OPTION);
}
