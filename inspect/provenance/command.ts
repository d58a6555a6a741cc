import { UsageError } from '../errors.js';
import { colors } from '../format.js';
import { openGuest } from '../guest.js';
import { lookCommand, whyCommand } from '../invocation.js';
import { linkField, linkLines } from '../linkable.js';
import { type Ending, STATUS } from '../outcome.js';
import type { Run, RunOptions } from '../run.js';
import { Session } from '../session.js';
import { print } from '../terminal.js';
import { Progress } from '../trace/progress.js';
import { placeOf } from './place.js';
import { whyJson, whyTable } from './report.js';
import type { Provenance } from './step.js';
import { why } from './why.js';

/** What `why` is asked. */
export interface WhyCommandOptions extends RunOptions {
  /** A moment. */
  readonly at: number;
  readonly json?: boolean;
}

const PROGRAM = /\.(c|cc|cpp|cxx|S|s|o|a|js|mjs)$/;

/** The files come first, and what follows the last of them is the question. */
function divide(words: readonly string[]): { paths: readonly string[]; question: string } {
  const behind = words.findIndex((word, index) => index > 0 && !PROGRAM.test(word));
  if (behind < 0) {
    throw new UsageError(
      'what is asked for is missing: name a register, `slot r12 of coroutine 2`, a symbol or an address',
    );
  }
  return { paths: words.slice(0, behind), question: words.slice(behind).join(' ') };
}

/**
 * Says why a place holds what it holds.
 * @param words files of the program, and the place
 * @throws UsageError or UndefinedSymbol
 */
export async function explainValue(
  words: readonly string[],
  parameters: readonly string[],
  options: WhyCommandOptions,
  paint: boolean,
): Promise<Ending> {
  const { paths, question } = divide(words);
  const { at } = options;
  const run: Run = { paths, arguments: parameters, options };
  const guest = await openGuest(run);
  const progress = new Progress();
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  process.on('SIGINT', interrupt);
  try {
    const session = new Session(guest);
    const moves = { signal: stop.signal, progress: (moment: number) => progress.tell(() => `moment ${moment}`) };
    await session.go(at, moves);
    if (stop.signal.aborted)
      return { status: STATUS.interrupted, message: `millscope: stopped by Ctrl-C at moment ${session.moment}` };
    if (session.moment < at) throw new UsageError(`the run has no moment ${at}: its last one is ${session.moment}`);
    const found = await why(session, placeOf(guest, question), moves);
    progress.end();
    const text = options.json
      ? whyJson(found, await linkField(run, at))
      : `${whyTable(found, colors(paint))}\n${await commands(run, found)}`;
    print(1, `${text}\n`);
    if (found.end !== 'interrupted') return { status: 0, message: undefined };
    return { status: STATUS.interrupted, message: 'millscope: stopped by Ctrl-C; the chain goes on' };
  } finally {
    process.off('SIGINT', interrupt);
    progress.end();
    guest.cpu.close();
  }
}

/** What leads to where the chain begins, and on. */
async function commands(run: Run, { steps, end }: Provenance): Promise<string> {
  const last = steps.at(-1);
  if (last === undefined) return '';
  const { moment, inputs, from } = last;
  const lines = [`to see that moment: ${lookCommand(run, moment)}`, ...(await linkLines(run, moment))];
  for (const { query } of inputs) lines.push(`to ask on: ${whyCommand(run, moment, query)}`);
  if (end !== 'beginning' && from !== undefined) lines.push(`and so on: ${whyCommand(run, moment, from.query)}`);
  return lines.join('\n');
}
