import { printable } from '../../asm/printable.js';
import type { Process } from '../../runtime/process.js';
import { reach, runToEnd } from '../execute.js';
import { colors } from '../format.js';
import { openLinked } from '../guest.js';
import { commandOf } from '../link/copy.js';
import { readLink, writeLink } from '../link/link.js';
import type { LinkedRun } from '../link/linked-run.js';
import type { ColorOptions } from '../options.js';
import { ending, withLines } from '../outcome.js';
import { conclude, print, wantsColor } from '../terminal.js';
import { extract } from './extract.js';

/** What is to be done with a link. */
export interface OpenOptions extends ColorOptions {
  readonly json?: boolean;
  /** To its end, instead of to its moment. */
  readonly run?: boolean;
  /** A folder, for its files. */
  readonly extract?: string;
}

/**
 * Text in which nothing acts on a terminal but colours: names, places and output may be whatever somebody has put into
 * the link.
 */
function harmless(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what begins a colour
  const pieces = text.split(/(\x1b\[[\d;]*m)/);
  return pieces.map((piece, index) => (index % 2 === 1 ? piece : printable(piece, '\n\t'))).join('');
}

/** Writes what the program writes, as it is; but for what acts on a terminal if it goes to one. */
function showOutput(guest: Process): void {
  const decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  const screens = { 1: process.stdout, 2: process.stderr };
  guest.on('output', ({ stream, bytes }) => {
    print(stream, screens[stream].isTTY ? harmless(decoders[stream].decode(bytes, { stream: true })) : bytes);
  });
}

/** Runs to the end, as `millscope run` does. */
async function runLinked(guest: Process, command: (moment: number) => Promise<string>): Promise<void> {
  showOutput(guest);
  const { status, message } = await ending(guest, await runToEnd(guest));
  const lines = [`to see that moment: ${await command(guest.cpu.moment)}`];
  conclude({ status, message: message && withLines(harmless(message), lines) });
}

/** Goes to the moment and shows the machine there, as `millscope run --at` does. */
async function showMoment(guest: Process, { moment }: LinkedRun, options: OpenOptions): Promise<void> {
  const { lookJson, lookText } = await import('../look.js');
  await reach(guest, moment);
  const text = options.json ? lookJson(guest) : harmless(await lookText(guest, colors(wantsColor(options))));
  print(1, `${text}\n`);
}

/**
 * Opens a link: on the whole terminal if there is one, at its moment.
 * @param text an address, or its fragment
 * @throws RunLinkError, and what building its program throws
 */
export async function open(text: string, options: OpenOptions): Promise<void> {
  const run = await readLink(text);
  if (options.extract !== undefined) {
    print(1, `${extract(run, options.extract)}\n`);
    return;
  }
  const site = text.includes('#') ? text.replace(/#.*$/s, '#').trim() : '';
  const command = async (moment: number): Promise<string> => commandOf(`${site}${await writeLink({ ...run, moment })}`);
  const guest = await openLinked(run);
  // Here, not above: without a terminal it is not needed.
  const { isOnTerminal, stepThrough } = await import('../tui/command.js');
  if (!options.run && !options.json && isOnTerminal()) {
    const { linkedSources } = await import('../tui/sources.js');
    process.exitCode = await stepThrough(guest, {
      ...options,
      at: run.moment,
      sources: linkedSources([...run.files, ...run.runtime]),
      command: (moment) => `${run.name} of the link, at moment ${moment}`,
      back: command,
    });
    return;
  }
  try {
    if (options.run) await runLinked(guest, command);
    else await showMoment(guest, run, options);
  } finally {
    guest.cpu.close();
  }
}
