import { EngineError } from '../errors.js';

/** A hook: 32-bit words in, nothing out for the kinds that are used here. */
export type UnicornCallback = (...words: number[]) => void;

/**
 * The Emscripten module of unicorn.js 1.0.3. Every `_uc_*` is Unicorn's C function of that name: pointers are byte
 * offsets into the heap, 64-bit parameters are two 32-bit words (low, high), results are `uc_err` codes.
 * The `HEAP*` views are replaced whenever the heap grows.
 */
export interface UnicornModule {
  readonly HEAPU8: Uint8Array;
  readonly HEAPU32: Uint32Array;
  _malloc(size: number): number;
  _free(pointer: number): void;
  addFunction(callback: UnicornCallback, signature: string): number;
  removeFunction(pointer: number): void;
  _uc_open(arch: number, mode: number, handle: number): number;
  _uc_close(handle: number): number;
  _uc_mem_map_ptr(handle: number, low: number, high: number, size: number, protection: number, host: number): number;
  _uc_reg_read(handle: number, register: number, value: number): number;
  _uc_reg_write(handle: number, register: number, value: number): number;
  _uc_hook_add(
    handle: number,
    hook: number,
    type: number,
    callback: number,
    user: number,
    beginLow: number,
    beginHigh: number,
    endLow: number,
    endHigh: number,
    extra: number,
  ): number;
  _uc_hook_del(handle: number, hook: number): number;
  _uc_emu_start(
    handle: number,
    beginLow: number,
    beginHigh: number,
    untilLow: number,
    untilHigh: number,
    timeoutLow: number,
    timeoutHigh: number,
    count: number,
  ): number;
  _uc_emu_stop(handle: number): number;
  _uc_context_alloc(handle: number, context: number): number;
  _uc_free(pointer: number): number;
}

/** unicorn.js, started. */
export interface UnicornBuild {
  readonly module: UnicornModule;
  /** Unicorn's constants by their names in C without the `UC_` prefix. */
  readonly constants: Readonly<Record<string, number>>;
}

let started: UnicornBuild | undefined;

/** Whether unicorn.js has been started, which is done once. */
export function isUnicornStarted(): boolean {
  return started !== undefined;
}

/**
 * Keeps what the bundle of @specy/x86 has started, for all machines.
 * @param captured what `takeCaptured` returned
 * @throws EngineError when that is no module: another version starts in another way
 */
export function provideUnicorn(captured: unknown, constants: UnicornBuild['constants']): void {
  if (captured === undefined) {
    throw new EngineError(
      'unicorn.js did not start the way @specy/x86 1.1.0 does: install exactly that version (npm ci does so)',
    );
  }
  started = { module: captured as UnicornModule, constants };
}

/**
 * What {@link provideUnicorn} was given.
 * @throws EngineError when that has not happened yet
 */
export function unicornBuild(): UnicornBuild {
  if (started === undefined) throw new EngineError('unicorn.js is not loaded: await loadEngine() first');
  return started;
}
