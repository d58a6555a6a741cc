import type { Call } from './call.js';
import type { Host, HostFunctions } from './host.js';
import { Stream, standardStream } from './stream.js';

const EINVAL = 22;
const ENOMEM = 12;
const NEWLINE = 10;
/** What glibc's getline allocates first. */
const FIRST_LINE = 120;

/** stdio.h's functions that read. They find the end of the input, and before it what ungetc has put back. */
export function lineFunctions(host: Host): HostFunctions {
  const { memory, heap, fail } = host;
  const stream = (call: Call, argument: number): Stream => new Stream(host, call.pointer(argument));

  /** Up to and with the delimiter. */
  function take(from: Stream, most: number, delimiter: number): number[] {
    const bytes: number[] = [];
    while (bytes.length < most) {
      const byte = from.read();
      if (byte === -1) break;
      bytes.push(byte);
      if (byte === delimiter) break;
    }
    return bytes;
  }

  function getDelimited(line: number, capacity: number, delimiter: number, from: Stream): number {
    if (line === 0 || capacity === 0) {
      fail(EINVAL);
      return -1;
    }
    if (memory.pointer(line) === 0 || memory.pointer(capacity) === 0) {
      const buffer = heap.malloc(FIRST_LINE);
      if (buffer === 0) {
        fail(ENOMEM);
        return -1;
      }
      memory.setPointer(line, buffer);
      memory.setPointer(capacity, FIRST_LINE);
    }
    const bytes = take(from, memory.pointer(capacity) - 1, delimiter);
    if (bytes.length === 0) return -1;
    memory.write(memory.pointer(line), Uint8Array.of(...bytes, 0));
    return bytes.length;
  }

  return {
    getchar: () => standardStream(host, 'stdin').read(),
    getc: (call) => stream(call, 0).read(),
    ungetc: (call) => {
      const byte = call.int(0);
      return byte !== -1 && stream(call, 1).putBack(byte & 0xff) ? byte & 0xff : -1;
    },
    fgets: (call) => {
      const [to, size] = [call.pointer(0), call.int(1)];
      if (size <= 0) return 0;
      const bytes = take(stream(call, 2), size - 1, NEWLINE);
      if (bytes.length === 0 && size > 1) return 0;
      memory.write(to, Uint8Array.of(...bytes, 0));
      return to;
    },
    fread: (call) => {
      const [size, count] = [call.pointer(1), call.pointer(2)];
      if (size * count === 0) return 0;
      const bytes = take(stream(call, 3), size * count, -1);
      memory.write(call.pointer(0), Uint8Array.from(bytes));
      return Math.floor(bytes.length / size);
    },
    getline: (call) => getDelimited(call.pointer(0), call.pointer(1), NEWLINE, stream(call, 2)),
    getdelim: (call) => getDelimited(call.pointer(0), call.pointer(1), call.int(2), stream(call, 3)),
  };
}
