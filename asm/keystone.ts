import type { KeystoneModule } from '@alexaltea/keystone-js';

/** Keystone's error number; or the module gave up on the text; or it reported success without assembling anything. */
export type Errno = number | 'crashed' | 'nothing';

/** Bytes, or why there are none. */
export type Encoding =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly errno: Errno };

interface Instance {
  readonly keystone: KeystoneModule;
  /** A ks_engine for x86_64. */
  readonly engine: number;
}

let loading: Promise<Instance> | undefined;
let wasmUrl: string | undefined;

async function load(): Promise<Instance> {
  const { default: create } = await import('@alexaltea/keystone-js');
  const url = wasmUrl;
  const found = url === undefined ? {} : { locateFile: () => url };
  const keystone = await create({ print: () => {}, printErr: () => {}, ...found });
  const handle = keystone._malloc(4);
  const errno = keystone._ks_open(keystone.ARCH_X86, keystone.MODE_64, handle);
  const engine = keystone.getValue(handle, 'i32');
  keystone._free(handle);
  if (errno !== 0) throw new Error(`Keystone does not open for x86_64 (error ${errno})`);
  return { keystone, engine };
}

/**
 * Loads the package, which happens by itself when something is assembled.
 * @param url where `keystone.wasm` is (4.3 MB), for pages whose bundler moves it
 * @throws Error if it does not load; the next call tries again
 */
export async function loadKeystone(url?: string): Promise<void> {
  wasmUrl = url;
  await instance();
}

function instance(): Promise<Instance> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

// Whole words, because the module does not give out its memory, only one value at a time.
function store(keystone: KeystoneModule, text: string): number {
  const encoded = new TextEncoder().encode(text);
  const words = new BigUint64Array(Math.floor(encoded.length / 8) + 1);
  new Uint8Array(words.buffer).set(encoded);
  const pointer = keystone._malloc(words.byteLength);
  words.forEach((word, at) => {
    keystone.setValue(pointer + at * 8, BigInt.asIntN(64, word), 'i64');
  });
  return pointer;
}

function fetchBytes(keystone: KeystoneModule, pointer: number, size: number): Uint8Array {
  const words = new BigInt64Array(Math.ceil(size / 8));
  const whole = Math.floor(size / 8);
  for (let at = 0; at < whole; at++) words[at] = keystone.getValue(pointer + at * 8, 'i64');
  const bytes = new Uint8Array(words.buffer, 0, size);
  // The last bytes one by one: reading a word of them could reach beyond the module's memory.
  for (let at = whole * 8; at < size; at++) bytes[at] = keystone.getValue(pointer + (at & ~3), 'i32') >> ((at & 3) * 8);
  return bytes;
}

/**
 * Has Keystone assemble AT&T text to be placed at `address`. The package is loaded at the first call.
 *
 * The package's own `asm` puts the text on a stack of some 64 KiB, and corrupts the module with a longer one, so the
 * C function is called here, with the text on the heap. `option()` must never be called: it makes decimal numbers
 * hexadecimal, so AT&T syntax is chosen by a directive.
 */
export async function encode(text: string, address: bigint): Promise<Encoding> {
  const { keystone, engine } = await instance();
  try {
    const source = store(keystone, `.att_syntax\n${text}`);
    const results = keystone._malloc(12);
    const failed = keystone._ks_asm(engine, source, address, results, results + 4, results + 8) !== 0;
    const pointer = keystone.getValue(results, 'i32');
    const errno = failed ? keystone._ks_errno(engine) : 0;
    const bytes = failed ? undefined : fetchBytes(keystone, pointer, keystone.getValue(results + 4, 'i32'));
    keystone._ks_free(pointer);
    keystone._free(results);
    keystone._free(source);
    return bytes ? { ok: true, bytes } : { ok: false, errno };
  } catch (error) {
    // A trap leaves the module in an unknown state: the next call gets a new one.
    loading = undefined;
    // RuntimeError is WebAssembly's, ExitStatus is Emscripten's for a C exit().
    if (error instanceof Error && /^(RuntimeError|ExitStatus)$/.test(error.name))
      return { ok: false, errno: 'crashed' };
    throw error;
  }
}
