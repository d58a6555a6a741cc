import type { Image } from '../../asm/image.js';
import { GENERAL_INDEX, GENERAL_REGISTERS, type GeneralRegister, VECTOR_REGISTERS } from '../../emu/registers.js';
import { background, type RegisterValues } from './registers.js';

/*
 * The guest program around the code under test. It loads every register with a value that is nowhere else, and lets the
 * code save; then it loads others, and lets the code restore. What the registers are, and where the code is, stands in
 * its data. A person can step through it like through any program.
 */

/** How control comes into a routine: by a call, or by running into a sequence that is inline. */
export type Entry = 'call' | 'inline';

/** Bytes of each ctx there is room for, on both sides of where the pointer points. */
export const CTX = { before: 1024, behind: 7168 } as const;
/** Bytes of each stack, below and above where rsp is when the code begins. */
export const STACK = { below: 12288, above: 4096 } as const;
/** How much lower the stack pointer is in the second probe, in bytes. */
export const LOWER = 4096;

/** What glibc mangles pointers with, at fs:0x30; there it is random. */
const GUARD = 0x6d3c95a2e81b47f0n;

/** A register file in the data of the driver, as offsets in bytes. */
const TABLE = { vectors: 0, general: 256, mxcsr: 384, fpcw: 388, eflags: 392, sigmask: 400, size: 408 } as const;

/** Loads all registers from a table; the stack pointer last, since popf needs a stack that is not the probe's. */
const LOAD = [
  '        .macro  probe_load table',
  `        ldmxcsr \\table+${TABLE.mxcsr}(%rip)`,
  `        fldcw   \\table+${TABLE.fpcw}(%rip)`,
  ...VECTOR_REGISTERS.map((name, index) => `        movdqu  \\table+${TABLE.vectors + 16 * index}(%rip), %${name}`),
  `        mov     \\table+${TABLE.sigmask}(%rip), %rax`,
  '        mov     %rax, probe_mask(%rip)',
  '        mov     probe_home(%rip), %rsp',
  `        pushq   \\table+${TABLE.eflags}(%rip)`,
  '        popfq',
  ...[...GENERAL_REGISTERS.filter((name) => name !== 'rsp'), 'rsp' as const].map(
    (name) => `        mov     \\table+${TABLE.general + 8 * GENERAL_INDEX[name]}(%rip), %${name}`,
  ),
  '        .endm',
].join('\n');

const PREPARE = `        movabs  $0x${GUARD.toString(16)}, %rax
        mov     %rax, %fs:0x30`;

const OVER = `probe_returned:
        nop
probe_landing_too:
        nop
probe_over:
        mov     probe_home(%rip), %rsp
        xor     %edi, %edi
        call    exit`;

const go = (entry: Entry, pointer: string): string => `${entry === 'call' ? 'call' : 'jmp '}    *${pointer}(%rip)`;

/** A save, and then a restore one call deeper, as it is wherever another coroutine restores. */
function jumpText(save: Entry, restore: Entry): string {
  return `main:   mov     %rsp, probe_home(%rip)
${PREPARE}
        probe_load probe_saved_registers
        ${go(save, 'probe_save')}
probe_landing:
        incb    probe_arrivals(%rip)
        cmpb    $1, probe_arrivals(%rip)
        jne     probe_over
        cmpq    $0, probe_restore(%rip)
        je      probe_over
        mov     probe_home(%rip), %rsp
        call    probe_other_side
probe_other_side:
        probe_load probe_poison_registers
        ${go(restore, 'probe_restore')}
${OVER}`;
}

/**
 * A swap to another side, which is there as if it had once made a swap itself, and a swap back. What it goes back to may
 * be known only then: a word is copied into the other side's registers, from where the data says to where it says.
 */
const SWAP_TEXT = `main:   mov     %rsp, probe_home(%rip)
${PREPARE}
        probe_load probe_saved_registers
        call    *probe_save(%rip)
probe_landing:
        jmp     probe_over
probe_entered:
        mov     %rax, probe_result(%rip)
        mov     probe_back_from(%rip), %rax
        mov     (%rax), %rax
        mov     probe_back_to(%rip), %rcx
        mov     %rax, (%rcx)
        probe_load probe_poison_registers
        call    *probe_restore(%rip)
${OVER}`;

const DATA = `        .data
probe_home:     .quad 0
probe_save:     .quad 0
probe_restore:  .quad 0
probe_arrivals: .quad 0
probe_mask:     .quad 0
probe_result:   .quad 0
probe_back_from: .quad probe_result
probe_back_to:  .quad probe_result
        .balign 64
probe_saved_registers:  .zero ${TABLE.size}
probe_poison_registers: .zero ${TABLE.size}
        .balign 4096
probe_ctx:              .zero ${CTX.before + CTX.behind}
probe_other_ctx:        .zero ${CTX.before + CTX.behind}
probe_no_ctx:           .zero ${CTX.before + CTX.behind}
probe_stack:            .zero ${STACK.below + STACK.above}
probe_other_stack:      .zero ${STACK.below + STACK.above}
# What is behind it is somebody else's, and is not to be called by this name.
probe_data_end:         .quad 0`;

