import type { Argument, Body, Operation, OperationResult } from './bodies.js';
import { MILL_CLAUSE } from './layout.js';

/*
 * libmill's functions for bodies written in TypeScript: each is to be used with `yield*`, runs the guest function of
 * that name on the coroutine's own stack, and returns what that returned. A bare `yield` is libmill's yield().
 */

type Doing<Result> = Generator<Operation, Result, OperationResult>;

/**
 * Calls any guest function by its symbol, with up to six arguments of the INTEGER class; strings are passed as
 * `const char *`, bytes as a pointer to them that is valid until the function returns.
 * @returns rax, unsigned
 */
export function* call(name: string, ...parameters: Exclude<Argument, Body>[]): Doing<bigint> {
  return (yield { function: name, arguments: parameters }) as bigint;
}

/** As {@link call}, of a function that returns a pointer: returns so many bytes from there. */
export function* callForBytes(
  wants: number,
  name: string,
  ...parameters: Exclude<Argument, Body>[]
): Doing<Uint8Array> {
  if (wants === 0) {
    yield* call(name, ...parameters);
    return new Uint8Array();
  }
  return (yield { function: name, arguments: parameters, wants }) as Uint8Array;
}

/** go(): runs a body as a coroutine, at once; the caller goes on when it is switched back to. */
export function* go(body: Body): Doing<void> {
  yield { function: 'mill_go_body', arguments: [body] };
}

/** cls(): the coroutine-local value, 0 at first. */
export function* cls(): Doing<bigint> {
  return yield* call('mill_cls_');
}

/** setcls() */
export function* setcls(value: number | bigint): Doing<void> {
  yield* call('mill_setcls_', value);
}

/**
 * goprepare(): replaces the stacks in the cache by `count` new ones, as long as there are no coroutines.
 * @param stackSize and `valbufSize` in bytes
 */
export function* goprepare(count: number, stackSize: number, valbufSize: number): Doing<void> {
  yield* call('mill_goprepare_', count, stackSize, valbufSize);
}

/** now(): in ms. */
export function* now(): Doing<number> {
  return Number(yield* call('mill_now_'));
}

/** msleep(): until that time in ms; a deadline below 0 never comes. */
export function* msleep(deadline: number): Doing<void> {
  yield* call('mill_msleep_', deadline, 0);
}

/** Writes text to standard output. */
export function* print(text: string): Doing<void> {
  yield* call('write', 1, text, new TextEncoder().encode(text).length);
}

/** goredump(): all coroutines and channels, on standard error. */
export function* goredump(): Doing<void> {
  yield* call('goredump');
}

/** gotrace(): above 0, a line on standard error for each operation. */
export function* gotrace(level: number): Doing<void> {
  yield* call('gotrace', level);
}

/** A channel, and what a C program knows of it by the type it names. */
export interface Channel {
  /** Of its struct mill_chan; 0 is NULL. */
  readonly address: bigint;
  /** Bytes of an element. */
  readonly size: number;
}

/** An element: its bytes, or a number that is stored in as many bytes as the element has, at most 8. */
export type Element = number | bigint | Uint8Array;

/** chmake(): elements of `size` bytes, `capacity` of them buffered. */
export function* chmake(size: number, capacity = 0): Doing<Channel> {
  return { address: yield* call('mill_chmake_', size, capacity, 0), size };
}

/** chdup() */
export function* chdup({ address, size }: Channel): Doing<Channel> {
  return { address: yield* call('mill_chdup_', address, 0), size };
}

/** chclose() */
export function* chclose({ address }: Channel): Doing<void> {
  yield* call('mill_chclose_', address, 0);
}

/** chs(): sends, and waits until that is possible. */
export function* chs({ address, size }: Channel, element: Element): Doing<void> {
  yield* call('mill_chs_', address, bytesOf(element, size), size, 0);
}

/** chr(): receives, and waits until that is possible. */
export function* chr({ address, size }: Channel): Doing<bigint> {
  return numberOf(yield* callForBytes(size, 'mill_chr_', address, size, 0));
}

/** {@link chr} of an element that is more than a number. */
export function* chrBytes({ address, size }: Channel): Doing<Uint8Array> {
  return yield* callForBytes(size, 'mill_chr_', address, size, 0);
}

/** chdone(): nothing will be sent any more; every receive gets this from now on. */
export function* chdone({ address, size }: Channel, element: Element): Doing<void> {
  yield* call('mill_chdone_', address, bytesOf(element, size), size, 0);
}

/** A clause of {@link choose}, under libmill's names. */
export type Clause =
  | { readonly in: Channel }
  | { readonly out: Channel; readonly value: Element }
  /** In ms. */
  | { readonly deadline: number }
  | { readonly otherwise: true };

/** Which clause was taken. */
export interface Chosen {
  /** Its place among the clauses, or -1 for the deadline and for otherwise. */
  readonly index: number;
  /** What was received; undefined unless it was an `in`. */
  readonly value: bigint | undefined;
}

/** choose { in(…): out(…): deadline(…): otherwise: end } */
export function* choose(...clauses: readonly Clause[]): Doing<Chosen> {
  const values = clauses.map((clause) => ('out' in clause ? bytesOf(clause.value, clause.out.size) : new Uint8Array()));
  // The clauses, then the values; both must stay where they are until the statement has ended.
  const offsets = values.map((_, index) => values.slice(0, index).reduce((sum, { length }) => sum + length, 0));
  const room = clauses.length * MILL_CLAUSE.size;
  const total = values.reduce((sum, { length }) => sum + length, room);
  const memory = yield* call('malloc', total);
  yield* call('mill_choose_init_', 0);
  for (const [index, clause] of clauses.entries()) {
    const own = memory + BigInt(index * MILL_CLAUSE.size);
    if ('in' in clause) {
      yield* call('mill_choose_in_', own, clause.in.address, clause.in.size, index);
    } else if ('out' in clause) {
      const value = memory + BigInt(room + offsets[index]);
      yield* call('memcpy', value, values[index], values[index].length);
      yield* call('mill_choose_out_', own, clause.out.address, value, clause.out.size, index);
    } else if ('deadline' in clause) {
      yield* call('mill_choose_deadline_', clause.deadline);
    } else {
      yield* call('mill_choose_otherwise_');
    }
  }
  const index = Number(BigInt.asIntN(32, yield* call('mill_choose_wait_')));
  const taken = clauses[index];
  const value =
    taken !== undefined && 'in' in taken
      ? numberOf(yield* callForBytes(taken.in.size, 'mill_choose_val_', taken.in.size))
      : undefined;
  yield* call('free', memory);
  return { index, value };
}

/** An element as it is in memory: numbers little-endian. */
function bytesOf(element: Element, size: number): Uint8Array {
  if (element instanceof Uint8Array) return element;
  const bytes = new Uint8Array(Math.max(size, 8));
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(element)), true);
  return bytes.subarray(0, size);
}

function numberOf(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  // By way of text, since shifting a long BigInt byte by byte takes quadratic time.
  return BigInt(
    `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
      .reverse()
      .join('')}`,
  );
}
