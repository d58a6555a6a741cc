import type { Call } from './call.js';
import type { Host, HostFunction, HostFunctions } from './host.js';
import type { Source } from './input.js';
import { type Dialect, scan } from './scanf.js';
import { Stream, standardStream } from './stream.js';
import { characters, stringAt } from './text.js';

const DIALECTS: readonly Dialect[] = ['', '__isoc99_', '__isoc23_'];

/** stdio.h's functions that read by a format. */
export function scanFunctions(host: Host): HostFunctions {
  const { memory } = host;
  /** A string: its end is the input's. */
  const fromString = (call: Call): Source => {
    let at = call.pointer(0);
    return {
      read: () => {
        const byte = memory.u8(at);
        if (byte === 0) return -1;
        at++;
        return byte;
      },
      putBack: () => {
        at--;
      },
    };
  };
  const scanners: Readonly<Record<string, { readonly format: number; source(call: Call): Source }>> = {
    scanf: { format: 0, source: () => standardStream(host, 'stdin') },
    fscanf: { format: 1, source: (call) => new Stream(host, call.pointer(0)) },
    sscanf: { format: 1, source: fromString },
  };

  const functions: Record<string, HostFunction> = {};
  for (const [name, { format, source }] of Object.entries(scanners)) {
    for (const dialect of DIALECTS) {
      const read = (listed: boolean) => (call: Call) => {
        const given = listed ? call.list(format + 1) : call.variadic(format + 1);
        return scan(host, dialect, source(call), characters(stringAt(memory, call.pointer(format))), given);
      };
      functions[`${dialect}${name}`] = read(false);
      functions[`${dialect}v${name}`] = read(true);
    }
  }
  return functions;
}
