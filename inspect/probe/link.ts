import type { Archive } from '../../asm/elf/archive.js';
import { ObjectError } from '../../asm/elf/errors.js';
import { Image } from '../../asm/image.js';
import { libmillSymbols } from '../../runtime/libmill.js';
import { assembleSources, PROGRAM_BASE, type ProgramFiles } from '../program-image.js';
import { type DriverShape, driverText } from './driver.js';

/** The runtime's own switches: a probe is of the file's, whatever they are called. */
const SWITCHES =
  /^(_?setjmp|__sigsetjmp|_?longjmp|siglongjmp|__longjmp_chk|mill_(getctx|prologue|epilogue|suspend|resume)_?)$/;
/** The driver's file, in messages, and in the program that `millscope step` shows. */
export const DRIVER = 'probe.s';

/** An archive whose members that cannot be used here are as good as not there: what needs them may never be called. */
function usable(archive: Archive): Pick<Archive, 'defining'> {
  return {
    defining: (symbol) => {
      try {
        return archive.defining(symbol);
      } catch (error) {
        if (error instanceof ObjectError) return undefined;
        throw error;
      }
    },
  };
}

/** The names that assembly text gives to others. */
export function globalsOf(text: string): string[] {
  const lists = text.replaceAll(/#.*/g, '').matchAll(/^\s*\.glob\w*\s+(.+)$/gm);
  return [...lists].flatMap(([, list]) => list.trim().split(/[\s,]+/));
}

/** What goes into the driver: sequences of assembly text, each by its label. */
export type Sequences = ReadonlyMap<string, string>;

/**
 * The code under test and a driver around it, as one image. What the code needs comes from its own files, then from the
 * runtime's libc; what neither has becomes a place that faults when it is called.
 * @param names of what is to be taken from the archives
 * @throws ObjectError, LinkError, AssemblyError
 */
export async function linkProbe(
  { objects, archives, sources, include }: ProgramFiles,
  shape: DriverShape,
  sequences: Sequences,
  names: readonly string[],
): Promise<Image> {
  const runtime = libmillSymbols();
  const texts = sources.filter(({ name }) => ![...sequences.values()].includes(name));
  const find = (name: string) => sources.find((source) => source.name === name) ?? include(name);
  const assemble = (missing: readonly string[], base: bigint, symbols: ReadonlyMap<string, bigint>) => {
    const driver = { name: DRIVER, text: driverText(shape, sequences, missing) };
    return assembleSources([driver, ...texts], find, base, symbols);
  };
  if (objects.length + archives.length === 0) return assemble([], PROGRAM_BASE, runtime);

  const { Link } = await import('../../asm/elf/link.js');
  const { neededMembers } = await import('../../asm/elf/archive.js');
  const provided = [...runtime.keys()].filter((name) => !SWITCHES.test(name));
  const members = neededMembers(objects, names, archives.map(usable), new Set(provided));
  const link = new Link([...objects, ...members], { base: PROGRAM_BASE });
  const defined = new Set(texts.flatMap(({ text }) => globalsOf(text)));
  const missing = [...link.wanted.keys()].filter((name) => !runtime.has(name) && !defined.has(name));
  const symbols = new Map([...runtime, ...link.symbols, ['exit', runtime.get('exit') ?? 0n]]);
  // The driver has one of its own, and that is where the probe starts.
  symbols.delete('main');
  const assembled = await assemble(missing, link.end, symbols);
  const own = [...assembled.symbols].filter(([name]) => assembled.globals.has(name));
  return Image.join([link.finish(new Map([...runtime, ...own])), assembled]);
}
