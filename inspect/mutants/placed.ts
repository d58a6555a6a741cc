import type { Disassembler } from '../../emu/disassembler.js';
import type { Edit, Part } from './edit.js';
import type { SwitchInstruction } from './instruction.js';
import { moved } from './moved.js';

/** An edit as bytes at addresses. */
export interface Placed {
  readonly changes: readonly (readonly [address: number, bytes: Uint8Array])[];
  /** Code that is new, for where there was none. */
  readonly annex: { readonly address: number; readonly bytes: Uint8Array } | undefined;
  /** Which of the original bytes are elsewhere now; what a linker fills in goes with them. */
  readonly moves: readonly Move[];
}

export interface Move {
  readonly from: number;
  readonly length: number;
  /** Undefined if they are nowhere. */
  readonly to: number | undefined;
}

/** Where code is that is to be changed. */
export interface Ground {
  /** So many bytes from an address on. */
  readonly read: (address: number, length: number) => Uint8Array;
  /** Whether a linker fills in some of these bytes. */
  readonly relocated: (address: number, length: number) => boolean;
  /** An address behind all code, from which on there is room. */
  readonly free: number;
}

const JUMP = 0xe9;
const JUMP_LENGTH = 5;
/** What Intel recommends for so many bytes (SDM, volume 2, "NOP"). */
const NOPS: readonly (readonly number[])[] = [
  [],
  [0x90],
  [0x66, 0x90],
  [0x0f, 0x1f, 0x00],
  [0x0f, 0x1f, 0x40, 0x00],
  [0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
  [0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
];

/** Instructions that do nothing, so many bytes long. */
export function nops(length: number): number[] {
  const most = NOPS.length - 1;
  return length > most ? [...NOPS[most], ...nops(length - most)] : [...NOPS[length]];
}

function jump(from: number, to: number): Uint8Array {
  return Uint8Array.from([JUMP, ...new Uint8Array(Int32Array.of(to - from - JUMP_LENGTH).buffer)]);
}

/** Parts one behind the other; undefined if one of them cannot be there. */
export function laidOut(
  parts: readonly Part[],
  start: number,
  { read, relocated }: Pick<Ground, 'read' | 'relocated'>,
  disassembler: Disassembler,
): { bytes: Uint8Array; moves: Move[] } | undefined {
  const bytes: number[] = [];
  const moves: Move[] = [];
  for (const part of parts) {
    const { address, length } = part;
    const at = start + bytes.length;
    const isFilled = relocated(address, length);
    const own = part.kind === 'made' ? part.bytes : moved(read(address, length), address, at, isFilled, disassembler);
    if (own === undefined) return undefined;
    // A new instruction has its fields where the old one had them only if nothing else has changed.
    if (part.kind === 'made' && isFilled && own.length !== length) return undefined;
    if (part.kind === 'made' && at !== address && namesItself(own, at, disassembler)) return undefined;
    moves.push({ from: address, length, to: at });
    bytes.push(...own);
  }
  return { bytes: Uint8Array.from(bytes), moves };
}

function namesItself(bytes: Uint8Array, address: number, disassembler: Disassembler): boolean {
  return disassembler.disassemble(bytes, BigInt(address))?.operands.includes('(%rip') === true;
}

/** The instructions around an edit that have to make room for a jump. */
function widened({ address, length, parts }: Edit, run: readonly SwitchInstruction[]): Edit | undefined {
  let [first, last] = [address, address + length];
  const all: Part[] = [...parts];
  const before = run.filter((one) => one.address < address).reverse();
  const behind = run.filter((one) => one.address >= last);
  while (last - first < JUMP_LENGTH) {
    const next = behind.shift();
    if (next !== undefined) {
      all.push({ kind: 'kept', address: next.address, length: next.length });
      last = next.address + next.length;
      continue;
    }
    const previous = before.shift();
    if (previous === undefined) return undefined;
    all.unshift({ kind: 'kept', address: previous.address, length: previous.length });
    first = previous.address;
  }
  return { address: first, length: last - first, parts: all };
}

/**
 * Makes bytes of an edit: in its place where they fit, with instructions that do nothing behind them, or else in free
 * room, with a jump there and one back.
 * @param run the straight line that the edit is in
 * @returns undefined if there is no way
 */
export function placed(
  edit: Edit,
  run: readonly SwitchInstruction[],
  ground: Ground,
  disassembler: Disassembler,
): Placed | undefined {
  const lost = ({ moves }: { moves: readonly Move[] }, { address, length }: Edit): Move[] =>
    run
      .filter((one) => one.address >= address && one.address < address + length)
      .filter((one) => !moves.some(({ from }) => from === one.address))
      .map((one) => ({ from: one.address, length: one.length, to: undefined }));
  const fitting = laidOut(edit.parts, edit.address, ground, disassembler);
  if (fitting !== undefined && fitting.bytes.length <= edit.length) {
    const rest = nops(edit.length - fitting.bytes.length);
    return {
      changes: [[edit.address, Uint8Array.from([...fitting.bytes, ...rest])]],
      annex: undefined,
      moves: [...fitting.moves, ...lost(fitting, edit)],
    };
  }
  const wide = widened(edit, run);
  const apart = wide && laidOut(wide.parts, ground.free, ground, disassembler);
  if (wide === undefined || apart === undefined) return undefined;
  const back = jump(ground.free + apart.bytes.length, wide.address + wide.length);
  return {
    changes: [
      [wide.address, Uint8Array.from([...jump(wide.address, ground.free), ...nops(wide.length - JUMP_LENGTH)])],
    ],
    annex: { address: ground.free, bytes: Uint8Array.from([...apart.bytes, ...back]) },
    moves: [...apart.moves, ...lost(apart, wide)],
  };
}
