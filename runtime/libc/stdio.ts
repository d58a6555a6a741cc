import { assertFunctions } from './assert.js';
import type { Call } from './call.js';
import { errorText } from './errno.js';
import type { Host, HostFunctions } from './host.js';
import { lineFunctions } from './lines.js';
import { printFunctions } from './print.js';
import { scanFunctions } from './scan.js';
import { flushStreams, Stream, standardStream } from './stream.js';
import { ascii, characters, stringAt } from './text.js';

const EBADF = 9;
const ENOTTY = 25;
const NEWLINE = 10;
const BUFSIZ = 8192;
/** setvbuf's modes, by number: _IOFBF, _IOLBF, _IONBF. */
const BUFFERING = ['full', 'line', 'none'] as const;

/** stdio.h's functions, and those of unistd.h that are about standard output. */
export function stdioFunctions(host: Host): HostFunctions {
  const { memory, symbols, fail } = host;
  const output = (): Stream => standardStream(host, 'stdout');
  const stream = (call: Call, argument: number): Stream => new Stream(host, call.pointer(argument));
  const putByte = (to: Stream, byte: number): number => (to.write(Uint8Array.of(byte & 0xff)) ? byte & 0xff : -1);
  const setBuffer = (call: Call, size: number): void => {
    const buffer = call.pointer(1);
    const none = buffer === 0 || size === 0;
    stream(call, 0).setBuffer(none ? 'none' : 'full', none ? 0 : buffer, size);
  };

  return {
    ...printFunctions(host),
    ...lineFunctions(host),
    ...scanFunctions(host),
    ...assertFunctions(host),

    write: (call) => {
      const number = call.int(0);
      if (number !== 1 && number !== 2) {
        fail(EBADF);
        return -1;
      }
      const bytes = memory.read(call.pointer(1), call.pointer(2));
      host.output(number, bytes);
      return bytes.length;
    },
    isatty: (call) => {
      const number = call.int(0);
      fail(number >= 0 && number <= 2 ? ENOTTY : EBADF);
      return 0;
    },

    putchar: (call) => putByte(output(), call.int(0)),
    putc: (call) => putByte(stream(call, 1), call.int(0)),
    __overflow: (call) => {
      const to = stream(call, 0);
      const byte = call.int(1);
      if (byte !== -1) return putByte(to, byte);
      to.flush();
      return 0;
    },
    puts: (call) => {
      const text = stringAt(memory, call.pointer(0));
      const line = new Uint8Array(text.length + 1);
      line.set(text);
      line[text.length] = NEWLINE;
      return output().write(line) ? line.length : -1;
    },
    fputs: (call) => (stream(call, 1).write(stringAt(memory, call.pointer(0))) ? 1 : -1),
    fwrite: (call) => {
      const [size, count] = [call.pointer(1), call.pointer(2)];
      if (size * count === 0) return 0;
      return stream(call, 3).write(memory.read(call.pointer(0), size * count)) ? count : 0;
    },
    perror: (call) => {
      const start = call.pointer(0);
      const name = start === 0 ? '' : characters(stringAt(memory, start));
      const text = errorText(memory.i32(symbols('errno')));
      standardStream(host, 'stderr').write(ascii(`${name === '' ? '' : `${name}: `}${text}\n`));
    },

    fflush: (call) => {
      if (call.pointer(0) === 0) flushStreams(host);
      else stream(call, 0).flush();
      return 0;
    },
    fclose: (call) => {
      stream(call, 0).close();
      return 0;
    },
    fileno: (call) => {
      const { number } = stream(call, 0);
      if (number === -1) fail(EBADF);
      return number;
    },
    feof: (call) => Number(stream(call, 0).atEnd),
    ferror: (call) => Number(stream(call, 0).failed),
    clearerr: (call) => stream(call, 0).clear(),

    setvbuf: (call) => {
      const [buffer, size] = [call.pointer(1), call.pointer(3)];
      const buffering = BUFFERING[call.int(2)];
      if (buffering === undefined) return -1;
      const none = buffering === 'none' || (buffer !== 0 && size === 0);
      stream(call, 0).setBuffer(none ? 'none' : buffering, none ? 0 : buffer, size);
      return 0;
    },
    setbuf: (call) => setBuffer(call, BUFSIZ),
    setbuffer: (call) => setBuffer(call, call.pointer(2)),
    setlinebuf: (call) => stream(call, 0).setBuffer('line'),

    flockfile: () => {},
    ftrylockfile: () => 0,
  };
}
