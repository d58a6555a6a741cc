import type { Image } from './image.js';
import type { Source } from './statement.js';

/** Below where programs go, and above the pages that catch NULL pointers. */
const BASE = 0x100000n;
const SOURCES = ['libmill.s', 'libc.s', 'stdio.s', 'stdlib.s', 'search.s', 'unistd.s', 'host.s', 'bodies.s'];

/** What of the runtime's sources guest programs, too, may include by name. */
export const INCLUDED = ['libmill.inc', 'doors.inc', 'mill_setjmp.s', 'mill_longjmp.s'] as const;

/**
 * Assembles the guest side of the runtime.
 * @param load a source of it by its name
 * @throws AssemblyError
 */
export async function assembleGuestSide(load: (name: string) => Source): Promise<Image> {
  // Here, not above: a run on the shipped image is not to load it.
  const { assemble } = await import('./assembler.js');
  return assemble(SOURCES.map(load), {
    base: BASE,
    include: (name) => (INCLUDED.some((one) => one === name) ? load(name) : undefined),
  });
}
