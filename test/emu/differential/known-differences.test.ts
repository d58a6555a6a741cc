import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assemble } from '../../../asm/assembler.js';
import { defaultEngine } from '../../../emu/open.js';
import type { Ending } from './ending.js';
import { EmulatedCpu, type Way } from './engine.js';
import { KNOWN, type Known } from './known-differences.js';
import { hasRealCpu, RealCpu } from './real-cpu.js';
import { CODE, DATA, DATA_SIZE, EXCEPTIONS_MASKED, flagNames, initialState } from './state.js';

/*
 * What engines do otherwise than a processor, each in the least code that shows it, with what the real CPU makes of it.
 * If one of these fails, the engine has changed for the better: then it goes from known-differences.ts and from the
 * documentation.
 */

/** What is looked at where the code ends; xmm0 is its low half. */
type Look = 'rax' | 'rdx' | 'rsp' | 'xmm0' | 'flags' | 'stop' | 'rip' | 'access' | 'target';

interface Case {
  readonly known: Known;
  readonly text: string;
  readonly look: Look;
  /** On the real CPU, and on engines that do not have the fault. */
  readonly right: string;
  /** On engines that have it, if it is always the same; in the way that is given, if only one of the two shows it. */
  readonly wrong?: string;
  readonly way?: Way;
}

const END = DATA + DATA_SIZE;
const BAD = END + 16;
const FAR = 2 ** 47 + BAD;
const single = (register: string, bits: string): string => `mov $${bits}, %eax\nmovd %eax, %${register}\n`;
const mxcsr = (value: string): string => `movl $${value}, ${DATA}\nldmxcsr ${DATA}\n`;

const CASES: readonly Case[] = [
  {
    // Intel SDM, volume 2, 2.2.1.6: counted from the next instruction, which is behind the immediate.
    known: 'double shift at rip',
    // shrd $4, %rdx, DATA + 16 by way of rip, behind 16 bytes.
    text: `mov $${DATA + 16}, %ecx\nmovl $0x1234, (%rcx)\nmov $0x56, %edx\n.byte 0x48, 0x0f, 0xac, 0x15\n.long ${DATA + 16 - CODE - 25}\n.byte 4\nmov (%rcx), %rax`,
    look: 'rax',
    right: '6000000000000123',
    wrong: '60000000000123',
  },
  {
    // Intel SDM, volume 1, table 4-7: of two quiet NaNs the first operand. The x87 takes the larger one.
    known: 'choice of two NaNs',
    text: `${single('xmm0', '0x7fc00001')}${single('xmm1', '0x7fc00002')}addss %xmm1, %xmm0`,
    look: 'xmm0',
    right: '7fc00001',
    wrong: '7fc00002',
  },
  {
    // The same table: a signalling NaN becomes quiet.
    known: 'signalling NaN converted',
    text: `xorps %xmm0, %xmm0\n${single('xmm1', '0x7fa00000')}cvtss2sd %xmm1, %xmm0`,
    look: 'xmm0',
    right: '7ffc000000000000',
    wrong: '7ff4000000000000',
  },
  {
    // Volume 1, 10.2.3.3: with bit 15 of mxcsr a result that would be a denormal is a zero.
    known: 'flush to zero',
    text: `${mxcsr('0x9f80')}${single('xmm0', '0x00800000')}${single('xmm1', '0x3f000000')}mulss %xmm1, %xmm0`,
    look: 'xmm0',
    right: '0',
    wrong: '400000',
  },
  {
    // Volume 1, 10.2.3: bit 2 for a division by zero.
    known: 'exceptions in mxcsr',
    text: `${single('xmm0', '0x3f800000')}xorps %xmm1, %xmm1\ndivss %xmm1, %xmm0\nstmxcsr ${DATA}\nmov ${DATA}, %eax`,
    look: 'rax',
    right: '1f84',
    wrong: '1f80',
  },
  {
    // Volume 1, 10.2.3.4: with bit 6 of mxcsr a denormal operand is a zero, so that the two are equal.
    known: 'min and max of denormals',
    text: `${mxcsr('0x1fc0')}${single('xmm0', '1')}${single('xmm1', '2')}maxss %xmm1, %xmm0`,
    look: 'xmm0',
    right: '0',
    wrong: '2',
  },
  {
    // Volume 2, CMPXCHG8B: flags other than ZF are unaffected. Not when it is the first instruction of a block.
    known: 'cmpxchg8b forgets flags',
    text: `xor %eax, %eax\nadd $1, %al\nmovl $2, ${DATA}\ncmpxchg8b ${DATA}`,
    look: 'flags',
    right: '',
    way: 'run',
  },
  {
    // Volume 2, CMPXCHG: what is not exchanged is not written, its upper half included.
    known: 'cmpxchg of 32 bits',
    text: 'movabs $0x1111111122222222, %rax\nmovabs $0x3333333344444444, %rdx\ncmpxchg %ecx, %edx',
    look: 'rdx',
    right: '3333333344444444',
    wrong: '44444444',
  },
  {
    known: 'cmpxchg of 32 bits',
    text: `movabs $0x1111111122222222, %rax\nmovl $0x22222222, ${DATA}\ncmpxchg %ecx, ${DATA}`,
    look: 'rax',
    right: '1111111122222222',
    wrong: '22222222',
  },
  {
    known: 'locked neg',
    text: `movb $1, ${DATA}\nlock negb ${DATA}`,
    look: 'flags',
    right: 'cf pf af sf',
    wrong: 'cf af',
  },
  {
    // Volume 3, 4.7: an access that reads and writes is a write.
    known: 'access of read-modify-write',
    text: `incl ${BAD}`,
    look: 'access',
    right: 'write',
    wrong: 'read',
  },
  {
    known: 'target across pages',
    text: `mov %rax, ${END - 4}`,
    look: 'target',
    right: END.toString(16),
    wrong: (END + 3).toString(16),
  },
  {
    known: 'flags of a divide error',
    text: 'mov $1, %al\nsahf\nxor %ecx, %ecx\ndiv %ecx',
    look: 'flags',
    right: 'pf zf',
    way: 'run',
  },
  {
    known: 'leave is not undone',
    text: `mov $${BAD}, %ebp\nleave`,
    look: 'rsp',
    right: (DATA + DATA_SIZE / 2).toString(16),
    wrong: BAD.toString(16),
  },
  {
    known: 'half a vector loaded',
    text: `movq $-1, ${END - 8}\nxorps %xmm0, %xmm0\nmovups ${END - 8}, %xmm0`,
    look: 'xmm0',
    right: '0',
    wrong: 'ffffffffffffffff',
  },
  {
    known: 'eight bytes loaded as sixteen',
    text: `cvtdq2pd ${END - 8}, %xmm0`,
    look: 'stop',
    right: 'end',
    wrong: 'page fault',
  },
  {
    known: 'eight bytes loaded as sixteen',
    text: `cvtps2pd ${END - 8}, %xmm0`,
    look: 'stop',
    right: 'end',
    wrong: 'page fault',
  },
  {
    // Volume 3, 6.15, interrupt 12: an address that is not canonical, by way of rsp or rbp.
    known: 'stack fault',
    text: `movabs $${FAR}, %rbp\nmov (%rbp), %rax`,
    look: 'stop',
    right: 'stack fault',
    wrong: 'general protection fault',
  },
  {
    // Volume 2, JMP: #GP(0), with the rip of the jump.
    known: 'jump out of the address space',
    text: `movabs $${FAR}, %rcx\njmp *%rcx`,
    look: 'rip',
    right: (CODE + 10).toString(16),
    wrong: FAR.toString(16),
  },
  {
    // Volume 2, LOCK: only in front of instructions that write memory, else #UD.
    known: 'lock is not checked',
    text: '.byte 0xf0\nmov (%rsp), %eax',
    look: 'stop',
    right: 'invalid instruction',
    wrong: 'end',
  },
];

