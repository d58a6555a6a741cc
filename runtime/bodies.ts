import type { Memory } from '../emu/memory.js';
import { MillError } from './errors.js';
import type { Heap } from './heap.js';
import type { Symbols } from './symbols.js';

/**
 * What a body yields to have it done: a guest function, called on the body's own stack with System V arguments.
 * A string is put into guest memory until the call returns; a body becomes its number.
 */
export interface Operation {
  readonly function: string;
  /** At most six. */
  readonly arguments: readonly Argument[];
}

export type Argument = number | bigint | string | Body;

/**
 * A coroutine's body. Yielding nothing is libmill's yield(); everything else is an {@link Operation}, by `yield*` of
 * the functions in `operations.ts`. What it returns is the coroutine's result; of the main body, the exit status.
 * It must do the same each time it is run with the same results, since going back in time runs it anew.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a generator that returns nothing is a Generator<…, void, …>
export type Body = () => Generator<Operation | undefined, number | bigint | void, bigint>;

/** What one body was given by one operation, rax in full. */
export interface BodyResult {
  readonly body: number;
  readonly value: bigint;
}

const YIELD: Operation = { function: 'mill_yield_', arguments: [0] };

/** The frame in mill_body (asm/bodies.s): a function, six arguments, and the buffer with its strings. */
const ARGUMENTS = 8;
const MAX_ARGUMENTS = 6;
const STRINGS = 56;

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
  #log: BodyResult[] = [];

  /** @param main the body that has the number 0 */
  constructor(memory: Memory, symbols: Symbols, heap: Heap, main: Body) {
    this.#memory = memory;
    this.#symbols = symbols;
    this.#heap = heap;
    this.#main = main;
    this.restore([]);
  }

  /**
   * The door of mill_body: hands a body the result of its last operation and writes its next one into the frame.
   * @returns 1, or 0 if the body has ended; its result is the frame's first argument then
   */
  next(body: number, result: bigint, frame: number): number {
    const memory = this.#memory;
    this.#log.push({ body, value: result });
    const strings = memory.pointer(frame + STRINGS);
    if (this.#generators[body] !== undefined) this.#heap.free(strings);
    memory.setPointer(frame + STRINGS, 0);
    const step = this.#advance({ body, value: result });
    if (step.done === true) {
      memory.setU64(frame + ARGUMENTS, BigInt.asUintN(64, BigInt(step.value ?? 0)));
      return 0;
    }
    const operation = step.value ?? YIELD;
    this.#writeArguments(frame, operation);
    memory.setPointer(frame, this.#symbols(operation.function));
    return 1;
  }

  /** All results given so far, for {@link restore}. */
  save(): readonly BodyResult[] {
    return this.#log.slice();
  }

  /** Makes all bodies anew and gives them the results they had been given. */
  restore(log: readonly BodyResult[]): void {
    this.#bodies = [this.#main];
    this.#generators = [];
    this.#log = [...log];
    for (const entry of log) {
      const step = this.#advance(entry);
      if (step.done !== true && step.value !== undefined) {
        for (const argument of step.value.arguments) if (typeof argument === 'function') this.#bodies.push(argument);
      }
    }
  }

  #advance({ body, value }: BodyResult): ReturnType<ReturnType<Body>['next']> {
    let generator = this.#generators[body];
    if (generator === undefined) {
      const make = this.#bodies[body];
      if (make === undefined) throw new MillError(`there is no TypeScript body with the number ${body}`);
      generator = make();
      this.#generators[body] = generator;
    }
    return generator.next(value);
  }

  #writeArguments(frame: number, operation: Operation): void {
    const memory = this.#memory;
    if (operation.arguments.length > MAX_ARGUMENTS) {
      throw new MillError(`${operation.function}: at most ${MAX_ARGUMENTS} arguments can be passed in registers`);
    }
    const encoder = new TextEncoder();
    const texts = operation.arguments.map((argument) =>
      typeof argument === 'string' ? encoder.encode(`${argument}\0`) : undefined,
    );
    const bytes = texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
    let at = 0;
    if (bytes > 0) {
      at = this.#heap.malloc(bytes);
      if (at === 0) throw new MillError(`${operation.function}: no memory left for its strings`);
      memory.setPointer(frame + STRINGS, at);
    }
    operation.arguments.forEach((argument, index) => {
      const text = texts[index];
      let value: bigint;
      if (text !== undefined) {
        memory.write(at, text);
        value = BigInt(at);
        at += text.length;
      } else if (typeof argument === 'function') {
        value = BigInt(this.#bodies.push(argument) - 1);
      } else {
        value = BigInt(argument as number | bigint);
      }
      memory.setU64(frame + ARGUMENTS + index * 8, BigInt.asUintN(64, value));
    });
  }
}
