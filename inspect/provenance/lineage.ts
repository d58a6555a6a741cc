import type { Process } from '../../runtime/process.js';

/** Ids are given from here on; the first process has it. */
const FIRST = 1;

/**
 * Which of the moments that a search finds belong to the process that runs now or to one that it was forked from, before
 * the fork: what other processes did between has not reached it.
 */
export class Lineage {
  readonly #process: Process;
  readonly #parentAddress: number;
  readonly #id: number;
  readonly #parents = new Map<number, number>();
  /** Whether there has been a fork on the way here. */
  readonly #forked: boolean;
  /** The last moment of each process. */
  readonly #lasts = new Map<number, number>();

  constructor(process: Process) {
    this.#process = process;
    this.#parentAddress = Number(process.symbol('__parent_process_id'));
    this.#id = process.mill.processes.id;
    this.#forked = process.mill.processes.last > FIRST;
    this.#learn(this.#id);
  }

  /** Notes who runs, since a process above it is known by it only. */
  pass(): void {
    if (this.#forked) this.#learn(this.#process.mill.processes.id);
  }

  /** A moment at which what is looked for is about to happen, or has. */
  note(moment: number, found: (moment: number) => void): void {
    if (!this.#forked) {
      found(moment);
      return;
    }
    const { id } = this.#process.mill.processes;
    this.#learn(id);
    this.#lasts.set(id, moment);
  }

  /** At the end of a stretch. */
  report(found: (moment: number) => void): void {
    for (let id: number | undefined = this.#id; id !== undefined; id = this.#parents.get(id)) {
      const last = this.#lasts.get(id);
      if (last !== undefined) found(last);
    }
    this.#lasts.clear();
  }

  #learn(id: number): void {
    if (!this.#parents.has(id) && id !== FIRST)
      this.#parents.set(id, this.#process.cpu.memory.u32(this.#parentAddress));
  }
}
