import type { FromWorker, Requests, ToWorker } from './protocol.js';
import { Thread } from './thread.js';

/** What the worker tells without being asked. */
export type News = Exclude<FromWorker, { kind: 'reply' | 'refused' }>;

/** The worker with the machine. */
export class Machine extends Thread<Requests, News> {
  /** @param tell of what the worker says unasked */
  constructor(tell: (news: News) => void) {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    super(worker, tell, (message) => tell({ kind: 'broken', message }));
  }

  /** Interrupts what is being done: it ends where it is. */
  stop(): void {
    this.worker.postMessage({ kind: 'stop' } satisfies ToWorker);
  }
}
