import type { Program, Slip } from './program.js';
import { type Coroutine, type Doing, ModelPanic, type Request, Scheduler } from './scheduler.js';
import { type Alternative, type Ending, type Library, Script, type Taken } from './script.js';
import { Tally } from './tally.js';

/*
 * What libmill's rules say a program does, and nothing of how a machine does it. Where a rule says "at random", the
 * choice is an input.
 */

/** Decides where the rules leave it open. @param nth choose of that coroutine @param legal places of clauses */
export type Oracle = (coroutine: number, nth: number, legal: readonly number[]) => number;

/** What the rules say. */
export interface Expected {
  readonly lines: readonly string[];
  readonly ending: Ending;
  readonly tally: Tally;
}

interface Channel {
  readonly id: number;
  readonly capacity: number;
  readonly size: number;
  readonly items: number[];
  /** First come, first served. */
  readonly senders: Place[];
  readonly receivers: Place[];
  handles: number;
  final?: number;
}

/** A channel as a program names it. */
interface Handle {
  readonly channel: Channel | undefined;
  readonly size: number;
}

interface Candidate {
  readonly index: number;
  readonly kind: 'in' | 'out';
  readonly channel: Channel;
  readonly value: number;
}

/** A place in the queue at one end of a channel. */
interface Place {
  readonly coroutine: Coroutine;
  readonly queue: Place[];
  /** One of these waits; which one is seen only when it fires. */
  readonly candidates: readonly Candidate[];
  readonly choice: Choice;
}

/** Takes one of several places of clauses. */
type Choice = (legal: readonly number[]) => number;

/** Runs a program by the rules. */
export function runModel(program: Program, oracle: Oracle): Expected {
  const model = new Model(oracle);
  const script = new Script(program, model);
  const ending = model.run(script.main());
  return { lines: script.lines, ending, tally: model.tally };
}

class Model implements Library<Handle, Request, undefined> {
  readonly tally = new Tally();
  readonly #scheduler = new Scheduler(this.tally);
  readonly #oracle: Oracle;
  /** Where each coroutine waits. */
  readonly #places = new Map<Coroutine, readonly Place[]>();
  /** How many chooses each coroutine has begun. */
  readonly #chooses = new Map<Coroutine, number>();
  #channels = 0;

  constructor(oracle: Oracle) {
    this.#oracle = oracle;
  }

  run(main: Doing<number>): Ending {
    return this.#scheduler.run(main);
  }

  *go(number: number, body: () => Doing<number>): Doing<void> {
    this.#scheduler.resume(this.#scheduler.self, 0);
    yield this.#scheduler.create(number, body());
  }

  *yield(): Doing<void> {
    this.#scheduler.resume(this.#scheduler.self, 0);
    yield* this.#scheduler.suspend();
  }

  // biome-ignore lint/correctness/useYield: it does not suspend
  *now(): Doing<number> {
    return this.#scheduler.now();
  }

  *sleep(until: number): Doing<void> {
    this.tally.count('sleeps');
    this.#scheduler.arm(until);
    yield* this.#scheduler.suspend('msleep()');
  }

  // Channels: rules 3 and 5 to 9

  // biome-ignore lint/correctness/useYield: it does not suspend
  *make(capacity: number, size: number): Doing<Handle> {
    const id = ++this.#channels;
    return { channel: { id, capacity, size, items: [], senders: [], receivers: [], handles: 1 }, size };
  }

  wrong({ channel, size }: Handle, slip: Slip): Handle {
    return slip === 'null' ? { channel: undefined, size } : { channel, size: size + 1 };
  }

  // biome-ignore lint/correctness/useYield: it does not suspend
  *dup(handle: Handle): Doing<Handle> {
    notNull(handle).handles++;
    return handle;
  }

