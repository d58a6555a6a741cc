/** The 16 general registers, in the order in which x86_64 instructions number them. */
export const GENERAL_REGISTERS = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
] as const;

/** The sixteen 128-bit SSE registers. */
export const VECTOR_REGISTERS = [
  'xmm0',
  'xmm1',
  'xmm2',
  'xmm3',
  'xmm4',
  'xmm5',
  'xmm6',
  'xmm7',
  'xmm8',
  'xmm9',
  'xmm10',
  'xmm11',
  'xmm12',
  'xmm13',
  'xmm14',
  'xmm15',
] as const;

/** The eight 80-bit x87 registers by their physical number, as `fxsave` and Unicorn number them. */
export const X87_REGISTERS = ['fp0', 'fp1', 'fp2', 'fp3', 'fp4', 'fp5', 'fp6', 'fp7'] as const;

/** What people call the register file. */
export const REGISTER_FILE = [...GENERAL_REGISTERS, 'rip', 'eflags'] as const;

/** Everything that makes up the state of the CPU besides memory; a snapshot holds exactly these. */
export const REGISTERS = [
  ...REGISTER_FILE,
  'fs_base',
  'gs_base',
  'mxcsr',
  'fpcw',
  'fpsw',
  'fptag',
  ...X87_REGISTERS,
  ...VECTOR_REGISTERS,
] as const;

export type GeneralRegister = (typeof GENERAL_REGISTERS)[number];
export type RegisterName = (typeof REGISTERS)[number];

/** Width of a register in bits. */
export function registerWidth(name: RegisterName): 16 | 32 | 64 | 80 | 128 {
  if (name.startsWith('xmm')) return 128;
  if (name === 'fpcw' || name === 'fpsw' || name === 'fptag') return 16;
  if (name.startsWith('fp')) return 80;
  return name === 'mxcsr' || name === 'eflags' ? 32 : 64;
}

/** Index of each general register in {@link GENERAL_REGISTERS}. */
export const GENERAL_INDEX: Readonly<Record<GeneralRegister, number>> = Object.fromEntries(
  GENERAL_REGISTERS.map((name, index) => [name, index]),
) as Record<GeneralRegister, number>;

/** What a Linux process starts with (System V ABI, AMD64 supplement, 3.4.1). Unicorn starts both at 0. */
export const MXCSR_AT_START = 0x1f80n;
/** As {@link MXCSR_AT_START}: the x87 control word. */
export const X87_CONTROL_WORD_AT_START = 0x37fn;
/** All eight x87 registers empty, as a process starts; Unicorn starts with all in use. */
export const X87_TAGS_AT_START = 0xffffn;

/** Bit 1 of EFLAGS, which always reads as 1 on a real CPU. */
export const FLAGS_FIXED = 2;
/** TF: the processor traps after each instruction while it is set. */
export const TRAP_FLAG = 0x100;
