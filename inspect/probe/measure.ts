import type { SavedProcess } from '../../runtime/process.js';
import { type Code, hasFrom, type Routine } from './code.js';
import { CTX, LOWER, STACK } from './driver.js';
import { type Access, ProbeMachine, type Watched } from './machine.js';
import { isAround, overlaps, type Piece, settled, withWords } from './pieces.js';
import {
  background,
  castValues,
  DIRECTION_FLAG,
  ID_FLAG,
  PROBED,
  type ProbedRegister,
  type RegisterValues,
} from './registers.js';
import { unseenWrites } from './unseen.js';

const WORD = 8;
/** Instructions in which a read that is not told of is looked for. */
const MOST_STEPS = 200;
/** Bytes of stack in use by the second probe that are put beside the first one's. */
const USED = { below: 2048, above: 256 } as const;
const CTX_REACH = { below: CTX.before, above: CTX.behind };
/** The flags that do not come and go with every addition. */
const LASTING_FLAGS = DIRECTION_FLAG | ID_FLAG;

/** Where something is saved: in the ctx, on the stack of who is saved, or somewhere else. */
export type Area = 'ctx' | 'stack' | 'elsewhere';

/** A piece of memory that carries something from the save to the restore; as wide as it was written or read, 8 bytes at most. */
export interface Unit extends Piece {
  readonly area: Area;
  /** In bytes: from where the pointer to the ctx points, from where rsp points once all is saved, or from the symbol. */
  readonly offset: number;
  /** The variable that it is in, elsewhere. */
  readonly symbol: string | undefined;
  /** What it holds after the save, in each of the two probes; undefined if the save does not write it. */
  readonly values: readonly [first: bigint, second: bigint] | undefined;
  /** What has written it, the last one last; empty if the save does not, or it was the call of the save. */
  readonly stores: readonly Access[];
  readonly loads: readonly Access[];
  /** The registers that come out otherwise when this alone is otherwise; undefined if that could not be tried. */
  readonly effects: readonly ProbedRegister[] | undefined;
}

/** One half of a switch as it ran. */
export interface Half extends Watched {
  /** The registers in front of its first instruction. */
  readonly entry: RegisterValues;
  /** And where it ended. */
  readonly exit: RegisterValues;
}

/** What running a switch has shown. Where it says so, registers are those of who is saved as they are for its caller. */
export interface Measurement {
  readonly code: Code;
  readonly save: Half;
  /** Undefined if there is none, or the save did not come to its end. */
  readonly restore: Half | undefined;
  /** What each of the two probes saved, as the caller sees it. */
  readonly saved: readonly [first: RegisterValues, second: RegisterValues];
  /** What was there when they went on; undefined for one that did not. */
  readonly landed: readonly [first: RegisterValues | undefined, second: RegisterValues | undefined];
  readonly units: readonly Unit[];
  /** Where rsp is once all is saved, in the first probe. */
  readonly savedStack: number;
  readonly places: ProbeMachine['places'];
  /** The word at fs:0x30, which glibc mangles pointers with. */
  readonly guard: bigint;
}

/** What the second probe has saved. */
interface Second {
  readonly saved: RegisterValues;
  readonly words: ReadonlyMap<number, bigint>;
  /** Where a piece of the first probe is in the second one. */
  readonly moved: (address: number) => number;
  readonly stack: readonly [start: number, bytes: Uint8Array];
  /** What a swap back goes to, if that is no pointer to a ctx. */
  readonly context: bigint | undefined;
}

/** Whether a value is an address in an inline sequence or right behind it, where who was saved goes on. */
export function isInside({ start, end }: Routine, value: bigint): boolean {
  return end !== undefined && value >= BigInt(start) && value <= BigInt(end);
}

class Prober {
  readonly #machine: ProbeMachine;
  readonly #code: Code;
  /** Where who is saved goes on. */
  readonly #landing: number;

  constructor(machine: ProbeMachine, code: Code) {
    this.#machine = machine;
    this.#code = code;
    this.#landing = code.save.end ?? machine.places.landing;
  }

