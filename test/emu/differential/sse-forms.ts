import { bytesOf } from './encoder.js';
import { ARITHMETIC, type Effect, NONE } from './flags.js';
import type { Layout } from './layout.js';
import { encoding, immediateOf, immediatePart } from './notation.js';
import { type Form, plain, type Shape, targetOf, withOperands } from './operand.js';
import { DENORMALS_ARE_ZEROS, EXCEPTIONS_MASKED, FLUSH_TO_ZERO, MODES } from './state.js';
import type { Step } from './step.js';

/** Which operands are vector registers. */
const VECTORS = [true, true] as const;
const TO_GENERAL = [false, true] as const;
const FROM_GENERAL = [true, false] as const;
/** Of the packed operations: they must be aligned to their size. */
const PACKED = 16;

interface Special extends Shape {
  /** REX.W: a general register of 64 bits. */
  readonly wide?: boolean;
  readonly adapt?: (step: Step) => Step;
  /** Two numbers of this kind make one, which is a NaN if either is. */
  readonly combines?: Kind;
  /** A number of this kind comes out, which is a NaN if that was one. */
  readonly converts?: Kind;
}

type Kind = keyof typeof PREFIXES;
const PREFIXES = { ps: [], pd: [0x66], ss: [0xf3], sd: [0xf2] } as const;
const MOVAPS = 0x28;
const ANDPS = 0x54;
const CMP = 0xc2;
const ORDERED = 7;

/** Makes a zero of each NaN in a register, at the cost of another one. */
function dropNaNs(layout: Layout, kind: Kind, reg: number, other: number): void {
  const immediate = Uint8Array.of(ORDERED);
  layout.add({ opcode: [0x0f, MOVAPS], operands: { reg: other, rm: reg } });
  layout.add({ prefixes: PREFIXES[kind], opcode: [0x0f, CMP], operands: { reg: other, rm: other }, immediate });
  layout.add({ opcode: [0x0f, ANDPS], operands: { reg, rm: other } });
}

/** An instruction on vector registers. @param alignment of a memory operand, in bytes */
function sse(name: string, text: string, alignment = 1, special: Special = {}, effect: Effect = NONE): Form {
  const { prefixes, opcode, operands, immediate } = encoding(text);
  return {
    name,
    add(layout, given) {
      const step = special.adapt?.(given) ?? given;
      const instruction = {
        prefixes,
        opcode,
        wide: special.wide ?? false,
        ...immediatePart(immediateOf(immediate, 8, step.value)),
      };
      const digit = typeof operands === 'number' ? { digit: operands } : {};
      const made = withOperands(layout, step, instruction, { vectors: VECTORS, alignment, ...special, ...digit });
      const { combines, converts } = special;
      if (combines !== undefined && layout.avoids('choice of two NaNs')) {
        const source = made.operands?.rm;
        const one = typeof source === 'number' && step.high ? source : step.reg;
        const spare = [1, 2].map((distance) => (step.reg + distance) % 16).find((other) => other !== source);
        if (source !== step.reg) dropNaNs(layout, combines, one, spare ?? step.reg);
      }
      layout.add(made, effect);
      if (converts !== undefined && layout.avoids('signalling NaN converted')) {
        dropNaNs(layout, converts, step.reg, (step.reg + 1) % 16);
      }
    },
  };
}

/** The prefixes of an operation's four variants, with how each is called and aligned. */
const VARIANTS = [
  ['ps', '', PACKED],
  ['pd', '66 ', PACKED],
  ['ss', 'F3 ', 1],
  ['sd', 'F2 ', 1],
] as const;

function arithmetic(): Form[] {
  const rows = [
    ['sqrt', '51'],
    ['add', '58'],
    ['mul', '59'],
    ['sub', '5C'],
    ['min', '5D'],
    ['div', '5E'],
    ['max', '5F'],
  ] as const;
  const all = rows.flatMap(([name, opcode]) =>
    VARIANTS.map(([variant, prefix, alignment]) => {
      const chooses = name === 'min' || name === 'max';
      const special = chooses || name === 'sqrt' ? {} : { combines: variant };
      const made = sse(`${name}${variant}`, `${prefix}0F ${opcode} /r`, alignment, special);
      return chooses ? withoutDenormals(made) : made;
    }),
  );
  // Predicates above 7 belong to AVX.
  const adapt = (step: Step): Step => ({ ...step, value: step.value & 7n });
  const comparisons = VARIANTS.map(([variant, prefix, alignment]) =>
    sse(`cmp${variant}`, `${prefix}0F C2 /r ib`, alignment, { adapt }),
  );
  const flags = (['', '66 '] as const).flatMap((prefix, index) => [
    sse(`ucomi${index === 0 ? 'ss' : 'sd'}`, `${prefix}0F 2E /r`, 1, {}, ARITHMETIC),
    sse(`comi${index === 0 ? 'ss' : 'sd'}`, `${prefix}0F 2F /r`, 1, {}, ARITHMETIC),
  ]);
  return [...all, ...comparisons, ...flags];
}

