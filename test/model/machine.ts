import {
  type Channel,
  type Clause,
  chclose,
  chdone,
  chdup,
  chmake,
  choose,
  chr,
  chrBytes,
  chs,
  Deadlock,
  explainDeadlock,
  go,
  libmill,
  msleep,
  now,
  type Operation,
  type OperationResult,
  type Outcome,
  openCpu,
  Panic,
  Process,
} from '../../inspect/millscope.js';
import type { Program, Slip } from './program.js';
import { type Alternative, type Ending, type Library, Script, type Taken } from './script.js';

/** 8 MiB of main's stack and 256 KiB for each of seven others. */
const MEMORY = 32 << 20;
/** In instructions: some ten times of what the longest programs need. */
const LIMIT = 5_000_000;

type Request = Operation | undefined;
type Doing<Result> = Generator<Request, Result, OperationResult>;

/** What was seen of a program. */
export interface Observed {
  readonly lines: readonly string[];
  readonly taken: readonly (readonly number[])[];
  readonly ending: Ending;
}

/** Runs a program in a machine of its own. */
export function runMachine(program: Program): Observed {
  const script = new Script(program, new Machine());
  const cpu = openCpu({ memory: MEMORY });
  try {
    const process = new Process(cpu, libmill(), () => script.main(), ['model'], { seed: BigInt(program.seed) });
    const ending = endingOf(process, process.run(LIMIT));
    return { lines: script.lines, taken: script.taken, ending };
  } finally {
    cpu.close();
  }
}

function endingOf(process: Process, outcome: Outcome): Ending {
  if (outcome.kind === 'exit') return outcome;
  if (outcome.kind !== 'error') return { kind: 'other', text: outcome.kind };
  if (outcome.error instanceof Panic) return { kind: 'panic', text: outcome.error.message };
  if (!(outcome.error instanceof Deadlock)) return { kind: 'other', text: outcome.error.message };
  const { waiters } = explainDeadlock(process);
  const waiting = waiters.map(({ coroutine, operation }) => `{${coroutine}} ${withoutRepeats(operation)}`);
  return { kind: 'deadlock', waiting };
}

/** `choose(<1>,<1>)` as `choose(<1>)`: how often it names one channel is open. */
function withoutRepeats(operation: string): string {
  return operation.replace(/(?<=^choose\().*(?=\)$)/, (channels) => [...new Set(channels.split(','))].join(','));
}

/** The machine's libmill. All bytes of an element hold its value, so that one gone wrong is seen. */
class Machine implements Library<Channel, Request, OperationResult> {
  *make(capacity: number, size: number): Doing<Channel> {
    return yield* chmake(size, capacity);
  }

  wrong({ address, size }: Channel, slip: Slip): Channel {
    return slip === 'null' ? { address: 0n, size } : { address, size: size + 1 };
  }

  *go(_number: number, body: () => Doing<number>): Doing<void> {
    yield* go(body);
  }

  *yield(): Doing<void> {
    yield;
  }

  *now(): Doing<number> {
    return yield* now();
  }

  *sleep(until: number): Doing<void> {
    yield* msleep(until);
  }

  *send(channel: Channel, value: number): Doing<void> {
    yield* chs(channel, bytesOf(channel, value));
  }

  *receive(channel: Channel): Doing<number> {
    // Both functions for it, as both are there to be used
    if (channel.size <= 8) return repeated(channel, yield* chr(channel));
    return repeated(
      channel,
      [...(yield* chrBytes(channel))].reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n),
    );
  }

  *choose(alternatives: readonly Alternative<Channel>[]): Doing<Taken> {
    const { index, value } = yield* choose(...alternatives.map(clauseOf));
    const taken = alternatives[index];
    if (value === undefined || taken?.kind !== 'in') return { index };
    return { index, value: repeated(taken.channel, value) };
  }

  *done(channel: Channel, value: number): Doing<void> {
    yield* chdone(channel, bytesOf(channel, value));
  }

  *close(channel: Channel): Doing<void> {
    yield* chclose(channel);
  }

  *dup(channel: Channel): Doing<Channel> {
    return yield* chdup(channel);
  }
}

function clauseOf(alternative: Alternative<Channel>): Clause {
  switch (alternative.kind) {
    case 'in':
      return { in: alternative.channel };
    case 'out':
      return { out: alternative.channel, value: bytesOf(alternative.channel, alternative.value) };
    case 'deadline':
      return { deadline: alternative.until };
    case 'otherwise':
      return { otherwise: true };
  }
}

function bytesOf({ size }: Channel, value: number): Uint8Array {
  return new Uint8Array(size).fill(value);
}

/** @returns the value in all bytes, or NaN if they are not the same */
function repeated({ size }: Channel, element: bigint): number {
  if (size === 0) return 0;
  const value = element & 0xffn;
  const expected = bytesOf({ address: 0n, size }, Number(value)).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return element === expected ? Number(value) : Number.NaN;
}
