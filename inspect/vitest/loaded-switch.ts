import type { Clause } from '../contract/clauses.js';
import { type LayoutData, layoutData, slotPlace } from '../layout/data.js';
import type { Layout, Slot } from '../layout/layout.js';
import { whatFailed } from '../probe/ending.js';
import type { Instructions, ShownInstruction } from '../probe/instructions.js';
import type { Step } from '../probe/machine.js';
import type { ProbedRegister } from '../probe/registers.js';

/** An instruction that was executed. */
export interface Executed extends ShownInstruction {
  /** The moment in front of it. */
  readonly moment: number;
}

/** A slot with what has written it and what has read it, the last one last. */
export interface UsedSlot {
  /** `48`, `stack+8` */
  readonly place: string;
  readonly stores: readonly Executed[];
  readonly loads: readonly Executed[];
}

/** Which of the switches in its files one is. */
export interface Place {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

/** What a register held when it was saved, and when its owner went on. */
export interface Passage {
  readonly before: bigint;
  /** Undefined if nobody went on. */
  readonly after: bigint | undefined;
}

/** Bits of MXCSR that only status is in: no function keeps them (System V ABI, AMD64 supplement, 3.2.1). */
const MXCSR_STATUS = 0x3fn;

/**
 * A switch that has been run: where it saves each register, where it restores it from, and how it keeps its contract.
 * Made by `loadSwitch`, for `expect`.
 */
export class LoadedSwitch {
  readonly name: string;
  readonly place: Place;
  /** As a golden file keeps it. */
  readonly layout: LayoutData;
  /** Every clause of the contract, with its verdict. */
  readonly clauses: readonly Clause[];
  /** Whether its files have a restore; without one only its layout can be told. */
  readonly hasRestore: boolean;
  /** Why it was not measured to the end; undefined if it was. */
  readonly failed: string | undefined;
  readonly #layout: Layout;
  readonly #instructions: ReadonlyMap<number, ShownInstruction>;
  readonly #stepCommand: (moment: number) => string;

  /**
   * @param place among the switches of its files
   * @param instructions of the code
   * @param stepCommand what one types to see a moment of the probe
   */
  constructor(
    layout: Layout,
    clauses: readonly Clause[],
    place: Place,
    instructions: Instructions,
    stepCommand: (moment: number) => string,
  ) {
    this.name = layout.measurement.code.name;
    this.layout = layoutData(layout);
    this.clauses = clauses;
    this.place = place;
    this.hasRestore = layout.measurement.code.restore !== undefined;
    this.failed = whatFailed(layout.measurement);
    this.#layout = layout;
    const { save, restore } = layout.measurement;
    const addresses = new Set([save, restore].flatMap((half) => half?.steps ?? []).map(({ rip }) => rip));
    this.#instructions = new Map([...addresses].map((rip) => [rip, instructions.at(rip)]));
    this.#stepCommand = stepCommand;
  }

  /**
   * What one switch executes, from the first instruction of the code to where the other side goes on: both halves of a
   * jump, the longer one of a swap's two ways. Undefined if nobody goes on.
   */
  get executed(): readonly Executed[] | undefined {
    const { code, save, restore, landed } = this.#layout.measurement;
    if (restore === undefined || landed[0] === undefined) return undefined;
    const [there, back] = [save.steps, restore.steps];
    if (code.convention.shape === 'jump') return [...there, ...back].map((step) => this.#executed(step));
    return (back.length > there.length ? back : there).map((step) => this.#executed(step));
  }

  /** The last instruction that was executed of the code: if nobody comes back, it may be what leads nowhere. */
  get last(): Executed | undefined {
    const { save, restore } = this.#layout.measurement;
    const executed = (restore ?? save).steps.map((step) => this.#executed(step));
    return executed.filter(({ text }) => text !== '').at(-1);
  }

  /** The passages of a register in both probes; of MXCSR its control bits. */
  passages(register: ProbedRegister): Passage[] {
    const { saved, landed } = this.#layout.measurement;
    const mask = register === 'mxcsr' ? ~MXCSR_STATUS : -1n;
    return saved.map((values, probe) => {
      const after = landed[probe]?.[register];
      return { before: values[register] & mask, after: after === undefined ? undefined : after & mask };
    });
  }

  /** The slots that a register is saved to or restored from. */
  slotsOf(register: ProbedRegister): UsedSlot[] {
    return this.#used(({ saved, restored, also }) => [saved, restored, ...also].includes(register));
  }

  /** The slot at a place, as {@link UsedSlot} has it. */
  slotAt(place: string): UsedSlot | undefined {
    return this.#used((slot) => slotPlace(slot) === place)[0];
  }

  /** The command that steps to a moment. */
  stepTo(moment: number): string {
    return this.#stepCommand(moment);
  }

  toString(): string {
    return this.name;
  }

  #executed({ rip, moment }: Step): Executed {
    const { text = '', place = '' } = this.#instructions.get(rip) ?? {};
    return { text, place, moment };
  }

  #used(isMeant: (slot: Slot) => boolean): UsedSlot[] {
    return this.#layout.slots.filter(isMeant).map((slot) => ({
      place: slotPlace(slot),
      stores: slot.stores.map((access) => this.#executed(access)),
      loads: slot.loads.map((access) => this.#executed(access)),
    }));
  }
}
