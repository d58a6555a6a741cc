import { Writable } from 'node:stream';
import { render } from 'ink';
import type { Colors } from '../format.js';
import { App } from './app.js';
import type { Screen } from './screen.js';
import type { Stepper } from './stepper.js';

/** What ink takes for a terminal: it writes whole frames here, of the terminal's size. */
class Frames extends Writable {
  readonly #screen: Screen;
  readonly #stepper: Stepper;

  constructor(screen: Screen, stepper: Stepper) {
    super({ decodeStrings: false });
    this.#screen = screen;
    this.#stepper = stepper;
  }

  get columns(): number {
    return this.#stepper.state.columns;
  }

  get rows(): number {
    return this.#stepper.state.rows;
  }

  override _write(frame: string, _encoding: string, done: () => void): void {
    this.#screen.draw(frame);
    done();
  }
}

/**
 * Draws a stepper on a screen whenever it changes, and gives it the keys.
 * @param stdin where keys come from: a terminal, or what behaves like one
 * @param command the command line that leads to a moment
 * @param broken is told of what goes wrong in the drawing
 * @returns what ends that
 */
export function show(
  stepper: Stepper,
  screen: Screen,
  stdin: NodeJS.ReadStream,
  paint: Colors,
  command: (moment: number) => string,
  broken: (error: unknown) => void,
): () => void {
  const app = render(<App stepper={stepper} paint={paint} command={command} />, {
    stdout: new Frames(screen, stepper) as unknown as NodeJS.WriteStream,
    stdin,
    // Every frame is given whole, and at once; which lines have changed is the screen's affair.
    debug: true,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  app.waitUntilExit().catch(broken);
  return () => app.unmount();
}
