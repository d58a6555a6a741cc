import type { EventName, Step, TraceEvent } from './event.js';

/** What a run is, and what of it is traced. */
export interface Header {
  readonly millscope: string;
  /** Its files. */
  readonly program: readonly string[];
  readonly arguments: readonly string[];
  /** Name and version. */
  readonly engine: string;
  /** In decimal. */
  readonly seed: string;
  readonly clock: 'virtual' | 'real';
  /** MiB */
  readonly memory: number;
  readonly environment: readonly string[];
  readonly archives: readonly string[];
  /** Paths of edited sources of the runtime. */
  readonly runtime: readonly string[];
  readonly cc: string;
  readonly from: number;
  /** null for the end of the run. */
  readonly to: number | null;
  readonly events: readonly EventName[];
}

/** How a trace ends. */
export interface End {
  readonly at: number;
  /** How the run ended; or why the trace has: `to` or --limit was reached, or somebody pressed Ctrl-C. */
  readonly outcome: 'exit' | 'abort' | 'fault' | 'error' | 'to' | 'limit' | 'interrupted';
  /** Of an exit. */
  readonly status?: number;
  /** What the command line says of it. */
  readonly message?: string;
}

/**
 * Writes a trace in one format. What happens in front of the traced moments is told too, for those who have to know
 * what was going on at the first of them.
 */
export interface Writer {
  /** The traced moments begin. */
  begin(header: Header, coroutine: number): void;
  /** All registers, where instructions are traced: at the beginning, and when a parent goes on as it was. */
  registers(at: number, coroutine: number, words: Uint32Array): void;
  instruction(step: Step): void;
  event(event: TraceEvent): void;
  end(end: End): void;
}
