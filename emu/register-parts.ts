import { GENERAL_REGISTERS, type GeneralRegister, VECTOR_REGISTERS } from './registers.js';

/** A register of which it is known who writes it. */
export type TrackedRegister = GeneralRegister | (typeof VECTOR_REGISTERS)[number] | 'eflags';

/** Some bytes of a register, the lowest of which is number 0. */
export interface RegisterPart {
  readonly register: TrackedRegister;
  readonly offset: number;
  /** In bytes. */
  readonly size: number;
}

/** Of a general register, of eflags as pushf writes them, and of an SSE register. */
const QUAD = 8;
const VECTOR = 16;

/** The first eight have names of their own for their parts: 32, 16 and 8 bits. */
const OLD_NAMES: readonly (readonly [string, string, string])[] = [
  ['eax', 'ax', 'al'],
  ['ecx', 'cx', 'cl'],
  ['edx', 'dx', 'dl'],
  ['ebx', 'bx', 'bl'],
  ['esp', 'sp', 'spl'],
  ['ebp', 'bp', 'bpl'],
  ['esi', 'si', 'sil'],
  ['edi', 'di', 'dil'],
];

const PARTS = new Map<string, RegisterPart>();

GENERAL_REGISTERS.forEach((register, index) => {
  const [long, word, byte] = OLD_NAMES[index] ?? [`${register}d`, `${register}w`, `${register}b`];
  PARTS.set(register, { register, offset: 0, size: QUAD });
  PARTS.set(long, { register, offset: 0, size: 4 });
  PARTS.set(word, { register, offset: 0, size: 2 });
  PARTS.set(byte, { register, offset: 0, size: 1 });
});
for (const letter of ['a', 'b', 'c', 'd'] as const) {
  PARTS.set(`${letter}h`, { register: `r${letter}x`, offset: 1, size: 1 });
}
for (const register of VECTOR_REGISTERS) PARTS.set(register, { register, offset: 0, size: VECTOR });
for (const name of ['eflags', 'rflags', 'flags']) PARTS.set(name, { register: 'eflags', offset: 0, size: QUAD });

/** The names of all registers and of their parts, as instructions have them. */
export const PART_NAMES: readonly string[] = [...PARTS.keys()];

/** What a name stands for: `rbx`, `ebx`, `bl`, `xmm3`, `eflags`. */
export function registerPart(name: string): RegisterPart | undefined {
  return PARTS.get(name);
}

/** As an instruction names it; `xmm0[8..15]` for bytes that have no name. */
export function partName({ register, offset, size }: RegisterPart): string {
  for (const [name, part] of PARTS) {
    if (part.register === register && part.offset === offset && part.size === size) return name;
  }
  return `${register}[${offset}..${offset + size - 1}]`;
}

/** Whether two parts have bytes in common. */
export function overlap(one: RegisterPart, other: RegisterPart): boolean {
  return (
    one.register === other.register && one.offset < other.offset + other.size && other.offset < one.offset + one.size
  );
}
