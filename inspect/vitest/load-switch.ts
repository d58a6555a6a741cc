import { check } from '../contract/check.js';
import { statementsIn } from '../contract/command.js';
import { UsageError } from '../errors.js';
import { stepCommand } from '../invocation.js';
import { measurementsOf } from '../layout/command.js';
import { layoutOf } from '../layout/layout.js';
import { DEFAULTS } from '../options.js';
import { Instructions } from '../probe/instructions.js';
import type { Measurement } from '../probe/measure.js';
import type { SwitchOptions } from '../probe/prepare.js';
import { LoadedSwitch } from './loaded-switch.js';
import { type FileNames, pathsOf } from './run-program.js';

/** Which switch is meant, and how it is called: as in the options of `millscope layout`. */
export interface LoadSwitchOptions extends SwitchOptions {
  /** For the C compiler, as one would type them. */
  readonly cc?: string;
  /** Archives to take from what is missing. */
  readonly archives?: FileNames;
}

/**
 * All switches in files: one if it is named, every occurrence of an inline one in objects. The files are read, and
 * sources compiled, at each call. Headers (.h) among them say what inline sequences declare.
 * @throws NothingToMeasure if there is none, or it cannot be told which; UsageError, ObjectError, LinkError, AssemblyError
 */
export async function loadSwitches(
  files: FileNames,
  { cc = '', archives = [], ...said }: LoadSwitchOptions = {},
): Promise<LoadedSwitch[]> {
  const all = pathsOf(files);
  const paths = all.filter((path) => !path.endsWith('.h'));
  const statements = statementsIn(all.filter((path) => path.endsWith('.h')));
  const archive = pathsOf(archives);
  const load = async (
    measurement: Measurement,
    index: number,
    { length: count }: readonly Measurement[],
  ): Promise<LoadedSwitch> => {
    const options = { ...DEFAULTS, ...said, cc, archive, probe: index + 1 };
    const clauses = await check(measurement, statements);
    const instructions = await Instructions.open(measurement.code.image);
    try {
      return new LoadedSwitch(layoutOf(measurement), clauses, { index, count }, instructions, (moment) =>
        stepCommand({ paths, arguments: [], options }, moment),
      );
    } finally {
      instructions.close();
    }
  };
  return Promise.all((await measurementsOf(paths, { ...said, cc, archive })).map(load));
}

/**
 * The one switch in files: assembly text (.s, .S), objects (.o), archives (.a) or C (.c). It is run, which takes part of
 * a second; what is expected of it then costs nothing.
 * @param files paths from the working directory, or URLs
 * @throws NothingToMeasure if there is none, or it cannot be told which; UsageError if there are several, or a file
 * cannot be read; ObjectError, LinkError, AssemblyError
 */
export async function loadSwitch(files: FileNames, options: LoadSwitchOptions = {}): Promise<LoadedSwitch> {
  const [found, ...others] = await loadSwitches(files, options);
  if (others.length === 0) return found;
  const names = [found, ...others].map(({ name }) => name).join('; ');
  const paths = pathsOf(files).join(', ');
  throw new UsageError(`${paths}: there are ${others.length + 1} switches (${names}): use loadSwitches`);
}