  measure(): Measurement {
    const machine = this.#machine;
    const { places, process } = machine;
    const { memory } = process.cpu;
    machine.runTo(this.#code.save.start);
    const start = machine.save();
    const entry = machine.registers;
    const isSwap = this.#code.convention.shape === 'swap';
    const exit = isSwap ? places.entered : this.#landing;
    const stops = [exit, this.#landing, places.landing, places.landingToo, places.returned];

    const watched = machine.watch(stops);
    const save: Half = { ...watched, entry, exit: machine.registers };
    const end = machine.save();
    const reach = { address: places.ctx - CTX.before, size: CTX.before + CTX.behind };
    const told = watched.accesses.filter(({ kind }) => kind === 'write');
    const untold = unseenWrites(machine, { start, moment: end.cpu.moment }, reach, told);
    const writes = [...told, ...untold];
    machine.restore(end);

    const saved = this.#callers(entry, this.#landing);
    const savedStack = this.#savedStack(writes, saved, save);
    const called = this.#code.save.entry === 'call' ? [{ address: Number(entry.rsp), size: WORD }] : [];
    const carries = ({ address }: Piece): boolean => this.#carries(address, savedStack);
    const kept = settled([...called, ...withWords(told), ...untold])
      .filter(carries)
      .flatMap((piece) => this.#withoutPadding(piece, saved));
    const first = this.#words(kept);
    const guard = memory.u64(Number(process.cpu.read('fs_base')) + GUARD_OFFSET);

    const complete = watched.arrival.kind === 'arrived' && watched.arrival.at === exit;
    const { restore, ready } = complete ? this.#restores(stops) : {};
    const landed =
      restore?.arrival.kind === 'arrived' && restore.arrival.at === this.#landing ? restore.exit : undefined;

    machine.restore(start);
    const second = this.#saveSecond(entry, kept, stops);
    const reads = (restore?.accesses ?? []).filter(({ kind }) => kind === 'read');
    const unsaved = settled(reads.filter(({ address }) => isAround(address, places.ctx, CTX_REACH))).filter(
      (piece) => !kept.some((one) => overlaps(one, piece)),
    );
    const units = [...kept, ...unsaved].map((piece): Unit => {
      const [own, other] = [first.get(piece.address), second.words.get(piece.address)];
      const told = reads.filter((access) => overlaps(access, piece));
      const effects = ready && landed && this.#effects(ready, landed, piece, second);
      const isUntold = ready !== undefined && told.length === 0 && effects !== undefined && effects.length > 0;
      return {
        ...piece,
        ...this.#placeOf(piece.address, savedStack),
        values: own === undefined || other === undefined ? undefined : [own, other],
        stores: writes.filter((access) => overlaps(access, piece)),
        loads: isUntold ? this.#untoldRead(ready, piece, second) : told,
        effects,
      };
    });
    return {
      code: this.#code,
      save,
      restore,
      saved: [saved, second.saved],
      landed: [landed, ready && this.#landSecond(ready, kept, second)],
      units: units.sort((a, b) => a.address - b.address),
      savedStack,
      places,
      guard,
    };
  }

  /** The registers of the caller, from those at the first instruction: a call has pushed its return address. */
  #callers(entry: RegisterValues, landing: number): RegisterValues {
    const pushed = this.#code.save.entry === 'call' ? WORD : 0;
    return { ...entry, rsp: entry.rsp + BigInt(pushed), rip: BigInt(landing) };
  }

  #word({ address, size }: Piece): bigint {
    const bytes = this.#machine.process.cpu.memory.read(address, size);
    return bytes.reduce((value, byte, index) => value | (BigInt(byte) << BigInt(8 * index)), 0n);
  }

  /** fnstenv writes the control word in a field of four bytes, of which two are nothing; some engines tell of all four. */
  #withoutPadding(piece: Piece, { fpcw }: RegisterValues): Piece[] {
    if (piece.size !== 4) return [piece];
    const value = this.#word(piece);
    const padding = value >> 16n;
    if ((value & 0xffffn) !== fpcw || (padding !== 0n && padding !== 0xffffn)) return [piece];
    return [
      { address: piece.address, size: 2 },
      { address: piece.address + 2, size: 2 },
    ];
  }

  #words(pieces: readonly Piece[], moved = (address: number) => address): Map<number, bigint> {
    return new Map(pieces.map(({ address, size }) => [address, this.#word({ address: moved(address), size })]));
  }

  #writeWord({ address, size }: Piece, value: bigint): void {
    const bytes = Uint8Array.from({ length: size }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
    this.#machine.process.cpu.memory.write(address, bytes);
  }

  /** Where rsp is once all is saved: what a pushed context points to, or what the ctx has of it, or the caller's own. */
  #savedStack(writes: readonly Access[], saved: RegisterValues, { exit }: Half): number {
    const { convention } = this.#code;
    if (convention.shape === 'swap' && convention.form === 'result') return Number(exit.rax);
    const { stack } = this.#machine.places;
    const top = Number(saved.rsp);
    const pointers = writes
      .filter(({ address, size }) => size === WORD && !isAround(address, stack, STACK))
      .map((piece) => Number(this.#word(piece)))
      .filter((value) => value <= top && value > top - USED.below);
    return Math.min(top, ...pointers);
  }

  /** Whether memory there is what a context is made of: not other stacks, nor what is below the end of the saved one. */
  #carries(address: number, savedStack: number): boolean {
    const { process, places } = this.#machine;
    if (isAround(address, places.stack, STACK)) return address >= savedStack;
    if (isAround(address, places.ctx, CTX_REACH)) return true;
    const others = [places.otherCtx, places.noCtx].some((ctx) => isAround(address, ctx, CTX_REACH));
    if (others || isAround(address, places.otherStack, STACK) || address === places.mask) return false;
    return process.imageAt(BigInt(address)) === process.images.at(-1);
  }

  #placeOf(address: number, savedStack: number): Pick<Unit, 'area' | 'offset' | 'symbol'> {
    const { places } = this.#machine;
    const symbol = undefined;
    if (isAround(address, places.ctx, CTX_REACH)) return { area: 'ctx', offset: address - places.ctx, symbol };
    if (isAround(address, places.stack, STACK)) return { area: 'stack', offset: address - savedStack, symbol };
    const variable = this.#code.image.symbolAt(BigInt(address));
    return { area: 'elsewhere', offset: Number(variable?.offset ?? address), symbol: variable?.name };
  }

  /** Runs on to the restore, and that to its end. */
  #restores(stops: readonly number[]): { restore?: Half; ready?: SavedProcess } {
    const machine = this.#machine;
    const start = this.#code.restore?.start;
    if (start === undefined || !machine.runTo(start)) return {};
    const ready = machine.save();
    const entry = machine.registers;
    const watched = machine.watch(stops);
    return { restore: { ...watched, entry, exit: machine.registers }, ready };
  }

  /** The same save with other values, on another stack, and to come back to another place. The machine is in front of it. */
  #saveSecond(entry: RegisterValues, kept: readonly Piece[], stops: readonly number[]): Second {
    const machine = this.#machine;
    const { places, process } = machine;
    const { convention, save } = this.#code;
    const swapped =
      convention.shape === 'swap' && (hasFrom(convention) ? [convention.from, convention.to] : [convention.to]);
    const used = convention.shape === 'jump' ? [convention.save] : swapped || [];
    const values = {
      ...castValues('second'),
      ...Object.fromEntries(used.map((name) => [name, entry[name]])),
      rip: entry.rip,
      rsp: entry.rsp - BigInt(LOWER),
    };
    machine.load(values);
    const called = save.entry === 'call';
    if (called) process.cpu.memory.setPointer(Number(values.rsp), places.landingToo);
    machine.goTo(stops);
    const moved = (address: number): number => (isAround(address, places.stack, STACK) ? address - LOWER : address);
    const stackStart = Number(values.rsp) - USED.below;
    const form = convention.shape === 'swap' ? convention.form : undefined;
    const inCell = form === 'value' ? process.cpu.memory.u64(places.ctx) : undefined;
    const context = form === 'result' ? process.cpu.read('rax') : inCell;
    return {
      saved: this.#callers(values, called ? places.landingToo : this.#landing),
      words: this.#words(kept, moved),
      moved,
      stack: [stackStart, process.cpu.memory.read(stackStart, USED.below + USED.above)],
      context,
    };
  }

