import type { Image } from '../../asm/image.js';
import { CALL, decode, LENGTH } from '../../emu/instruction.js';
import type { Half } from '../probe/measure.js';

const RET = 0xc3;
const RET_IMM16 = 0xc2;
const REP = 0xf3;
const LONGEST = 15;

/** What CET's shadow stack would say of a half. */
export interface ShadowStack {
  /** The first return to where no call came from, which a processor with a shadow stack refuses. */
  readonly violation: number | undefined;
  /** How many return addresses more there are behind it than in front of it. */
  readonly depth: number;
  /** An instruction that asks for the shadow stack or changes it; this machine has none, so it does nothing. */
  readonly aware: number | undefined;
}

function bytesAt(image: Image, address: number): Uint8Array {
  const section = image.sectionAt(BigInt(address));
  const offset = address - Number(section?.address ?? 0n);
  return section?.bytes.subarray(offset, offset + LONGEST) ?? new Uint8Array();
}

/** rdssp (F3 0F 1E /1), incssp (F3 0F AE /5), saveprevssp and rstorssp (F3 0F 01) (Intel SDM, volume 2). */
function usesShadowStack(bytes: Uint8Array): boolean {
  const at = (bytes[1] & 0xf0) === 0x40 ? 2 : 1;
  if (bytes[0] !== REP || bytes[at] !== 0x0f) return false;
  const [opcode, modrm] = [bytes[at + 1], bytes[at + 2]];
  if (opcode === 0x1e) return (modrm & 0xf8) === 0xc8;
  if (opcode === 0xae) return (modrm & 0xf8) === 0xe8;
  return opcode === 0x01 && (modrm === 0xea || (modrm & 0x38) === 0x28);
}

function returns([first, second]: Uint8Array): boolean {
  return first === RET || first === RET_IMM16 || (first === REP && second === RET);
}

/** Whether an instruction is a jump through a register or memory, and not exempt from landing pads by `notrack`. */
export function jumpsIndirectly(image: Image, address: number): boolean {
  const bytes = bytesAt(image, address);
  const at = (bytes[0] & 0xf0) === 0x40 ? 1 : 0;
  return bytes[at] === 0xff && ((bytes[at + 1] >> 3) & 7) === 4;
}

/** Whether `endbr64` is at an address. */
export function isLandingPad(image: Image, address: number): boolean {
  const [a, b, c, d] = bytesAt(image, address);
  return a === REP && b === 0x0f && c === 0x1e && d === 0xfa;
}

/**
 * Follows the calls and returns of a half as a shadow stack does.
 * @param frames return addresses that are on it when the half begins, the last one on top
 */
export function shadowStackOf(image: Image, { steps, arrival }: Half, frames: readonly number[]): ShadowStack {
  const stack = [...frames];
  let violation: number | undefined;
  let aware: number | undefined;
  steps.forEach(({ rip }, index) => {
    const next = steps[index + 1]?.rip ?? (arrival.kind === 'arrived' ? arrival.at : undefined);
    const bytes = bytesAt(image, rip);
    const instruction = decode(bytes, 0);
    if (usesShadowStack(bytes)) aware ??= rip;
    if (next === undefined) return;
    if ((instruction & CALL) !== 0) stack.push(rip + (instruction & LENGTH));
    else if (returns(bytes) && stack.pop() !== next) violation ??= rip;
  });
  return { violation, depth: stack.length - frames.length, aware };
}