  // biome-ignore lint/correctness/useYield: it does not suspend
  *close(handle: Handle): Doing<void> {
    const channel = notNull(handle);
    if (--channel.handles > 0) return;
    if (channel.senders.length + channel.receivers.length > 0) {
      throw new ModelPanic('attempt to close a channel while it is still being used');
    }
    this.tally.count('last closes');
  }

  // biome-ignore lint/correctness/useYield: it does not suspend
  *done(handle: Handle, value: number): Doing<void> {
    const channel = notNull(handle);
    if (channel.final !== undefined) throw new ModelPanic('chdone on already done-with channel');
    if (channel.size !== handle.size) throw new ModelPanic('send of a type not matching the channel');
    if (channel.senders.length > 0) throw new ModelPanic('send to done-with channel');
    channel.final = value;
    if (channel.items.length > 0) this.tally.count('items left when done');
    if (channel.receivers.length > 1) this.tally.count('done broadcasts to several');
    for (let place = channel.receivers[0]; place !== undefined; place = channel.receivers[0]) {
      place.coroutine.valbuf = value;
      this.#unblock(place);
    }
  }

  *send(handle: Handle, value: number): Doing<void> {
    const { channel } = handle;
    yield* this.#transfer([{ kind: 'out', channel: handle, value }], `chs(<${channel?.id}>)`, () => 0);
  }

  *receive(handle: Handle): Doing<number> {
    const { channel } = handle;
    yield* this.#transfer([{ kind: 'in', channel: handle }], `chr(<${channel?.id}>)`, () => 0);
    return this.#scheduler.self.valbuf;
  }

  *choose(alternatives: readonly Alternative<Handle>[]): Doing<Taken> {
    const self = this.#scheduler.self;
    const nth = this.#chooses.get(self) ?? 0;
    this.#chooses.set(self, nth + 1);
    const index = yield* this.#transfer(alternatives, '', (legal) => this.#oracle(self.number, nth, legal));
    return alternatives[index]?.kind === 'in' ? { index, value: self.valbuf } : { index };
  }

  /** What chs, chr and choose have in common. @returns the place of the clause that was taken, or -1 */
  *#transfer(alternatives: readonly Alternative<Handle>[], what: string, choice: Choice): Doing<number> {
    const self = this.#scheduler.self;
    const candidates: Candidate[] = [];
    let otherwise = false;
    let until = -1;
    for (const [index, alternative] of alternatives.entries()) {
      if (alternative.kind === 'in' || alternative.kind === 'out') {
        candidates.push(candidate(alternative, index));
        continue;
      }
      if (otherwise || until >= 0) {
        throw new ModelPanic("multiple 'otherwise' or 'deadline' clauses in a choose statement");
      }
      if (alternative.kind === 'otherwise') otherwise = true;
      else until = alternative.until;
    }

