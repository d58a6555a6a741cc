import type { Source } from '../../asm/statement.js';

/** Text: assembled if it is assembly text (.s), and there to be included or read if not. */
export interface LinkedText extends Source {
  /** Only to be included or read, whatever it is called. */
  readonly beside?: true;
}

/** An object file. */
export interface LinkedObject {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export type LinkedFile = LinkedText | LinkedObject;

/** A run with all that decides what it is like, and one of its moments: what a link holds. */
export interface LinkedRun {
  /**
   * Assembly text and objects, each in the order of the command line; files that the text includes, and sources that
   * objects were compiled from. No two have the same name.
   */
  readonly files: readonly LinkedFile[];
  /** Sources of the runtime that replace its own of the same name. */
  readonly runtime: readonly Source[];
  /** What main() gets behind its name. */
  readonly arguments: readonly string[];
  /** argv[0]. It lies on the guest's stack, so that all addresses there depend on it. */
  readonly name: string;
  /** Each as NAME=VALUE. */
  readonly environment: readonly string[];
  /** Below 2^64. */
  readonly seed: bigint;
  /** MiB, from 16 to 1800. */
  readonly memory: number;
  readonly moment: number;
}

/** What the program of a linked run is made of. */
export interface LinkedProgram {
  readonly objects: readonly LinkedObject[];
  readonly sources: readonly Source[];
  /** Finds what `.include` names. */
  readonly include: (name: string) => Source | undefined;
}

/** Sorts files by what they are for. */
export function programOf(files: readonly LinkedFile[]): LinkedProgram {
  const texts = files.filter((file): file is LinkedText => 'text' in file);
  return {
    objects: files.filter((file): file is LinkedObject => 'bytes' in file),
    sources: texts.filter(({ name, beside }) => name.endsWith('.s') && beside !== true),
    include: (name) => texts.find((text) => text.name === name),
  };
}
