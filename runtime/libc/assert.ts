import type { Call } from './call.js';
import { errorText } from './errno.js';
import type { Host, HostFunctions } from './host.js';
import { standardStream } from './stream.js';
import { ascii, characters, stringAt } from './text.js';

/** What assert.h's functions say before asm/stdio.s has them abort. */
export function assertFunctions(host: Host): HostFunctions {
  const { memory, symbols } = host;
  const text = (address: number): string => (address === 0 ? '(null)' : characters(stringAt(memory, address)));

  function say(call: Call, what: string): void {
    const [file, line, functionName] = [text(call.pointer(1)), call.unsigned(2), call.pointer(3)];
    const program = text(memory.pointer(memory.pointer(symbols('libc_argv'))));
    const where = [program.slice(program.lastIndexOf('/') + 1), `${file}:${line}`];
    if (functionName !== 0) where.push(text(functionName));
    const message = `${where.filter((part) => part !== '').join(': ')}: ${what}\n`;
    standardStream(host, 'stderr').write(ascii(message));
    standardStream(host, 'stderr').flush();
  }

  return {
    __assert_message: (call) => say(call, `Assertion \`${text(call.pointer(0))}' failed.`),
    __assert_perror_message: (call) => say(call, `Unexpected error: ${errorText(call.int(0))}.`),
  };
}
