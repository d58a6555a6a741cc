import type { Call } from './call.js';
import { bufferOverflow } from './checks.js';
import type { Host, HostFunction, HostFunctions } from './host.js';
import { type Formatted, format } from './printf.js';
import { Stream, standardStream } from './stream.js';
import { stringAt, type Text } from './text.js';

const EBADF = 9;
const ENOMEM = 12;

/** A member of printf's family. */
interface Printer {
  /** Which argument is the format: the variable ones, or their va_list, are behind it. */
  readonly format: number;
  /** The same in the function whose name ends in _chk, which is given a flag, and mostly a size, in between. */
  readonly checked: number;
  /**
   * Takes the text to where it goes; when formatting has failed, what there is of it.
   * @param room of the destination, where a _chk function knows that
   * @returns false if that failed, with errno set
   */
  put(call: Call, formatted: Formatted, room: number): boolean;
}

const UNKNOWN = Number.POSITIVE_INFINITY;

/** printf's family: each as printf, vprintf, __printf_chk and __vprintf_chk. */
export function printFunctions(host: Host): HostFunctions {
  const { memory, symbols, heap, output, fail } = host;

  function toStream(stream: Stream, text: Text): boolean {
    if (text.length === 0) return true;
    for (const chunk of text.chunks()) if (!stream.write(chunk)) return false;
    return true;
  }

  /** With a zero behind it. */
  function toMemory(start: number, text: Text, most = text.length): void {
    let at = start;
    for (const chunk of text.chunks(most)) {
      memory.write(at, chunk);
      at += chunk.length;
    }
    memory.setU8(at, 0);
  }

  const printers: Readonly<Record<string, Printer>> = {
    printf: { format: 0, checked: 1, put: (_, { text }) => toStream(standardStream(host, 'stdout'), text) },
    fprintf: { format: 1, checked: 2, put: (call, { text }) => toStream(new Stream(host, call.pointer(0)), text) },
    dprintf: {
      format: 1,
      checked: 2,
      put: (call, { text }) => {
        const number = call.int(0);
        if (number !== 1 && number !== 2) {
          fail(EBADF);
          return false;
        }
        for (const chunk of text.chunks()) output(number, chunk);
        return true;
      },
    },
    sprintf: {
      format: 1,
      checked: 3,
      put: (call, { text }, room) => {
        bufferOverflow('sprintf', text.length + 1, room);
        toMemory(call.pointer(0), text);
        return true;
      },
    },
    snprintf: {
      format: 2,
      checked: 4,
      put: (call, { text }, room) => {
        const size = call.pointer(1);
        bufferOverflow('snprintf', size, room);
        if (size > 0) toMemory(call.pointer(0), text, size - 1);
        return true;
      },
    },
    asprintf: {
      format: 1,
      checked: 2,
      put: (call, { text, failure }) => {
        if (failure !== 0) return false;
        const start = heap.malloc(text.length + 1);
        if (start === 0) {
          fail(ENOMEM);
          return false;
        }
        toMemory(start, text);
        memory.setPointer(call.pointer(0), start);
        return true;
      },
    },
  };

  function finish(call: Call, printer: Printer, formatted: Formatted, room: number): number {
    const { text, failure } = formatted;
    if (failure !== 0) fail(failure);
    return printer.put(call, formatted, room) && failure === 0 ? text.length : -1;
  }

  const functions: Record<string, HostFunction> = {};
  for (const [name, printer] of Object.entries(printers)) {
    for (const checked of [false, true]) {
      const place = checked ? printer.checked : printer.format;
      const room = (call: Call): number => (checked && place > 2 ? call.pointer(place - 1) : UNKNOWN);
      const print = (listed: boolean) => (call: Call) => {
        const template = stringAt(memory, call.pointer(place));
        const given = listed ? call.list(place + 1) : call.variadic(place + 1);
        return finish(call, printer, format(memory, memory.i32(symbols('errno')), template, given), room(call));
      };
      functions[checked ? `__${name}_chk` : name] = print(false);
      functions[checked ? `__v${name}_chk` : `v${name}`] = print(true);
    }
  }
  return functions;
}
