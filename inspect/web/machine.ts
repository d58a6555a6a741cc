import type { FromWorker, Kind, Requests, ToWorker } from './protocol.js';

/** Something could not be done; the message is for people. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

/** What the worker tells without being asked. */
export type News = Exclude<FromWorker, { kind: 'reply' | 'refused' }>;

interface Waiting {
  resolve(reply: unknown): void;
  reject(error: Refused): void;
}

/** The worker, as the page sees it. */
export class Machine {
  readonly #worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  /** @param tell of what the worker says unasked */
  constructor(tell: (news: News) => void) {
    this.#worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind !== 'reply' && data.kind !== 'refused') return tell(data);
      const waiting = this.#waiting.get(data.number);
      this.#waiting.delete(data.number);
      if (data.kind === 'reply') waiting?.resolve(data.reply);
      else waiting?.reject(new Refused(data.message));
    };
    this.#worker.onerror = ({ message }) => tell({ kind: 'broken', message });
  }

  /** @throws Refused */
  ask<K extends Kind>(kind: K, ask: Requests[K]['ask']): Promise<Requests[K]['reply']> {
    this.#last += 1;
    const number = this.#last;
    // Built of a kind and what belongs to it, which the compiler cannot follow through a type parameter.
    this.#worker.postMessage({ kind, number, ask } as ToWorker);
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve: (reply) => resolve(reply as Requests[K]['reply']), reject });
    });
  }

  /** Interrupts what is being done: it ends where it is. */
  stop(): void {
    this.#worker.postMessage({ kind: 'stop' } satisfies ToWorker);
  }

  /** Ends the worker, whatever it does; what it was asked for never comes. */
  close(): void {
    this.#worker.terminate();
  }
}