    const ready = candidates.filter(isReady);
    if (ready.length > 0) {
      if (ready.length > 1) this.tally.count('chooses with several ready clauses');
      const taken = pick(ready, choice);
      if (taken.kind === 'out') this.#put(taken.channel, taken.value);
      else self.valbuf = this.#take(taken.channel);
      this.#scheduler.resume(self, taken.index);
      return yield* this.#scheduler.suspend();
    }
    if (otherwise) {
      this.tally.count('otherwise taken');
      this.#scheduler.resume(self, -1);
      return yield* this.#scheduler.suspend();
    }
    this.#queue(candidates, choice);
    this.#scheduler.arm(until, () => this.#timedOut(self));
    if (what === '') this.tally.count('blocked chooses');
    else this.tally.count(candidates[0]?.kind === 'out' ? 'blocked sends' : 'blocked receives');
    const ids = new Set(candidates.map(({ channel }) => `<${channel.id}>`));
    return yield* this.#scheduler.suspend(what || `choose(${[...ids].join(',')})`);
  }

  #queue(candidates: readonly Candidate[], choice: Choice): void {
    const self = this.#scheduler.self;
    const ends = new Map<Place[], Candidate[]>();
    const places: Place[] = [];
    for (const candidate of candidates) {
      const end = candidate.kind === 'in' ? candidate.channel.receivers : candidate.channel.senders;
      ends.set(end, [...(ends.get(end) ?? []), candidate]);
    }
    for (const [queue, candidates] of ends) {
      if (queue.length > 0) this.tally.count('several waiting at one end');
      if (candidates.length > 1) this.tally.count('blocked chooses of one end named twice');
      const place: Place = { coroutine: self, queue, candidates, choice };
      queue.push(place);
      places.push(place);
    }
    this.#places.set(self, places);
  }

  /** A sender is there, and it is not done-with. */
  #put(channel: Channel, value: number): void {
    const [receiver] = channel.receivers;
    if (receiver === undefined) {
      this.tally.count('buffered sends');
      channel.items.push(value);
      return;
    }
    this.tally.count('sends to a waiting receiver');
    receiver.coroutine.valbuf = value;
    this.#unblock(receiver);
  }

  #take(channel: Channel): number {
    const [sender] = channel.senders;
    const item = channel.items.shift();
    if (item !== undefined) {
      if (sender !== undefined) {
        this.tally.count('refills by a blocked sender');
        channel.items.push(this.#unblock(sender).value);
      }
      return item;
    }
    if (channel.final !== undefined) {
      this.tally.count('receives of the final value');
      return channel.final;
    }
    if (sender === undefined) throw new Error('nothing to receive');
    this.tally.count('receives from a blocked sender');
    return this.#unblock(sender).value;
  }

  /** Ends the wait of the coroutine at a place. @returns the clause that has fired */
  #unblock(place: Place): Candidate {
    const { coroutine, candidates, choice } = place;
    const fired = pick(candidates, choice);
    this.#leave(coroutine);
    if (this.#scheduler.disarm(coroutine)) this.tally.count('deadlines cancelled');
    this.#scheduler.resume(coroutine, fired.index);
    return fired;
  }

  #timedOut(coroutine: Coroutine): void {
    this.tally.count('deadlines fired');
    const twice = this.#places.get(coroutine)?.some(({ candidates }) => candidates.length > 1);
    if (twice) this.tally.count('deadlines fired with one end named twice');
    this.#leave(coroutine);
  }

  #leave(coroutine: Coroutine): void {
    for (const place of this.#places.get(coroutine) ?? []) place.queue.splice(place.queue.indexOf(place), 1);
    this.#places.delete(coroutine);
  }
}

function notNull({ channel }: Handle): Channel {
  if (channel === undefined) throw new ModelPanic('null channel used');
  return channel;
}

/** A clause, once it has been found to be right. */
function candidate(alternative: Alternative<Handle> & { kind: 'in' | 'out' }, index: number): Candidate {
  const { kind, channel: handle } = alternative;
  const channel = notNull(handle);
  if (kind === 'in') {
    if (channel.size !== handle.size) throw new ModelPanic('receive of a type not matching the channel');
    return { index, kind, channel, value: 0 };
  }
  if (channel.final !== undefined) throw new ModelPanic('send to done-with channel');
  if (channel.size !== handle.size) throw new ModelPanic('send of a type not matching the channel');
  return { index, kind, channel, value: alternative.value };
}

function isReady({ kind, channel }: Candidate): boolean {
  if (kind === 'out') return channel.receivers.length > 0 || channel.items.length < channel.capacity;
  return channel.final !== undefined || channel.senders.length > 0 || channel.items.length > 0;
}

function pick(candidates: readonly Candidate[], choice: Choice): Candidate {
  const [only, second] = candidates;
  const index = second === undefined ? only?.index : choice(candidates.map(({ index }) => index));
  const picked = candidates.find((candidate) => candidate.index === index);
  if (picked === undefined) throw new Error(`clause ${index} is none of those to choose from`);
  return picked;
}
