/** Something could not be done; the message is for people. */
export class Refused extends Error {
  override readonly name = 'Refused';
}

type Reply =
  | { readonly kind: 'reply'; readonly number: number; readonly reply: unknown }
  | { readonly kind: 'refused'; readonly number: number; readonly message: string };

/** What a worker says: what it was asked for, that it could not be done, or something unasked. */
type Said<News> = Reply | News;

interface Waiting {
  resolve(reply: unknown): void;
  reject(error: Refused): void;
}

/** What can be asked for, each with what comes of it. */
type Table<Requests> = Readonly<Record<keyof Requests, { readonly ask: unknown; readonly reply: unknown }>>;

/** A worker, as the page sees it. */
export class Thread<Requests extends Table<Requests>, News extends { readonly kind: string }> {
  protected readonly worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  /**
   * @param tell of what the worker says unasked
   * @param broken told why it cannot go on
   */
  constructor(worker: Worker, tell: (news: News) => void, broken: (message: string) => void) {
    this.worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Said<News>>) => {
      if (!isReply(data)) {
        tell(data as News);
        return;
      }
      const waiting = this.#waiting.get(data.number);
      this.#waiting.delete(data.number);
      if (data.kind === 'reply') waiting?.resolve(data.reply);
      else waiting?.reject(new Refused(data.message));
    };
    worker.onerror = ({ message }) => broken(message);
  }

  /** @throws Refused */
  ask<K extends keyof Requests>(kind: K, ask: Requests[K]['ask']): Promise<Requests[K]['reply']> {
    this.#last += 1;
    const number = this.#last;
    this.worker.postMessage({ kind, number, ask });
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve: (reply) => resolve(reply as Requests[K]['reply']), reject });
    });
  }

  /** Ends the worker, whatever it does; what it was asked for never comes. */
  close(): void {
    this.worker.terminate();
  }
}

function isReply<News extends { readonly kind: string }>(said: Said<News>): said is Reply {
  return said.kind === 'reply' || said.kind === 'refused';
}
