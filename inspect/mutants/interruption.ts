const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Ctrl-C, as long as this is open: the process goes on, and whoever asks may come to an end. */
export class Interruption {
  #hasCome = false;
  readonly #wanting: (() => void)[] = [];
  readonly #come = (): void => {
    this.#hasCome = true;
    for (const callback of this.#wanting) callback();
  };

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#come);
  }

  get hasCome(): boolean {
    return this.#hasCome;
  }

  /** Calls `callback` when it comes. */
  whenComes(callback: () => void): void {
    this.#wanting.push(callback);
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#come);
  }
}
