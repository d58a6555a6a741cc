import type { Memory } from '../emu/memory.js';
import { BodyError } from './errors.js';
import type { Heap } from './heap.js';
import type { Symbols } from './symbols.js';

/**
 * What a body yields to have it done: a guest function, called on the body's own stack with System V arguments.
 * Strings (zero-terminated) and bytes are put into guest memory until the call returns, and passed by their address; a
 * body becomes its number.
 */
export interface Operation {
  readonly function: string;
  /** At most six. */
  readonly arguments: readonly Argument[];
  /** If given, the body gets so many bytes from where the result points, instead of the result. */
  readonly wants?: number;
}

export type Argument = number | bigint | string | Uint8Array | Body;

/** What a body gets for an operation: rax in full and unsigned, or the bytes it wanted. */
export type OperationResult = bigint | Uint8Array;

/**
 * A coroutine's body. Yielding nothing is libmill's yield(); everything else is an {@link Operation}, by `yield*` of
 * the functions in `operations.ts`. What it returns is the coroutine's result; of the main body, the exit status.
 * It must do the same each time it is run with the same results, since going back in time runs it anew.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a generator that returns nothing is a Generator<…, void, …>
export type Body = () => Generator<Operation | undefined, number | bigint | void, OperationResult>;

/** What one body was given by one operation, and what it did then; and all that was before. */
export interface BodyHistory {
  readonly body: number;
  readonly value: OperationResult;
  readonly step: BodyStep;
  readonly previous: BodyHistory | undefined;
}

type BodyStep = ReturnType<ReturnType<Body>['next']>;

const YIELD: Operation = { function: 'mill_yield_', arguments: [0] };

/** The frame in mill_body (asm/bodies.s). */
const FRAME = { function: 0, arguments: 8, buffer: 56, wants: 64 } as const;
const MAX_ARGUMENTS = 6;
/** What the arguments point to is kept as aligned as malloc's memory is. */
const ALIGNMENT = 16;

/**
 * The generators behind the coroutines that are written in TypeScript. Their positions are the one thing that is not
 * in guest memory, so all results they were given are kept, in order: with these, generators made anew get to where
 * they were.
 */
export class Bodies {
  readonly #memory: Memory;
  readonly #heap: Heap;
  readonly #symbols: Symbols;
  readonly #main: Body;
  #bodies: Body[] = [];
  #generators: (ReturnType<Body> | undefined)[] = [];
  #history: BodyHistory | undefined;
  /** Whether the generators are where the history says: not behind one that has thrown. */
  #exact = true;

  /** @param main the body that has the number 0 */
  constructor(memory: Memory, symbols: Symbols, heap: Heap, main: Body) {
    this.#memory = memory;
    this.#symbols = symbols;
    this.#heap = heap;
    this.#main = main;
    this.#bodies = [main];
  }

