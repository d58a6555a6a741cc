import { REGISTER_FILE } from '../../emu/registers.js';
import type { SavedProcess } from '../../runtime/process.js';
import type { Session } from '../session.js';

/** The 16 general registers, rip and eflags, in the order of REGISTER_FILE. */
export type RegisterFile = Readonly<BigUint64Array>;

/** What can be read at a moment, in front of the instruction that led there, and behind the one that comes next. */
export interface Readings<Words> {
  /** undefined at the start of the run. */
  readonly before: RegisterFile | undefined;
  readonly now: { readonly registers: RegisterFile; readonly words: Words; readonly saved: SavedProcess };
  /** undefined if the run ends here, or waits here for the real clock. */
  readonly after: { readonly registers: RegisterFile; readonly words: Words } | undefined;
}

/** Register files that are kept, so that whoever steps need not go back for the one before. */
const KEPT = 4096;
/** Whoever goes back once will do so again: going back by so many costs what going back by one does. */
const BACK = 16;

/**
 * Reads a session's moment and the two beside it. The next instruction is really executed, and the session taken back:
 * what it prints is known to the history, and is shown when its moment has come.
 */
export class Reader {
  readonly #session: Session;
  /** By moment. */
  readonly #known = new Map<number, RegisterFile>();

  constructor(session: Session) {
    this.#session = session;
  }

  /**
   * @param look reads words of memory; called at this moment, and again behind the next instruction
   * @returns with the session where it was
   */
  async read<Words>(look: () => Words): Promise<Readings<Words>> {
    const session = this.#session;
    const { process, moment } = session;
    const saved = process.save();
    const registers = this.#note();
    const words = look();
    let after: Readings<Words>['after'];
    if (session.outcome === undefined) {
      await session.step(1, { waits: false });
      if (session.moment > moment) after = { registers: this.#note(), words: look() };
      process.restore(saved);
    }
    return { before: await this.#before(saved), now: { registers, words, saved }, after };
  }

  async #before(saved: SavedProcess): Promise<RegisterFile | undefined> {
    const session = this.#session;
    const before = session.moment - 1;
    if (before < 0) return undefined;
    const known = this.#known.get(before);
    if (known !== undefined) return known;
    await session.stepBack(BACK);
    let registers = this.#note();
    while (session.moment < before) {
      await session.step();
      registers = this.#note();
    }
    session.process.restore(saved);
    return registers;
  }

  #note(): RegisterFile {
    const { cpu } = this.#session.process;
    const registers = new BigUint64Array(REGISTER_FILE.length);
    cpu.readInto(registers);
    this.#known.delete(cpu.moment);
    this.#known.set(cpu.moment, registers);
    // The first key is the oldest one.
    for (const moment of this.#known.keys()) {
      if (this.#known.size <= KEPT) break;
      this.#known.delete(moment);
    }
    return registers;
  }
}
