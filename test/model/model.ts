import type { Program, Slip } from './program.js';
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

/** What a body hands to the scheduler: a coroutine that is to run at once, or nothing when it suspends. */
type Request = Coroutine | undefined;
type Doing<Result> = Generator<Request, Result, undefined>;

interface Coroutine {
  /** Of its body. */
  readonly number: number;
  /** In order of creation, as libmill counts. */
  readonly id: number;
  readonly body: Doing<number>;
  chooses: number;
  /** What it gets when it runs again. */
  result: number;
  /** Where a value handed over to it is kept until it runs again. */
  valbuf: number;
  /** What it waits in. */
  waitsIn: string;
  places: Place[];
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

interface Timer {
  readonly coroutine: Coroutine;
  readonly expiry: number;
}

class ModelPanic extends Error {}

const SWITCHES_BEFORE_POLL = 103;
const NOWS_BEFORE_MOVE = 1000;

/** Runs a program by the rules. */
export function runModel(program: Program, oracle: Oracle): Expected {
  const model = new Model(oracle);
  const script = new Script(program, model);
  const ending = model.run(script.main());
  return { lines: script.lines, ending, tally: model.tally };
}

class Model implements Library<Handle, Request, undefined> {
  readonly tally = new Tally();
  readonly #oracle: Oracle;
  readonly #ready: Coroutine[] = [];
  readonly #alive = new Set<Coroutine>();
  #running: Coroutine | undefined;
  #timers: Timer[] = [];
  #time = 0;
  #switches = 0;
  #nows = 0;
  #created = 0;
  #channels = 0;

  constructor(oracle: Oracle) {
    this.#oracle = oracle;
  }

  /** The scheduler: rules 1, 2 and 4. */
  run(main: Doing<number>): Ending {
    const first = this.#create(0, main);
    this.#running = first;
    try {
      while (true) {
        const running = this.#self();
        const step = running.body.next();
        if (step.done !== true && step.value !== undefined) {
          this.#running = step.value;
          continue;
        }
        if (step.done === true) {
          if (running === first) {
            this.tally.count('exits');
            return { kind: 'exit', status: step.value };
          }
          this.#alive.delete(running);
        }
        if (this.#switches >= SWITCHES_BEFORE_POLL) this.#poll();
        let next = this.#ready.shift();
        while (next === undefined) {
          if (!this.#wait()) {
            this.tally.count('deadlocks');
            const waiting = [...this.#alive].map(({ id, waitsIn }) => `{${id}} ${waitsIn}`);
            return { kind: 'deadlock', waiting };
          }
          next = this.#ready.shift();
        }
        this.#switches++;
        this.#running = next;
      }
    } catch (error) {
      if (!(error instanceof ModelPanic)) throw error;
      this.tally.count(`panic: ${error.message}`);
      return { kind: 'panic', text: error.message };
    }
  }

  #create(number: number, body: Doing<number>): Coroutine {
    const id = this.#created++;
    const coroutine: Coroutine = {
      number,
      id,
      body,
      chooses: 0,
      result: 0,
      valbuf: 0,
      waitsIn: '',
      places: [],
    };
    this.#alive.add(coroutine);
    return coroutine;
  }

  #self(): Coroutine {
    if (this.#running === undefined) throw new Error('nobody is running');
    return this.#running;
  }

  #resume(coroutine: Coroutine, result: number): void {
    coroutine.result = result;
    this.#ready.push(coroutine);
  }

  *#suspend(waitsIn: string): Doing<number> {
    const self = this.#self();
    self.waitsIn = waitsIn;
    yield undefined;
    return self.result;
  }

  *go(number: number, body: () => Doing<number>): Doing<void> {
    this.#resume(this.#self(), 0);
    yield this.#create(number, body());
  }

  *yield(): Doing<void> {
    this.#resume(this.#self(), 0);
    yield* this.#suspend('');
  }

  // Time: rules 4 and 5.

  // biome-ignore lint/correctness/useYield: it does not suspend
  *now(): Doing<number> {
    if (++this.#nows === NOWS_BEFORE_MOVE) {
      this.#nows = 0;
      this.#time++;
      this.tally.count('moves of the clock by now()');
    }
    return this.#time;
  }

