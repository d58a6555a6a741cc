import type { Snapshot } from '../emu/cpu.js';
import { REGISTERS } from '../emu/registers.js';
import { firstDifference, type SavedTable } from '../emu/saved-memory.js';
import type { Output } from '../runtime/events.js';
import type { Outcome, Process, SavedProcess } from '../runtime/process.js';
import { HistoryError } from './errors.js';
import { watchLandings } from './landings.js';
import { SwitchIndex } from './switch-index.js';

/**
 * Some milliseconds of running. Each snapshot makes an engine stop, which then translates anew what it runs: a fraction
 * of a millisecond that more of them would make felt.
 */
const INTERVAL = 75_000;
const DEFAULT_BYTES = 256 << 20;
/** What a snapshot takes besides copies of pages: registers, and a list for each table that has changed. */
const SNAPSHOT_OVERHEAD = 16 << 10;
/** For how long nobody else gets the processor, in ms. */
const PATIENCE_MS = 50;

/** How a run comes back that has not ended. */
const GOES_ON: ReadonlySet<Outcome['kind']> = new Set(['limit', 'paused', 'child', 'waiting']);

export interface HistoryOptions {
  /** Bytes that snapshots may take. */
  readonly bytes?: number;
  /** Instructions from one snapshot to the next, as long as they do not take more than that. */
  readonly interval?: number;
}

/** How a long move is watched and interrupted. */
export interface MoveOptions {
  /** An interrupted move leaves the session at some moment on its way. */
  readonly signal?: AbortSignal;
  /** Told now and then at which moment the move is. */
  readonly progress?: (moment: number) => void;
  /** Whether a move waits with a guest that waits for the real clock, as it does if nothing is said, or ends there. */
  readonly waits?: boolean;
}

/** Something to look for while the guest runs. */
export interface Search {
  /** Whether the guest is to be single-stepped while it is looked for. */
  readonly steps?: boolean;
  /**
   * Begins to watch the guest.
   * @param found to be called with each moment that fits; they may come ahead of their time, and in any order
   * @returns what ends the watching; it may report a last moment
   */
  watch(found: (moment: number) => void): () => void;
  /** Called behind each instruction of a single-stepped guest. */
  stepped?(found: (moment: number) => void): void;
  /** Whether it may be found between two snapshots; without it, always. */
  possible?(before: SavedProcess, after: SavedProcess): boolean;
}

/** What the guest wrote, and when: at this moment the write had happened. */
export interface RecordedOutput extends Output {
  readonly moment: number;
}

/**
 * A run of a process that can be moved to any of its moments, exactly: snapshots at intervals, from which the guest runs
 * again, since the same input makes the same run. Where a moment is not enough of a name, since a child of fork() ends
 * and its parent goes on, it is the child's last state.
 *
 * Whoever has a history of a process runs it through the history only.
 */
export class History {
  readonly process: Process;
  readonly switches = new SwitchIndex();
  readonly outputs: RecordedOutput[] = [];
  readonly #snapshots: SavedProcess[] = [];
  readonly #bytes: number;
  #interval: number;
  #furthest = 0;
  /** How the run ended, if it was run to its end. */
  #end: Outcome | undefined;
  #lastPause = 0;

