import type { FaultKind } from '../emu/fault.js';
import type { Memory } from '../emu/memory.js';
import { TooManyProcesses } from './errors.js';
import type { Symbols } from './symbols.js';

/** How deep processes may nest: each one above the running one is a copy of the machine. */
const DEEPEST = 8;
/** How many there may be in one run. */
const MOST = 1000;
const WORD = 4;
const TIME = 8;

/** Of a child that has ended and was not yet waited for: this bit, and below it its status as wait() has it. */
const ENDED = 2 ** 31;

/** How a child ended: by exit with a status, or as if by a signal. */
export type ChildEnd = { readonly exit: number } | { readonly signal: number };

/** Linux's numbers of the signals that a child may end by. */
export const SIGNALS = { illegal: 4, trap: 5, abort: 6, arithmetic: 8, segmentation: 11 } as const;

/** The signal that Linux would send for a fault. */
export function signalOf(kind: FaultKind): number {
  if (kind === 'divide error' || kind === 'floating-point error') return SIGNALS.arithmetic;
  if (kind === 'invalid instruction' || kind === 'refused instruction') return SIGNALS.illegal;
  return kind === 'breakpoint' || kind === 'trap' ? SIGNALS.trap : SIGNALS.segmentation;
}

/**
 * What a process knows of itself and its children. One process runs at a time: a child from its fork to its end, and
 * then its parent from there on, so that a child has always ended when its parent waits for it.
 */
export class Processes {
  readonly #memory: Memory;
  readonly #id: number;
  readonly #parent: number;
  readonly #last: number;
  /** A word for each id. Fixed, and no list: the program may have damaged its heap when a child of its ends. */
  readonly #children: number;
  readonly #times: number;

  constructor(memory: Memory, symbols: Symbols) {
    this.#memory = memory;
    this.#id = symbols('__process_id');
    this.#parent = symbols('__parent_process_id');
    this.#last = symbols('process_last_id');
    this.#children = symbols('process_children');
    this.#times = symbols('process_child_times');
  }

  /** The id of the process that runs; the first one has 1. */
  get id(): number {
    return this.#memory.u32(this.#id);
  }

  /** The id that was given last, by any process. */
  get last(): number {
    return this.#memory.u32(this.#last);
  }

  /**
   * fork() as the parent sees it.
   * @param depth how many processes wait for this one to end
   * @returns the child's id
   * @throws TooManyProcesses
   */
  fork(depth: number): number {
    if (depth === DEEPEST) throw new TooManyProcesses(`${DEEPEST} processes within each other, each one's child`);
    const id = this.last + 1;
    if (id > MOST) throw new TooManyProcesses(`${MOST} processes in one run`);
    this.#memory.setU32(this.#last, id);
    return id;
  }

  /** Makes of the parent's memory that of its child. */
  becomeChild(): void {
    this.#memory.setU32(this.#parent, this.id);
    this.#memory.setU32(this.#id, this.last);
    this.#memory.fill(this.#children, WORD * (MOST + 1), 0);
  }

  /**
   * In the parent as it was at its fork(), when that child has ended.
   * @param last the id that the child, or a child of its, has given last
   * @param time in ms, on the child's clock
   */
  childEnded(end: ChildEnd, last: number, time: number): void {
    const id = this.last;
    this.#memory.setU32(this.#last, Math.max(id, last));
    // wait(2): the status is in bits 8-15, a signal in bits 0-6.
    this.#memory.setU32(this.#child(id), ENDED + ('exit' in end ? (end.exit & 0xff) << 8 : end.signal));
    this.#memory.setU64(this.#times + TIME * id, BigInt(time));
  }

  /**
   * wait() for one child, or for whichever ended first by its clock if `id` is not positive.
   * @returns its id, its status as waitpid() has it, and when it ended, in ms; undefined if there is no such child
   */
  wait(id: number): { readonly id: number; readonly status: number; readonly time: number } | undefined {
    let first: { id: number; status: number; time: number } | undefined;
    for (let child = Math.max(id, 1); child <= (id > 0 ? Math.min(id, MOST) : this.last); child++) {
      const word = this.#memory.u32(this.#child(child));
      if (word < ENDED) continue;
      const time = Number(this.#memory.u64(this.#times + TIME * child));
      if (first === undefined || time < first.time) first = { id: child, status: word - ENDED, time };
    }
    if (first !== undefined) this.#memory.setU32(this.#child(first.id), 0);
    return first;
  }

  #child(id: number): number {
    return this.#children + WORD * id;
  }
}
