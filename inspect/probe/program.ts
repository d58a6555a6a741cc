import type { Image } from '../../asm/image.js';
import type { Process } from '../../runtime/process.js';
import { loadEngine, openMachine } from '../engine.js';
import { UsageError } from '../errors.js';
import { readFiles } from '../program.js';
import type { Code } from './code.js';
import { placesOf } from './driver.js';
import type { ProbeOptions } from './options.js';
import { prepare } from './prepare.js';
import { keepSignalMask } from './signal-mask.js';

/** A probe as a program like any other. */
export interface ProbeProgram {
  readonly image: Image;
  /** Gives a process with this program what it needs of the kernel; to be called before it runs. */
  readonly attach: (process: Process) => void;
}

/**
 * The program that is run to measure a switch, for screens that run programs: the same one, to the same moments.
 * @throws UsageError if there is no such switch, and what reading and linking throw
 */
export async function probeProgram(
  paths: readonly string[],
  options: ProbeOptions & { readonly cc: string; readonly archive: readonly string[] },
): Promise<ProbeProgram> {
  const { image } = await probedCode(paths, options);
  return { image, attach: (process) => keepSignalMask(process, placesOf(image).mask) };
}

/**
 * The switch that a probe is made of.
 * @throws UsageError if there is no such switch, and what reading and linking throw
 */
export async function probedCode(
  paths: readonly string[],
  options: ProbeOptions & { readonly cc: string; readonly archive: readonly string[] },
): Promise<Code> {
  await loadEngine();
  const codes = await prepare(await readFiles(paths, options.cc, options.archive), options, openMachine);
  const number = typeof options.probe === 'number' ? options.probe : 1;
  const code = codes[number - 1];
  if (code === undefined) throw new UsageError(`there is no probe ${number}: ${codes.length} were found`);
  return code;
}
