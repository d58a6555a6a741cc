import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assemble } from '../../asm/assembler.js';
import { disassemble, gnuCode, hasGnu } from './gnu.js';

// Random programs, assembled here and by GNU as, must mean the same: instruction by instruction the same text when
// disassembled, jumps to the same instruction. The bytes may differ: Keystone has longer encodings for some numbers.

const REGISTERS: Readonly<Record<string, readonly string[]>> = {
  b: ['%al', '%cl', '%dl', '%sil', '%r9b', '%r15b', '%spl'],
  w: ['%ax', '%cx', '%si', '%r9w', '%r15w'],
  l: ['%eax', '%ecx', '%esp', '%ebp', '%r8d', '%r13d'],
  q: ['%rax', '%rcx', '%rdx', '%rsp', '%rbp', '%rsi', '%r8', '%r12', '%r13', '%r15'],
};
const BITS: Readonly<Record<string, number>> = { b: 8, w: 16, l: 32, q: 32 };

const size = fc.constantFrom('b', 'w', 'l', 'q');
const register = (suffix: string) => fc.constantFrom(...(REGISTERS[suffix] ?? []));

/** Numbers around the edges of the encodings, in decimal or hexadecimal, as the texts of a program. */
const number = (bits: number) => {
  const powers = [7, 8, 15, 16, 31].filter((edge) => edge < bits).map((edge) => 2 ** edge);
  const edges = powers.flatMap((power) => [power - 1, -power, ...(power < 2 ** (bits - 1) ? [power] : [])]);
  const inRange = [0, 1, -1, 10, 16, 100, -8, -16, ...edges];
  return fc
    .oneof(fc.constantFrom(...inRange), fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 }))
    .chain((value) => fc.constantFrom(`${value}`, `${value < 0 ? '-' : ''}0x${Math.abs(value).toString(16)}`));
};

const base = fc.constantFrom('%rax', '%rbx', '%rsp', '%rbp', '%r8', '%r12', '%r13');
const index = fc.constantFrom('%rax', '%rbp', '%rdi', '%r9', '%r12', '%r13');
const scale = fc.constantFrom(1, 2, 4, 8);
const memory = fc.oneof(
  base.map((b) => `(${b})`),
  fc.tuple(number(32), base).map(([n, b]) => `${n}(${b})`),
  fc.tuple(number(32), base, index, scale).map(([n, b, i, s]) => `${n}(${b},${i},${s})`),
  fc.tuple(base, index).map(([b, i]) => `(${b},${i})`),
  fc.tuple(number(32), index, scale).map(([n, i, s]) => `${n}(,${i},${s})`),
  fc.nat(2 ** 31 - 1).map((n) => `${n}`),
  fc.nat(1000).map((n) => `%fs:${n}`),
  fc.constantFrom('l0(%rip)', 'l1(%rip)', 'l2(%rip)'),
);
const label = fc.constantFrom('l0', 'l1', 'l2');

/** One of the two operands may be in memory. */
const pair = (suffix: string) => {
  return fc.oneof(
    fc.tuple(register(suffix), register(suffix)),
    fc.tuple(memory, register(suffix)),
    fc.tuple(register(suffix), memory),
  );
};

const arithmetic = fc.constantFrom('mov', 'add', 'sub', 'adc', 'sbb', 'and', 'or', 'xor', 'cmp', 'test');
const condition = fc.constantFrom('e', 'ne', 'l', 'le', 'g', 'ge', 'b', 'be', 'a', 'ae', 's', 'ns', 'o', 'no', 'p');

