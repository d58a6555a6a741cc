import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Image } from '../../asm/image.js';
import type { Cpu, Stop } from '../../emu/cpu.js';
import { closeAll, DATA, DATA_END, END, type End, endOf, image, open } from './guest.js';

/*
 * Random little programs, each run in every way there is. r15 holds the address of the data, ecx counts loops and
 * reps; everything else is there to be computed with. Data and stack begin as fresh pages, so that any access may
 * page-fault on the way.
 */

const SIZE = DATA_END - DATA;
const register = fc.constantFrom('rax', 'rbx', 'rdx', 'rsi', 'r8', 'r9', 'r10');
const offset = fc.oneof(
  fc.integer({ min: 0, max: SIZE - 64 }),
  // across a page's end
  fc
    .tuple(fc.integer({ min: 1, max: SIZE / 4096 - 1 }), fc.integer({ min: -16, max: 0 }))
    .map(([p, o]) => p * 4096 + o),
);
const immediate = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

const arithmetic = fc
  .tuple(fc.constantFrom('add', 'adc', 'sub', 'sbb', 'xor', 'and', 'or', 'cmp', 'mov'), register, register, immediate)
  .map(([operation, from, to, value]) =>
    value % 2 === 0 ? `${operation} %${from}, %${to}` : `${operation} $${value}, %${to}`,
  );
const single = fc
  .tuple(fc.constantFrom('inc', 'dec', 'neg', 'not', 'bswap', 'rcl $1,', 'ror $7,', 'sar $3,'), register)
  .map(([operation, on]) => `${operation} %${on}`);
const flags = fc.constantFrom(
  'pushf\npop %rbx',
  'pushf\npopf',
  'pushq $0x8d5\npopf',
  'pushq $2\npopf',
  'pushfw\npopfw',
  'stc',
  'cmc',
  'lahf',
  'setc %al',
  'cmovs %rax, %rdx',
);
const memory = fc
  .tuple(
    fc.constantFrom(
      (r: string, at: string) => `mov %${r}, ${at}`,
      (r: string, at: string) => `mov ${at}, %${r}`,
      (r: string, at: string) => `adc %${r}, ${at}`,
      (r: string, at: string) => `xadd %${r}, ${at}`,
      (r: string, at: string) => `lock cmpxchg %${r}, ${at}`,
      (_: string, at: string) => `sbbl $5, ${at}`,
      (r: string, at: string) => `push %${r}\npop ${at}`,
      (r: string, at: string) => `push ${at}\npop %${r}`,
      (_: string, at: string) => `incb ${at}`,
      (r: string, at: string) => `movq %${r}, %xmm1\nmovups %xmm1, ${at}\npaddq %xmm1, %xmm1`,
      (_: string, at: string) => `fld1\nfldpi\nfaddp\nfstpl ${at}`,
    ),
    register,
    offset,
  )
  .map(([make, on, at]) => make(on, `${at}(%r15)`));
const hypercall = fc.constant('mov $1, %eax\nsyscall');
const straight = fc.oneof(
  { weight: 4, arbitrary: arithmetic },
  single,
  flags,
  { weight: 3, arbitrary: memory },
  hypercall,
);
const block = fc.array(straight, { minLength: 1, maxLength: 6 }).map((lines) => lines.join('\n'));

const repeat = fc
  .tuple(
    fc.constantFrom('rep stosb', 'rep stosq', 'rep movsb', 'rep movsl', 'repe cmpsb', 'repne scasb', 'rep lodsw'),
    fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 900 })),
    offset,
    offset,
  )
  .map(([operation, count, from, to]) => {
    // Stays inside the data.
    const room = (at: number): number => Math.min(at, SIZE - count * 8);
    return `mov $${count}, %ecx\nlea ${room(from)}(%r15), %rsi\nlea ${room(to)}(%r15), %rdi\n${operation}`;
  });
/** The engine translates no more than a few hundred memory accesses at once. */
const longBlock = fc
  .tuple(fc.integer({ min: 150, max: 420 }), offset)
  .map(([count, at]) => `.rept ${count}\nadc %rax, ${at}(%r15)\n.endr`);