  /** Restores with one piece as the second probe has it, or as nobody has it, and everything else as the first one. */
  #effects(ready: SavedProcess, landed: RegisterValues, piece: Piece, second: Second): ProbedRegister[] | undefined {
    const machine = this.#machine;
    const { places } = machine;
    this.#exchange(ready, piece, second);
    if (machine.goTo([this.#landing, places.landingToo]).kind !== 'arrived') return undefined;
    const now = machine.registers;
    return PROBED.filter((name) => {
      const mask = name === 'eflags' ? LASTING_FLAGS : -1n;
      return ((now[name] ^ landed[name]) & mask) !== 0n;
    });
  }

  /** Goes in front of the restore, with one piece as the second probe has it, or as nobody has it. */
  #exchange(ready: SavedProcess, piece: Piece, { words, stack }: Second): void {
    const machine = this.#machine;
    machine.restore(ready);
    const own = this.#word(piece);
    const [spare] = background(1);
    const fitting = piece.size === 4 ? castValues('second').mxcsr : spare;
    const constant = isInside(this.#code.save, own) ? BigInt(machine.places.landingToo) : fitting;
    const other = words.get(piece.address) ?? fitting;
    machine.process.cpu.memory.write(...stack);
    this.#writeWord(piece, other === own ? constant : other);
  }

  /** The read of a piece that the engine does not tell of: the step behind which its content first shows in a register. */
  #untoldRead(ready: SavedProcess, piece: Piece, second: Second): Access[] {
    const machine = this.#machine;
    const run = (): { rip: number; moment: number; registers: RegisterValues }[] => {
      const states: ReturnType<typeof run> = [];
      const { cpu } = machine.process;
      let [rip, moment] = [cpu.rip, cpu.moment];
      for (let count = 0; count < MOST_STEPS && cpu.rip !== this.#landing; count++) {
        if (machine.process.step(1).kind !== 'limit') break;
        states.push({ rip, moment, registers: machine.registers });
        [rip, moment] = [cpu.rip, cpu.moment];
      }
      return states;
    };
    machine.restore(ready);
    const usual = run();
    this.#exchange(ready, piece, second);
    const found = run().find(({ registers }, step) =>
      PROBED.some((name) => registers[name] !== usual[step]?.registers[name]),
    );
    return found === undefined ? [] : [{ kind: 'read', ...piece, rip: found.rip, moment: found.moment }];
  }

  /** Restores what the second probe has saved. */
  #landSecond(ready: SavedProcess, kept: readonly Piece[], second: Second): RegisterValues | undefined {
    const machine = this.#machine;
    const { places, process } = machine;
    const { convention } = this.#code;
    machine.restore(ready);
    process.cpu.memory.write(...second.stack);
    for (const { address, size } of kept) {
      this.#writeWord({ address: second.moved(address), size }, second.words.get(address) ?? 0n);
    }
    if (convention.shape === 'swap' && second.context !== undefined) machine.load({ [convention.to]: second.context });
    const arrival = machine.goTo([this.#landing, places.landing, places.landingToo, places.returned]);
    return arrival.kind === 'arrived' && BigInt(arrival.at) === second.saved.rip ? machine.registers : undefined;
  }
}

/** Where glibc and musl keep the word that pointers are mangled with, from fs. */
const GUARD_OFFSET = 0x30;

/**
 * Runs the save and the restore of a switch, and finds what each moves where: every register with a value that is nowhere
 * else, and then, for each piece of memory that was written, with a second probe's piece in the place of the first one's.
 * The same code gives the same result.
 */
export function measure(code: Code): Measurement {
  const machine = new ProbeMachine(code.image, code.open);
  try {
    return new Prober(machine, code).measure();
  } finally {
    machine.close();
  }
}