/** The data are zeros. */
const STATE = { ...initialState(1), flags: 2, mxcsr: EXCEPTIONS_MASKED, data: new Uint8Array(DATA_SIZE) };

async function codeOf(text: string): Promise<Uint8Array> {
  const { sections } = await assemble([{ name: 'case.s', text: `${text}\nint3\n` }], { base: BigInt(CODE) });
  return sections[0].bytes;
}

function lookAt({ stop, rip, access, target, state }: Ending, look: Look): string {
  const [rax, , rdx, , rsp] = state.general;
  const xmm0 = new DataView(state.xmm.buffer, state.xmm.byteOffset).getBigUint64(0, true);
  switch (look) {
    case 'flags':
      return flagNames(state.flags);
    case 'stop':
      return stop;
    case 'access':
      return String(access);
    default:
      return ({ rax, rdx, rsp, xmm0, rip, target }[look] ?? 0n).toString(16);
  }
}

const engine = defaultEngine();

describe('what engines do otherwise', () => {
  test.each(CASES)('$known: $look is $right', async ({ known, text, look, right, wrong, way }) => {
    const code = await codeOf(text);
    const isFaulty = KNOWN[known].some((one) => one === engine);
    for (const each of ['run', 'step'] as const) {
      const cpu = new EmulatedCpu(engine);
      try {
        const found = lookAt(cpu.run(code, CODE, STATE, each), look);
        const isWrong = isFaulty && (way ?? each) === each;
        if (isWrong && wrong === undefined) expect(found, each).not.toBe(right);
        else expect(found, each).toBe(isWrong ? wrong : right);
      } finally {
        cpu.close();
      }
    }
  });

  test('each is shown', () => {
    expect(new Set(CASES.map(({ known }) => known))).toEqual(new Set(Object.keys(KNOWN)));
  });
});

describe.skipIf(!hasRealCpu)('on the CPU of this machine', () => {
  let real: RealCpu;
  beforeAll(() => {
    real = new RealCpu();
  });
  afterAll(() => real.close());

  test.each(CASES)('$known: $look is $right', async ({ text, look, right }) => {
    expect(lookAt(await real.run(await codeOf(text), CODE, STATE), look)).toBe(right);
  });
});