  /**
   * The door of mill_body: hands a body the result of its last operation and writes its next one into the frame.
   * @returns 1, or 0 if the body has ended; its result is the frame's first argument then
   */
  next(body: number, result: bigint, frame: number): number {
    const memory = this.#memory;
    const wants = memory.pointer(frame + FRAME.wants);
    const value = wants === 0 ? result : memory.read(Number(result), wants);
    this.#exact = false;
    const step = this.#advance(body, value);
    this.#exact = true;
    this.#history = { body, value, step: kept(step), previous: this.#history };
    this.#heap.free(memory.pointer(frame + FRAME.buffer));
    memory.setPointer(frame + FRAME.buffer, 0);
    if (step.done === true) {
      memory.setU64(frame + FRAME.arguments, BigInt.asUintN(64, this.#integer(step.value ?? 0, 'returned')));
      return 0;
    }
    const operation = step.value ?? YIELD;
    this.#writeArguments(frame, operation);
    memory.setPointer(frame + FRAME.wants, operation.wants ?? 0);
    memory.setPointer(frame + FRAME.function, this.#functionAt(operation.function));
    return 1;
  }

  /** All results given so far, for {@link restore}. */
  save(): BodyHistory | undefined {
    return this.#history;
  }

  /**
   * Makes all bodies anew and gives them the results they had been given.
   * @throws BodyError if one of them does something else than the first time
   */
  restore(history: BodyHistory | undefined): void {
    if (this.#exact && history === this.#history) return;
    this.#exact = false;
    const entries: BodyHistory[] = [];
    for (let entry = history; entry !== undefined; entry = entry.previous) entries.push(entry);
    this.#bodies = [this.#main];
    this.#generators = [];
    for (const { body, value, step } of entries.reverse()) {
      const again = this.#advance(body, value);
      if (!sameStep(step, again)) {
        throw new BodyError(
          `a TypeScript body is not repeatable: with the same results it did ${described(step)} first and ${described(again)} now`,
        );
      }
      if (again.done !== true && again.value !== undefined) {
        for (const argument of again.value.arguments) if (typeof argument === 'function') this.#bodies.push(argument);
      }
    }
    this.#history = history;
    this.#exact = true;
  }

  /** @throws BodyError if the body throws, is no generator function, or yields what is no operation */
  #advance(body: number, value: OperationResult): BodyStep {
    let step: BodyStep;
    try {
      // Its own bytes, which it may change.
      step = this.#generator(body).next(typeof value === 'bigint' ? value : value.slice());
    } catch (error) {
      if (error instanceof BodyError) throw error;
      const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      throw new BodyError(`a TypeScript body has thrown ${text}`, { cause: error });
    }
    // What is written without types may yield anything.
    const yielded: unknown = step.done === true ? undefined : step.value;
    if (yielded !== undefined && !isOperation(yielded)) {
      throw new BodyError(
        `a body has yielded ${String(yielded)}: only a bare yield and yield* of an operation mean something`,
      );
    }
    return step;
  }

  #generator(body: number): ReturnType<Body> {
    const known = this.#generators[body];
    if (known !== undefined) return known;
    const make = this.#bodies[body];
    if (make === undefined) throw new BodyError(`there is no TypeScript body with the number ${body}`);
    const generator: unknown = make();
    if (!isGenerator(generator)) throw new BodyError('a body is to be a generator function (function*), not async');
    this.#generators[body] = generator;
    return generator;
  }

  #functionAt(name: string): number {
    try {
      return this.#symbols(name);
    } catch (error) {
      throw new BodyError(`a body has called ${name}: ${(error as Error).message}`, { cause: error });
    }
  }

  #integer(value: unknown, what: string): bigint {
    if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))) return BigInt(value);
    throw new BodyError(`a body has ${what} ${String(value)}, which is no whole number`);
  }

  #writeArguments(frame: number, operation: Operation): void {
    const memory = this.#memory;
    if (operation.arguments.length > MAX_ARGUMENTS) {
      throw new BodyError(`${operation.function}: at most ${MAX_ARGUMENTS} arguments can be passed in registers`);
    }
    const encoder = new TextEncoder();
    const contents = operation.arguments.map((argument) =>
      typeof argument === 'string' ? encoder.encode(`${argument}\0`) : argument instanceof Uint8Array ? argument : null,
    );
    const room = (bytes: Uint8Array): number => Math.ceil(bytes.length / ALIGNMENT) * ALIGNMENT;
    const size = contents.reduce((sum, bytes) => sum + (bytes === null ? 0 : room(bytes)), 0);
    let at = size === 0 ? 0 : this.#heap.malloc(size);
    if (size > 0 && at === 0)
      throw new BodyError(`${operation.function}: no memory left for what its arguments point to`);
    memory.setPointer(frame + FRAME.buffer, at);
    operation.arguments.forEach((argument, index) => {
      const bytes = contents[index];
      let value: bigint;
      if (bytes !== null) {
        memory.write(at, bytes);
        value = BigInt(at);
        at += room(bytes);
      } else if (typeof argument === 'function') {
        value = BigInt(this.#bodies.push(argument) - 1);
      } else {
        value = this.#integer(argument, `called ${operation.function} with`);
      }
      memory.setU64(frame + FRAME.arguments + index * 8, BigInt.asUintN(64, value));
    });
  }
}

/** What a body did, with the bytes that it passed as they were then: it may use the same array again. */
function kept(step: BodyStep): BodyStep {
  if (step.done === true || step.value === undefined) return step;
  const passed = step.value.arguments.map((one) => (one instanceof Uint8Array ? one.slice() : one));
  return { done: false, value: { ...step.value, arguments: passed } };
}

/** A body that is passed on is made anew with the one that passes it, so it is another function then. */
function sameArgument(one: Argument, other: Argument): boolean {
  if (typeof one === 'function') return typeof other === 'function';
  if (!(one instanceof Uint8Array)) return one === other;
  return other instanceof Uint8Array && one.length === other.length && one.every((byte, at) => byte === other[at]);
}

function sameStep(one: BodyStep, other: BodyStep): boolean {
  if (one.done === true || other.done === true) return one.done === other.done && one.value === other.value;
  const [first, second] = [one.value ?? YIELD, other.value ?? YIELD];
  return (
    first.function === second.function &&
    first.wants === second.wants &&
    first.arguments.length === second.arguments.length &&
    first.arguments.every((argument, index) => sameArgument(argument, second.arguments[index]))
  );
}

function described(step: BodyStep): string {
  if (step.done === true) return `return ${String(step.value)}`;
  const { function: name, arguments: values } = step.value ?? YIELD;
  const shown = values.map((value) => (typeof value === 'function' ? 'a body' : JSON.stringify(String(value))));
  return `${name}(${shown.join(', ')})`;
}

function isGenerator(value: unknown): value is ReturnType<Body> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value && 'next' in value;
}

function isOperation(value: unknown): value is Operation {
  return (
    typeof value === 'object' &&
    value !== null &&
    'function' in value &&
    'arguments' in value &&
    Array.isArray(value.arguments)
  );
}