/** What the driver is to be like. */
export type DriverShape =
  | { readonly shape: 'jump'; readonly save: Entry; readonly restore: Entry }
  | { readonly shape: 'swap' };

/**
 * The driver as assembly text.
 * @param inline text of sequences to go into it, each by its label
 * @param missing names that nobody defines: whoever gets there has called something that is not here
 */
export function driverText(
  shape: DriverShape,
  inline: ReadonlyMap<string, string>,
  missing: readonly string[],
): string {
  const sequences = [...inline].map(
    ([label, file]) => `${label}:\n        .include "${file}"\n${label}_end:\n        jmp     probe_landing`,
  );
  const stubs = missing.map((name) => `        .globl  ${name}\n${name}: ud2`);
  const text = shape.shape === 'jump' ? jumpText(shape.save, shape.restore) : SWAP_TEXT;
  return [LOAD, '        .text', '        .globl  main', text, ...sequences, ...stubs, DATA, ''].join('\n');
}

/** What the driver's data is to hold before it runs. */
export interface DriverData {
  /** Addresses of the routines; a restore of 0 is none. */
  readonly save: number;
  readonly restore: number;
  readonly saved: RegisterValues;
  readonly poison: RegisterValues;
  /** What a swap back goes to, if it is not known before: what the first swap has returned, or left in its ctx. */
  readonly back?: { readonly source: 'result' | 'ctx'; readonly register: GeneralRegister } | undefined;
  /** What else is there by address, as if it had been written before. */
  readonly memory: ReadonlyMap<number, Uint8Array>;
}

function bytesOf(value: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

function tableBytes(values: RegisterValues): Uint8Array {
  const bytes = new Uint8Array(TABLE.size);
  VECTOR_REGISTERS.forEach((name, index) => {
    bytes.set(bytesOf(values[name], 16), TABLE.vectors + 16 * index);
  });
  for (const name of GENERAL_REGISTERS) bytes.set(bytesOf(values[name], 8), TABLE.general + 8 * GENERAL_INDEX[name]);
  bytes.set(bytesOf(values.mxcsr, 4), TABLE.mxcsr);
  bytes.set(bytesOf(values.fpcw, 2), TABLE.fpcw);
  bytes.set(bytesOf(values.eflags, 8), TABLE.eflags);
  bytes.set(bytesOf(values.sigmask, 8), TABLE.sigmask);
  return bytes;
}

/** Every place of the driver that somebody outside it needs, by its address. */
export interface DriverPlaces {
  readonly landing: number;
  /** Behind another call, for a second probe. */
  readonly landingToo: number;
  /** Where the other side of a swap goes on; 0 if this is none. */
  readonly entered: number;
  /** Where a restore comes that does come back. */
  readonly returned: number;
  readonly ctx: number;
  readonly otherCtx: number;
  /** Full of words that lead nowhere. */
  readonly noCtx: number;
  /** Where rsp is before the code is entered: multiples of 16. */
  readonly stack: number;
  readonly otherStack: number;
  /** The signals that are blocked, as rt_sigprocmask has it. */
  readonly mask: number;
}

/** Where everything is in an image with the driver in it. */
export function placesOf(image: Image): DriverPlaces {
  const at = (name: string): number => Number(image.symbol(name));
  return {
    landing: at('probe_landing'),
    landingToo: at('probe_landing_too'),
    entered: Number(image.symbols.get('probe_entered') ?? 0n),
    returned: at('probe_returned'),
    ctx: at('probe_ctx') + CTX.before,
    otherCtx: at('probe_other_ctx') + CTX.before,
    noCtx: at('probe_no_ctx') + CTX.before,
    stack: at('probe_stack') + STACK.below,
    otherStack: at('probe_other_stack') + STACK.below,
    mask: at('probe_mask'),
  };
}

/** The image with its driver's data filled in. */
export function withData(image: Image, { save, restore, saved, poison, back, memory }: DriverData): Image {
  const at = (name: string): number => Number(image.symbol(name));
  const start = at('probe_ctx');
  const words = BigUint64Array.from(background((at('probe_data_end') - start) / 8));
  const source = back?.source === 'ctx' ? at('probe_ctx') + CTX.before : at('probe_result');
  const target =
    back === undefined ? source : at('probe_poison_registers') + TABLE.general + 8 * GENERAL_INDEX[back.register];
  const copies: [string, number][] = [
    ['probe_back_from', source],
    ['probe_back_to', target],
  ];
  return image.patched([
    ...(image.symbols.has('probe_result')
      ? copies.map(([name, to]) => [at(name), bytesOf(BigInt(to), 8)] as const)
      : []),
    [at('probe_save'), bytesOf(BigInt(save), 8)],
    [at('probe_restore'), bytesOf(BigInt(restore), 8)],
    [at('probe_saved_registers'), tableBytes(saved)],
    [at('probe_poison_registers'), tableBytes(poison)],
    [start, new Uint8Array(words.buffer)],
    ...memory,
  ]);
}
