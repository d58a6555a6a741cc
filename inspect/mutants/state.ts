import { GENERAL_INDEX, GENERAL_REGISTERS, type GeneralRegister, VECTOR_REGISTERS } from '../../emu/registers.js';
import { REGISTERS_AT, ROW } from './bench.js';
import type { Random } from './random.js';

/** SF, ZF, AF, PF and CF as sahf takes them, of which bit 1 is always 1 (Intel SDM, volume 1, 3.4.3); and OF. */
const FLAGS = 0xd501;
const FLAGS_ALWAYS = 0x200;
/** All exceptions masked; what they were, rounding, denormals and flush to zero are any (volume 1, 10.2.3). */
const MXCSR_MASKED = 0x1f80;
const MXCSR_FREE = 0xe07f;
/** All exceptions masked; rounding and precision are any (volume 1, 8.1.5). */
const FPCW_MASKED = 0x7f;
const FPCW_FREE = 0xf00;
/** Bytes in which pointers point. */
export const SPREAD = 256;

/** What random states are to be like. */
export interface StateShape {
  /** Bytes of a row, and where the table is going to be. */
  readonly size: number;
  readonly table: number;
  /** Registers that code takes for pointers. */
  readonly pointers: ReadonlySet<GeneralRegister>;
  /** Bytes of memory in front of where pointers point, and behind it. */
  readonly reach: number;
}

/**
 * Makes rows of random states. Pointers point to the memory of their row; of all other words, in registers and memory
 * alike, half do, so that a pointer may be loaded from anywhere, and the others are any 64 bits.
 */
export function randomStates(rows: number, { size, table, pointers, reach }: StateShape, random: Random): Uint8Array {
  const bytes = new Uint8Array(rows * size);
  const view = new DataView(bytes.buffer);
  for (let row = 0; row < bytes.length; row += size) {
    const target = table + row + ROW.memory + reach;
    const word = (at: number, isPointer: boolean): void => {
      const isNear = isPointer || (random.next() & 1) === 0;
      view.setUint32(row + at, isNear ? target + 8 * (random.next() % (SPREAD / 8)) : random.next(), true);
      view.setUint32(row + at + 4, isNear ? 0 : random.next(), true);
    };
    for (const name of GENERAL_REGISTERS) word(REGISTERS_AT.general + 8 * GENERAL_INDEX[name], pointers.has(name));
    view.setUint16(row + REGISTERS_AT.flags, (random.next() & FLAGS) | FLAGS_ALWAYS, true);
    view.setUint32(row + REGISTERS_AT.mxcsr, MXCSR_MASKED | (random.next() & MXCSR_FREE), true);
    view.setUint16(row + REGISTERS_AT.fpcw, FPCW_MASKED | (random.next() & FPCW_FREE), true);
    for (let at = REGISTERS_AT.vectors; at < REGISTERS_AT.done; at += 4) view.setUint32(row + at, random.next(), true);
    for (let at = ROW.memory; at < size; at += 8) word(at, false);
  }
  return bytes;
}

/** Whether the code has come to its end in a row. */
export function isDone(row: Uint8Array): boolean {
  return row[ROW.behind + REGISTERS_AT.done] !== 0;
}

/** What of two rows is not the same behind the code: names of registers, `flags`, `memory`. */
export function differencesIn(one: Uint8Array, other: Uint8Array): string[] {
  const fields: readonly (readonly [string, number, number])[] = [
    ...GENERAL_REGISTERS.map((name) => [name, REGISTERS_AT.general + 8 * GENERAL_INDEX[name], 8] as const),
    ['flags', REGISTERS_AT.flags, 2],
    ['direction flag', REGISTERS_AT.direction, 4],
    ['mxcsr', REGISTERS_AT.mxcsr, 4],
    ['fpcw', REGISTERS_AT.fpcw, 4],
    ...VECTOR_REGISTERS.map((name, index) => [name, REGISTERS_AT.vectors + 16 * index, 16] as const),
  ];
  const differ = (start: number, size: number): boolean =>
    Buffer.compare(one.subarray(start, start + size), other.subarray(start, start + size)) !== 0;
  const registers = fields.filter(([, start, size]) => differ(ROW.behind + start, size)).map(([name]) => name);
  return differ(ROW.memory, one.length - ROW.memory) ? [...registers, 'memory'] : registers;
}
