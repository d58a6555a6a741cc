import fc from 'fast-check';
import { EDGES } from './state.js';

/** What chance decides about one instruction; how much of it counts depends on the instruction. */
export interface Step {
  /** Which of the table's instructions. */
  readonly form: number;
  /** Which of the operand sizes it has. */
  readonly size: number;
  readonly reg: number;
  readonly rm: number;
  /** Whether rm is a memory operand. */
  readonly inMemory: boolean;
  /** ah to bh instead of spl to dil. */
  readonly high: boolean;
  /** One of the addressing modes. */
  readonly mode: number;
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly displacement: number;
  /** Of the operand, among the data. */
  readonly target: number;
  /** For immediates, counts, and registers that need a value of some kind. */
  readonly value: bigint;
}

const register = fc.nat(15);
const values = fc.oneof(fc.constantFrom(...EDGES), fc.nat(80).map(BigInt), fc.bigInt(0n, 2n ** 64n - 1n));

/** @param forms of the table */
export function steps(forms: number): fc.Arbitrary<Step> {
  return fc.record({
    form: fc.nat(forms - 1),
    size: fc.nat(11),
    reg: register,
    rm: register,
    inMemory: fc.boolean(),
    high: fc.boolean(),
    mode: fc.nat(7),
    base: register,
    index: register,
    scale: fc.nat(3),
    displacement: fc.oneof(
      fc.constant(0),
      fc.integer({ min: -128, max: 127 }),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
    ),
    target: fc.nat(0xfff),
    value: values,
  });
}
