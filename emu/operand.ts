import { type RegisterPart, registerPart } from './register-parts.js';

/** What an instruction names as one of its operands. */
export type Operand =
  | { readonly kind: 'register'; readonly part: RegisterPart }
  | { readonly kind: 'immediate'; readonly value: bigint }
  | MemoryOperand
  /** A segment register, or one of the x87's. */
  | { readonly kind: 'other'; readonly text: string };

/** Bytes at an address that is the sum of what is named. */
export interface MemoryOperand {
  readonly kind: 'memory';
  readonly segment: 'fs' | 'gs' | undefined;
  readonly base: RegisterPart | 'rip' | undefined;
  readonly index: RegisterPart | undefined;
  readonly scale: number;
  readonly displacement: bigint;
  /** In bytes; 0 where the instruction has none, as lea. */
  readonly size: number;
}

/** Words of Intel's syntax for the size of what is in memory, in bytes. */
const SIZES: Readonly<Record<string, number>> = {
  byte: 1,
  word: 2,
  dword: 4,
  fword: 6,
  qword: 8,
  tbyte: 10,
  xword: 10,
  xmmword: 16,
};

const MEMORY = /^(?:(\w+) )?(?:ptr )?(?:(\w\w):)?\[(.*)\]$/;

/** Reads operands as Capstone writes them in Intel's syntax: the destination first. */
export function readOperands(text: string): Operand[] {
  return text === '' ? [] : text.split(', ').map(readOperand);
}

function readOperand(text: string): Operand {
  const part = registerPart(text);
  if (part !== undefined) return { kind: 'register', part };
  if (/^-?(0x[0-9a-f]+|\d+)$/.test(text)) return { kind: 'immediate', value: readNumber(text) };
  const memory = MEMORY.exec(text);
  if (memory === null) return { kind: 'other', text };
  const [, size, segment, sum] = memory;
  return {
    kind: 'memory',
    segment: segment === 'fs' || segment === 'gs' ? segment : undefined,
    ...readSum(sum),
    size: SIZES[size] ?? 0,
  };
}

function readNumber(text: string): bigint {
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}

/** `rax + rcx*4 - 0x10` */
function readSum(sum: string): Pick<MemoryOperand, 'base' | 'index' | 'scale' | 'displacement'> {
  let base: RegisterPart | 'rip' | undefined;
  let index: RegisterPart | undefined;
  let scale = 1;
  let displacement = 0n;
  for (const term of sum.replaceAll(' - ', ' + -').split(' + ')) {
    const [name, factor] = term.split('*');
    const part = registerPart(name);
    if (name === 'rip') base = 'rip';
    else if (part !== undefined && factor === undefined && base === undefined) base = part;
    else if (part !== undefined) {
      index = part;
      scale = Number(factor ?? 1);
    } else if (name !== 'riz' && name !== 'eiz') displacement = readNumber(term);
  }
  return { base, index, scale, displacement };
}
