import { basename } from 'node:path';
import type { ProbeOptions } from './probe/options.js';

/** What decides what a run is like, and how long it may be. */
export interface RunOptions extends ProbeOptions {
  readonly engine: string;
  /** For the compiler, as one would type them. */
  readonly cc: string;
  /** Paths of archives. */
  readonly archive: readonly string[];
  /** Paths of sources of the runtime that replace its own of the same name. */
  readonly runtime: readonly string[];
  /** Each as NAME=VALUE. */
  readonly env: readonly string[];
  readonly seed: bigint;
  /** MiB */
  readonly memory: number;
  readonly limit?: number;
  readonly clock: 'virtual' | 'real';
  /** Whether messages that name a moment are to have a link to it, and to which site if that is not the usual one. */
  readonly link?: true | string;
}

/** A program that is to be run: its files, its arguments, and how. */
export interface Run {
  readonly paths: readonly string[];
  readonly arguments: readonly string[];
  readonly options: RunOptions;
  /** What it is told that it is called, if that is not its first file. */
  readonly name?: string;
}

/** What a program is told that it is called: argv[0]. */
export function calledAs({ name, paths }: Run): string {
  return basename(name ?? paths[0]);
}