/** Leaves an instruction out while denormals count as zeros. */
function withoutDenormals({ name, add }: Form): Form {
  return {
    name,
    add(layout, step) {
      const counts = (layout.mxcsr & DENORMALS_ARE_ZEROS) === 0 || !layout.avoids('min and max of denormals');
      if (counts) add(layout, step);
    },
  };
}

function packed(): Form[] {
  const rows = [
    ['and', '54'],
    ['andn', '55'],
    ['or', '56'],
    ['xor', '57'],
    ['unpckl', '14'],
    ['unpckh', '15'],
    ['shuf', 'C6 ib'],
  ] as const;
  return rows.flatMap(([name, opcode]) => {
    const [code, ...immediate] = opcode.split(' ');
    const tail = ['/r', ...immediate].join(' ');
    return [sse(`${name}ps`, `0F ${code} ${tail}`, PACKED), sse(`${name}pd`, `66 0F ${code} ${tail}`, PACKED)];
  });
}

function conversions(): Form[] {
  const vectors = [
    ['cvtps2pd', '0F 5A', 1, { converts: 'pd' }],
    ['cvtpd2ps', '66 0F 5A', PACKED, { converts: 'ps' }],
    ['cvtss2sd', 'F3 0F 5A', 1, { converts: 'sd' }],
    ['cvtsd2ss', 'F2 0F 5A', 1, { converts: 'ss' }],
    ['cvtdq2ps', '0F 5B', PACKED],
    ['cvtps2dq', '66 0F 5B', PACKED],
    ['cvttps2dq', 'F3 0F 5B', PACKED],
    ['cvtdq2pd', 'F3 0F E6', 1],
    ['cvtpd2dq', 'F2 0F E6', PACKED],
    ['cvttpd2dq', '66 0F E6', PACKED],
  ] as const;
  const general = [
    ['cvtsi2ss', 'F3 0F 2A', FROM_GENERAL],
    ['cvtsi2sd', 'F2 0F 2A', FROM_GENERAL],
    ['cvttss2si', 'F3 0F 2C', TO_GENERAL],
    ['cvttsd2si', 'F2 0F 2C', TO_GENERAL],
    ['cvtss2si', 'F3 0F 2D', TO_GENERAL],
    ['cvtsd2si', 'F2 0F 2D', TO_GENERAL],
  ] as const;
  return [
    ...vectors.map(([name, text, alignment, special]) => sse(name, `${text} /r`, alignment, special)),
    ...general.flatMap(([name, text, kinds]) =>
      [false, true].map((wide) => sse(name, `${text} /r`, 1, { vectors: kinds, wide })),
    ),
  ];
}

function moves(): Form[] {
  const memory = { only: 'memory' } as const;
  const register = { only: 'register' } as const;
  return [
    ...['', '66 '].flatMap((prefix, index) => {
      const type = index === 0 ? 'ps' : 'pd';
      return [
        sse(`movu${type}`, `${prefix}0F 10 /r`),
        sse(`movu${type}`, `${prefix}0F 11 /r`),
        sse(`mova${type}`, `${prefix}0F 28 /r`, PACKED),
        sse(`mova${type}`, `${prefix}0F 29 /r`, PACKED),
        sse(`movl${type}`, `${prefix}0F 12 /r`, 1, memory),
        sse(`movl${type}`, `${prefix}0F 13 /r`, 1, memory),
        sse(`movh${type}`, `${prefix}0F 16 /r`, 1, memory),
        sse(`movh${type}`, `${prefix}0F 17 /r`, 1, memory),
        sse(`movnt${type}`, `${prefix}0F 2B /r`, PACKED, memory),
        sse(`movmsk${type}`, `${prefix}0F 50 /r`, 1, { ...register, vectors: TO_GENERAL }),
      ];
    }),
    sse('movhlps', '0F 12 /r', 1, register),
    sse('movlhps', '0F 16 /r', 1, register),
    ...(['F3', 'F2'] as const).flatMap((prefix, index) =>
      ['10', '11'].map((opcode) => sse(index === 0 ? 'movss' : 'movsd', `${prefix} 0F ${opcode} /r`)),
    ),
    sse('movdqa', '66 0F 6F /r', PACKED),
    sse('movdqa', '66 0F 7F /r', PACKED),
    sse('movdqu', 'F3 0F 6F /r'),
    sse('movdqu', 'F3 0F 7F /r'),
    sse('movntdq', '66 0F E7 /r', PACKED, memory),
    ...[false, true].flatMap((wide) => [
      sse('movd', '66 0F 6E /r', 1, { vectors: FROM_GENERAL, wide }),
      sse('movd', '66 0F 7E /r', 1, { vectors: FROM_GENERAL, wide }),
    ]),
    sse('movq', 'F3 0F 7E /r'),
    sse('movq', '66 0F D6 /r'),
    sse('pmovmskb', '66 0F D7 /r', 1, { ...register, vectors: TO_GENERAL }),
    sse('pextrw', '66 0F C5 /r ib', 1, { ...register, vectors: TO_GENERAL }),
    sse('pinsrw', '66 0F C4 /r ib', 1, { vectors: FROM_GENERAL }),
  ];
}

