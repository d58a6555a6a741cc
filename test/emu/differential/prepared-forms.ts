import { type Address, bytesOf, type Instruction, type Operands } from './encoder.js';
import { ARITHMETIC, BIT_SCAN, DIVIDE, LOGIC, NONE, ZERO_ONLY } from './flags.js';
import type { Layout } from './layout.js';
import { BITS, sized, sizeOf } from './notation.js';
import { aim, type Form, JUMP_TO_NEXT, load, targetOf, withOperands } from './operand.js';
import { EDGES } from './state.js';
import type { Step } from './step.js';

const RAX = 0;
const RCX = 1;
const RDX = 2;

function operandsOf({ operands }: Instruction): Operands {
  if (operands === undefined) throw new Error('this instruction has no operands');
  return operands;
}

/** bsf and bsr; the first one also as compilers write it, with the prefix that makes tzcnt of it on a newer CPU. */
function scans(): Form[] {
  const rows = [
    ['bsf', [], 0xbc, BIT_SCAN],
    ['bsr', [], 0xbd, BIT_SCAN],
    ['rep bsf', [0xf3], 0xbc, DIVIDE],
  ] as const;
  return rows.map(([name, prefixes, opcode, effect]) => ({
    name,
    add(layout, step) {
      const made = withOperands(layout, step, sized('wdq', step, { prefixes, opcode: [0x0f, opcode] }), {});
      const { rm } = operandsOf(made);
      // Of zero, the result is undefined.
      const immediate = Uint8Array.of(1 << Number(step.value % 7n));
      layout.add(sized('wdq', step, { opcode: [0x83], operands: { reg: 1, rm }, immediate }), LOGIC);
      layout.add(made, effect);
    },
  }));
}

/**
 * Numbers to divide, so that the quotient fits.
 * @param bits of the divisor
 * @param divisor not 0
 */
function dividend(signed: boolean, bits: number, quotient: bigint, divisor: bigint, remainder: bigint): bigint {
  const cut = (value: bigint): bigint => (signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value));
  const product = cut(quotient) * divisor;
  const rest = BigInt.asUintN(bits, remainder) % (divisor < 0n ? -divisor : divisor);
  // The remainder has the dividend's sign.
  return product < 0n || (product === 0n && (quotient & 1n) === 1n && signed) ? product - rest : product + rest;
}

/** A divisor: an edge or something else, as a signed or unsigned number of 32 bits or less. */
function divisorOf(step: Step, signed: boolean, bits: number): bigint {
  const some = step.high ? EDGES[step.index] : BigInt(step.displacement);
  const small = BigInt.asIntN(Math.min(bits, 32), some);
  const cut = signed ? small : BigInt.asUintN(bits, small);
  return cut === 0n ? 3n : cut;
}

function divisions(): Form[] {
  return (
    [
      ['div', 6],
      ['idiv', 7],
    ] as const
  ).map(([name, digit]) => ({
    name,
    add(layout, step) {
      const size = sizeOf('bwdq', step);
      const made = withOperands(layout, step, sized('bwdq', step, { opcode: [size === 'b' ? 0xf6 : 0xf7] }), {
        digit,
        reserved: [RAX, RDX],
        bytes: [false, size === 'b'],
        // ah and dh are what is divided.
        ...(size === 'b' && step.rm >= 4 && step.rm < 8 ? { only: 'memory' } : {}),
      });
      const bits = BITS[size];
      const divisor = divisorOf(step, name === 'idiv', bits);
      layout.add({
        ...made,
        opcode: [size === 'b' ? 0xc6 : 0xc7],
        operands: { reg: 0, rm: operandsOf(made).rm },
        immediate: bytesOf(divisor, Math.min(bits, 32) / 8),
      });
      const number = dividend(name === 'idiv', bits, step.value, divisor, BigInt(step.target) * 0x1234567n);
      load(layout, RAX, BigInt.asUintN(64, number));
      if (size !== 'b') load(layout, RDX, BigInt.asUintN(64, number >> BigInt(bits)));
      layout.add(made, DIVIDE);
    },
  }));
}

