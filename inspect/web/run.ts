import { Image } from '../../asm/image.js';
import type { Cpu } from '../../emu/cpu.js';
import { libmill } from '../../runtime/libmill.js';
import { Process } from '../../runtime/process.js';
import type { Stage } from '../lesson/stage.js';
import { Session } from '../session.js';
import type { BuiltProgram } from './workshop/protocol.js';

/** How a program is run: all that decides, besides the program, what it is like. */
export interface RunOptions {
  /** argv[0] */
  readonly name: string;
  readonly arguments: readonly string[];
  /** Each as NAME=VALUE. */
  readonly environment: readonly string[];
  readonly seed: bigint;
  /** MiB */
  readonly memory: number;
}

/** Puts a program of the playground into a machine. @param cpu an open one without a process */
export function stageOf(cpu: Cpu, { image, runtime, sources }: BuiltProgram, options: RunOptions): Stage {
  const { name, seed, environment } = options;
  const guest = runtime === undefined ? libmill() : Image.fromJSON(runtime);
  const argv = [name, ...options.arguments];
  return { session: new Session(new Process(cpu, guest, Image.fromJSON(image), argv, { seed, environment })), sources };
}
