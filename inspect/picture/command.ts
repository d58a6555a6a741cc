import { basename } from 'node:path';
import { UsageError } from '../errors.js';
import { openGuest } from '../guest.js';
import type { RunOptions } from '../run.js';
import { Session } from '../session.js';
import { refuseToOverwrite, Sink } from '../trace/sink.js';
import { fileSources } from '../tui/sources.js';
import { Viewer } from '../view/viewer.js';
import { animation } from './animation.js';
import { picture } from './picture.js';
import { scenesFrom } from './scenes.js';

/** What `picture` is asked for. */
export interface PictureCommandOptions extends RunOptions {
  readonly at: number;
  /** Moments behind that one; 0 is a picture that does not move. */
  readonly steps: number;
  readonly dark?: boolean;
  /** A path, or - for standard output. */
  readonly output: string;
}

/** More than that nobody waits for: 16 minutes, and 2 MB. */
const MOST_STEPS = 600;

/**
 * Draws a moment of a program's run, or several of them.
 * @throws UsageError if the run has no such moments, or the file cannot be written
 */
export async function drawPicture(
  paths: readonly string[],
  parameters: readonly string[],
  options: PictureCommandOptions,
): Promise<void> {
  const { at, steps, output, dark, limit } = options;
  if (limit !== undefined) throw new UsageError('a picture is of the moments of --at and --steps: leave --limit away');
  if (steps > MOST_STEPS) throw new UsageError(`--steps ${steps} is too much for a picture: at most ${MOST_STEPS}`);
  refuseToOverwrite(paths, output);
  const guest = await openGuest({ paths, arguments: parameters, options });
  try {
    const session = new Session(guest);
    const viewer = await Viewer.open(session, { sources: fileSources(paths) });
    try {
      const scenes = await scenesFrom(session, viewer, at, steps);
      if (scenes.length <= steps) {
        throw new UsageError(`the run has no moment ${at + scenes.length}: its last one is ${session.moment}`);
      }
      const wanted = { program: basename(paths[0]), colours: dark ? 'dark' : 'light' } as const;
      const sink = new Sink(output, 'draw fewer moments, by --steps');
      sink.open();
      sink.text(steps === 0 ? picture(scenes[0], wanted) : animation(scenes, wanted));
      sink.close();
    } finally {
      viewer.close();
    }
  } finally {
    guest.cpu.close();
  }
}
