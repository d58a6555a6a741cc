/** Callbacks by the name of what they are told. Nothing is made up for a name that nobody listens to. */
export class Listeners<Events> {
  /** Each list is replaced, never changed, since a callback may end itself, or begin another. */
  readonly #callbacks: { [Name in keyof Events]?: readonly ((event: Events[Name]) => void)[] } = {};

  /**
   * Tells `callback` of each such event from now on, behind those who listen already.
   * @returns what ends that
   */
  on<Name extends keyof Events>(name: Name, callback: (event: Events[Name]) => void): () => void {
    const listener = (event: Events[Name]): void => callback(event);
    this.#callbacks[name] = [...this.#of(name), listener];
    return () => {
      this.#callbacks[name] = this.#of(name).filter((one) => one !== listener);
    };
  }

  /** Whether anybody listens: for events that cost something to make. */
  has(name: keyof Events): boolean {
    return this.#of(name).length > 0;
  }

  tell<Name extends keyof Events>(name: Name, event: Events[Name]): void {
    for (const listener of this.#of(name)) listener(event);
  }

  #of<Name extends keyof Events>(name: Name): readonly ((event: Events[Name]) => void)[] {
    return this.#callbacks[name] ?? [];
  }
}

/** One save, one restore, or both, as the runtime decided them. Coroutines are addresses of mill_cr; 0 is none. */
export interface Switch {
  /** `go`: the parent is saved, its child runs. The end of a coroutine: nobody is saved. Else both. */
  readonly kind: 'start' | 'switch' | 'end';
  readonly saved: number;
  readonly restored: number;
}

/** What the guest wrote. */
export interface Output {
  /** Standard output (1) or standard error (2). */
  readonly stream: 1 | 2;
  readonly bytes: Uint8Array;
}

/** A coroutine does something with a channel. Both are addresses, of mill_cr and mill_chan. */
export interface ChannelOperation {
  /** libmill's name for it; `in` and `out` are the clauses of a choose. */
  readonly kind: 'chmake' | 'chdup' | 'chs' | 'chr' | 'in' | 'out' | 'chdone' | 'chclose';
  readonly channel: number;
  readonly coroutine: number;
}

/** An element goes one step of its way. Addresses; 0 in the place of a coroutine is the channel's own memory. */
export interface Transfer {
  readonly channel: number;
  readonly from: number;
  readonly to: number;
  /** It is what chdone gives to everybody, and stays where it is. */
  readonly done: boolean;
}

/** A timer has come for a coroutine, an address of mill_cr. */
export interface TimerEvent {
  readonly coroutine: number;
  /** What waited for it: a sleep, or the deadline of a choose. */
  readonly kind: 'msleep' | 'choose';
}

/** What a process tells, inside the run. What a listener throws ends the run and leaves it. */
export interface ProcessEvents {
  readonly output: Output;
  /** Behind the save and before the restore. */
  readonly switched: Switch;
  readonly channel: ChannelOperation;
  readonly transfer: Transfer;
  readonly timer: TimerEvent;
  /** The guest has made, for the first time, a system call of Linux's, of this name, that there is not. */
  readonly refused: string;
  /** Memory and registers have become what they were at another time, or in another process. */
  readonly restored: undefined;
}
