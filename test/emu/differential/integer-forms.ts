import { bytesOf } from './encoder.js';
import {
  ARITHMETIC,
  BIT_TEST,
  COUNTING,
  type Effect,
  LOGIC,
  MULTIPLY,
  NONE,
  type Shift,
  shiftEffect,
  WITH_CARRY,
} from './flags.js';
import type { Layout } from './layout.js';
import { BITS, hex, integer, type Size, type Special, sized, sizeOf } from './notation.js';
import { type Form, JUMP_TO_NEXT, load, plain, RIP_MODE, RSP, targetOf, withOperands } from './operand.js';
import type { Step } from './step.js';

const RCX = 1;

/** The eight operations that share their encodings. */
const ALU: readonly (readonly [name: string, effect: Effect])[] = [
  ['add', ARITHMETIC],
  ['or', LOGIC],
  ['adc', WITH_CARRY],
  ['sbb', WITH_CARRY],
  ['and', LOGIC],
  ['sub', ARITHMETIC],
  ['xor', LOGIC],
  ['cmp', ARITHMETIC],
];

function alu(): Form[] {
  return ALU.flatMap(([name, effect], digit) => {
    const special: Special = { lock: name !== 'cmp' };
    return [
      integer(name, 'bwdq', `${hex(digit * 8)} /r`, effect, special),
      integer(name, 'bwdq', `${hex(digit * 8 + 2)} /r`, effect),
      integer(name, 'bwdq', `80 /${digit} iz`, effect, special),
      integer(name, 'wdq', `83 /${digit} ib`, effect, special),
      integer(name, 'bwdq', `${hex(digit * 8 + 4)} iz`, effect),
    ];
  });
}

/** `mov $count, %cl`: a count is known in front of a shift by cl, and with it what becomes of the flags. */
const loadCl = (layout: Layout, count: number): void =>
  layout.add({ opcode: [0xb0], plus: RCX, immediate: Uint8Array.of(count) });

const countOf = (step: Step): number => Number(step.value & 0xffn);
const SHIFTS: readonly (Shift | undefined)[] = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', undefined, 'sar'];

function shifts(): Form[] {
  return SHIFTS.flatMap((shift, digit) => {
    if (shift === undefined) return [];
    const by = (count: (step: Step) => number): Special => ({
      prepare: (_, step, size) => shiftEffect(shift, BITS[size], count(step)),
    });
    return [
      integer(
        `${shift} by 1`,
        'bwdq',
        `D0 /${digit}`,
        NONE,
        by(() => 1),
      ),
      integer(`${shift} by an immediate`, 'bwdq', `C0 /${digit} ib`, NONE, by(countOf)),
      integer(`${shift} by cl`, 'bwdq', `D2 /${digit}`, NONE, {
        reserved: [RCX],
        prepare(layout, step, size) {
          loadCl(layout, countOf(step));
          return shiftEffect(shift, BITS[size], countOf(step));
        },
      }),
    ];
  });
}

/** A count above the operand's size makes everything undefined. */
const withinSize = (step: Step, size: Size): Step =>
  size === 'w' ? { ...step, value: (step.value & 31n) % 17n } : step;

/** The same with another addressing mode than rip-relative. */
const offRip = (step: Step): Step => (step.mode === RIP_MODE ? { ...step, mode: 0 } : step);

function doubleShifts(): Form[] {
  return (['shld', 'shrd'] as const).flatMap((shift, index) => {
    const opcode = index === 0 ? 0xa4 : 0xac;
    return [
      integer(shift, 'wdq', `0F ${hex(opcode)} /r ib`, NONE, {
        adapt: (step, size, layout) => withinSize(layout.avoids('double shift at rip') ? offRip(step) : step, size),
        prepare: (_, step, size) => shiftEffect(shift, BITS[size], countOf(step)),
      }),
      integer(`${shift} by cl`, 'wdq', `0F ${hex(opcode + 1)} /r`, NONE, {
        adapt: withinSize,
        reserved: [RCX],
        prepare(layout, step, size) {
          loadCl(layout, countOf(step));
          return shiftEffect(shift, BITS[size], countOf(step));
        },
      }),
    ];
  });
}

/** In memory, a bit number in a register reaches as far as it likes. */
const FARTHEST_BIT = 1000n;

