import type { Image } from '../asm/image.js';
import { GENERAL_INDEX } from '../emu/registers.js';
import type { Process } from '../runtime/process.js';
import { UsageError } from './errors.js';
import type { Search } from './history.js';
import { blockKey, endsInReturn } from './searches.js';

const RSP = GENERAL_INDEX.rsp;

/** Where the code of a block enters another line of the source. */
interface Entry {
  /** Instructions of the block in front of it. */
  readonly before: number;
  readonly line: string;
}

/** What a block has of the program's lines. */
interface Lined {
  /** The line of its first byte; undefined if that has none. */
  readonly first: string | undefined;
  /** Whether that is the first instruction of what the line became, in this place. */
  readonly begins: boolean;
  /** Further lines that begin in it. */
  readonly entries: readonly Entry[];
  readonly last: string | undefined;
}

/** The lines of a program by address, without those of the runtime, which nobody steps through by line. */
class ProgramLines {
  readonly #images: readonly Image[];
  readonly #starts = new Set<number>();

  constructor({ images: [, ...programs] }: Process) {
    this.#images = programs;
    for (const { lines } of programs) {
      for (const [index, line] of lines.entries()) {
        const before = lines[index - 1];
        // What goes on in the bytes behind is no new beginning.
        if (before?.end !== line.start || name(before) !== name(line)) this.#starts.add(line.start);
      }
    }
  }

  get isEmpty(): boolean {
    return this.#starts.size === 0;
  }

  at(address: number): string | undefined {
    for (const image of this.#images) {
      const line = image.lineAt(BigInt(address));
      if (line !== undefined) return name(line);
    }
    return undefined;
  }

  beginsAt(address: number): boolean {
    return this.#starts.has(address);
  }
}

/** What a macro brings in belongs to the line that calls it. */
const name = ({ from: { file, line } }: Image['lines'][number]): string => `${file}:${line}`;

/**
 * The guest is about to execute the first instruction of a line of the program's source, coming from another line, by a
 * call, or back from code without lines. It follows the machine wherever that goes: into calls, and through a switch to
 * whoever runs next.
 * @throws UsageError if the program says of no code where it is written
 */
export function atLine(process: Process): Search {
  const { cpu } = process;
  const { memory } = cpu;
  const lines = new ProgramLines(process);
  if (lines.isEmpty) {
    throw new UsageError('nothing is known of lines in this program: compile it with -g, or step by instruction');
  }
  const known = new Map<number, Lined>();

  function examine(block: number, size: number): Lined {
    const entries: Entry[] = [];
    const first = lines.at(block);
    let last = first;
    for (let at = block + 1; at < block + size; at++) {
      if (!lines.beginsAt(at)) continue;
      const line = lines.at(at);
      const before = cpu.instructionsBetween(block, at);
      if (line !== undefined && line !== last && before !== undefined) entries.push({ before, line });
      last = line;
    }
    return { first, begins: lines.beginsAt(block), entries, last: lines.at(block + size - 1) };
  }

  return {
    watch: (found) => {
      /** The block before: where it ends, and the line there. Of what is behind a jump in time nothing is known. */
      let end = 0;
      let before: string | undefined;
      let told = -1;
      const isReturnAddress = (top: number): boolean =>
        memory.protectionAt(top) !== undefined && memory.pointer(top) === end;
      /** Whether a line begins at an address that control has come to from the block before. */
      const isBeginning = (address: number, line: string): boolean => {
        if (end === 0) return false;
        if (isReturnAddress(cpu.pointer(RSP))) return true;
        // A return leads behind a call, which is of the line that the caller was in; and so does a switch.
        const from = before === undefined || endsInReturn(memory, end) ? lines.at(address - 1) : before;
        return from !== line;
      };
      const endBlocks = cpu.onBlock((block, size) => {
        // A run that was stopped here says so again.
        if (told === cpu.moment) return;
        told = cpu.moment;
        let lined = known.get(blockKey(block, size));
        if (lined === undefined) {
          lined = examine(block, size);
          known.set(blockKey(block, size), lined);
        }
        if (lined.begins && lined.first !== undefined && isBeginning(block, lined.first)) found(cpu.moment);
        for (const entry of lined.entries) found(cpu.moment + entry.before);
        end = block + size;
        before = lined.last;
      });
      const endRestored = process.on('restored', () => {
        end = 0;
      });
      return () => {
        endBlocks();
        endRestored();
        // What would begin here has not been announced.
        const line = lines.at(cpu.rip);
        if (told !== cpu.moment && line !== undefined && lines.beginsAt(cpu.rip) && isBeginning(cpu.rip, line)) {
          found(cpu.moment);
        }
      };
    },
  };
}