const instruction = fc.oneof(
  {
    arbitrary: fc.tuple(arithmetic, size).chain(([m, s]) => pair(s).map(([a, b]) => `${m}${s} ${a}, ${b}`)),
    weight: 6,
  },
  // Without a suffix the register tells the size.
  fc.tuple(arithmetic, size).chain(([m, s]) => fc.tuple(memory, register(s)).map(([a, b]) => `${m} ${a}, ${b}`)),
  {
    arbitrary: fc.tuple(arithmetic, size).chain(([m, s]) => {
      return fc.tuple(number(BITS[s] ?? 0), fc.oneof(register(s), memory)).map(([n, to]) => `${m}${s} $${n}, ${to}`);
    }),
    weight: 6,
  },
  fc.bigInt({ min: -(1n << 63n), max: (1n << 64n) - 1n }).map((n) => `movabs $${n}, %r10`),
  fc.bigInt({ min: -(1n << 63n), max: (1n << 64n) - 1n }).map((n) => `mov $${n}, %rax`),
  fc
    .tuple(memory, fc.constantFrom('w', 'l', 'q').chain(register))
    .map(([a, b]) => `lea ${a.replace('%fs:', '')}, ${b}`),
  fc.tuple(fc.constantFrom('push', 'pop'), register('q')).map((parts) => parts.join(' ')),
  fc.tuple(fc.constantFrom('pushq', 'popq'), memory).map((parts) => parts.join(' ')),
  number(32).map((n) => `push $${n}`),
  fc
    .tuple(fc.constantFrom('inc', 'dec', 'neg', 'not', 'mul', 'idiv'), size)
    .chain(([m, s]) => fc.oneof(register(s), memory).map((to) => `${m}${s} ${to}`)),
  fc
    .tuple(fc.constantFrom('shl', 'shr', 'sar', 'rol'), size)
    .chain(([m, s]) =>
      fc
        .tuple(fc.constantFrom('$1', '$5', '%cl'), fc.oneof(register(s), memory))
        .map(([n, to]) => `${m}${s} ${n}, ${to}`),
    ),
  fc.tuple(number(32), memory, register('q')).map(([n, a, b]) => `imul $${n}, ${a}, ${b}`),
  fc.tuple(fc.constantFrom('movzbl', 'movsbl', 'movzwl'), memory, register('l')).map(([m, a, b]) => `${m} ${a}, ${b}`),
  fc.tuple(fc.constantFrom('movslq', 'movzbq', 'movswq'), memory, register('q')).map(([m, a, b]) => `${m} ${a}, ${b}`),
  fc.tuple(condition, memory, register('q')).map(([c, a, b]) => `cmov${c} ${a}, ${b}`),
  fc.tuple(condition, fc.oneof(register('b'), memory)).map(([c, to]) => `set${c} ${to}`),
  { arbitrary: fc.tuple(condition, label).map(([c, to]) => `j${c} ${to}`), weight: 3 },
  { arbitrary: fc.tuple(fc.constantFrom('jmp', 'call'), label).map((parts) => parts.join(' ')), weight: 3 },
  fc.tuple(fc.constantFrom('jmp', 'call'), fc.oneof(register('q'), memory)).map(([m, to]) => `${m} *${to}`),
  fc.constantFrom('ret', 'leave', 'nop', 'cltq', 'cqto', 'syscall', 'rep stosb', 'pushfq', 'ud2', 'lock incl (%rax)'),
  fc.tuple(memory, fc.constantFrom('%xmm0', '%xmm9')).map(([a, b]) => `movsd ${a}, ${b}`),
);

/** A program with labels at three places, some of them out of reach of a short jump. */
const program = fc
  .tuple(
    fc.array(instruction, { maxLength: 8 }),
    fc.array(instruction, { maxLength: 8 }),
    fc.array(instruction, { maxLength: 8 }),
    fc.constantFrom(0, 1, 115, 125, 130, 300),
  )
  .map(([first, second, third, gap]) => {
    return ['l0:', ...first, 'l1:', ...second, ...Array<string>(gap).fill('nop'), 'l2:', ...third, 'hlt'];
  });

const SPACING = 4096;
const ADDRESS = 0x400000;

/** The text of each instruction of a program, up to its hlt; what refers to a label names the instruction's number. */
function meaning(listing: readonly { address: number; text: string }[], start: number): string[] {
  const from = listing.findIndex(({ address }) => address === start);
  const length = listing.slice(from).findIndex(({ text }) => text === 'hlt') + 1;
  const own = listing.slice(from, from + length);
  const ordinal = new Map(own.map(({ address }, at) => [address, at]));
  const place = (address = '') => `instruction ${ordinal.get(Number.parseInt(address, 16)) ?? `at ${address}`}`;
  return own.map(({ text }) => {
    const plain = text.replace(/\s+/g, ' ').replace(/^movabs/, 'mov');
    const relative = /^(.*?)-?0x[0-9a-f]+\(%rip\)(.*?) +# 0x([0-9a-f]+)$/.exec(plain);
    if (relative) return `${relative[1]}(${place(relative[3])})${relative[2]}`;
    const jump = /^(j\w+|call) 0x([0-9a-f]+)$/.exec(plain);
    return jump ? `${jump[1]} ${place(jump[2])}` : plain;
  });
}

describe.skipIf(!hasGnu)('GNU as and this assembler', () => {
  it('agree on the meaning of random programs, whatever Keystone makes of numbers, sizes and distances', async () => {
    const property = fc.asyncProperty(fc.array(program, { minLength: 40, maxLength: 40 }), async (programs) => {
      const text = programs.map((each, number) => {
        const renamed = each.map((line) => line.replaceAll(/\bl([012])\b/g, `p${number}_l$1`));
        return [`.org ${number * SPACING}, 0xf4`, ...renamed].join('\n');
      });
      const theirs = disassemble(gnuCode(`${text.join('\n')}\n`), ADDRESS);
      const bytes = new Uint8Array(programs.length * SPACING).fill(0xf4);
      for (const [number, each] of programs.entries()) {
        const base = BigInt(ADDRESS + number * SPACING);
        const made = await assemble([{ name: 'random.s', text: each.join('\n') }], { base });
        bytes.set(made.sections[0]?.bytes ?? [], number * SPACING);
      }
      const ours = disassemble(bytes, ADDRESS);
      for (const [number, each] of programs.entries()) {
        const start = ADDRESS + number * SPACING;
        expect(meaning(ours, start), each.join('\n')).toEqual(meaning(theirs, start));
      }
    });
    await fc.assert(property, { numRuns: 10, seed: 20210413 });
  }, 120_000);
});
