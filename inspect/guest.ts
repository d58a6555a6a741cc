import { readObject } from '../asm/elf/object.js';
import type { Image } from '../asm/image.js';
import { defaultEngine, openCpu } from '../emu/open.js';
import type { Body } from '../runtime/bodies.js';
import { libmill } from '../runtime/libmill.js';
import { Process, type ProcessOptions } from '../runtime/process.js';
import { loadEngine } from './engine.js';
import { UsageError } from './errors.js';
import { whatIsWrong } from './link/check.js';
import { RunLinkError } from './link/error.js';
import { type LinkedRun, programOf } from './link/linked-run.js';
import { loadLinkable } from './linkable.js';
import { isProbe } from './probe/options.js';
import { loadProgram } from './program.js';
import { linkProgram } from './program-image.js';
import { calledAs, type Run } from './run.js';
import { editedRuntime, readRuntime } from './runtime-files.js';

/** A machine, and what is to be in it. */
interface Start extends ProcessOptions {
  readonly engine: string;
  /** MiB */
  readonly memory: number;
  readonly argv: readonly string[];
}

async function start(runtime: Image, program: Image | Body, { engine, memory, argv, ...how }: Start): Promise<Process> {
  await loadEngine(engine);
  const cpu = openCpu({ engine, memory: memory << 20 });
  try {
    return new Process(cpu, runtime, program, argv, how);
  } catch (error) {
    cpu.close();
    throw error;
  }
}

/**
 * A run's process, in a machine of its own, which is to be closed.
 * @throws UsageError, AssemblyError, ObjectError, LinkError, UnresolvedSymbols, EngineError
 */
export async function openGuest(run: Run): Promise<Process> {
  const { paths, options } = run;
  const { engine, memory, seed, clock, env: environment } = options;
  const argv = [calledAs(run), ...run.arguments];
  const how = { engine, memory, argv, seed, clock, environment };
  if (isProbe(options)) {
    if (options.runtime.length > 0) {
      throw new UsageError(
        '--runtime and --probe: a probe runs the switch in its own files: give the edited one as a file',
      );
    }
    // Here, not above: no program is to load it.
    const { image, attach } = await (await import('./probe/program.js')).probeProgram(paths, options);
    const process = await start(libmill(), image, how);
    attach(process);
    return process;
  }
  const edited = await readRuntime(options.runtime);
  const program =
    options.link === undefined
      ? await loadProgram(paths, options.cc, options.archive, edited)
      : await loadLinkable(run, edited);
  return start(edited?.image ?? libmill(), program, how);
}

/**
 * The process of a linked run, at the start of the run, in a machine of its own, which is to be closed.
 * @throws RunLinkError if it is nothing that can be linked; UsageError if it has no such runtime; AssemblyError, ObjectError, LinkError, UnresolvedSymbols
 */
export async function openLinked(run: LinkedRun, engine: string = defaultEngine()): Promise<Process> {
  const wrong = whatIsWrong(run);
  if (wrong !== undefined) throw new RunLinkError(`the run cannot be opened: ${wrong}`);
  const { objects, sources, include } = programOf(run.files);
  const edited = await editedRuntime(run.runtime);
  const program = await linkProgram(objects.map(readObject), { sources, include, runtime: edited });
  const { memory, seed, environment } = run;
  return start(edited?.image ?? libmill(), program, {
    engine,
    memory,
    argv: [run.name, ...run.arguments],
    seed,
    environment,
  });
}
