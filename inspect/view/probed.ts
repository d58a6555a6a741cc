/** The context of a switch under test, for the pane that shows libmill's ctx otherwise. */
import type { Process } from '../../runtime/process.js';

/** A place where the switch keeps something, as measuring it has shown. */
export interface ProbedSlot {
  /** Where it is in the context: `24`, `stack+8`. */
  readonly place: string;
  /** What is kept there, in words: a register's name, mostly. */
  readonly name: string;
  readonly address: number;
  /** In bytes. */
  readonly size: number;
  /** Moments in front of the instructions that write it for the save, and that read it for the restore. */
  readonly stores: readonly number[];
  readonly loads: readonly number[];
}

/** Moments from the one in front of a half's first instruction to the one behind its last. */
export interface Half {
  readonly start: number;
  readonly end: number;
}

/** What is known of the switch that a probe runs. */
export interface ProbedSwitch {
  readonly slots: readonly ProbedSlot[];
  readonly save: Half;
  /** Undefined if there is none. */
  readonly restore: Half | undefined;
}

/** A slot at a moment. */
export interface ProbedRow extends ProbedSlot {
  readonly held: bigint;
  /** What it will hold behind the next instruction; undefined if nothing comes next. */
  readonly after: bigint | undefined;
  /** What the next instruction does with it. */
  readonly travel: 'in' | 'out' | undefined;
  /** Within a half of the switch: whether that has been done with it. */
  readonly done: boolean;
}

/** The context at a moment. */
export interface ProbedView {
  readonly state: 'not saved' | 'being saved' | 'saved' | 'being restored' | 'restored';
  /** Within a half: which of its instructions comes next, counting from 1, of how many. */
  readonly step: { readonly number: number; readonly of: number } | undefined;
  readonly slots: readonly ProbedRow[];
}

/** What the slots hold, unsigned; 0 for memory that is not there. */
export function readProbed({ cpu }: Process, { slots }: ProbedSwitch): bigint[] {
  const { memory } = cpu;
  return slots.map(({ address, size }) => {
    const isThere = [address, address + size - 1].every((at) => memory.protectionAt(at) !== undefined);
    if (!isThere) return 0n;
    return memory.read(address, size).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  });
}

/** @param words of {@link readProbed}, now and behind the next instruction */
export function probedView(
  moment: number,
  { slots, save, restore }: ProbedSwitch,
  words: { readonly now: readonly bigint[]; readonly after: readonly bigint[] | undefined },
): ProbedView {
  const inside = (half: Half | undefined): half is Half =>
    half !== undefined && moment >= half.start && moment < half.end;
  const half = [restore, save].find(inside);
  const isRestore = half !== undefined && half === restore;
  const state = ((): ProbedView['state'] => {
    if (half !== undefined) return isRestore ? 'being restored' : 'being saved';
    if (moment < save.start) return 'not saved';
    return restore !== undefined && moment >= restore.end ? 'restored' : 'saved';
  })();
  return {
    state,
    step: half === undefined ? undefined : { number: moment - half.start + 1, of: half.end - half.start },
    slots: slots.map((slot, index) => {
      const uses = isRestore ? slot.loads : slot.stores;
      return {
        ...slot,
        held: words.now[index],
        after: words.after?.[index],
        travel: slot.stores.includes(moment) ? 'in' : slot.loads.includes(moment) ? 'out' : undefined,
        done: half !== undefined && uses.length > 0 && uses.every((use) => use < moment),
      };
    }),
  };
}
