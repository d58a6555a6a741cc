import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ENGINES, loadEngine } from '../emu/open.js';
import type { Done, Job, Opened } from './machine.js';

const MACHINE = fileURLToPath(new URL('machine.ts', import.meta.url));

/** An engine in a process of its own, which does jobs one at a time. */
export class Engine {
  private constructor(
    readonly name: string,
    private readonly child: ChildProcess,
  ) {}

  /** @returns why there is no such engine here, if there is none */
  static async start(name: string): Promise<Engine | string> {
    const child = fork(MACHINE, { env: { ...process.env, MILLSCOPE_ENGINE: name } });
    const { missing } = await answer<Opened>(child);
    if (missing === undefined) return new Engine(name, child);
    child.kill();
    return missing;
  }

  /** @throws Error if the job could not be done */
  async do(job: Job): Promise<Done> {
    this.child.send(job);
    const done = await answer<Done | { error: string }>(this.child);
    if ('error' in done) throw new Error(`${this.name}: ${done.error}`);
    return done;
  }

  close(): void {
    this.child.kill();
  }
}

function answer<Message>(child: ChildProcess): Promise<Message> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error('the process of an engine has ended'));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as Message);
    });
  });
}

/** Starts all engines that are here, and ends them when `use` is done. */
export async function withEngines<Result>(
  use: (engines: readonly Engine[], missing: ReadonlyMap<string, string>) => Promise<Result>,
): Promise<Result> {
  const engines: Engine[] = [];
  const missing = new Map<string, string>();
  try {
    for (const name of ENGINES) {
      const engine = await Engine.start(name);
      if (engine instanceof Engine) engines.push(engine);
      else missing.set(name, engine);
    }
    return await use(engines, missing);
  } finally {
    for (const engine of engines) engine.close();
  }
}

/** Why there is no such engine here, if there is none. */
export async function whyMissing(engine: string): Promise<string | undefined> {
  try {
    await loadEngine(engine);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
