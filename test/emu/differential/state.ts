import { GENERAL_REGISTERS } from '../../../emu/registers.js';

/** Where code and data are, on this machine's CPU as in the guest. Nothing is mapped around the data. */
export const CODE = 0x400000;
export const CODE_SIZE = 0x200000;
export const DATA = 0x900000;
export const DATA_SIZE = 0x2000;
/** What instructions aim at is in the middle, so that stacks and strings that go on from there stay inside. */
export const TARGETS = DATA + 0x800;
export const TARGETS_SIZE = 0x1000;

export const XMM_COUNT = 16;

/** What an instruction sequence starts with, and what it leaves behind. Vector registers are 16 bytes each. */
export interface State {
  /** In encoding order, see {@link GENERAL_REGISTERS}. */
  readonly general: readonly bigint[];
  readonly flags: number;
  readonly mxcsr: number;
  readonly xmm: Uint8Array;
  readonly data: Uint8Array;
}

/** CF, PF, AF, ZF, SF, DF, OF. */
export const ALL_FLAGS = 0xcd5;
const FLAG_NAMES: readonly (readonly [bit: number, name: string])[] = [
  [1, 'cf'],
  [4, 'pf'],
  [0x10, 'af'],
  [0x40, 'zf'],
  [0x80, 'sf'],
  [0x400, 'df'],
  [0x800, 'of'],
];

export function flagNames(flags: number): string {
  return FLAG_NAMES.flatMap(([bit, name]) => ((flags & bit) === 0 ? [] : [name])).join(' ');
}

/** Values at which something changes: sign, carry, size. As integers of any size, they are cut. */
export const EDGES: readonly bigint[] = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_fffen,
  0xffff_ffff_ffff_ffffn,
  0x0123_4567_89ab_cdefn,
];

/** Floating-point numbers, in pairs of singles and as doubles: zeros, ones, infinities, NaNs of both kinds, limits. */
const FLOATS: readonly bigint[] = [
  ...[1, -1, 0.5, 1.5, 2.5, -2.5, 3, 1e10, -1e300, 1e-310, 2 ** 31, -(2 ** 31) - 0.5, 2 ** 63, 0.1, 1 / 3].map(
    (value) => new BigUint64Array(Float64Array.of(value).buffer)[0],
  ),
  ...[1, -1.5, 2.5, 1e-40, 3.4e38, 1e20, 2 ** 31, -0, 0.1, 1.17e-38, 65536.5].map(
    (value) => BigInt(new Uint32Array(Float32Array.of(value).buffer)[0]) * 0x1_0000_0001n,
  ),
  0x7ff0_0000_0000_0000n,
  0xfff0_0000_0000_0000n,
  0x7ff8_0000_0000_1234n,
  0x7ff4_0000_0000_5678n,
  0x0010_0000_0000_0000n,
  0x000f_ffff_ffff_ffffn,
  0x7fef_ffff_ffff_ffffn,
  0x7f80_0000_ff80_0000n,
  0x7fc0_1234_7fa0_5678n,
  0x0080_0000_007f_ffffn,
  0x3f80_0000_bf80_0000n,
];

/** Where numbers become denormals: the least ones that are none, some that are, and small factors. */
const TINY: readonly bigint[] = [
  0x0010_0000_0000_0000n,
  0x8010_0000_0000_0001n,
  0x000f_ffff_ffff_ffffn,
  0x8000_0000_0000_0001n,
  0x3fe0_0000_0000_0000n,
  0x3ff8_0000_0000_0000n,
  0x0080_0000_807f_ffffn,
  0x8080_0001_0000_0001n,
  0x3f00_0000_bf40_0000n,
  0x3fc0_0000_0080_0000n,
];

/** Bits of mxcsr (Intel SDM, volume 1, 10.2.3): all exceptions masked, as a process starts. */
export const EXCEPTIONS_MASKED = 0x1f80;
export const FLUSH_TO_ZERO = 0x8000;
export const DENORMALS_ARE_ZEROS = 0x40;
/** The rounding mode and the two above. */
export const MODES = 0xe040;

/** A repeatable source of numbers below a bound (xorshift32). */
function random(seed: number): (bound: number) => number {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b) | 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

/**
 * A state made of edges, floating-point numbers and noise, the same for the same seed; rsp is in the middle of the data.
 * @param modes that mxcsr may have
 */
export function initialState(seed: number, modes = MODES): State {
  const pick = random(seed);
  const floats = pick(4) === 0 ? TINY : FLOATS;
  const noise = (): bigint => (BigInt(pick(0x1_0000_0000)) << 32n) | BigInt(pick(0x1_0000_0000));
  const value = (): bigint => {
    switch (pick(4)) {
      case 0:
        return noise();
      case 1:
        return EDGES[pick(EDGES.length)];
      default:
        return floats[pick(floats.length)];
    }
  };
  const integer = (): bigint => (pick(2) === 0 ? noise() : EDGES[pick(EDGES.length)]);
  const fill = (bytes: number, next: () => bigint) =>
    new Uint8Array(BigUint64Array.from({ length: bytes / 8 }, next).buffer);
  const general = GENERAL_REGISTERS.map(integer);
  general[4] = BigInt(DATA + DATA_SIZE / 2);
  return {
    general,
    flags: [1, 4, 0x10, 0x40, 0x80, 0x800].reduce((sum, bit) => (pick(2) === 0 ? sum : sum | bit), 2),
    mxcsr: EXCEPTIONS_MASKED | (pick(2) === 0 ? 0 : pick(0x10000) & modes),
    xmm: fill(XMM_COUNT * 16, value),
    data: fill(DATA_SIZE, value),
  };
}
