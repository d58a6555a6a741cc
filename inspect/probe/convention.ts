import { GENERAL_INDEX, type GeneralRegister } from '../../emu/registers.js';
import type { Process, SavedProcess } from '../../runtime/process.js';
import { type Convention, hasFrom, type Routine, type SwapForm } from './code.js';
import type { Access, ProbeMachine } from './machine.js';
import { castValues, FREE_REGISTERS, type RegisterValues } from './registers.js';

/** Instructions that a guess may take. */
const PATIENCE = 2_000;
const POINTER = 8;

/** What the registers are to hold when a half is entered. */
export interface SwapSides {
  /** What the other side has left in memory. */
  readonly memory: ReadonlyMap<number, Uint8Array>;
  /** What `to` is to be, to go to the other side. */
  readonly to: number;
}

/** Runs the stretch, and says whether it came to that place having written something to the ctx. */
function saves(machine: ProbeMachine, ctx: number, reach: number, landing: number): boolean {
  const { arrival, accesses } = machine.watch([landing], PATIENCE);
  if (arrival.kind !== 'arrived') return false;
  return accesses.some(({ kind, address }) => kind === 'write' && Math.abs(address - ctx) < reach);
}

/** The registers with which a save works that gets the ctx in them. The machine is at its first instruction. */
export function tryRegisters(machine: ProbeMachine, landing: number, asks: 'save' | 'restore'): GeneralRegister[] {
  const before = machine.save();
  const { ctx } = machine.places;
  const found = FREE_REGISTERS.filter((register) => {
    machine.restore(before);
    machine.load({ [register]: BigInt(ctx) });
    if (asks === 'save') return saves(machine, ctx, 1024, landing);
    return machine.goTo([landing], PATIENCE).kind === 'arrived';
  });
  machine.restore(before);
  return found;
}

/** The values of a cast with what a swap needs: its contexts, its stack, and where it is to come back to. */
function side(
  machine: ProbeMachine,
  values: RegisterValues,
  { form, from, to }: Extract<Convention, { shape: 'swap' }>,
  { stack, ctx, target, back }: { stack: number; ctx: number; target: number; back: number },
): void {
  machine.process.cpu.memory.setPointer(stack - POINTER, back);
  machine.load({
    ...values,
    rip: values.rip,
    rsp: BigInt(stack - POINTER),
    ...(hasFrom({ form }) && { [from]: BigInt(ctx) }),
    [to]: BigInt(target),
  });
}

/**
 * The other side of a swap, made by letting it swap to a place that is none, so that it saves and then fails.
 * The machine is at the first instruction of the routine.
 */
export function learnOtherSide(
  machine: ProbeMachine,
  start: SavedProcess,
  routine: Routine,
  convention: Extract<Convention, { shape: 'swap' }>,
): SwapSides {
  const { places, process } = machine;
  const { memory } = process.cpu;
  machine.restore(start);
  const values = { ...castValues('other'), rip: BigInt(routine.start) };
  const stack = places.otherStack;
  // A swap that knows who runs will then take the one for who runs that it was to go to.
  const nobody = convention.form === 'implicit' ? places.ctx : places.noCtx;
  side(machine, values, convention, { stack, ctx: places.otherCtx, target: nobody, back: places.entered });
  const { accesses } = machine.watch([places.entered, places.landing], PATIENCE);
  const writes = accesses.filter(
    ({ kind, address }) => kind === 'write' && address !== places.mask && memory.protectionAt(address) === 'rw-',
  );
  const left = new Map([[stack - POINTER, memory.read(stack - POINTER, POINTER)]]);
  for (const { address, size } of writes) left.set(address, memory.read(address, size));
  const onStack = writes.map(({ address }) => address).filter((address) => address < stack && address > stack - 4096);
  const to = {
    pointers: () => places.otherCtx,
    value: () => memory.pointer(places.otherCtx),
    result: () => Math.min(stack - POINTER, ...onStack),
    implicit: () => startOfVariable(process, writes),
  }[convention.form]();
  return { memory: left, to };
}

/** Where the variable begins that most is written to. */
function startOfVariable(process: Process, writes: readonly Access[]): number {
  const counts = new Map<number, number>();
  for (const { address } of writes) {
    const at = BigInt(address);
    const symbol = process.imageAt(at)?.symbolAt(at);
    if (symbol === undefined || symbol.name.startsWith('probe_')) continue;
    const start = address - Number(symbol.offset);
    counts.set(start, (counts.get(start) ?? 0) + 1);
  }
  const [[start] = [0]] = [...counts].sort((a, b) => b[1] - a[1]);
  return start;
}

/** Whether a swap goes to the other side and comes back, told in that way. */
function works(
  machine: ProbeMachine,
  start: SavedProcess,
  routine: Routine,
  convention: Extract<Convention, { shape: 'swap' }>,
): boolean {
  const { places, process } = machine;
  const { memory } = process.cpu;
  const { memory: left, to } = learnOtherSide(machine, start, routine, convention);
  machine.restore(start);
  for (const [address, bytes] of left) memory.write(address, bytes);
  const values = { ...castValues('saved'), rip: BigInt(routine.start) };
  side(machine, values, convention, { stack: places.stack, ctx: places.ctx, target: to, back: places.landing });
  const there = machine.goTo([places.entered, places.landing], PATIENCE);
  if (there.kind !== 'arrived' || there.at !== places.entered) return false;
  if (machine.registers.rsp !== BigInt(places.otherStack)) return false;
  const target = {
    pointers: places.ctx,
    value: memory.pointer(places.ctx),
    result: process.cpu.pointer(GENERAL_INDEX.rax),
    implicit: places.ctx,
  };
  const poison = { ...castValues('poison'), rip: BigInt(routine.start) };
  side(machine, poison, convention, {
    stack: places.otherStack,
    ctx: places.otherCtx,
    target: target[convention.form],
    back: places.returned,
  });
  const back = machine.goTo([places.landing, places.entered, places.returned], PATIENCE);
  return back.kind === 'arrived' && back.at === places.landing && machine.registers.rsp === BigInt(places.stack);
}

const PAIRS: readonly (readonly [GeneralRegister, GeneralRegister])[] = [
  ['rdi', 'rsi'],
  ['rsi', 'rdi'],
];
const FORMS: readonly SwapForm[] = ['pointers', 'value', 'result', 'implicit'];

/**
 * The ways in which a swap can be told what to do, of those that the System V ABI's first two arguments allow.
 * @param known what is said already
 */
export function trySwaps(
  machine: ProbeMachine,
  routine: Routine,
  known: { readonly from?: GeneralRegister; readonly to?: GeneralRegister },
): Extract<Convention, { shape: 'swap' }>[] {
  const start = machine.save();
  const pairs = known.from && known.to ? [[known.from, known.to] as const] : PAIRS;
  const found = FORMS.flatMap((form) =>
    pairs
      .filter(([from, to]) => (known.from ?? from) === from && (known.to ?? to) === to)
      .map(([from, to]) => ({ shape: 'swap', form, from, to }) as const)
      .filter((convention) => works(machine, start, routine, convention)),
  );
  machine.restore(start);
  return found;
}
