import { GENERAL_REGISTERS, VECTOR_REGISTERS } from '../../emu/registers.js';
import { isInside, type Measurement, type Unit } from '../probe/measure.js';
import { ID_FLAG, type ProbedRegister, type RegisterValues } from '../probe/registers.js';

/** What a piece of memory holds after the save. */
export interface Content {
  /** Undefined if it is no register's value. */
  readonly register: ProbedRegister | undefined;
  /** Which half of a vector register. */
  readonly half?: 'low' | 'high';
  /** How it differs from the register's value: `+8`, `rol(x ^ fs:0x30, 17)`; or, without a register, what it is instead. */
  readonly as: string | undefined;
}

const WORD = 64n;
const WORD_MASK = (1n << WORD) - 1n;
/** A register may be saved with a displacement, as rsp is in front of its pushes. */
const MOST_DISPLACEMENT = 4096n;

const rotateRight = (value: bigint, by: bigint): bigint => ((value >> by) | (value << (WORD - by))) & WORD_MASK;

/** What a register would look like in so many bytes: name, half, and both values. */
function candidates(
  [first, second]: readonly [RegisterValues, RegisterValues],
  size: number,
): [ProbedRegister, 'low' | 'high' | undefined, bigint, bigint][] {
  if (size === 2) return [['fpcw', undefined, first.fpcw, second.fpcw]];
  if (size === 4) return [['mxcsr', undefined, first.mxcsr, second.mxcsr]];
  if (size !== 8) return [];
  const whole = [...GENERAL_REGISTERS, 'rip', 'sigmask'] as const;
  return [
    ...whole.map((name) => [name, undefined, first[name], second[name]] as [ProbedRegister, undefined, bigint, bigint]),
    ...VECTOR_REGISTERS.flatMap((name): [ProbedRegister, 'low' | 'high', bigint, bigint][] => [
      [name, 'low', first[name] & WORD_MASK, second[name] & WORD_MASK],
      [name, 'high', first[name] >> WORD, second[name] >> WORD],
    ]),
  ];
}

/** The one key and the rotation for which rol(register ^ key) gives both values. */
function mangled(
  { saved, guard }: Measurement,
  [one, two]: readonly [bigint, bigint],
): Pick<Content, 'register' | 'as'> | undefined {
  for (const [register, half, first, second] of candidates(saved, 8)) {
    if (half !== undefined || first === second) continue;
    for (let by = 0n; by < WORD; by++) {
      const key = rotateRight(one, by) ^ first;
      if (key !== (rotateRight(two, by) ^ second)) continue;
      const word = key === guard ? 'fs:0x30' : `0x${key.toString(16)}`;
      const mixed = key === 0n ? 'x' : `x ^ ${word}`;
      return { register, as: by === 0n ? mixed : `rol(${mixed}, ${by})` };
    }
  }
  return undefined;
}

/** What the low half of a register is in four bytes, or its lowest two. */
function partial({ saved: [first, second] }: Measurement, size: number, [one, two]: readonly [bigint, bigint]) {
  const mask = (1n << BigInt(8 * size)) - 1n;
  return GENERAL_REGISTERS.find((name) => {
    return first[name] !== second[name] && (first[name] & mask) === one && (second[name] & mask) === two;
  });
}

/** An image of the flags: ID is in it, which differs in the two probes. */
function isFlags({ saved: [first, second] }: Measurement, [one, two]: readonly [bigint, bigint]): boolean {
  const image = (value: bigint): boolean => value >> 22n === 0n && (value & 2n) !== 0n;
  return (
    image(one) &&
    image(two) &&
    (one & ID_FLAG) === (first.eflags & ID_FLAG) &&
    (two & ID_FLAG) === (second.eflags & ID_FLAG)
  );
}

/** What a value that is the same in both probes is. */
function constant(measurement: Measurement, value: bigint): string {
  const { places, code } = measurement;
  const offset = Number(value) - places.ctx;
  if (Math.abs(offset) < 2048) return `address of ctx${offset < 0 ? '-' : '+'}${Math.abs(offset)}`;
  const symbol = value > 0xffffn ? code.image.symbolAt(value) : undefined;
  if (symbol === undefined) return `0x${value.toString(16)}`;
  return `address ${symbol.name}${symbol.offset === 0n ? '' : `+0x${symbol.offset.toString(16)}`}`;
}

/** Finds out what a piece holds by comparing it with the registers of both probes. */
export function contentOf(measurement: Measurement, { values, size, effects }: Unit): Content | undefined {
  if (values === undefined) return undefined;
  const [one, two] = values;
  const known = candidates(measurement.saved, size);
  // A register that points to a ctx is the same in both probes, and so may be a value that has nothing to do with it.
  const isItself = (register: ProbedRegister): boolean => one !== two || effects?.includes(register) === true;
  const same = known.find(([name, , first, second]) => first === one && second === two && isItself(name));
  if (same !== undefined) {
    const [register, half] = same;
    return { register, ...(half && { half }), as: undefined };
  }
  if (isFlags(measurement, values)) return { register: 'eflags', as: undefined };
  if (one === two) {
    const isLabel = size === 8 && isInside(measurement.code.save, one);
    return isLabel ? { register: 'rip', as: undefined } : { register: undefined, as: constant(measurement, one) };
  }
  const low = size < 8 ? partial(measurement, size, values) : undefined;
  if (low !== undefined) return { register: low, as: `its low ${8 * size} bits` };
  const displaced = known.find(([, half, first, second]) => {
    const by = one - first;
    return half === undefined && by === two - second && by > -MOST_DISPLACEMENT && by < MOST_DISPLACEMENT;
  });
  if (displaced !== undefined) {
    const by = one - displaced[2];
    return { register: displaced[0], as: by < 0n ? `${by}` : `+${by}` };
  }
  const found = size === 8 ? mangled(measurement, values) : undefined;
  if (found !== undefined) return found;
  return { register: undefined, as: 'something computed from registers' };
}