/** One piece of a program; N stands for a number of its own, for labels. */
const piece = fc.oneof(
  { weight: 4, arbitrary: block },
  { weight: 2, arbitrary: repeat },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 5 }), block)
      .map(([count, body]) => `mov $${count}, %ecx\nloopN:\n${body}\ndec %ecx\njnz loopN`),
  },
  { weight: 1, arbitrary: repeat.map((body) => `mov $3, %r12d\nagainN:\n${body}\ndec %r12d\njnz againN`) },
  { weight: 2, arbitrary: block.map((body) => `call subN\njmp behindN\nsubN:\n${body}\nret\nbehindN:`) },
  { weight: 2, arbitrary: block.map((body) => `jo overN\n${body}\noverN: jbe belowN\ninc %rdx\nbelowN:`) },
  { weight: 1, arbitrary: longBlock },
);
/** How a program ends: as asked, or by a fault. (Not by a divide error, see known-faults.test.ts.) */
const ending = fc.constantFrom(
  END,
  END,
  'mov 16, %rax',
  'ud2',
  'int3',
  'mov $0x1000, %ecx\nlea 0xff00(%r15), %rdi\nrep stosb',
  'lea 0xfffc(%r15), %rsp\npush %rax\npush %rbx',
  'jmp *%r15',
  'vaddpd %ymm0, %ymm1, %ymm2',
);
const program = fc.tuple(fc.array(piece, { minLength: 1, maxLength: 6 }), ending).map(([pieces, end]) => {
  const body = pieces.map((text, index) => text.replaceAll('N', String(index))).join('\n');
  return `mov $${DATA}, %r15d\n${body}\n${end}\n`;
});

const MOST = 20_000;
/** What is compared at every moment; all registers and memory are at the end. */
const view = (cpu: Cpu): string =>
  `${cpu.rip.toString(16)} ${cpu.low(0)} ${cpu.low(1)} ${cpu.low(3)} ${cpu.low(7)} ${cpu.read('eflags') & 0x8d5n}`;

/** Runs on to `limit` or to the end. */
type Way = (cpu: Cpu, limit: number) => Stop;
const plainly: Way = (cpu, limit) => cpu.run(limit);
const stepping: Way = (cpu, limit) => cpu.step(limit - cpu.moment);

function inPieces(code: Image, ways: readonly (readonly [Way, number])[], trace: readonly string[]): End {
  const cpu = open(code);
  for (let turn = 0; ; turn++) {
    const [way, length] = ways[turn % ways.length] ?? [plainly, MOST];
    const limit = cpu.moment + length;
    const stop = way(cpu, limit);
    if (stop.kind !== 'limit') return endOf(cpu, stop);
    expect(cpu.moment).toBe(limit);
    expect(view(cpu)).toBe(trace[limit]);
    if (cpu.moment >= MOST) return endOf(cpu, stop);
  }
}

test('a moment is the same plain, stepped, in pieces and restored elsewhere, with all registers and memory', async () => {
  const lengths = fc.array(fc.tuple(fc.constantFrom(plainly, stepping), fc.integer({ min: 1, max: 40 })), {
    minLength: 1,
    maxLength: 5,
  });
  const property = fc.asyncProperty(
    program,
    lengths,
    fc.double({ min: 0, max: 1, noNaN: true }),
    async (text, ways, cut) => {
      const code = await image(text);
      const whole = open(code);
      const plain = endOf(whole, whole.run(MOST));

      const stepped = open(code);
      const trace = [view(stepped)];
      const stop = stepped.step(MOST, () => {
        expect(trace.push(view(stepped))).toBe(stepped.moment + 1);
      });
      expect(endOf(stepped, stop)).toEqual(plain);

      expect(inPieces(code, ways, trace)).toEqual(plain);

      const before = open(code);
      before.run(Math.floor(plain.moment * cut));
      const after = open(code);
      after.run(Math.floor(plain.moment * (1 - cut)));
      after.restore(before.save());
      expect(endOf(after, after.run(MOST))).toEqual(plain);
      expect(endOf(before, before.run(MOST)), 'saving changes nothing').toEqual(plain);

      closeAll();
    },
  );
  await fc.assert(property, { numRuns: 50, seed: 7 });
});
