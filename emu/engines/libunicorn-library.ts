import { EngineError } from '../errors.js';

/** 64 bits in C: numbers are the faster way for what is below 2^53. */
export type Word = number | bigint;
type Pointee = Uint8Array | Int32Array | BigUint64Array;

/** Unicorn's C functions, by their names without `uc_`. Most return a `uc_err`; `uc` is the address of a `uc_engine`. */
export interface Library {
  /** A byte each, highest first: major, minor, patch, and an extra number. */
  version(major: null, minor: null): number;
  open(arch: number, mode: number, uc: BigUint64Array): number;
  close(uc: Word): number;
  memMapPtr(uc: Word, address: Word, size: number, protection: number, host: Uint8Array): number;
  memProtect(uc: Word, address: Word, size: number, protection: number): number;
  mmioMap(uc: Word, address: Word, size: Word, read: bigint, user: null, write: bigint, userOfWrite: null): number;
  ctl(uc: Word, control: number, type: 'uint64', first: Word, type2: 'uint64', second: Word): number;
  regRead(uc: Word, register: number, value: Uint8Array): number;
  regWrite(uc: Word, register: number, value: Uint8Array): number;
  /** Both lists by their addresses, see {@link addressOf}; the second one is of addresses, too. */
  regReadBatch(uc: Word, registers: Word, values: Word, count: number): number;
  hookAdd(
    uc: Word,
    hook: BigUint64Array,
    type: number,
    callback: bigint,
    user: number,
    begin: number,
    end: number,
    ...instruction: readonly ['int', number] | readonly []
  ): number;
  hookDel(uc: Word, hook: bigint): number;
  emuStart(uc: Word, begin: Word, until: Word, timeout: number, count: number): number;
  emuStop(uc: Word): number;
  contextAlloc(uc: Word, context: BigUint64Array): number;
  contextSave(uc: Word, context: Word): number;
  contextRestore(uc: Word, context: Word): number;
  contextFree(context: Word): number;
  contextSize(uc: Word): Word;

  /** Where an array is in memory. It stays there for as long as something in JavaScript refers to it. */
  addressOf(array: Pointee): bigint;
  /** Memory of C's. */
  view(address: bigint, size: number): ArrayBuffer;
  /** Makes a function that C can call, until it is given to {@link unregister}. */
  register(callback: (...words: Word[]) => void, parameters: readonly string[]): bigint;
  unregister(callback: bigint): void;
}

/** Where Linux and Homebrew (on Apple's and on Intel's processors) have it. */
const PATHS = [
  'libunicorn.so.2',
  'libunicorn.so',
  'libunicorn.2.dylib',
  '/opt/homebrew/lib/libunicorn.2.dylib',
  '/usr/local/lib/libunicorn.2.dylib',
];
const INSTALL = 'Debian has it as libunicorn2 (apt install libunicorn2), Homebrew as unicorn (brew install unicorn)';

type Koffi = typeof import('koffi');
let loaded: Library | undefined;

/** What {@link loadLibrary} has loaded, or undefined. */
export function library(): Library | undefined {
  return loaded;
}

/**
 * Loads libunicorn by way of koffi, once. Neither comes with this program: koffi is an optional dependency.
 * @param path of the library; without it, it is looked for where systems have it
 * @throws EngineError when there is no koffi, no library, or one older than Unicorn 2
 */
export async function loadLibrary(path?: string): Promise<void> {
  if (loaded !== undefined) return;
  const koffi = await import('koffi').catch(() => {
    throw new EngineError('the native engine needs koffi to call libunicorn: npm install koffi');
  });
  const paths = path === undefined ? PATHS : [path];
  const file = paths.map((one) => attempt(() => koffi.load(one))).find((one) => one !== undefined);
  if (file === undefined) {
    throw new EngineError(
      `the native engine needs libunicorn, and it is not to be found (tried ${paths.join(', ')}): ${INSTALL}; or put its path into MILLSCOPE_LIBUNICORN`,
    );
  }
  const candidate = bindAll(koffi, file);
  if (candidate === undefined)
    throw new EngineError(`the native engine needs libunicorn 2, and this is not it: ${INSTALL}`);
  loaded = candidate;
}

/** @returns undefined if a function is missing, as some are in Unicorn 1 */
function bindAll(koffi: Koffi, file: ReturnType<Koffi['load']>): Library | undefined {
  const bind = (name: string, ...parameters: string[]) => file.func(`uc_${name}`, 'int', parameters);
  return attempt(() => ({
    version: file.func('uc_version', 'uint32', ['void *', 'void *']),
    open: bind('open', 'int', 'int', 'void *'),
    close: bind('close', 'int64'),
    memMapPtr: bind('mem_map_ptr', 'int64', 'uint64', 'size_t', 'uint32', 'void *'),
    mmioMap: bind('mmio_map', 'int64', 'uint64', 'size_t', 'int64', 'void *', 'int64', 'void *'),
    memProtect: bind('mem_protect', 'int64', 'uint64', 'size_t', 'uint32'),
    ctl: bind('ctl', 'int64', 'int', '...'),
    regRead: bind('reg_read', 'int64', 'int', 'void *'),
    regWrite: bind('reg_write', 'int64', 'int', 'void *'),
    regReadBatch: bind('reg_read_batch', 'int64', 'int64', 'int64', 'int'),
    hookAdd: bind('hook_add', 'int64', 'void *', 'int', 'int64', 'int64', 'uint64', 'uint64', '...'),
    hookDel: bind('hook_del', 'int64', 'uint64'),
    emuStart: bind('emu_start', 'int64', 'uint64', 'uint64', 'uint64', 'size_t'),
    emuStop: bind('emu_stop', 'int64'),
    contextAlloc: bind('context_alloc', 'int64', 'void *'),
    contextSave: bind('context_save', 'int64', 'int64'),
    contextRestore: bind('context_restore', 'int64', 'int64'),
    contextFree: bind('context_free', 'int64'),
    contextSize: file.func('uc_context_size', 'size_t', ['int64']),
    addressOf: (array) => koffi.address(array),
    view: (address, size) => koffi.view(address, size),
    register: (callback, parameters) => koffi.register(callback, koffi.pointer(koffi.proto('void', [...parameters]))),
    unregister: (callback) => koffi.unregister(callback),
  }));
}

function attempt<T>(what: () => T): T | undefined {
  try {
    return what();
  } catch {
    return undefined;
  }
}
