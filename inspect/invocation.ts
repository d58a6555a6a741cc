import { DEFAULT_MEMORY, defaultEngine } from '../emu/open.js';
import { probeWords } from './probe/options.js';
import type { Run } from './run.js';

/** Moments on each side of the one that is looked at. */
export const AROUND = 20;

/** A word as a shell reads it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** The command line that lists the instructions around a moment of a run. */
export function listingCommand(run: Run, moment: number): string {
  return commandLine('trace', run, ['--from', `${Math.max(0, moment - AROUND)}`, '--to', `${moment + AROUND}`]);
}

/** The command line that shows a moment of a run. */
export function lookCommand(run: Run, moment: number): string {
  return commandLine('run', run, ['--at', `${moment}`]);
}

/** The command line that steps through a run from a moment on. */
export function stepCommand(run: Run, moment: number): string {
  return commandLine('step', run, ['--at', `${moment}`]);
}

/** The command line that says why a place holds what it holds at a moment. @param place as one asks for it */
export function whyCommand(run: Run, moment: number, place: string): string {
  return commandLine('why', run, ['--at', `${moment}`, ...place.split(' ')]);
}

/** The command line of a run: with the options that decide what it is like, and those that say what is wanted of it. */
function commandLine(
  command: string,
  { paths, arguments: parameters, options }: Run,
  wanted: readonly string[],
): string {
  const { seed, engine, memory, cc, archive, runtime, env, clock } = options;
  const words = [
    'millscope',
    command,
    ...paths,
    ...(seed === 0n ? [] : ['--seed', `${seed}`]),
    ...(engine === defaultEngine() ? [] : ['--engine', engine]),
    ...(memory === DEFAULT_MEMORY >> 20 ? [] : ['--memory', `${memory}`]),
    ...(clock === 'virtual' ? [] : ['--clock', clock]),
    ...(cc === '' ? [] : ['--cc', cc]),
    ...archive.flatMap((path) => ['--archive', path]),
    ...runtime.flatMap((path) => ['--runtime', path]),
    ...env.flatMap((variable) => ['--env', variable]),
    ...probeWords(options),
    ...wanted,
    ...(parameters.length === 0 ? [] : ['--', ...parameters]),
  ];
  return words.map(quoted).join(' ');
}
