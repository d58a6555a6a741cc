import { nearNames } from '../../asm/near.js';
import { UsageError } from '../errors.js';
import type { Command } from './command-type.js';
import type { Controls } from './controls.js';
import { INSPECT } from './inspect-commands.js';
import { MOVES } from './move-commands.js';

/** All that can be typed behind a colon, and what keys stand for. */
export const COMMANDS: readonly Command[] = [...MOVES, ...INSPECT];

/** The command that a name stands for: its own, one of gdb's, or the beginning of only one. @throws UsageError */
export function commandOf(name: string): Command {
  const exact = COMMANDS.find((command) => command.name === name || command.aliases.includes(name));
  if (exact !== undefined) return exact;
  const begun = COMMANDS.filter((command) => [command.name, ...command.aliases].some((one) => one.startsWith(name)));
  if (begun.length === 1) return begun[0];
  if (begun.length > 1) {
    throw new UsageError(`${name} may be ${begun.map((command) => command.name).join(', ')}: write more of it`);
  }
  const near = nearNames(
    name,
    COMMANDS.flatMap((command) => [command.name, ...command.aliases]),
  );
  const hint = near.length === 0 ? 'press ? for all there are' : `did you mean ${near.join(', ')}?`;
  throw new UsageError(`there is no command ${name}: ${hint}`);
}

/**
 * Does what a line says: a command with what it is about, or a moment's number alone.
 * @throws UsageError, UndefinedSymbol, and what moves throw
 */
export async function execute(line: string, controls: Controls): Promise<void> {
  const words = line.trim().split(/\s+/);
  if (words[0] === '') return;
  // As gdb writes how much of memory is to be examined: x/8gx.
  const [name, ...details] = words[0].split('/');
  if (details.some((detail) => /[is]/.test(detail))) {
    throw new UsageError('words of 8 bytes can be examined, as x/4gx $rsp; code is in a pane of its own (1)');
  }
  const rest = [
    ...words.slice(1),
    ...details.map((detail) => detail.replace(/\D/g, '')).filter((count) => count !== ''),
  ];
  if (/^\d+$/.test(name)) await commandOf('at').run(controls, [name]);
  else await commandOf(name).run(controls, rest);
}
