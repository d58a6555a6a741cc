import { UsageError } from './errors.js';
import type { ColorOptions } from './options.js';
import type { Ending } from './outcome.js';
import { NobodyReads, writeAll } from './write-all.js';

/**
 * Writes at once: a guest may run for long, and whoever reads our output may stop reading, as `head` does. That ends us
 * quietly.
 */
export function print(stream: 1 | 2, content: string | Uint8Array): void {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  try {
    writeAll(stream, bytes);
  } catch (error) {
    if (error instanceof NobodyReads) process.exit(0);
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(`cannot write to standard ${stream === 1 ? 'output' : 'error'}: ${code}`);
  }
}

/** Writes a message that ends in a line of ours. */
export function complain(message: string): void {
  print(2, `${message}\n`);
}

/** Whether to write in colour, as the options, the environment and the screen say. */
export function wantsColor(options: ColorOptions): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (!options.color || NO_COLOR) return false;
  if (FORCE_COLOR) return FORCE_COLOR !== '0';
  return process.stdout.isTTY === true && TERM !== 'dumb';
}

/** In characters. Only a screen has an end. */
export function screenWidth(): number {
  return process.stdout.columns ?? Number.POSITIVE_INFINITY;
}

/** Ends as a command has said. */
export function conclude({ status, message }: Ending): void {
  if (message !== undefined) complain(message);
  process.exitCode = status;
}
