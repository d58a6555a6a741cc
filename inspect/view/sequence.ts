import type { GeneralRegister } from '../../emu/registers.js';
import { CTX_SLOTS, SLOT_BYTES } from '../../runtime/layout.js';
import type { Process } from '../../runtime/process.js';
import { type Instructions, instructionAt } from './code.js';
import { parseOperand, splitOperands } from './operand.js';

/** The files that hold libmill's two sequences, as the runtime includes them. */
const FILES = { save: 'mill_setjmp.s', restore: 'mill_longjmp.s' } as const;

/** Where a value is on its way through a switch: a register, its slot, or the code's own address. */
export type Station = GeneralRegister | 'rip' | 'slot';

/** What one instruction of a sequence moves: the value of a slot, from one station to the next. */
export interface Carried {
  /** Index of the slot. */
  readonly slot: number;
  readonly from: Station;
  readonly to: Station;
}

/** One instruction of a sequence. */
interface Step {
  /** Bytes from the start of the sequence. */
  readonly offset: number;
  readonly carried: Carried | undefined;
}

/** One of libmill's two sequences. */
export interface Sequence {
  readonly kind: keyof typeof FILES;
  readonly bytes: Uint8Array;
  readonly steps: readonly Step[];
  /** The register that holds the ctx while it runs. */
  readonly ctx: GeneralRegister;
}

/** Where in a sequence the guest is. */
export interface Position {
  readonly sequence: Sequence;
  /** Index of the instruction that comes next. */
  readonly index: number;
}

/** The two sequences as the runtime has them, read from its own code. */
export function sequencesOf(process: Process, instructions: Instructions): Sequence[] {
  const [runtime] = process.images;
  return (['save', 'restore'] as const).flatMap((kind) => {
    const [range] = runtime.occurrences(FILES[kind]);
    return range === undefined ? [] : [read(process, instructions, kind, Number(range.start), Number(range.end))];
  });
}

/** Where in a sequence an address is; a compiler may have put copies of it anywhere. */
export function positionAt(process: Process, sequences: readonly Sequence[], address: number): Position | undefined {
  for (const sequence of sequences) {
    for (const [index, { offset }] of sequence.steps.entries()) {
      if (isAt(process, sequence, address - offset)) return { sequence, index };
    }
  }
  return undefined;
}

function isAt(process: Process, { bytes }: Sequence, start: number): boolean {
  const { memory } = process.cpu;
  const isCode = [start, start + bytes.length - 1].every((at) => memory.protectionAt(at) === 'r-x');
  if (!isCode) return false;
  const here = memory.read(start, bytes.length);
  return bytes.every((byte, at) => byte === here[at]);
}

function read(
  process: Process,
  instructions: Instructions,
  kind: Sequence['kind'],
  start: number,
  end: number,
): Sequence {
  const steps: Step[] = [];
  /** Values of slots that are in registers they do not belong to. */
  const onTheWay = new Map<GeneralRegister, number>();
  let ctx: GeneralRegister = 'rax';
  for (let at = start; at < end; ) {
    const instruction = instructionAt(process, instructions, at);
    if (instruction === undefined) break;
    const [from, to] = splitOperands(instruction.operands.replace(/^\*/, '')).map(parseOperand);
    let carried: Carried | undefined;
    if (to?.kind === 'memory' && from.kind === 'register') {
      const slot = slotAt(to.displacement);
      ctx = baseOf(to.base);
      // What is stored may have been put into this register for the purpose.
      carried = { slot, from: from.register, to: 'slot' };
    } else if (from?.kind === 'memory' && to?.kind === 'register' && from.base === 'rip') {
      carried = { slot: CTX_SLOTS.indexOf('rip'), from: 'rip', to: to.register };
    } else if (from?.kind === 'memory' && to?.kind === 'register') {
      const slot = slotAt(from.displacement);
      ctx = baseOf(from.base);
      if (to.register !== CTX_SLOTS[slot]) onTheWay.set(to.register, slot);
      carried = { slot, from: 'slot', to: to.register };
    } else if (
      from?.kind === 'register' &&
      onTheWay.has(from.register) &&
      (to === undefined || to.kind === 'register')
    ) {
      const slot = onTheWay.get(from.register) ?? 0;
      onTheWay.delete(from.register);
      carried = { slot, from: from.register, to: to === undefined ? 'rip' : to.register };
    }
    steps.push({ offset: at - start, carried });
    at += instruction.length;
  }
  return { kind, bytes: process.cpu.memory.read(start, end - start), steps, ctx };
}

function slotAt(displacement: bigint): number {
  return Number(displacement) / SLOT_BYTES;
}

function baseOf(base: GeneralRegister | 'rip' | undefined): GeneralRegister {
  return base === undefined || base === 'rip' ? 'rax' : base;
}
