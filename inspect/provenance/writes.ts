/** Looking for whoever writes a place. */

import { PAGE_SIZE } from '../../emu/memory.js';
import type { RegisterUse, RegisterUses } from '../../emu/register-access.js';
import { overlap, type RegisterPart } from '../../emu/register-parts.js';
import { mayDiffer } from '../../emu/saved-memory.js';
import type { Process, SavedProcess } from '../../runtime/process.js';
import type { MoveOptions, Search } from '../history.js';
import type { Session } from '../session.js';
import { isCertain, writesNow } from './conditions.js';
import { Lineage } from './lineage.js';
import { type MemoryPlace, type Place, valueAt } from './place.js';

const LONGEST_INSTRUCTION = 15;
/** Instructions. */
const NEARBY = [1_000, 10_000];

/** The instruction at an address, as far as it is one. */
function instructionAt({ cpu }: Process, uses: RegisterUses, address: number): RegisterUse | undefined {
  return uses.at(BigInt(address), () => {
    const left = PAGE_SIZE - (address % PAGE_SIZE);
    const whole = left >= LONGEST_INSTRUCTION || cpu.memory.protectionAt(address + left) === 'r-x';
    return cpu.memory.read(address, whole ? LONGEST_INSTRUCTION : left);
  });
}

/**
 * An instruction that writes bytes of a register is next: with the value that is there already, too. At full speed it is
 * the last one of each block, which may turn out not to have written, as a cmov whose condition does not hold.
 * @param exact whether that is looked at, in single steps
 */
function atRegisterWrite(process: Process, uses: RegisterUses, part: RegisterPart, exact: boolean): Search {
  const { cpu } = process;
  const lineage = new Lineage(process);
  /** By block: how many instructions come before the last one in it that writes; -1 for none. */
  const known = new Map<number, number>();
  const lastWriter = (block: number, size: number): number => {
    let last = -1;
    let count = 0;
    for (let at = block; at < block + size; count++) {
      const use = instructionAt(process, uses, at);
      if (use === undefined) break;
      if (use.writes.some((one) => overlap(one, part))) last = count;
      at += use.length;
    }
    return last;
  };
  return {
    steps: exact,
    watch: (found) => {
      const end = cpu.onBlock((block, size) => {
        const key = exact ? block : block * LONGEST_BLOCK + size;
        let last = known.get(key);
        if (last === undefined) {
          last = lastWriter(block, size);
          known.set(key, last);
        }
        const use = last < 0 || !exact ? undefined : instructionAt(process, uses, block);
        if (last >= 0 && (use === undefined || isCertain(use) || writesNow(process, use, part))) {
          lineage.note(cpu.moment + last, found);
        } else lineage.pass();
      });
      return () => {
        end();
        lineage.report(found);
      };
    },
  };
}

/** No block of an engine has so many bytes. */
const LONGEST_BLOCK = 0x10000;

/** What an instruction, or the host in its place, wrote. */
export interface Written {
  readonly low: number;
  /** Behind the last byte. */
  readonly high: number;
}

/** An instruction that writes bytes of memory is next, or a `syscall` behind which the host does. */
class MemoryWrites implements Search {
  readonly steps = true;
  readonly #process: Process;
  readonly #place: MemoryPlace;
  readonly #lineage: Lineage;
  readonly #written = new Map<number, Written>();
  #value: bigint | undefined;

  constructor(process: Process, place: MemoryPlace) {
    this.#process = process;
    this.#place = place;
    this.#lineage = new Lineage(process);
  }

  /** What the instruction that begins at a moment wrote, in all. */
  at(moment: number): Written | undefined {
    return this.#written.get(moment);
  }

  watch(found: (moment: number) => void): () => void {
    const { cpu } = this.#process;
    this.#written.clear();
    this.#value = this.#look();
    const note = (low: number, high: number): void => {
      const moment = cpu.moment - 1;
      const known = this.#written.get(moment) ?? { low, high };
      this.#written.set(moment, { low: Math.min(low, known.low), high: Math.max(high, known.high) });
      this.#lineage.note(moment, found);
    };
    const { address, size } = this.#place;
    const ends = [
      cpu.onBlock(() => this.#lineage.pass()),
      cpu.onAccess((kind, low, bytes) => {
        if (kind !== 'read' && low < address + size && low + bytes > address) note(low, low + bytes);
      }),
      this.#process.on('restored', () => {
        this.#value = this.#look();
      }),
    ];
    return () => {
      for (const end of ends) end();
      this.#lineage.report(found);
    };
  }

  stepped(found: (moment: number) => void): void {
    const { moment } = this.#process.cpu;
    const { address, size } = this.#place;
    // What an engine does not tell of is seen at least if it changes something.
    const value = this.#look();
    if (value !== this.#value && !this.#written.has(moment - 1)) {
      this.#written.set(moment - 1, { low: address, high: address + size });
      this.#lineage.note(moment - 1, found);
    }
    this.#value = value;
  }

  /** Writes of a child that is gone by then do not count. */
  possible(before: SavedProcess, after: SavedProcess): boolean {
    const { address, size } = this.#place;
    return mayDiffer(before.cpu.memory, after.cpu.memory, address, size);
  }

  #look(): bigint | undefined {
    return valueAt(this.#process, this.#place);
  }
}

/** Which instruction wrote a place last; what it wrote is known of memory. */
export interface Writer {
  readonly use: RegisterUse;
  readonly written: Written | undefined;
}

/**
 * Goes back to where the instruction that wrote a place last is next.
 * @returns undefined if there is none, at the first moment then, or if the way there was interrupted
 */
export async function lastWriter(
  session: Session,
  uses: RegisterUses,
  place: Place,
  options: MoveOptions,
): Promise<Writer | undefined> {
  const { process, history } = session;
  if (place.kind === 'memory') {
    const writes = new MemoryWrites(process, place);
    const found = (await nearby(session, writes, options)) || (await history.back(writes, options));
    const use = found ? instructionAt(process, uses, process.cpu.rip) : undefined;
    return use && { use, written: writes.at(session.moment) };
  }
  const { part } = place;
  let found = await history.back(atRegisterWrite(process, uses, part, false), options);
  let use = found ? instructionAt(process, uses, process.cpu.rip) : undefined;
  if (use !== undefined && !isCertain(use) && !writesNow(process, use, part)) {
    found = await history.back(atRegisterWrite(process, uses, part, true), options);
    use = found ? instructionAt(process, uses, process.cpu.rip) : undefined;
  }
  return use && { use, written: undefined };
}

/**
 * Looks a little way back first, since single steps take time and most of what is read was written not long ago.
 * @returns whether it is there; if not, the session is where it was
 */
async function nearby(session: Session, writes: MemoryWrites, options: MoveOptions): Promise<boolean> {
  const { history, moment: until } = session;
  for (const distance of NEARBY) {
    let last: number | undefined;
    await history.go(Math.max(0, until - distance), options);
    await history.forward(
      {
        steps: true,
        watch: () =>
          writes.watch((moment) => {
            if (moment < until) last = Math.max(last ?? moment, moment);
          }),
        stepped: (found) => {
          writes.stepped(() => {});
          if (session.moment >= until) found(session.moment);
        },
      },
      options,
    );
    if (options.signal?.aborted === true) return false;
    await history.go(last ?? until, options);
    if (last !== undefined) return true;
  }
  return false;
}
