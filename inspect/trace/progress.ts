/** For how long nothing is said, and how often something is, in ms. */
const PATIENCE_MS = 1000;
const INTERVAL_MS = 200;

/** One line on a terminal, overwritten, once something has taken a second. */
export class Progress {
  #next = performance.now() + PATIENCE_MS;
  #shown = false;

  /** @param text is asked for only when it is shown */
  tell(text: () => string): void {
    if (process.stderr.isTTY !== true || performance.now() < this.#next) return;
    this.#next = performance.now() + INTERVAL_MS;
    this.#shown = true;
    process.stderr.write(`\r\x1b[K${text()}`);
  }

  end(): void {
    if (this.#shown) process.stderr.write('\r\x1b[K');
  }
}
