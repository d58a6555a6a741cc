import { LinkError, ObjectError, UnresolvedSymbols } from '../asm/elf/errors.js';
import { AssemblyError, UndefinedSymbol } from '../asm/errors.js';
import { EngineError, OutOfMemory } from '../emu/errors.js';
import { BodyError } from '../runtime/errors.js';
import { UsageError } from './errors.js';
import { RunLinkError } from './link/error.js';

/** What to do about undefined symbols. */
const WHERE_FROM =
  ': give the object or the archive (--archive) that has them; ARCHITECTURE.md lists the libc there is';

/** What to tell people about an error that they can do something about; undefined for all others. */
export function explain(error: unknown): string | undefined {
  if (error instanceof AssemblyError) {
    const count = error.problems.length + error.left;
    return `${error.message}\nmillscope: the program cannot be assembled: ${count} error${count === 1 ? '' : 's'}`;
  }
  if (error instanceof UndefinedSymbol && error.symbol === 'main') {
    return 'millscope: the program has no main: define a global symbol main';
  }
  if (error instanceof UnresolvedSymbols) {
    const count = error.missing.length;
    return `${error.message}\nmillscope: the program cannot be linked: ${count} undefined symbol${count === 1 ? '' : 's'}${WHERE_FROM}`;
  }
  if (error instanceof LinkError) {
    return `${error.message}\nmillscope: the program cannot be linked`;
  }
  if (error instanceof OutOfMemory) return `millscope: ${error.message} (--memory)`;
  const known = [UndefinedSymbol, UsageError, ObjectError, EngineError, BodyError, RunLinkError].some(
    (type) => error instanceof type,
  );
  return known ? `millscope: ${(error as Error).message}` : undefined;
}
