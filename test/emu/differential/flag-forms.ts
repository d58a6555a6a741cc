import { bytesOf, type Instruction } from './encoder.js';
import { AF, CF, CONDITIONS, LOGIC, PF, SF, STATUS, ZF } from './flags.js';
import type { Layout } from './layout.js';
import { hex, integer } from './notation.js';
import { type Form, plain, RSP } from './operand.js';
import type { Step } from './step.js';

const RAX = 0;

/** `not %rax`, which is jumped over. */
const NOT_RAX: Instruction = { wide: true, opcode: [0xf7], operands: { reg: 2, rm: RAX } };
const NOT_RAX_LENGTH = 3;

const CONDITION_NAMES = 'o no b ae e ne be a s ns p np l ge le g'.split(' ');

function conditional(): Form[] {
  return CONDITIONS.flatMap((reads, condition) => [
    integer(`cmov${CONDITION_NAMES[condition]}`, 'wdq', `0F ${hex(0x40 + condition)} /r`, { reads }),
    integer(`set${CONDITION_NAMES[condition]}`, 'b', `0F ${hex(0x90 + condition)} /0`, { reads }),
    {
      name: `j${CONDITION_NAMES[condition]}`,
      add(layout: Layout, step: Step) {
        const short = { opcode: [0x70 + condition], immediate: Uint8Array.of(NOT_RAX_LENGTH) };
        const near = { opcode: [0x0f, 0x80 + condition], immediate: bytesOf(BigInt(NOT_RAX_LENGTH), 4) };
        layout.add(step.high ? short : near, { reads });
        layout.add(NOT_RAX);
      },
    },
  ]);
}

/** Flags that a process can set by popf, the direction of strings among them. */
const SETTABLE = 0xcd5;
const SAHF = SF | ZF | AF | PF | CF;

function flagInstructions(): Form[] {
  return [
    plain('stc', { opcode: [0xf9] }, { defines: CF }),
    plain('clc', { opcode: [0xf8] }, { defines: CF }),
    plain('cmc', { opcode: [0xf5] }, { reads: CF, defines: CF }),
    plain('cld', { opcode: [0xfc] }),
    plain('std', { opcode: [0xfd] }),
    plain('sahf', { opcode: [0x9e] }, { defines: SAHF }),
    plain('lahf', { opcode: [0x9f] }, { reads: SAHF }),
    {
      name: 'pushf',
      add(layout) {
        layout.add({ opcode: [0x9c] }, { reads: STATUS });
        // The system's own flags are not compared.
        const rm = { kind: 'sum', base: RSP, index: undefined, scale: 0, displacement: 0 } as const;
        const immediate = bytesOf(BigInt(SETTABLE), 4);
        layout.add({ wide: true, opcode: [0x81], operands: { reg: 4, rm }, immediate }, LOGIC);
      },
    },
    {
      name: 'popf',
      add(layout, step) {
        layout.add({ opcode: [0x68], immediate: bytesOf(step.value & BigInt(SETTABLE), 4) });
        layout.add({ opcode: [0x9d] }, { defines: STATUS });
      },
    },
  ];
}

/** Instructions about flags: what depends on them, and what sets or shows them as they are. */
export const FLAG_FORMS: readonly Form[] = [...conditional(), ...flagInstructions()];
