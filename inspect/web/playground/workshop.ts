import { Thread } from '../thread.js';
import type { FromWorkshop, WorkshopRequests } from '../workshop/protocol.js';

/** What the workshop tells without being asked. */
export type WorkshopNews = Exclude<FromWorkshop, { kind: 'reply' | 'refused' }>;

/** The worker that assembles, measures and breaks. */
export class Workshop extends Thread<WorkshopRequests, WorkshopNews> {
  constructor(tell: (news: WorkshopNews) => void, broken: (message: string) => void) {
    super(new Worker(new URL('../workshop/worker.ts', import.meta.url), { type: 'module' }), tell, broken);
  }
}
