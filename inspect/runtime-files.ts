import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import type { Source } from '../asm/statement.js';
import { readSource } from './program.js';
import type { EditedRuntime } from './program-image.js';
import { runtimeWith } from './runtime-with.js';

/** The folder of the runtime's own assembly text, in the package as in the project. */
export const RUNTIME = join(dirname(createRequire(import.meta.url).resolve('millscope/package.json')), 'asm');

/** All sources of the runtime. */
export function runtimeSources(): Source[] {
  const names = readdirSync(RUNTIME).filter((name) => /\.(s|inc)$/.test(name));
  return names.map((name) => readSource(join(RUNTIME, name), name));
}

/**
 * The runtime with edited sources, each by the name of the one that it replaces.
 * @returns undefined if there are none
 * @throws UsageError, AssemblyError
 */
export async function editedRuntime(sources: readonly Source[]): Promise<EditedRuntime | undefined> {
  return sources.length === 0 ? undefined : { image: await runtimeWith(runtimeSources(), sources), sources };
}

/** As {@link editedRuntime}, of files in whatever folder. */
export function readRuntime(paths: readonly string[]): Promise<EditedRuntime | undefined> {
  return editedRuntime(paths.map((path) => readSource(path, basename(path))));
}
