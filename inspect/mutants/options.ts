import type { Command } from 'commander';
import { NO_COLOR_OPTION, natural, withArchives, withoutLinks } from '../options.js';
import { withMeasureOptions } from '../probe/options.js';

/** The command that makes faults in a switch. */
export function withMutantsOptions(command: Command): Command {
  return withMeasureOptions(
    withArchives(
      withoutLinks(command)
        .usage('[options] <file...> [-- <test command...>]')
        .argument('<file...>', 'assembly text (.s), objects (.o), archives (.a) or C (.c) with a switch in them'),
    ).option('--cc <flags>', 'for the C compiler, as one string', ''),
  )
    .description(
      'put every fault of one instruction into a switch, one at a time, and see whether layout and check notice it; or, with a command behind --, whether your own tests do: they get the path of the object with the fault in MILLSCOPE_MUTANT. Status 0 if all are noticed, 1 if not, 2 if it cannot be tried',
    )
    .option('--timeout <seconds>', 'for each run of the test command', natural, 60)
    .option('--json', 'print the same as one JSON object')
    .option(...NO_COLOR_OPTION);
}
