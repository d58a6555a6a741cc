import type { ChannelEvent, TransferEvent } from './event.js';

/** One end of the way of an element: who, and when, in which process. */
export interface FlowEnd {
  readonly process: number;
  readonly coroutine: number;
  readonly at: number;
}

/** A send that was received. */
export interface Flow {
  readonly channel: number;
  readonly send: FlowEnd;
  /** The receiver, and when it was given the element: before it goes on, if it waited. */
  readonly receive: FlowEnd;
}

interface State {
  /** When each coroutine began its last send, by channel and coroutine. */
  readonly sends: Map<string, number>;
  /** What is in each channel's buffer, first in first out. */
  readonly buffers: Map<number, FlowEnd[]>;
}

/** Follows elements from those who send them, through buffers, to those who receive them. */
export class Flows {
  #state: State = { sends: new Map(), buffers: new Map() };
  readonly #parents: State[] = [];

  operation({ operation, channel, coroutine, at }: ChannelEvent): void {
    if (operation === 'chs' || operation === 'out') this.#state.sends.set(`${channel} ${coroutine}`, at);
  }

  /** @returns the send that is received by this, if it is one */
  transfer({ channel, from, to, done, at }: TransferEvent, process: number): Flow | undefined {
    if (done || channel === undefined) return undefined;
    const { sends, buffers } = this.#state;
    const buffer = buffers.get(channel) ?? [];
    buffers.set(channel, buffer);
    const sent =
      from === undefined ? undefined : { process, coroutine: from, at: sends.get(`${channel} ${from}`) ?? at };
    if (to === undefined) {
      if (sent !== undefined) buffer.push(sent);
      return undefined;
    }
    const send = sent ?? buffer.shift();
    return send && { channel, send, receive: { process, coroutine: to, at } };
  }

  /** A child has a copy of everything. */
  fork(): void {
    const { sends, buffers } = this.#state;
    this.#parents.push(this.#state);
    this.#state = {
      sends: new Map(sends),
      buffers: new Map([...buffers].map(([channel, buffer]) => [channel, [...buffer]])),
    };
  }

  /** The child has ended, and its parent goes on as it was. */
  childEnded(): void {
    this.#state = this.#parents.pop() ?? this.#state;
  }
}
