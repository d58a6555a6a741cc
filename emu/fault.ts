import type { PageFault } from './engine.js';
import type { Access } from './errors.js';
import { PORT, UNREPEATABLE, VECTOR } from './instruction.js';

/** Exception vectors (Intel SDM, volume 3, table 6-1). */
export const DEBUG = 1;
export const BREAKPOINT = 3;
export const INVALID_OPCODE = 6;
export const PAGE_FAULT = 14;
/** Added to the vector of an `int n`, which is no exception of that number. */
export const SOFTWARE = 0x100;

/** Bits of a page fault's error code (Intel SDM, volume 3, 4.7). */
const WRITE = 2;
const FETCH = 16;

/** What stopped the guest, in the words of the Intel SDM, with the signal that Linux would send for it. */
export type FaultKind =
  | 'divide error'
  | 'trap'
  | 'breakpoint'
  | 'invalid instruction'
  | 'refused instruction'
  | 'general protection fault'
  | 'stack fault'
  | 'page fault'
  | 'floating-point error'
  | 'software interrupt'
  | 'bad pointer';

/** An instruction that could not be completed, and why. Memory and registers are as they were before it. */
export interface Fault {
  readonly kind: FaultKind;
  /** Address of the instruction. */
  readonly rip: bigint;
  /** Refused instructions: why, and what to do. */
  readonly reason?: string;
  /** Page faults and bad pointers: what was tried, */
  readonly access?: Access;
  /** and where. */
  readonly target?: bigint;
}

const KINDS: Readonly<Record<number, FaultKind>> = {
  0: 'divide error',
  [DEBUG]: 'trap',
  [BREAKPOINT]: 'breakpoint',
  [INVALID_OPCODE]: 'invalid instruction',
  12: 'stack fault',
  13: 'general protection fault',
  [PAGE_FAULT]: 'page fault',
  16: 'floating-point error',
  17: 'general protection fault',
  19: 'floating-point error',
};

/** Whether an exception leaves rip at the instruction that raised it, rather than behind it. */
export function isFault(vector: number): boolean {
  return KINDS[vector] !== undefined && vector !== BREAKPOINT && vector !== DEBUG;
}

/**
 * @param vector of the exception
 * @param pageFault CR2 and error code; looked at for page faults only
 */
export function faultOf(vector: number, rip: bigint, { address, errorCode }: PageFault): Fault {
  const kind = KINDS[vector] ?? 'software interrupt';
  if (vector !== PAGE_FAULT) return { kind, rip };
  const access = (errorCode & FETCH) !== 0 ? 'execute' : (errorCode & WRITE) !== 0 ? 'write' : 'read';
  return { kind, rip, access, target: address };
}

/** Why an instruction with one of these flags is not executed. */
export function refusal(instruction: number, rip: number): Fault {
  if ((instruction & PORT) !== 0) return { kind: 'general protection fault', rip: BigInt(rip) };
  const reason =
    (instruction & VECTOR) !== 0
      ? 'the emulator computes AVX, BMI and all that is encoded like them wrongly: compile without (-mno-avx)'
      : (instruction & UNREPEATABLE) !== 0
        ? 'it gives another result in each run, and runs here are repeatable'
        : 'the emulator cannot execute it';
  return { kind: 'refused instruction', rip: BigInt(rip), reason };
}
