import { RunLinkError } from './error.js';

/** What compresses or the reverse, in Node as in browsers. */
interface Transform {
  readonly readable: ReadableStream;
  readonly writable: WritableStream;
}

/** At once, since what comes out is much longer than what goes in. */
const CHUNK = 4096;

/** @param most bytes that may come out @throws RunLinkError if there are more, and what the stream throws */
async function through({ readable, writable }: Transform, bytes: Uint8Array, most: number): Promise<Uint8Array> {
  const writer = writable.getWriter();
  const reader = readable.getReader();
  // What goes wrong on this side is told on the other one.
  const feed = async (): Promise<void> => {
    for (let at = 0; at < bytes.length; at += CHUNK) await writer.write(bytes.subarray(at, at + CHUNK));
    await writer.close();
  };
  feed().catch(() => {});
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = (await reader.read()) as { readonly done: boolean; readonly value?: Uint8Array };
    if (done || value === undefined) break;
    size += value.length;
    if (size > most) {
      await reader.cancel().catch(() => {});
      throw new RunLinkError(`it holds more than ${most >> 20} MiB`);
    }
    chunks.push(value);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** The checksum at the end of a zlib stream (RFC 1950, section 8.2). */
function adler32(bytes: Uint8Array): number {
  let [a, b] = [1, 0];
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return b * 65536 + a;
}

/** Base64 with padding (RFC 4648, section 4). */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function toBase64url(bytes: Uint8Array): string {
  return toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** @throws DOMException */
function fromBase64url(text: string): Uint8Array {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));
}

/** Bytes as a zlib stream (RFC 1950) in base64url (RFC 4648, section 5), without padding. */
export async function pack(bytes: Uint8Array): Promise<string> {
  const packed = await through(new CompressionStream('deflate'), bytes, Number.POSITIVE_INFINITY);
  return toBase64url(packed);
}

/**
 * The bytes that were packed.
 * @param most so many at most
 * @throws RunLinkError if there are more, or the text is not as {@link pack} has made it
 */
export async function unpack(text: string, most: number): Promise<Uint8Array> {
  const damaged = new RunLinkError('it is cut off or damaged');
  try {
    const packed = fromBase64url(text);
    const bytes = await through(new DecompressionStream('deflate'), packed, most);
    // Node reads what is behind the end of a stream, and says nothing.
    const sum = new DataView(packed.buffer).getUint32(packed.length - 4);
    if (sum !== adler32(bytes)) throw damaged;
    return bytes;
  } catch (error) {
    throw error instanceof RunLinkError ? error : damaged;
  }
}