/** Opcodes behind 66 0F that work on packed integers. */
const INTEGERS: Readonly<Record<number, string>> = {
  96: 'punpcklbw punpcklwd punpckldq packsswb pcmpgtb pcmpgtw pcmpgtd packuswb', // 60
  104: 'punpckhbw punpckhwd punpckhdq packssdw punpcklqdq punpckhqdq', // 68
  116: 'pcmpeqb pcmpeqw pcmpeqd', // 74
  209: 'psrlw psrld psrlq paddq pmullw', // d1
  216: 'psubusb psubusw pminub pand paddusb paddusw pmaxub pandn', // d8
  224: 'pavgb psraw psrad pavgw pmulhuw pmulhw', // e0
  232: 'psubsb psubsw pminsw por paddsb paddsw pmaxsw pxor', // e8
  241: 'psllw pslld psllq pmuludq pmaddwd psadbw', // f1
  248: 'psubb psubw psubd psubq paddb paddw paddd', // f8
};

function integers(): Form[] {
  const register = { only: 'register' } as const;
  const shift = (name: string, opcode: number, digit: number): Form =>
    sse(`${name} by an immediate`, `66 0F ${opcode} /${digit} ib`, 1, register);
  return [
    ...Object.entries(INTEGERS).flatMap(([first, names]) =>
      names.split(' ').map((name, index) => sse(name, `66 0F ${(Number(first) + index).toString(16)} /r`, PACKED)),
    ),
    ...[71, 72].flatMap((opcode, index) =>
      ['psrl', 'psra', 'psll'].map((name, at) => shift(`${name}${'wd'[index]}`, opcode, 2 + at * 2)),
    ),
    shift('psrlq', 73, 2),
    shift('psrldq', 73, 3),
    shift('psllq', 73, 6),
    shift('pslldq', 73, 7),
    sse('pshufd', '66 0F 70 /r ib', PACKED),
    sse('pshufhw', 'F3 0F 70 /r ib', PACKED),
    sse('pshuflw', 'F2 0F 70 /r ib', PACKED),
  ];
}

const EXCEPTIONS = 0x3f;

/** mxcsr by way of memory: a rounding mode and what becomes of denormals, or what it is, without the exceptions seen. */
function control(): Form[] {
  return [
    {
      name: 'ldmxcsr',
      add(layout, step) {
        const rm = { kind: 'rip', target: targetOf(layout, step, 4) } as const;
        const modes = layout.avoids('flush to zero') ? MODES & ~FLUSH_TO_ZERO : MODES;
        const value = EXCEPTIONS_MASKED | (Number(step.value & 0xffffn) & modes);
        layout.mxcsr = value;
        const immediate = bytesOf(BigInt(value), 4);
        layout.add({ opcode: [0xc7], operands: { reg: 0, rm }, immediate });
        layout.add({ opcode: [0x0f, 0xae], operands: { reg: 2, rm } });
      },
    },
    {
      name: 'stmxcsr',
      add(layout, step) {
        const rm = { kind: 'rip', target: targetOf(layout, step, 4) } as const;
        layout.add({ opcode: [0x0f, 0xae], operands: { reg: 3, rm } });
        // `and $~63, mem`: of a comparison's effect, since 83 has a sign.
        layout.add(
          { opcode: [0x83], operands: { reg: 4, rm }, immediate: Uint8Array.of(~EXCEPTIONS & 0xff) },
          {
            defines: 0x8c5,
            undefines: 0x10,
          },
        );
      },
    },
    plain('lfence', { opcode: [0x0f, 0xae, 0xe8] }),
  ];
}

/** The instructions of SSE and SSE2 that compilers emit. rcp and rsqrt differ between processors. */
export const SSE_FORMS: readonly Form[] = [
  ...arithmetic(),
  ...packed(),
  ...conversions(),
  ...moves(),
  ...integers(),
  ...control(),
];