  /** @param process that has not run yet; what it will hear of the real clock is recorded */
  constructor(process: Process, { bytes = DEFAULT_BYTES, interval = INTERVAL }: HistoryOptions = {}) {
    process.mill.clock.record();
    this.process = process;
    this.#bytes = bytes;
    this.#interval = interval;
    this.#snapshots.push(process.save());
    process.on('output', (output) => {
      if (this.#isNew) this.outputs.push({ ...output, moment: this.moment });
    });
    watchLandings(process, (landing) => {
      const { length } = this.switches;
      if (length === 0 || landing.moment > this.switches.at(length - 1).moment) this.switches.push(landing);
    });
  }

  get moment(): number {
    return this.process.cpu.moment;
  }

  /** The last moment that has been seen. */
  get furthest(): number {
    return this.#furthest;
  }

  /** How the run ended, when that is known. */
  get end(): Outcome | undefined {
    return this.#end;
  }

  /** How the guest is at this moment; undefined if it can go on. */
  get outcome(): Outcome | undefined {
    return this.#end !== undefined && this.moment === this.#furthest ? this.#end : undefined;
  }

  /** Bytes that snapshots take, and how many instructions lie between them now. */
  get cost(): { readonly bytes: number; readonly snapshots: number; readonly interval: number } {
    return { bytes: this.#used(), snapshots: this.#snapshots.length, interval: this.#interval };
  }

  /** Whether what happens now has not happened before. */
  get #isNew(): boolean {
    return this.moment > this.#furthest;
  }

  /**
   * Goes to a moment, or to the end if that comes first.
   * @throws HistoryError if the guest does not run as it did
   */
  async go(moment: number, options: MoveOptions = {}): Promise<void> {
    if (moment < this.moment) this.#return(this.#indexBefore(moment));
    else {
      const nearest = this.#indexBefore(moment);
      if (this.#snapshots[nearest].cpu.moment > this.moment) this.#return(nearest);
    }
    await this.#run(moment, undefined, options);
  }

  /**
   * Goes on to the first moment that fits, or the end.
   * @param searches one, or several of which any will do
   * @returns whether there was one
   */
  async forward(searches: Search | readonly Search[], options: MoveOptions = {}): Promise<boolean> {
    const found = await this.#forward([searches].flat(), this.moment, options);
    if (found === undefined) return false;
    await this.go(found, options);
    return true;
  }

  /** Goes back to the last moment that fits, or the start. See {@link forward}. */
  async back(searches: Search | readonly Search[], options: MoveOptions = {}): Promise<boolean> {
    const start = this.moment;
    const { fast, slow } = bySpeed([searches].flat());
    for (let index = this.#indexBefore(start - 1); index >= 0; index--) {
      const from = this.#snapshots[index];
      const to = Math.min(start, this.#snapshots[index + 1]?.cpu.moment ?? start);
      let last: number | undefined;
      const report = (moment: number): void => {
        if (moment >= from.cpu.moment && moment < start) last = Math.max(last ?? moment, moment);
      };
      if (fast.length > 0) {
        this.#return(index);
        await this.#watched(fast, to, options, report);
      }
      const possible = slow.filter((search) => this.#mayBeIn(search, index));
      if (possible.length > 0) {
        // In front of the last one that is known it need not be looked for.
        if (last === undefined) this.#return(index);
        else await this.go(last, options);
        await this.#watched(possible, to, options, report);
      }
      if (options.signal?.aborted === true) return false;
      if (last === undefined) continue;
      await this.go(last, options);
      return true;
    }
    await this.go(0, options);
    return false;
  }

  async #forward(searches: readonly Search[], start: number, options: MoveOptions): Promise<number | undefined> {
    const { fast, slow } = bySpeed(searches);
    let found: number | undefined;
    const report = (moment: number): void => {
      if (moment > start) found = Math.min(found ?? moment, moment);
    };
    const enough = (): boolean => found !== undefined;
    const alike = fast.length === 0 && slow.every(({ possible }) => possible === undefined) ? slow : fast;
    if (alike.length === searches.length) {
      await this.#watched(alike, Number.POSITIVE_INFINITY, options, report, enough);
      return found;
    }
    while (found === undefined && this.outcome === undefined && options.signal?.aborted !== true) {
      // At full speed first, to see how far single steps are worth it.
      const from = this.moment;
      const before = this.process.save();
      await this.#watched(fast, from + this.#interval, options, report, enough);
      const after = this.process.save();
      const possible = slow.filter((search) => search.possible?.(before, after) !== false);
      if (possible.length === 0) continue;
      const upTo = this.moment;
      await this.go(from, options);
      await this.#watched(possible, found ?? upTo, options, report, () => found !== undefined && found <= this.moment);
    }
    return found;
  }

  async #watched(
    searches: readonly Search[],
    to: number,
    options: MoveOptions,
    found: (moment: number) => void,
    enough: () => boolean = () => false,
  ): Promise<void> {
    const { cpu } = this.process;
    const report = (moment: number): void => {
      found(moment);
      if (enough()) cpu.stop();
    };
    const ends = searches.map((search) => search.watch(report));
    const visit = (): void => {
      for (const search of searches) search.stepped?.(report);
    };
    try {
      await this.#run(to, searches.some(({ steps }) => steps === true) ? visit : undefined, options, enough);
    } finally {
      for (const end of ends) end();
    }
  }

  /** Runs on, to a moment or to the end of the run, keeps what is new, and checks what is not. */
  async #run(
    to: number,
    visit: (() => void) | undefined,
    { signal, progress, waits = true }: MoveOptions,
    enough: () => boolean = () => false,
  ): Promise<void> {
    while (this.moment < to && this.outcome === undefined && !enough()) {
      if (signal?.aborted === true) return;
      const known = this.#snapshots[this.#indexBefore(this.moment) + 1];
      const next = known?.cpu.moment ?? this.#snapshots[this.#snapshots.length - 1].cpu.moment + this.#interval;
      const limit = this.moment < this.#furthest ? Math.min(to, next, this.#furthest) : Math.min(to, next);
      const outcome = visit === undefined ? this.process.run(limit) : this.process.step(limit - this.moment, visit);
      const atFrontier = this.moment >= this.#furthest;
      this.#furthest = Math.max(this.#furthest, this.moment);
      if (atFrontier && !GOES_ON.has(outcome.kind)) {
        this.#end = outcome;
      }
      if (known !== undefined && this.moment === known.cpu.moment) this.#check(known);
      else if (known === undefined && this.moment === next) this.#keep();
      if (outcome.kind === 'waiting' && !this.process.mill.clock.repeats) {
        if (!waits) return;
        const ms = Math.min(PATIENCE_MS, Math.max(1, outcome.until - performance.now()));
        await new Promise((resolve) => setTimeout(resolve, ms));
      }
      if (performance.now() - this.#lastPause > PATIENCE_MS) {
        progress?.(this.moment);
        await new Promise((resolve) => setTimeout(resolve, 0));
        this.#lastPause = performance.now();
      }
    }
  }

  /** Index of the last snapshot that is not behind a moment. */
  #indexBefore(moment: number): number {
    let [low, high] = [0, this.#snapshots.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#snapshots[middle].cpu.moment <= moment) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #return(index: number): void {
    this.process.restore(this.#snapshots[index]);
  }

  #mayBeIn(search: Search, index: number): boolean {
    const [before, after] = [this.#snapshots[index], this.#snapshots[index + 1]];
    return search.possible === undefined || after === undefined || search.possible(before, after);
  }

  #keep(): void {
    this.#snapshots.push(this.process.save());
    while (this.#snapshots.length > 2 && this.#used() > this.#bytes) this.#thin();
  }

  /** Gives up every other snapshot, so that the rest of the run costs half as much too. */
  #thin(): void {
    this.#interval *= 2;
    const kept = this.#snapshots.filter((_, index) => index % 2 === 0);
    this.#snapshots.splice(0, this.#snapshots.length, ...kept);
    this.#usedUpTo = 0;
  }

  /** What has been counted already: snapshots, their bytes, and the copies they share. */
  #usedUpTo = 0;
  #usedBytes = 0;
  #counted = new Set<SavedTable | Uint8Array>();

  #used(): number {
    if (this.#usedUpTo === 0) {
      this.#usedBytes = 0;
      this.#counted = new Set();
    }
    for (; this.#usedUpTo < this.#snapshots.length; this.#usedUpTo++) {
      this.#usedBytes += SNAPSHOT_OVERHEAD;
      for (const table of this.#snapshots[this.#usedUpTo].cpu.memory.tables) this.#count(table);
    }
    return this.#usedBytes;
  }

  #count(table: SavedTable): void {
    if (this.#counted.has(table)) return;
    this.#counted.add(table);
    this.#usedBytes += table.entries.length;
    for (const page of table.pages) {
      if (page === undefined || this.#counted.has(page)) continue;
      this.#counted.add(page);
      this.#usedBytes += page.length;
    }
  }

  /** The guest is at the moment of a snapshot again: it must be what it was. */
  #check(known: SavedProcess): void {
    const difference = differenceOf(known.cpu, this.process.save().cpu);
    if (difference === undefined) return;
    throw new HistoryError(
      `the run is not repeatable: at moment ${this.moment} ${difference} is not what it was the first time`,
    );
  }
}

/** What can be looked for at full speed, and what in single steps only. */
function bySpeed(searches: readonly Search[]): { readonly fast: readonly Search[]; readonly slow: readonly Search[] } {
  return {
    fast: searches.filter(({ steps }) => steps !== true),
    slow: searches.filter(({ steps }) => steps === true),
  };
}

/** What differs first between two states: a register's name or an address. */
export function differenceOf(one: Snapshot, other: Snapshot): string | undefined {
  const register = REGISTERS.find((name) => one.registers[name] !== other.registers[name]);
  if (register !== undefined) return register;
  const address = firstDifference(one.memory, other.memory);
  return address === undefined ? undefined : `memory at 0x${address.toString(16)}`;
}
