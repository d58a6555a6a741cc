import type { Memory } from '../../emu/memory.js';
import type { Host, HostFunctions } from './host.js';

/*
 * rand() and random() are Knuth's additive feedback generator (The Art of Computer Programming, volume 2, 3.2.2) with
 * the parameters of BSD and glibc: x[i] = x[i - 31] + x[i - 3], of which the lowest bit is dropped.
 */
const DEGREE = 31;
const SEPARATION = 3;
/** The first numbers, in which the seed still shows, are passed over. */
const DISCARDED = 310;
/** The first 31 words follow from the seed by Park's and Miller's generator. */
const PARK_MILLER_FACTOR = 16807;
const PARK_MILLER_MODULUS = 2 ** 31 - 1;

/** POSIX, drand48: multiplier, increment, and the low 16 bits that srand48 gives the state. */
const FACTOR_48 = 0x5deece66dn;
const INCREMENT_48 = 0xbn;
const SEEDED_48 = 0x330en;

/**
 * stdlib.h's random numbers, as glibc makes them of the same seed: a program's own, and no part of how choose() chooses.
 * Before the program seeds them they are what they are on Linux when the machine's seed is 0, and follow from it else.
 */
export function randomFunctions({ memory, symbols }: Host): HostFunctions {
  const words = symbols('rand_state');
  const next = symbols('rand_next');
  const state48 = symbols('rand48_state');
  const factor48 = symbols('rand48_factor');
  const increment48 = symbols('rand48_increment');

  const seed = (value: number): void => {
    memory.write(words, new Uint8Array(seededWords(value).buffer));
    memory.setU32(next, 0);
  };

  /** 31 bits. */
  const random = (): number => {
    const back = memory.u32(next);
    const front = words + 4 * ((back + SEPARATION) % DEGREE);
    const sum = (memory.u32(front) + memory.u32(words + 4 * back)) >>> 0;
    memory.setU32(front, sum);
    memory.setU32(next, (back + 1) % DEGREE);
    return sum >>> 1;
  };

  const step48 = (state: number): bigint => {
    const bits = BigInt.asUintN(48, read48(memory, state) * memory.u64(factor48) + memory.u64(increment48));
    write48(memory, state, bits);
    return bits;
  };
  const standard48 = (): void => {
    memory.setU64(factor48, FACTOR_48);
    memory.setU64(increment48, INCREMENT_48);
  };
  const seed48 = (value: bigint): void => {
    write48(memory, state48, (value << 16n) | SEEDED_48);
    standard48();
  };

  const machineSeed = memory.u64(symbols('random_state'));
  seed(machineSeed === 0n ? 1 : Number(BigInt.asUintN(32, machineSeed)));
  if (machineSeed !== 0n) seed48(machineSeed);

  return {
    srandom: (call) => seed(call.unsigned(0)),
    random,
    rand_r: (call) => {
      const at = call.pointer(0);
      let state = memory.u32(at);
      const bits = (count: number): number => {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0;
        return (state >>> 16) % 2 ** count;
      };
      const result = (bits(11) << 20) ^ (bits(10) << 10) ^ bits(10);
      memory.setU32(at, state);
      return result;
    },

    srand48: (call) => seed48(call.long(0)),
    lrand48: () => step48(state48) >> 17n,
    nrand48: (call) => step48(call.pointer(0)) >> 17n,
    mrand48: () => BigInt.asIntN(32, step48(state48) >> 16n),
    jrand48: (call) => BigInt.asIntN(32, step48(call.pointer(0)) >> 16n),
    /** What drand48 and erand48 make their fraction of: a door returns no floating-point number. */
    __bits48: (call) => step48(call.pointer(0)),
    seed48: (call) => {
      const before = symbols('rand48_before');
      const given = read48(memory, call.pointer(0));
      write48(memory, before, read48(memory, state48));
      write48(memory, state48, given);
      standard48();
      return before;
    },
    lcong48: (call) => {
      const given = call.pointer(0);
      write48(memory, state48, read48(memory, given));
      memory.setU64(factor48, read48(memory, given + 6));
      memory.setU64(increment48, read48(memory, given + 12) & 0xffffn);
    },
  };
}

/** What the seed makes of the words, the numbers passed over included; 0 counts as 1. */
function seededWords(seed: number): Int32Array {
  const state = new Int32Array(DEGREE);
  state[0] = seed === 0 ? 1 : seed;
  for (let index = 1; index < DEGREE; index++) {
    // The remainder of a negative number is one too, and is made positive.
    const remainder = (PARK_MILLER_FACTOR * state[index - 1]) % PARK_MILLER_MODULUS;
    state[index] = remainder < 0 ? remainder + PARK_MILLER_MODULUS : remainder;
  }
  for (let index = 0; index < DISCARDED; index++) {
    state[(index + SEPARATION) % DEGREE] += state[index % DEGREE];
  }
  return state;
}

/** Three times 16 bits, the lowest first. What is read may be a page's last 6 bytes. */
function read48(memory: Memory, at: number): bigint {
  return memory.read(at, 6).reduceRight((bits, byte) => (bits << 8n) | BigInt(byte), 0n);
}

/** The low 48 bits. */
function write48(memory: Memory, at: number, bits: bigint): void {
  memory.write(at, new Uint8Array(BigUint64Array.of(bits).buffer, 0, 6));
}