function bits(): Form[] {
  return ['bt', 'bts', 'btr', 'btc'].flatMap((name, index) => {
    const special: Special = { lock: index > 0 };
    const opcode = [0x0f, 0xa3 + index * 8];
    return [
      integer(name, 'wdq', `0F ${hex(opcode[1])} /r`, BIT_TEST, { only: 'register' }),
      {
        name: `${name} in memory`,
        add(layout, step) {
          const reg = step.reg === RSP ? RCX : step.reg;
          load(layout, reg, BigInt.asUintN(64, (step.value % (2n * FARTHEST_BIT)) - FARTHEST_BIT));
          const size = sized('wdq', step, { opcode });
          // The register has its value already, so that it is named like the digit of an opcode.
          layout.add(withOperands(layout, step, size, { only: 'memory', digit: reg, reserved: [reg] }), BIT_TEST);
        },
      },
      integer(name, 'wdq', `0F BA /${4 + index} ib`, BIT_TEST, special),
    ];
  });
}

const addressed = (name: string, opcode: number): Form => ({
  name,
  add(layout, step) {
    const size = sizeOf('bwdq', step);
    const made = sized('bwdq', step, { opcode: [size === 'b' ? opcode : opcode + 1] });
    layout.add({ ...made, immediate: bytesOf(BigInt(targetOf(layout, step)), 8) });
  },
});

function moves(): Form[] {
  const fromByte = { bytes: [false, true] } as const;
  return [
    integer('mov', 'bwdq', '88 /r'),
    integer('mov', 'bwdq', '8A /r'),
    integer('mov', 'bwdq', 'C6 /0 iz'),
    integer('mov', 'b', 'B0 +r ib'),
    integer('mov', 'wdq', 'B8 +r iv'),
    addressed('mov from an address', 0xa0),
    addressed('mov to an address', 0xa2),
    integer('lea', 'wdq', '8D /r', NONE, { only: 'memory' }),
    integer('movzx', 'wdq', '0F B6 /r', NONE, fromByte),
    integer('movzx', 'dq', '0F B7 /r'),
    integer('movsx', 'wdq', '0F BE /r', NONE, fromByte),
    integer('movsx', 'dq', '0F BF /r'),
    integer('movsxd', 'q', '63 /r'),
    integer('movnti', 'dq', '0F C3 /r', NONE, { only: 'memory' }),
    integer('xchg', 'bwdq', '86 /r'),
    integer('xchg', 'wdq', '90 +r'),
    integer('bswap', 'dq', '0F C8 +r'),
    integer('cbw', 'wdq', '98'),
    integer('cwd', 'wdq', '99'),
    integer('push', 'wn', '50 +r'),
    integer('push', 'wn', '68 iz'),
    integer('push', 'wn', '6A ib'),
    integer('push', 'wn', 'FF /6'),
    integer('pop', 'wn', '58 +r'),
    integer('pop', 'wn', '8F /0'),
    {
      name: 'leave',
      add(layout, step) {
        load(layout, 5, BigInt(targetOf(layout, step)));
        layout.add({ opcode: [0xc9] });
      },
    },
    plain('nop', { opcode: [0x90] }),
    plain('pause', { prefixes: [0xf3], opcode: [0x90] }),
    plain('endbr64', { prefixes: [0xf3], opcode: [0x0f, 0x1e, 0xfa] }),
    integer('nop', 'wd', '0F 1F /0'),
    integer('prefetch', 'n', '0F 18 /1', NONE, { only: 'memory' }),
    plain('mfence', { opcode: [0x0f, 0xae, 0xf0] }),
    plain('call', { opcode: [0xe8], immediate: new Uint8Array(4) }),
    plain('jmp', JUMP_TO_NEXT),
  ];
}

function unary(): Form[] {
  const locked: Special = { lock: true };
  return [
    integer('test', 'bwdq', '84 /r', LOGIC),
    integer('test', 'bwdq', 'A8 iz', LOGIC),
    integer('test', 'bwdq', 'F6 /0 iz', LOGIC),
    integer('inc', 'bwdq', 'FE /0', COUNTING, locked),
    integer('dec', 'bwdq', 'FE /1', COUNTING, locked),
    integer('not', 'bwdq', 'F6 /2', NONE, locked),
    integer('neg', 'bwdq', 'F6 /3', ARITHMETIC, {
      lock: true,
      adapt: (step, _, layout) => (layout.avoids('locked neg') ? { ...step, high: false } : step),
    }),
    integer('mul', 'bwdq', 'F6 /4', MULTIPLY),
    integer('imul', 'bwdq', 'F6 /5', MULTIPLY),
    integer('imul', 'wdq', '0F AF /r', MULTIPLY),
    integer('imul', 'wdq', '69 /r iz', MULTIPLY),
    integer('imul', 'wdq', '6B /r ib', MULTIPLY),
    integer('xadd', 'bwdq', '0F C0 /r', ARITHMETIC, locked),
  ];
}

/** Arithmetic, moves and shifts of general registers, as compilers emit them. */
export const INTEGER_FORMS: readonly Form[] = [
  ...alu(),
  ...unary(),
  ...moves(),
  ...shifts(),
  ...doubleShifts(),
  ...bits(),
];
