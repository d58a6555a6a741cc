import type { Switch } from '../runtime/events.js';
import { CTX_SLOTS, type CtxSlot, MILL_CR, SLOT_BYTES } from '../runtime/layout.js';
import type { Process } from '../runtime/process.js';

/** The ten slots of a ctx. */
export type Slots = Readonly<Record<CtxSlot, bigint>>;

/** One half of a switch. */
export interface Half {
  /** Its id: 0 is main. */
  readonly coroutine: number;
  /** Address of the ctx. */
  readonly ctx: bigint;
  /** What was there before: in the ctx that was saved to, in the registers that were restored. */
  readonly before: Slots;
  /** What is there now: read from the ctx behind the save, from the CPU at the landing. */
  readonly slots: Slots;
}

/** A switch as it happened. */
export interface SwitchRecord {
  /** Counting from 1. */
  readonly number: number;
  readonly kind: Switch['kind'];
  /** Moment of the first instruction of the one that runs next. */
  readonly at: number;
  readonly saved: Half | null;
  readonly restored: Half | null;
  /** Ids of who ran until now and of who runs next; the first no longer exists if the kind is "end". */
  readonly from: number;
  readonly to: number;
  /** How many instructions the one who ran has executed since it was switched to. */
  readonly instructions: number;
  /** How many bytes of its stack the one who ran had in use at the switch. */
  readonly stackUse: number;
}

const CTX = MILL_CR.fields.ctx.offset;

/**
 * Watches a process and tells about each of its switches once it is complete: at the landing, before the first
 * instruction of the one that goes on.
 * @returns what ends that
 */
export function recordSwitches(process: Process, tell: (record: SwitchRecord) => void): () => void {
  const { cpu } = process;
  const { coroutines, census } = process.mill;
  const { memory } = cpu;
  const lastSaved = new Map<number, Slots>();
  let number = 0;
  let from = 0;
  let fromId = 0;
  let since = 0;
  let endOfLanding = (): void => {};

  const ctxSlots = (cr: number): Slots =>
    Object.fromEntries(CTX_SLOTS.map((name, slot) => [name, memory.u64(cr + CTX + slot * SLOT_BYTES)])) as Slots;
  const registers = (): Slots => Object.fromEntries(CTX_SLOTS.map((name) => [name, cpu.read(name)])) as Slots;

  const emit = (event: Switch, to: number, saved: Half | null, restored: Half | null, stackUse: number): void => {
    number += 1;
    const at = cpu.moment;
    const toId = census.id(to);
    tell({
      number,
      kind: event.kind,
      at,
      saved,
      restored,
      from: fromId,
      to: toId,
      instructions: at - since,
      stackUse,
    });
    // Until its next save nobody writes this ctx, so what is in it now is what that save will overwrite.
    lastSaved.set(to, ctxSlots(to));
    from = to;
    fromId = toId;
    since = at;
  };

  const start = (): void => {
    from = coroutines.running;
    fromId = from === 0 ? 0 : census.id(from);
    since = cpu.moment;
    lastSaved.clear();
    endOfLanding();
    if (from !== 0) lastSaved.set(from, ctxSlots(from));
  };
  start();

  const endRestored = process.on('restored', start);
  const endSwitched = process.on('switched', (event) => {
    let saved: Half | null = null;
    if (event.saved !== 0) {
      const slots = ctxSlots(event.saved);
      const before = lastSaved.get(event.saved) ?? slots;
      saved = { coroutine: census.id(event.saved), ctx: BigInt(event.saved + CTX), before, slots };
    }
    const stackUse = coroutines.stackOf(from).high - Number(saved?.slots.rsp ?? cpu.read('rsp'));
    if (event.restored === 0) {
      emit(event, coroutines.running, saved, null, stackUse);
      return;
    }
    const before = registers();
    const ctx = event.restored + CTX;
    const landing = Number(ctxSlots(event.restored).rip);
    endOfLanding = cpu.onBlock((address) => {
      if (address !== landing) return;
      endOfLanding();
      const slots = { ...registers(), rip: BigInt(address) };
      const restored = { coroutine: census.id(event.restored), ctx: BigInt(ctx), before, slots };
      emit(event, event.restored, saved, restored, stackUse);
    });
  });
  return () => {
    endOfLanding();
    endRestored();
    endSwitched();
  };
}
