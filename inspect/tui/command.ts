import { UsageError } from '../errors.js';
import { colors } from '../format.js';
import type { RunOptions } from '../guest.js';
import { openGuest, type Run } from '../guest.js';
import { stepCommand } from '../invocation.js';
import type { ColorOptions } from '../options.js';
import { isProbe } from '../probe/options.js';
import { Session } from '../session.js';
import { print, wantsColor } from '../terminal.js';
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
  if (process.stdin.isTTY !== true || process.stdout.isTTY !== true) {
    throw new UsageError('step needs a terminal: without one, run --at shows a moment, and trace lists instructions');
  }
  if (options.limit !== undefined) throw new UsageError('step goes no further than it is told to: leave --limit away');
  const run: Run = { paths, arguments: parameters, options };
  const guest = await openGuest(run);
  const session = new Session(guest);
  // Here, not above: no program is to load it.
  const probed = isProbe(options)
    ? await (await import('../layout/probed.js')).probedSwitch(paths, options)
    : undefined;
  const viewer = await Viewer.open(session, { sources: fileSources(paths), probed });
  try {
    if (options.at !== undefined) {
      await session.go(options.at);
      if (session.moment < options.at) {
        throw new UsageError(`the run has no moment ${options.at}: its last one is ${session.moment}`);
      }
    }
    const status = await onScreen(session, viewer, run, options);
    print(1, `to come back: ${stepCommand(run, session.moment)}\n`);
    return status;
  } finally {
    viewer.close();
    guest.cpu.close();
  }
}

/** Shows the session until the person quits, a signal comes, or something breaks; then the terminal is as before. */
async function onScreen(session: Session, viewer: Viewer, run: Run, options: StepOptions): Promise<number> {
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
        const paint = colors(wantsColor(options));
        ends.push(show(stepper, screen, process.stdin, paint, (moment) => stepCommand(run, moment), reject));
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
