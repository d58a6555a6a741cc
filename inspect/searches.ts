/** What a session can look for, in both directions. */
import type { Memory } from '../emu/memory.js';
import { GENERAL_INDEX, type RegisterName } from '../emu/registers.js';
import { mayDiffer } from '../emu/saved-memory.js';
import type { Process } from '../runtime/process.js';
import type { Search } from './history.js';
import { watchLandings } from './landings.js';

const RSP = GENERAL_INDEX.rsp;
const POINTER = 8;
/** Bytes of a near return, with and without a number of bytes to take off the stack. */
const RET = 0xc3;
const RET_IMM16 = 0xc2;
const RET_IMM16_LENGTH = 3;
/** Some compilers put it in front of a return. */
const REP = 0xf3;

/** Names a block, or one instruction of it where that is stepped. */
export function blockKey(address: number, size: number): number {
  return address * 2 ** 16 + size;
}

/** The guest is about to execute one of these addresses. */
export function atAddresses(process: Process, addresses: readonly number[]): Search {
  const { cpu } = process;
  return {
    watch: (found) => {
      // By block: the addresses looked for that are in it, as numbers of instructions before them.
      const known = new Map<number, readonly number[]>();
      return cpu.onBlock((block, size) => {
        let inside = known.get(blockKey(block, size));
        if (inside === undefined) {
          const near = addresses.filter((address) => address >= block && address < block + size);
          inside = near.flatMap((address) => cpu.instructionsBetween(block, address) ?? []);
          known.set(blockKey(block, size), inside);
        }
        for (const before of inside) found(cpu.moment + before);
      });
    },
  };
}

/** A switch is complete; of one coroutine only, by its id, if that is given: from it or to it. */
export function atSwitch(process: Process, coroutine?: number): Search {
  return {
    watch: (found) =>
      watchLandings(process, ({ moment, from, to }) => {
        if (coroutine === undefined || from === coroutine || to === coroutine) found(moment);
      }),
  };
}

/** Something has been done with a channel, by its id. */
export function atOperation(process: Process, channel: number): Search {
  const { channelCensus } = process.mill;
  return {
    watch: (found) =>
      process.on('channel', (operation) => {
        if (channelCensus.id(operation.channel) === channel) found(process.cpu.moment);
      }),
  };
}

/**
 * An instruction, or what it asked of the host, has changed memory.
 * @param isThere whether what is watched is in this memory now; what comes and goes with it is no change
 */
export function atMemoryChange(
  process: Process,
  address: number,
  size: number,
  isThere: () => boolean = () => true,
): Search {
  const { memory } = process.cpu;
  // What is not mapped will be zeros when it is.
  const isMapped = (): boolean => [address, address + size - 1].every((at) => memory.protectionAt(at) !== undefined);
  const look = (): string | undefined =>
    isThere() ? (isMapped() ? memory.read(address, size) : new Uint8Array(size)).join() : undefined;
  let last: string | undefined;
  const compare = (found: (moment: number) => void): void => {
    const now = look();
    if (now !== undefined && last !== undefined && now !== last) found(process.cpu.moment);
    last = now;
  };
  return {
    steps: true,
    possible: (before, after) =>
      mayDiffer(before.cpu.memory, after.cpu.memory, address, size) || before.parents !== after.parents,
    watch: (found) => {
      last = look();
      const endRestored = process.on('restored', () => {
        last = look();
      });
      return () => {
        endRestored();
        // A last instruction that ended the run was not visited.
        compare(found);
      };
    },
    stepped: compare,
  };
}

/** An instruction, or what it asked of the host, has written memory, even if only what was there already. */
export function atWrite(process: Process, address: number, size: number): Search {
  const { cpu } = process;
  // What an engine does not tell of is seen at least if it changes something.
  const change = atMemoryChange(process, address, size);
  return {
    ...change,
    watch: (found) => {
      const endAccesses = cpu.onAccess((kind, at, bytes) => {
        if (kind !== 'read' && at < address + size && at + bytes > address) found(cpu.moment);
      });
      const endChanges = change.watch(found);
      return () => {
        endAccesses();
        endChanges();
      };
    },
  };
}

/** An instruction, or a switch, has changed a register. */
export function atRegisterChange(process: Process, register: RegisterName): Search {
  const { cpu } = process;
  let last = 0n;
  return {
    steps: true,
    watch: () => {
      last = cpu.read(register);
      return () => {};
    },
    stepped: (found) => {
      const now = cpu.read(register);
      if (now !== last) found(cpu.moment);
      last = now;
    },
  };
}

/** The call that the guest is about to make, of a function of whatever length, is over, in the same coroutine. */
export function atReturnOf(process: Process, returnAddress: number): Search {
  const { cpu } = process;
  const { coroutines } = process.mill;
  const { running } = coroutines;
  const rsp = cpu.pointer(RSP);
  return {
    watch: (found) =>
      cpu.onBlock((block) => {
        if (block === returnAddress && cpu.pointer(RSP) === rsp && coroutines.running === running) found(cpu.moment);
      }),
  };
}

/** The call behind which the guest is; or, for one that has not returned, the one by which it has come where it is. */
export function atCall(process: Process, returned: boolean): Search {
  const { cpu } = process;
  const { memory } = cpu;
  const { coroutines } = process.mill;
  const { running } = coroutines;
  const rsp = cpu.pointer(RSP);
  const { rip } = cpu;
  return {
    watch: (found) => {
      let end = 0;
      const look = (): void => {
        const top = cpu.pointer(RSP);
        const fits = returned ? top === rsp - POINTER && end === rip : top >= rsp;
        if (fits && coroutines.running === running && isReturnAddress(top, end)) found(cpu.moment - 1);
      };
      const endBlocks = cpu.onBlock((block, size) => {
        look();
        end = block + size;
      });
      return () => {
        endBlocks();
        // What would begin here has not been announced.
        look();
      };
    },
  };

  /** Whether a call that ends there has left it on the stack. */
  function isReturnAddress(top: number, end: number): boolean {
    return memory.protectionAt(top) !== undefined && memory.pointer(top) === end;
  }
}

/** The function that the guest is in has returned, in the same coroutine. */
export function atReturn(process: Process): Search {
  const { cpu } = process;
  const { coroutines } = process.mill;
  const { running } = coroutines;
  const rsp = cpu.pointer(RSP);
  return {
    watch: (found) => {
      let end = 0;
      const look = (): void => {
        const isOut = cpu.pointer(RSP) > rsp && coroutines.running === running;
        if (isOut && endsInReturn(cpu.memory, end)) found(cpu.moment);
      };
      const endBlocks = cpu.onBlock((block, size) => {
        look();
        end = block + size;
      });
      return () => {
        endBlocks();
        // What would begin here has not been announced.
        look();
      };
    },
  };
}

/** Whether the code up to an address ends in a near return. */
export function endsInReturn(memory: Memory, end: number): boolean {
  return [end - 1, end - RET_IMM16_LENGTH].some((at) => memory.protectionAt(at) === 'r-x' && isReturn(memory, at));
}

/** Whether the instruction at an address is a near return. */
export function isReturn(memory: Memory, address: number): boolean {
  const first = memory.u8(address);
  return first === RET || first === RET_IMM16 || (first === REP && memory.u8(address + 1) === RET);
}
