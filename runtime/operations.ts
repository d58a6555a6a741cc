import type { Body, Operation } from './bodies.js';

/*
 * libmill's functions for bodies written in TypeScript: each is to be used with `yield*`, runs the guest function of
 * that name on the coroutine's own stack, and returns what that returned. A bare `yield` is libmill's yield().
 */

type Doing<Result> = Generator<Operation, Result, bigint>;

/**
 * Calls any guest function by its symbol, with up to six arguments of the INTEGER class; strings are passed as
 * `const char *`.
 * @returns rax, unsigned
 */
export function* call(name: string, ...parameters: (number | bigint | string)[]): Doing<bigint> {
  return yield { function: name, arguments: parameters };
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

/** Writes text to standard output. */
export function* print(text: string): Doing<void> {
  yield* call('write', 1, text, new TextEncoder().encode(text).length);
}
