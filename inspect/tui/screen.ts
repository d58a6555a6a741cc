import { writeAll } from '../write-all.js';

/** The other screen, from its top, without a cursor, and with nothing that moves to the next line by itself. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[0m\x1b[?1049l';
/** Terminals that know these show all that is between them at once. */
const BEGIN = '\x1b[?2026h';
const END = '\x1b[?2026l';

/** A terminal's screen that is drawn in whole frames, of which only those lines are written that have changed. */
export class Screen {
  readonly #write: (text: string) => void;
  #last: readonly string[] = [];
  #isEntered = false;

  /** @param write to the terminal, at once */
  constructor(write: (text: string) => void = (text) => writeAll(1, new TextEncoder().encode(text))) {
    this.#write = write;
  }

  /** What is there, from the top. */
  get lines(): readonly string[] {
    return this.#last;
  }

  enter(): void {
    this.#isEntered = true;
    this.#write(ENTER);
  }

  /** Gives the terminal back as it was; a second call does nothing. */
  leave(): void {
    if (!this.#isEntered) return;
    this.#isEntered = false;
    this.#write(LEAVE);
  }

  /** Forgets what is there: the terminal has another size, and what it did with the old lines nobody knows. */
  clear(): void {
    this.#last = [];
    if (this.#isEntered) this.#write('\x1b[2J');
  }

  /** Shows a frame: its lines, from the top. */
  draw(frame: string): void {
    if (!this.#isEntered) return;
    const lines = frame.split('\n');
    const changed = lines.flatMap((line, row) =>
      line === this.#last[row] ? [] : [`\x1b[${row + 1};1H${line}\x1b[0m\x1b[K`],
    );
    for (let row = lines.length; row < this.#last.length; row++) changed.push(`\x1b[${row + 1};1H\x1b[2K`);
    this.#last = lines;
    if (changed.length > 0) this.#write(`${BEGIN}${changed.join('')}${END}`);
  }
}