/** cmpxchg and its wide sisters, half of the time with what they look for in place. */
function exchanges(): Form[] {
  return [
    {
      name: 'cmpxchg',
      add(layout, step) {
        const sizes = layout.avoids('cmpxchg of 32 bits') ? 'bwq' : 'bwdq';
        const size = sizeOf(sizes, step);
        const isByte = size === 'b';
        const instruction = sized(sizes, step, { opcode: [0x0f, isByte ? 0xb0 : 0xb1] });
        const prefixes = [...(step.inMemory && step.scale === 0 ? [0xf0] : []), ...(instruction.prefixes ?? [])];
        const shape = { reserved: [RAX], bytes: [isByte, isByte] } as const;
        const made = withOperands(layout, step, { ...instruction, prefixes }, shape);
        const { rm } = operandsOf(made);
        const compared = { ...instruction, opcode: [isByte ? 0x8a : 0x8b], operands: { reg: RAX, rm } };
        if (step.mode % 2 === 0) layout.add({ ...compared, rex: made.rex ?? false });
        layout.add(made, ARITHMETIC);
      },
    },
    ...(['cmpxchg8b', 'cmpxchg16b'] as const).map((name, index) => ({
      name,
      add(layout: Layout, step: Step) {
        const target = targetOf(layout, step, 16);
        const wide = index === 1;
        if (step.high) {
          const at = (offset: number): Address => ({ kind: 'rip', target: target + offset });
          layout.add({ wide, opcode: [0x8b], operands: { reg: RAX, rm: at(0) } });
          layout.add({ wide, opcode: [0x8b], operands: { reg: RDX, rm: at(wide ? 8 : 4) } });
        }
        const rm = aim(layout, step, target, [RAX, RDX]);
        const prefixes = step.inMemory ? [0xf0] : [];
        if (layout.avoids('cmpxchg8b forgets flags')) layout.add(JUMP_TO_NEXT);
        layout.add({ prefixes, wide, opcode: [0x0f, 0xc7], operands: { reg: 1, rm } }, ZERO_ONLY);
      },
    })),
  ];
}

const RSI = 6;
const RDI = 7;
/** So many of the largest stay among the data, in both directions. */
const MOST_REPEATED = 24n;

function strings(): Form[] {
  const rows = [
    ['movs', 0xa4, NONE, [0xf3]],
    ['cmps', 0xa6, ARITHMETIC, [0xf3, 0xf2]],
    ['stos', 0xaa, NONE, [0xf3]],
    ['lods', 0xac, NONE, [0xf3]],
    ['scas', 0xae, ARITHMETIC, [0xf3, 0xf2]],
  ] as const;
  return rows.flatMap(([name, opcode, effect, repeats]) =>
    [undefined, ...repeats].map((repeat) => ({
      name: repeat === undefined ? name : `${repeat === 0xf2 ? 'repne' : 'rep'} ${name}`,
      add(layout: Layout, step: Step) {
        const size = sizeOf('bwdq', step);
        const to = targetOf(layout, step);
        const from = step.high ? to : targetOf(layout, { ...step, target: step.displacement & 0xfff });
        const count = step.value % MOST_REPEATED;
        load(layout, RSI, BigInt(from));
        load(layout, RDI, BigInt(to));
        if (repeat !== undefined) load(layout, RCX, count);
        layout.add(
          sized('bwdq', step, {
            prefixes: repeat === undefined ? [] : [repeat],
            opcode: [size === 'b' ? opcode : opcode + 1],
          }),
          repeat !== undefined && count === 0n ? NONE : effect,
        );
      },
    })),
  );
}

/** Instructions that need certain values in their operands: scans of bits, divisions, exchanges by comparison, strings. */
export const PREPARED_FORMS: readonly Form[] = [...scans(), ...divisions(), ...exchanges(), ...strings()];
