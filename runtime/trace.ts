import type { Memory } from '../emu/memory.js';
import type { Clock } from './clock.js';
import type { Symbols } from './symbols.js';

const MS_PER_DAY = 86_400_000;

/** libmill's gotrace(): a line for each operation, while its level is above 0. Times are the machine's. */
export class Trace {
  readonly #memory: Memory;
  readonly #level: number;
  readonly #clock: Clock;
  readonly #write: (text: string) => void;

  constructor(memory: Memory, symbols: Symbols, clock: Clock, write: (text: string) => void) {
    this.#memory = memory;
    this.#level = symbols('mill_tracelevel');
    this.#clock = clock;
    this.#write = write;
  }

  get on(): boolean {
    return this.#memory.i32(this.#level) > 0;
  }

  set level(level: number) {
    this.#memory.setU32(this.#level, level);
  }

  /**
   * @param id of the coroutine that does it
   * @param current address of a string that says where, or 0
   */
  say(id: number, text: string, current: number): void {
    const time = new Date(this.#clock.time() % MS_PER_DAY).toISOString().slice(11, 23);
    const where = current === 0 ? '' : ` at ${this.#memory.text(current)}`;
    this.#write(`==> ${time}000 ${`{${id}}`.padEnd(8)} ${text}${where}\n`);
  }
}
