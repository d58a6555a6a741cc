import { type ClauseOf, type Deadline, describeStep, type Program, type Slip, type Step, type Use } from './program.js';

/** A clause with its channel and its time looked up. */
export type Alternative<Handle> =
  | { readonly kind: 'in'; readonly channel: Handle }
  | { readonly kind: 'out'; readonly channel: Handle; readonly value: number }
  | { readonly kind: 'deadline'; readonly until: number }
  | { readonly kind: 'otherwise' };

/** What a choose came to: a place among its clauses or -1, and what was received. */
export interface Taken {
  readonly index: number;
  readonly value?: number | undefined;
}

/** libmill's functions as a script calls them, in the machine or in the model. */
export interface Library<Handle, Request, Reply> {
  make(capacity: number, size: number): Generator<Request, Handle, Reply>;
  /** The same channel, used wrongly. */
  wrong(channel: Handle, slip: Slip): Handle;
  go(number: number, body: () => Generator<Request, number, Reply>): Generator<Request, void, Reply>;
  yield(): Generator<Request, void, Reply>;
  now(): Generator<Request, number, Reply>;
  sleep(until: number): Generator<Request, void, Reply>;
  send(channel: Handle, value: number): Generator<Request, void, Reply>;
  receive(channel: Handle): Generator<Request, number, Reply>;
  choose(alternatives: readonly Alternative<Handle>[]): Generator<Request, Taken, Reply>;
  done(channel: Handle, value: number): Generator<Request, void, Reply>;
  close(channel: Handle): Generator<Request, void, Reply>;
  dup(channel: Handle): Generator<Request, Handle, Reply>;
}

/** How a run came to its end; `waiting` says for each coroutine what it waits in. */
export type Ending =
  | { readonly kind: 'exit'; readonly status: number }
  | { readonly kind: 'deadlock'; readonly waiting: readonly string[] }
  | { readonly kind: 'panic'; readonly text: string }
  | { readonly kind: 'other'; readonly text: string };

/** What main returns. */
export const STATUS = 42;

/**
 * The bodies of a program, over any library, and what they write down: a line when an operation starts and one when
 * it has been completed, over all coroutines. There is nothing in here that knows how libmill schedules.
 */
export class Script<Handle, Request, Reply> {
  readonly lines: string[] = [];
  /** What the chooses of each coroutine came to, in order. */
  readonly taken: number[][];
  readonly #program: Program;
  readonly #library: Library<Handle, Request, Reply>;
  readonly #channels: { readonly handle: Handle; readonly size: number; handles: number }[] = [];
  #start = 0;

  constructor(program: Program, library: Library<Handle, Request, Reply>) {
    this.#program = program;
    this.#library = library;
    this.taken = program.bodies.map(() => []);
  }

  /** Main's body. */
  *main(): Generator<Request, number, Reply> {
    this.#start = yield* this.#library.now();
    for (const { capacity, size } of this.#program.channels) {
      this.#channels.push({ handle: yield* this.#library.make(capacity, size), size, handles: 1 });
    }
    yield* this.#body(0);
    return STATUS;
  }

  *#body(number: number): Generator<Request, number, Reply> {
    for (const [index, step] of (this.#program.bodies[number] ?? []).entries()) {
      const text = `${number}.${index} ${describeStep(step)}`;
      // A C program would know it by a flag: what has been closed for the last time is memory given back.
      if (this.#usesClosed(step)) {
        this.lines.push(`${text}: not any more`);
        continue;
      }
      const times = step.kind === 'yield' ? step.times : 1;
      for (let time = 1; time <= times; time++) {
        this.lines.push(`${text} ...`);
        const result = yield* this.#perform(number, step);
        const at = (yield* this.#library.now()) - this.#start;
        this.lines.push(`${text}: done${result} at ${at} ms`);
      }
    }
    this.lines.push(`${number} ends`);
    return 0;
  }

  /** @returns what came of it, as text */
  *#perform(number: number, step: Step): Generator<Request, string, Reply> {
    const library = this.#library;
    switch (step.kind) {
      case 'go':
        yield* library.go(step.body, () => this.#body(step.body));
        return '';
      case 'yield':
        yield* library.yield();
        return '';
      case 'now':
        return yield* this.#watch(step.times);
      case 'sleep':
        yield* library.sleep(yield* this.#until(step.deadline));
        return '';
      case 'send':
        yield* library.send(this.#handle(step), this.#element(step));
        return '';
      case 'receive':
        return ` = ${yield* library.receive(this.#handle(step))}`;
      case 'choose': {
        const alternatives: Alternative<Handle>[] = [];
        for (const clause of step.clauses) alternatives.push(yield* this.#alternative(clause));
        const { index, value } = yield* library.choose(alternatives);
        this.taken[number]?.push(index);
        return ` took ${index}${value === undefined ? '' : ` = ${value}`}`;
      }
      case 'done':
        yield* library.done(this.#handle(step), this.#element(step));
        return '';
      case 'close': {
        const channel = this.#channels[step.channel];
        if (channel !== undefined && step.slip !== 'null') channel.handles--;
        yield* library.close(this.#handle(step));
        return '';
      }
      case 'dup': {
        yield* library.dup(this.#handle(step));
        const channel = this.#channels[step.channel];
        if (channel !== undefined) channel.handles++;
        return '';
      }
    }
  }

  /** Calls now() so many times. @returns each time that differs from the one before, and at which call */
  *#watch(times: number): Generator<Request, string, Reply> {
    let seen = '';
    let before = -1;
    for (let time = 1; time <= times; time++) {
      const at = yield* this.#library.now();
      if (at !== before) seen += ` call ${time}: ${at - this.#start},`;
      before = at;
    }
    return seen;
  }

  *#alternative(clause: ClauseOf): Generator<Request, Alternative<Handle>, Reply> {
    switch (clause.kind) {
      case 'in':
        return { kind: 'in', channel: this.#handle(clause) };
      case 'out':
        return { kind: 'out', channel: this.#handle(clause), value: this.#element(clause) };
      case 'deadline':
        return { kind: 'deadline', until: yield* this.#until(clause.deadline) };
      case 'otherwise':
        return clause;
    }
  }

  *#until(deadline: Deadline): Generator<Request, number, Reply> {
    if (deadline.from === 'never') return -1;
    return deadline.ms + (deadline.from === 'now' ? yield* this.#library.now() : this.#start);
  }

  /** An element without bytes has no value. */
  #element({ channel, value }: Use & { readonly value: number }): number {
    return this.#program.channels[channel]?.size === 0 ? 0 : value;
  }

  #handle({ channel, slip }: Use): Handle {
    const made = this.#channels[channel];
    if (made === undefined) throw new RangeError(`the program has no channel ${channel}`);
    return slip === undefined ? made.handle : this.#library.wrong(made.handle, slip);
  }

  #usesClosed(step: Step): boolean {
    const uses = step.kind === 'choose' ? step.clauses : [step];
    return uses.some((use) => 'channel' in use && this.#channels[use.channel]?.handles === 0);
  }
}
