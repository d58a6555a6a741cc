import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { lookCommand } from '../invocation.js';
import type { LinkedFile, LinkedRun } from '../link/linked-run.js';
import { DEFAULTS } from '../options.js';

/** Whether something of that name is there, if only a link that leads nowhere. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Writes files into a folder in which there is none of them. @throws UsageError */
function writeNew(files: readonly LinkedFile[], folder: string): void {
  try {
    const taken = files.map(({ name }) => join(folder, name)).find(isThere);
    if (taken !== undefined) throw new UsageError(`${taken} is there already: name an empty or a new folder`);
    mkdirSync(folder, { recursive: true });
    // With x it is an error if it has come to be there, by whatever way the name leads.
    for (const file of files) {
      writeFileSync(join(folder, file.name), 'bytes' in file ? file.bytes : file.text, { flag: 'wx' });
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot write into ${folder}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/**
 * Writes the files of a run into a folder, which is made if it is not there.
 * @returns what they are called, and the command line that goes to the moment
 * @throws UsageError if one of them is there already, or cannot be written
 */
export function extract(run: LinkedRun, folder: string): string {
  const { files, runtime, seed, memory, environment, moment } = run;
  // In a folder of its own: text of the program that includes one of that name is to get what it did.
  const edited = join(folder, 'runtime');
  writeNew(files, folder);
  if (runtime.length > 0) writeNew(runtime, edited);
  const isProgram = (file: LinkedFile): boolean => 'bytes' in file || (file.name.endsWith('.s') && !file.beside);
  const paths = files.filter(isProgram).map(({ name }) => join(folder, name));
  const sources = runtime.map(({ name }) => join(edited, name));
  const options = { ...DEFAULTS, runtime: sources, seed, memory, env: environment };
  return [
    ...files.map(({ name }) => join(folder, name)),
    ...sources,
    `to see the moment: ${lookCommand({ paths, arguments: run.arguments, options }, moment)}`,
  ].join('\n');
}
