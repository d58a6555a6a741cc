import type { Process } from '../../runtime/process.js';
import { UsageError } from '../errors.js';
import { colors } from '../format.js';
import { openGuest } from '../guest.js';
import { stepCommand } from '../invocation.js';
import { linkLines } from '../linkable.js';
import type { ColorOptions } from '../options.js';
import { isProbe } from '../probe/options.js';
import type { Run, RunOptions } from '../run.js';
import { Session } from '../session.js';
import { print, wantsColor } from '../terminal.js';
import type { Sources } from '../view/code.js';
import type { ProbedSwitch } from '../view/probed.js';
import { Viewer } from '../view/viewer.js';
import { Screen } from './screen.js';
import { fileSources } from './sources.js';
import { Stepper } from './stepper.js';

/** What `step` is asked for. */
export interface StepOptions extends RunOptions, ColorOptions {
  /** A moment to begin at. */
  readonly at?: number;
}

/** Exit statuses of processes that a signal has ended. */
const STATUS_OF = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Steps through a program on the whole terminal until somebody has enough of it.
 * @returns the exit status
 * @throws UsageError without a terminal, and for options that make no sense here
 */
export async function step(
  paths: readonly string[],
  parameters: readonly string[],
  options: StepOptions,
): Promise<number> {
  if (!isOnTerminal()) {
    throw new UsageError('step needs a terminal: without one, run --at shows a moment, and trace lists instructions');
  }
  if (options.limit !== undefined) throw new UsageError('step goes no further than it is told to: leave --limit away');
  const run: Run = { paths, arguments: parameters, options };
  const guest = await openGuest(run);
  // Here, not above: no program is to load it.
  const probed = isProbe(options)
    ? await (await import('../layout/probed.js')).probedSwitch(paths, options)
    : undefined;
  return stepThrough(guest, {
    ...options,
    sources: fileSources([...paths, ...options.runtime]),
    probed,
    command: (moment) => stepCommand(run, moment),
    back: async (moment) => [stepCommand(run, moment), ...(await linkLines(run, moment))].join('\n'),
  });
}

/** What a process is stepped through with. */
export interface Stepping extends ColorOptions {
  /** A moment to begin at. */
  readonly at?: number;
  readonly sources: Sources;
  /** If it is the probe of a switch. */
  readonly probed?: ProbedSwitch | undefined;
  /** What leads to a moment, in a few words. */
  readonly command: (moment: number) => string;
  /** What leads back to the moment at which somebody left. */
  readonly back: (moment: number) => Promise<string>;
}

/** Whether somebody is there to press keys and to see what they do. */
export function isOnTerminal(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}

/**
 * Steps through a process that has not run yet, and closes its machine.
 * @returns the exit status
 */
export async function stepThrough(guest: Process, stepping: Stepping): Promise<number> {
  const session = new Session(guest);
  const { at } = stepping;
  try {
    const viewer = await Viewer.open(session, { sources: stepping.sources, probed: stepping.probed });
    try {
      if (at !== undefined) {
        await session.go(at);
        if (session.moment < at) throw new UsageError(`the run has no moment ${at}: its last one is ${session.moment}`);
      }
      const status = await onScreen(session, viewer, stepping);
      print(1, `to come back: ${await stepping.back(session.moment)}\n`);
      return status;
    } finally {
      viewer.close();
    }
  } finally {
    guest.cpu.close();
  }
}

/** Shows the session until the person quits, a signal comes, or something breaks; then the terminal is as before. */
async function onScreen(session: Session, viewer: Viewer, stepping: Stepping): Promise<number> {
  // React is slower by half where it looks for faults in programs; it reads this when it is loaded.
  process.env.NODE_ENV ??= 'production';
  const { show } = await import('./show.js');
  const screen = new Screen();
  const ends: (() => unknown)[] = [];
  try {
    return await new Promise<number>((resolve, reject) => {
      for (const [signal, status] of Object.entries(STATUS_OF)) {
        const end = (): void => resolve(status);
        process.on(signal, end);
        ends.push(() => process.off(signal, end));
      }
      process.on('uncaughtException', reject);
      process.on('unhandledRejection', reject);
      ends.push(() => process.off('uncaughtException', reject).off('unhandledRejection', reject));
      const { columns, rows } = process.stdout;
      Stepper.open(session, viewer, { columns, rows }, resolve).then((stepper) => {
        // Before anything is seen: what is typed from then on is not to be echoed.
        process.stdin.setRawMode(true);
        screen.enter();
        ends.push(() => stepper.close());
        const resized = (): void => {
          screen.clear();
          stepper.resize(process.stdout.columns, process.stdout.rows);
        };
        process.stdout.on('resize', resized);
        ends.push(() => process.stdout.off('resize', resized));
        const paint = colors(wantsColor(stepping));
        ends.push(show(stepper, screen, process.stdin, paint, stepping.command, reject));
      }, reject);
    });
  } finally {
    try {
      for (const end of ends.reverse()) await end();
    } finally {
      screen.leave();
    }
  }
}
