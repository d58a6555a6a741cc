import { readObject } from '../asm/elf/object.js';
import type { Image } from '../asm/image.js';
import type { Source } from '../asm/statement.js';
import { defaultEngine, openCpu } from '../emu/open.js';
import type { Body } from '../runtime/bodies.js';
import { libmill } from '../runtime/libmill.js';
import { Process, type ProcessOptions } from '../runtime/process.js';
import { loadEngine } from './engine.js';
import { whatIsWrong } from './link/check.js';
import { RunLinkError } from './link/error.js';
import { type LinkedRun, programOf } from './link/linked-run.js';
import { loadLinkable } from './linkable.js';
import { isProbe } from './probe/options.js';
import { buildProgram, loadProgram } from './program.js';
import { calledAs, type Run } from './run.js';

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
    // Here, not above: no program is to load it.
    const { image, attach } = await (await import('./probe/program.js')).probeProgram(paths, options);
    const process = await start(libmill(), image, how);
    attach(process);
    return process;
  }
  const program =
    options.link === undefined ? await loadProgram(paths, options.cc, options.archive) : await loadLinkable(run);
  return start(libmill(), program, how);
}

/** The guest side of the runtime, with these sources in the place of its own. */
function runtimeOf(sources: readonly Source[]): Image {
  // The one place where an edited runtime comes in; programs are to be linked with its symbols then.
  if (sources.length === 0) return libmill();
  throw new RunLinkError(`the link has a runtime of its own (${sources[0].name}), which this millscope cannot build`);
}

/**
 * The process of a linked run, at the start of the run, in a machine of its own, which is to be closed.
 * @throws RunLinkError if it is nothing that can be linked; AssemblyError, ObjectError, LinkError, UnresolvedSymbols
 */
export async function openLinked(run: LinkedRun, engine: string = defaultEngine()): Promise<Process> {
  const wrong = whatIsWrong(run);
  if (wrong !== undefined) throw new RunLinkError(`the run cannot be opened: ${wrong}`);
  const { objects, sources, include } = programOf(run.files);
  const runtime = runtimeOf(run.runtime);
  const program = await buildProgram({ objects: objects.map(readObject), archives: [], sources, include });
  const { memory, seed, environment } = run;
  return start(runtime, program, { engine, memory, argv: [run.name, ...run.arguments], seed, environment });
}
