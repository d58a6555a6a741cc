import type { Disassembly } from '../../emu/disassembler.js';
import { type GENERAL_REGISTERS, REGISTER_FILE } from '../../emu/registers.js';
import { CTX_SLOTS, type CtxSlot, MILL_CR, offsets, SLOT_BYTES } from '../../runtime/layout.js';
import type { Process } from '../../runtime/process.js';
import { addressOf, parseOperand, splitOperands } from './operand.js';
import type { RegisterFile } from './readings.js';
import type { Position, Station } from './sequence.js';

const CTX = offsets(MILL_CR).ctx;
const CTX_BYTES = CTX_SLOTS.length * SLOT_BYTES;

/** A value that the next instruction moves into a slot, out of it, or on from there. */
export interface Travel {
  readonly from: Station;
  readonly to: Station;
  readonly value: bigint;
}

/** A slot of a ctx at a moment. */
export interface SlotRow {
  readonly index: number;
  readonly name: CtxSlot;
  /** What it holds. */
  readonly held: bigint;
  /** What the register of its name holds. */
  readonly register: bigint;
  /** What it will hold behind the next instruction; undefined if nothing comes next. */
  readonly after: bigint | undefined;
  readonly travel: Travel | undefined;
  /** Within a switch: whether its value has come where this switch takes it. */
  readonly done: boolean;
}

/** The ctx of a coroutine. */
export interface ContextView {
  /** Its id. */
  readonly coroutine: number;
  readonly address: number;
  /** What holds at this moment: a running coroutine's ctx is that of its last save. */
  readonly state: 'running' | 'saved' | 'being saved' | 'being restored';
  /** Within a switch: which instruction of how many comes next, counting from 1. */
  readonly step: { readonly number: number; readonly of: number } | undefined;
  readonly slots: readonly SlotRow[];
}

/** The ten slots of a ctx as they are in memory. */
export function readSlots(process: Process, cr: number): bigint[] {
  return CTX_SLOTS.map((_, slot) => process.cpu.memory.u64(cr + CTX + slot * SLOT_BYTES));
}

/** A register of the file that {@link RegisterFile} is. */
export function registerIn(registers: RegisterFile, name: (typeof REGISTER_FILE)[number]): bigint {
  return registers[REGISTER_FILE.indexOf(name)];
}

/**
 * The mill_cr of which the next instruction concerns the ctx.
 * @param crs of all coroutines
 * @returns undefined if it concerns none
 */
export function concerned(
  crs: readonly number[],
  registers: RegisterFile,
  next: Disassembly | undefined,
  position: Position | undefined,
): number | undefined {
  const of = (address: bigint): number | undefined =>
    crs.find((cr) => address >= cr + CTX && address < cr + CTX + CTX_BYTES);
  if (position !== undefined) return of(registerIn(registers, position.sequence.ctx));
  const access = next === undefined ? undefined : accessOf(next, registers);
  return access === undefined ? undefined : of(access.address);
}

/** @param words slots of {@link readSlots}, now and behind the next instruction */
export function contextView(
  { id, cr, isRunning }: { readonly id: number; readonly cr: number; readonly isRunning: boolean },
  registers: RegisterFile,
  words: { readonly now: readonly bigint[]; readonly after: readonly bigint[] | undefined },
  next: Disassembly | undefined,
  position: Position | undefined,
): ContextView {
  const address = cr + CTX;
  const inSwitch = position !== undefined && registerIn(registers, position.sequence.ctx) === BigInt(address);
  const carried = inSwitch ? position.sequence.steps[position.index].carried : undefined;
  const access = next === undefined || inSwitch ? undefined : accessOf(next, registers);
  const travelOf = (slot: number): Travel | undefined => {
    if (carried?.slot === slot) {
      const { from, to } = carried;
      const value = from === 'slot' ? words.now[slot] : carriedValue(from, registers, words.after, slot, next);
      return { from, to, value };
    }
    const at = BigInt(address + slot * SLOT_BYTES);
    if (access === undefined || access.address < at || access.address >= at + BigInt(SLOT_BYTES)) return undefined;
    const { register, writes } = access;
    return writes
      ? { from: register, to: 'slot', value: registerIn(registers, register) }
      : { from: 'slot', to: register, value: words.now[slot] };
  };
  const done = new Set(inSwitch ? arrived(position) : []);
  const state = inSwitch
    ? position.sequence.kind === 'save'
      ? 'being saved'
      : 'being restored'
    : isRunning
      ? 'running'
      : 'saved';
  return {
    coroutine: id,
    address,
    state,
    step: inSwitch ? { number: position.index + 1, of: position.sequence.steps.length } : undefined,
    slots: CTX_SLOTS.map((name, index) => ({
      index,
      name,
      held: words.now[index],
      register: registerIn(registers, name),
      after: words.after?.[index],
      travel: travelOf(index),
      done: done.has(index),
    })),
  };
}

/** The slots whose values have come to their end: into the slot in a save, into the register of its name in a restore. */
function arrived({ sequence, index }: Position): number[] {
  return sequence.steps.slice(0, index).flatMap(({ carried }) => {
    if (carried === undefined) return [];
    const end = sequence.kind === 'save' ? 'slot' : CTX_SLOTS[carried.slot];
    return carried.to === end ? [carried.slot] : [];
  });
}

function carriedValue(
  from: Exclude<Station, 'slot'>,
  registers: RegisterFile,
  after: readonly bigint[] | undefined,
  slot: number,
  next: Disassembly | undefined,
): bigint {
  if (from !== 'rip') return registerIn(registers, from);
  // The address that lea makes, which will be the slot's.
  const [text] = splitOperands(next?.operands ?? '');
  const operand = parseOperand(text ?? '');
  const rip = registerIn(registers, 'rip') + BigInt(next?.length ?? 0);
  return operand.kind === 'memory' ? rip + operand.displacement : (after?.[slot] ?? rip);
}

/** What a move between a register and memory does. */
interface Access {
  readonly address: bigint;
  readonly register: (typeof GENERAL_REGISTERS)[number];
  readonly writes: boolean;
}

function accessOf({ mnemonic, operands, length }: Disassembly, registers: RegisterFile): Access | undefined {
  if (!mnemonic.startsWith('mov')) return undefined;
  const [from, to] = splitOperands(operands).map(parseOperand);
  const read = (name: (typeof GENERAL_REGISTERS)[number] | 'rip'): bigint =>
    name === 'rip' ? registerIn(registers, 'rip') + BigInt(length) : registerIn(registers, name);
  if (from?.kind === 'register' && to?.kind === 'memory') {
    return { address: addressOf(to, read), register: from.register, writes: true };
  }
  if (from?.kind === 'memory' && to?.kind === 'register') {
    return { address: addressOf(from, read), register: to.register, writes: false };
  }
  return undefined;
}
