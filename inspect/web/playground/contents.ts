import type { Source } from '../../../asm/statement.js';
import type { Language } from '../../lesson/lesson.js';
import type { LinkedFile, LinkedRun } from '../../link/linked-run.js';
import type { BuiltProgram } from '../workshop/protocol.js';

/** `playground/index.json`: the programs that come with the page, in their order. */
export type PlaygroundContents = readonly {
  /** Its file is `playground/NAME.json`. */
  readonly name: string;
  readonly titles: Readonly<Record<Language, string>>;
}[];

/** `playground/NAME.json`: a run, whose objects are in base64, and its program as the machine takes it. */
export interface ShippedRun extends Omit<LinkedRun, 'seed' | 'files'> {
  readonly files: readonly (Source | { readonly name: string; readonly base64: string })[];
  readonly seed: string;
  readonly program: BuiltProgram;
}

/** The run that was shipped. */
export function readShipped({ seed, files, program: _, ...run }: ShippedRun): LinkedRun {
  const file = (one: ShippedRun['files'][number]): LinkedFile =>
    'text' in one ? one : { name: one.name, bytes: Uint8Array.from(atob(one.base64), (byte) => byte.charCodeAt(0)) };
  return { ...run, seed: BigInt(seed), files: files.map(file) };
}
