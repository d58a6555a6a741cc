import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { INCLUDES } from '../../asm/libmill.image.js';
import type { LinkedFile } from '../link/linked-run.js';
import { RUNTIME } from '../runtime-files.js';
import type { Sources } from '../view/code.js';

/**
 * The texts of a link, and the runtime's own; no other file of this machine is read, whatever the program says of
 * where it was written.
 */
export function linkedSources(files: readonly LinkedFile[]): Sources {
  const texts = new Map(files.flatMap((file) => ('text' in file ? [[file.name, file.text.split('\n')] as const] : [])));
  const runtime = fileSources([], [RUNTIME]);
  return (file) => texts.get(basename(file)) ?? (/^[\w-]+\.(s|inc)$/.test(file) ? runtime(file) : undefined);
}

/** Looks for sources where the program's files are, where this is started, and in the runtime. */
export function fileSources(
  paths: readonly string[],
  folders: readonly string[] = ['', ...new Set(paths.map(dirname)), RUNTIME],
): Sources {
  const known = new Map<string, readonly string[] | undefined>();
  const read = (file: string): readonly string[] | undefined => {
    const named = paths.find((path) => path === file || path.endsWith(`/${file}`));
    for (const path of [...(named === undefined ? [] : [named]), ...folders.map((folder) => join(folder, file))]) {
      try {
        return readFileSync(path, 'utf8').split('\n');
      } catch {
        // It is looked for elsewhere, and done without if it is nowhere.
      }
    }
    return INCLUDES[file]?.split('\n');
  };
  return (file) => {
    if (!known.has(file)) known.set(file, read(file));
    return known.get(file);
  };
}