  *sleep(until: number): Doing<void> {
    this.tally.count('sleeps');
    this.#arm(until);
    yield* this.#suspend('msleep()');
  }

  #arm(expiry: number): void {
    if (expiry < 0) return;
    const later = this.#timers.findIndex((timer) => timer.expiry > expiry);
    this.#timers.splice(later < 0 ? this.#timers.length : later, 0, { coroutine: this.#self(), expiry });
  }

  /** Somebody is ready, but others may have been due for long. */
  #poll(): void {
    this.#switches = 0;
    this.#nows = 0;
    this.#time++;
    this.tally.count('polls without a wait');
    if (this.#fire()) this.tally.count('polls that released somebody');
  }

  /** Nobody is ready: goes to the next deadline. @returns whether there is one */
  #wait(): boolean {
    const [first] = this.#timers;
    if (first === undefined) return false;
    this.#switches = 0;
    // The rules leave it open whether "without a poll" means these too; that they do suits what the rule is for.
    this.#nows = 0;
    if (first.expiry > this.#time) {
      this.#time = first.expiry;
      this.tally.count('jumps of the clock');
    }
    this.#fire();
    return true;
  }

  /** @returns whether any timer was due */
  #fire(): boolean {
    const due = this.#timers.filter(({ expiry }) => expiry <= this.#time);
    this.#timers = this.#timers.slice(due.length);
    for (const [index, { coroutine, expiry }] of due.entries()) {
      if (expiry === due[index + 1]?.expiry) this.tally.count('timer ties');
      if (coroutine.waitsIn.startsWith('choose')) {
        this.tally.count('deadlines fired');
        const twice = coroutine.places.some(({ candidates }) => candidates.length > 1);
        if (twice) this.tally.count('deadlines fired with one end named twice');
      }
      this.#leave(coroutine);
      this.#resume(coroutine, -1);
    }
    return due.length > 0;
  }

  // Channels: rules 3 and 5 to 9.

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
    return this.#self().valbuf;
  }

  *choose(alternatives: readonly Alternative<Handle>[]): Doing<Taken> {
    const self = this.#self();
    const nth = self.chooses++;
    const index = yield* this.#transfer(alternatives, '', (legal) => this.#oracle(self.number, nth, legal));
    return alternatives[index]?.kind === 'in' ? { index, value: self.valbuf } : { index };
  }

  /** What chs, chr and choose have in common. @returns the place of the clause that was taken, or -1 */
  *#transfer(alternatives: readonly Alternative<Handle>[], what: string, choice: Choice): Doing<number> {
    const self = this.#self();
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
      this.#resume(self, taken.index);
      return yield* this.#suspend('');
    }
    if (otherwise) {
      this.tally.count('otherwise taken');
      this.#resume(self, -1);
      return yield* this.#suspend('');
    }
    this.#queue(candidates, choice);
    this.#arm(until);
    if (what === '') this.tally.count('blocked chooses');
    else this.tally.count(candidates[0]?.kind === 'out' ? 'blocked sends' : 'blocked receives');
    const ids = new Set(candidates.map(({ channel }) => `<${channel.id}>`));
    return yield* this.#suspend(what || `choose(${[...ids].join(',')})`);
  }

  #queue(candidates: readonly Candidate[], choice: Choice): void {
    const self = this.#self();
    const ends = new Map<Place[], Candidate[]>();
    for (const candidate of candidates) {
      const end = candidate.kind === 'in' ? candidate.channel.receivers : candidate.channel.senders;
      ends.set(end, [...(ends.get(end) ?? []), candidate]);
    }
    for (const [queue, candidates] of ends) {
      if (queue.length > 0) this.tally.count('several waiting at one end');
      if (candidates.length > 1) this.tally.count('blocked chooses of one end named twice');
      const place: Place = { coroutine: self, queue, candidates, choice };
      queue.push(place);
      self.places.push(place);
    }
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
    const others = this.#timers.filter((timer) => timer.coroutine !== coroutine);
    if (others.length < this.#timers.length) this.tally.count('deadlines cancelled');
    this.#timers = others;
    this.#resume(coroutine, fired.index);
    return fired;
  }

  #leave(coroutine: Coroutine): void {
    for (const place of coroutine.places) place.queue.splice(place.queue.indexOf(place), 1);
    coroutine.places = [];
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
