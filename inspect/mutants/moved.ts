import type { Disassembler } from '../../emu/disassembler.js';

const CALL = 0xe8;
const JUMP = 0xe9;
const SHORT_JUMP = 0xeb;
const TWO_BYTES = 0x0f;
/** Bytes of an immediate behind a displacement. */
const IMMEDIATES = [0, 1, 2, 4];
const RIP = /(-?(?:0x[0-9a-f]+|\d+))?\(%rip/;

function int32(value: number): Uint8Array | undefined {
  return value === (value | 0) ? new Uint8Array(Int32Array.of(value).buffer) : undefined;
}

/**
 * An instruction from one address as it has to be at another, to mean the same place.
 * @param relocated whether what it names relative to itself is for a linker to fill in
 * @returns undefined if that is not possible; a short jump may have become a long one
 */
export function moved(
  bytes: Uint8Array,
  from: number,
  to: number,
  relocated: boolean,
  disassembler: Disassembler,
): Uint8Array | undefined {
  const by = to - from;
  const before = disassembler.disassemble(bytes, BigInt(from));
  if (before === undefined || by === 0 || relocated) return before && bytes;
  const { operands, length, mnemonic } = before;
  const isBranch = /^(j|call|loop)/.test(mnemonic) && !operands.startsWith('*');
  if (isBranch) return movedBranch(bytes, by);
  const [, displacement = '0'] = RIP.exec(operands) ?? [];
  if (!operands.includes('(%rip')) return bytes;
  const value = displacement.startsWith('-') ? -Number(displacement.slice(1)) : Number(displacement);
  const field = int32(value - by);
  for (const size of IMMEDIATES) {
    const at = length - 4 - size;
    if (at < 1 || field === undefined) continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (view.getInt32(at, true) !== value) continue;
    const copy = bytes.slice();
    copy.set(field, at);
    return copy;
  }
  return undefined;
}

function movedBranch(bytes: Uint8Array, by: number): Uint8Array | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [first, second] = bytes;
  const isNear = first === CALL || first === JUMP || (first === TWO_BYTES && (second & 0xf0) === 0x80);
  if (isNear) {
    const field = int32(view.getInt32(bytes.length - 4, true) - by);
    if (field === undefined) return undefined;
    const copy = bytes.slice();
    copy.set(field, bytes.length - 4);
    return copy;
  }
  const distance = view.getInt8(bytes.length - 1) - by;
  if (distance >= -128 && distance <= 127) {
    const copy = bytes.slice();
    copy[bytes.length - 1] = distance;
    return copy;
  }
  // Behind a longer instruction the same place is that much nearer.
  if (first === SHORT_JUMP) return Uint8Array.from([JUMP, ...(int32(distance - 3) ?? [])]);
  if ((first & 0xf0) === 0x70) return Uint8Array.from([TWO_BYTES, first + 0x10, ...(int32(distance - 4) ?? [])]);
  return undefined;
}
