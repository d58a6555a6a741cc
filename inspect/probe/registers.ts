import { GENERAL_REGISTERS, type GeneralRegister, type RegisterName, VECTOR_REGISTERS } from '../../emu/registers.js';

/** Every register whose way through a switch is followed. */
export const PROBED_REGISTERS = [
  ...GENERAL_REGISTERS,
  'rip',
  'eflags',
  'mxcsr',
  'fpcw',
  ...VECTOR_REGISTERS,
] as const satisfies readonly RegisterName[];

/** A probed register, or `sigmask`: the signals that are blocked, which the kernel keeps beside the registers. */
export type ProbedRegister = (typeof PROBED_REGISTERS)[number] | 'sigmask';
/** All that is followed. */
export const PROBED: readonly ProbedRegister[] = [...PROBED_REGISTERS, 'sigmask'];

/** What the probed registers hold at a moment. */
export type RegisterValues = Readonly<Record<ProbedRegister, bigint>>;

/** The general registers that can hold a value without a meaning: all but rsp. */
export const FREE_REGISTERS = GENERAL_REGISTERS.filter((name) => name !== 'rsp');

/** Whether this is the name of a general register, as `--ctx` and its like take one. */
export function isGeneralRegister(name: string): name is GeneralRegister {
  return GENERAL_REGISTERS.some((one) => one === name);
}

/** DF: string instructions go downwards while it is set. */
export const DIRECTION_FLAG = 0x400n;
/** ID: a program can set it, and nothing but an image of the flags (popf, iret) changes it. */
export const ID_FLAG = 0x200000n;

/** Whose registers: of who is saved, of the same in a second probe, of who restores, of the other side of a swap. */
export type Cast = 'saved' | 'second' | 'poison' | 'other';

/** Where each cast's sequence of values begins. */
const SEEDS: Readonly<Record<Cast, bigint>> = { saved: 1n, second: 2n, poison: 3n, other: 4n };

/**
 * MXCSR by cast: all exceptions masked (bits 7-12), rounding (13-14), flush to zero (15), denormals (6) and the
 * exceptions that have been (0-5) differ (Intel SDM, volume 1, 10.2.3).
 */
const MXCSR: Readonly<Record<Cast, bigint>> = { saved: 0x3fc5n, second: 0xdf9an, poison: 0x7fa2n, other: 0x9fd8n };
/** The x87 control word: all masked, rounding (10-11) and precision (8-9) differ (Intel SDM, volume 1, 8.1.5). */
const FPCW: Readonly<Record<Cast, bigint>> = { saved: 0x67fn, second: 0xa7fn, poison: 0xf7fn, other: 0x27fn };
/**
 * EFLAGS: the direction flag clear, as the System V ABI wants it at every call; ID (bit 21), which only an image of the
 * flags changes, set in one probe of the two.
 */
const EFLAGS: Readonly<Record<Cast, bigint>> = { saved: 0x200093n, second: 0x846n, poison: 0xd6n, other: 0x812n };

/** SplitMix64 (Steele, Lea, Flood): the same words in every run. */
function* words(seed: bigint): Generator<bigint, never> {
  const mask = (1n << 64n) - 1n;
  for (let state = seed * 0x632be59bd9b4e019n; ; ) {
    state = (state + 0x9e3779b97f4a7c15n) & mask;
    let word = state;
    word = ((word ^ (word >> 30n)) * 0xbf58476d1ce4e5b9n) & mask;
    word = ((word ^ (word >> 27n)) * 0x94d049bb133111ebn) & mask;
    yield word ^ (word >> 31n);
  }
}

/** What is in memory before a probe: words of which no two are alike and none is an address. */
export function background(count: number): bigint[] {
  const sequence = words(5n);
  return Array.from({ length: count }, () => notAnAddress(sequence.next().value));
}

/** Bits 62 and 63 differ, so that it is no canonical address and whoever uses it as one faults. */
function notAnAddress(word: bigint): bigint {
  return (word & ~(1n << 63n)) | (1n << 62n);
}

/** The registers of a cast, no two alike; rsp and rip are for whoever places the cast to fill in. */
export function castValues(cast: Cast): Record<ProbedRegister, bigint> {
  const sequence = words(SEEDS[cast]);
  const next = (): bigint => notAnAddress(sequence.next().value);
  const wide = (): bigint => (next() << 64n) | next();
  const general = GENERAL_REGISTERS.map((name) => [name, next()] as const);
  const vectors = VECTOR_REGISTERS.map((name) => [name, wide()] as const);
  const special = { rip: 0n, eflags: EFLAGS[cast], mxcsr: MXCSR[cast], fpcw: FPCW[cast], sigmask: next() };
  return { ...Object.fromEntries([...general, ...vectors]), ...special } as Record<ProbedRegister, bigint>;
}
