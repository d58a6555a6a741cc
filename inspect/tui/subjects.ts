import { registerPart } from '../../emu/register-parts.js';
import { REGISTERS, type RegisterName } from '../../emu/registers.js';
import { CTX_SLOTS, type CtxSlot } from '../../runtime/layout.js';
import { UsageError } from '../errors.js';
import { coroutineName, hex } from '../names.js';
import { addressOf } from '../provenance/place.js';
import type { Session, Watched } from '../session.js';
import type { Subject } from './pane.js';

const DEFAULT_SIZE = 8;
const LARGEST_SIZE = 4096;

/** A number as people write it. @throws UsageError */
export function numberOf(text: string, what: string): number {
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new UsageError(`${text} is no ${what}: write a whole number`);
  return value;
}

/** A register by its name, with or without a $ as in gdb. */
export function registerOf(text: string): RegisterName | undefined {
  const name = text.replace(/^[$%]/, '').toLowerCase();
  return REGISTERS.find((register) => register === name);
}

/**
 * What words mean that a person wants watched: `slot 2 r12`, `rbx`, `0x401000 8`, `symbol 8`.
 * @throws UsageError or UndefinedSymbol
 */
export function watchedOf(session: Session, words: readonly string[]): Watched {
  const [first = '', second, third] = slotWords(words);
  if (/^(slot|ctx)$/i.test(first)) {
    const slot = CTX_SLOTS.find((name) => name === third?.replace(/^[$%]/, '').toLowerCase());
    if (second === undefined || slot === undefined) {
      throw new UsageError(`write slot, a coroutine's number and one of ${CTX_SLOTS.join(', ')}: slot 2 r12`);
    }
    return { kind: 'slot', coroutine: coroutineId(second), slot };
  }
  const register = registerOf(first);
  if (register !== undefined) return { kind: 'register', register };
  const part = registerPart(first.replace(/^[$%]/, ''));
  if (part !== undefined) throw new UsageError(`${first} is a part of ${part.register}: watch all of it`);
  const address = addressOf(session.process, first.replace(/^[*&]?\$?/, ''));
  const size = second === undefined ? DEFAULT_SIZE : numberOf(second, 'number of bytes');
  if (size < 1 || size > LARGEST_SIZE) throw new UsageError(`from 1 to ${LARGEST_SIZE} bytes can be watched`);
  return { kind: 'memory', address, size };
}

/** `slot r12 of coroutine 2`, as it is said elsewhere, is `slot 2 r12`. */
function slotWords(words: readonly string[]): readonly string[] {
  const said = /^(?:slot|ctx) (\S+) of (?:coroutine )?(\S+)$/i.exec(words.join(' '));
  return said === null ? words : ['slot', said[2], said[1]];
}

/** The id of a coroutine as people write it. @throws UsageError */
export function coroutineId(text: string): number {
  return text === 'main' ? 0 : numberOf(text, 'coroutine');
}

/** What a selected line stands for, if it can be watched; a line of code is a place. */
export function watchedBy(subject: Subject | undefined): Watched | undefined {
  switch (subject?.kind) {
    case 'place':
    case 'memory':
    case 'register':
    case 'slot':
      return subject;
    default:
      return undefined;
  }
}

/** In words: `slot r12 of coroutine 2`. */
export function watchedText(watched: Watched): string {
  switch (watched.kind) {
    case 'place':
      return watched.place;
    case 'register':
      return `register ${watched.register}`;
    case 'slot':
      return `slot ${watched.slot satisfies CtxSlot} of ${coroutineName(watched.coroutine)}`;
    case 'memory':
      return `${watched.size} bytes at ${hex(BigInt(watched.address))}`;
  }
}
