/**
 * The bundle of unicorn.js exports its slow public wrapper only; the Emscripten module behind it, which is ten times
 * faster, stays in a private variable. The module looks up its optional hooks on itself while it starts, so a getter
 * that stands on `Object.prototype` for exactly that time is called with the module as `this`.
 *
 * Whoever starts the bundle imports this file, runs the bundle, then takes the result, without a pause between them, so
 * no other code sees the getters. As static imports (`unicorn-bundle.ts`) nothing is evaluated from text, so a strict
 * Content-Security-Policy allows it.
 */
const HOOK = 'onRuntimeInitialized';
const LOG = 'printErr';

/** The bundle warns about a system call of its own (`mprotect`) at each open and about every growth of its heap. */
const silent = (): void => {};

let captured: unknown;

Object.defineProperty(Object.prototype, HOOK, {
  configurable: true,
  get(this: unknown) {
    if (typeof (this as { _uc_open?: unknown })._uc_open === 'function') captured = this;
    return undefined;
  },
});
Object.defineProperty(Object.prototype, LOG, { configurable: true, get: () => silent });

/** Takes the getters away again and returns what they caught: the Emscripten module, or undefined. */
export function takeCaptured(): unknown {
  Reflect.deleteProperty(Object.prototype, HOOK);
  Reflect.deleteProperty(Object.prototype, LOG);
  return captured;
}
