import type { Image } from '../../asm/image.js';
import { Disassembler } from '../../emu/disassembler.js';
import type { Routine } from './code.js';

/** A sequence of a switch inside a function that a compiler has made. */
export interface Occurrence {
  readonly kind: 'save' | 'restore';
  readonly routine: Routine;
}

interface Instruction {
  readonly address: number;
  readonly length: number;
  readonly mnemonic: string;
  readonly operands: string;
}

/** Fewer stores or loads in a row are something else. */
const LEAST = 3;
/** Where the driver's own code begins. */
const DRIVER = 'probe_landing';

const STORE = /^%[a-z0-9]+, (-?(?:0x)?[0-9a-f]*)\(%([a-z0-9]+)\)$/;
const LOAD = /^(-?(?:0x)?[0-9a-f]*)\(%([a-z0-9]+)\), %([a-z0-9]+)$/;
const BETWEEN = /^%([a-z0-9]+), %([a-z0-9]+)$/;
const CONTROL = /^(?:ldmxcsr|stmxcsr|fldcw|fnstcw)$/;
const CONTROL_OPERAND = /^(-?(?:0x)?[0-9a-f]*)\(%([a-z0-9]+)\)$/;
const MOVES = /^(?:mov[a-z]*|xchg[a-z]*)$/;
const LEA = /^(-?(?:0x)?[0-9a-f]*)\(%rip\), %([a-z0-9]+)$/;

/** The register that a store goes through to memory; undefined if it is none. */
function storeBase({ mnemonic, operands }: Instruction): string | undefined {
  if (/^(?:stmxcsr|fnstcw)$/.test(mnemonic)) return CONTROL_OPERAND.exec(operands)?.[2];
  return MOVES.test(mnemonic) ? STORE.exec(operands)?.[2] : undefined;
}

function loadBase({ mnemonic, operands }: Instruction): string | undefined {
  if (CONTROL.test(mnemonic)) return CONTROL_OPERAND.exec(operands)?.[2];
  return MOVES.test(mnemonic) ? LOAD.exec(operands)?.[2] : undefined;
}

function between({ mnemonic, operands }: Instruction): readonly [string, string] | undefined {
  const [, from, to] = (MOVES.test(mnemonic) && BETWEEN.exec(operands)) || [];
  return from === undefined || to === undefined ? undefined : [from, to];
}

/** The address that a `lea` of an address in the code makes. */
function leaTarget({ mnemonic, operands, address, length }: Instruction): number | undefined {
  const [, displacement] = (mnemonic.startsWith('lea') && LEA.exec(operands)) || [];
  return displacement === undefined ? undefined : address + length + Number(displacement);
}

function clears({ mnemonic, operands }: Instruction): boolean {
  const [from, to] = /^%(\w+), %(\w+)$/.exec(operands)?.slice(1) ?? [];
  return /^(?:xor|sub)[a-z]?$/.test(mnemonic) && from !== undefined && from === to;
}

/** The base that most of the stores or loads of a run have. */
function baseOf(
  run: readonly Instruction[],
  base: (instruction: Instruction) => string | undefined,
): string | undefined {
  const counts = new Map<string, number>();
  for (const one of run) {
    const name = base(one);
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const [[name, count] = ['', 0]] = [...counts].sort((a, b) => b[1] - a[1]);
  return count >= LEAST ? name : undefined;
}

/** The instructions before `end` that fit, as far back as they go without a gap. */
function runBefore(
  list: readonly Instruction[],
  end: number,
  fits: (instruction: Instruction) => boolean,
): Instruction[] {
  let start = end;
  while (start > 0 && fits(list[start - 1])) start--;
  return list.slice(start, end);
}

/**
 * What comes right before the label that a `lea` takes the address of: stores to one base, that `lea`, and what else
 * such a sequence has. A move to the base is the compiler's, which puts the ctx there.
 */
function saveBefore(list: readonly Instruction[], end: number, target: number): Instruction[] {
  const all = runBefore(list, end, (one) => {
    return storeBase(one) !== undefined || leaTarget(one) === target || clears(one) || between(one) !== undefined;
  });
  const base = baseOf(all, storeBase);
  if (base === undefined || base === 'rsp') return [];
  const run = runBefore(all, all.length, (one) => {
    const store = storeBase(one);
    return store === base || (store === undefined && between(one)?.[1] !== base);
  });
  // A move between registers that nothing in the sequence has needed is the compiler's as well.
  const first = run.findIndex((one) => between(one) === undefined);
  const sequence = run.slice(Math.max(0, first));
  return sequence.some((one) => leaTarget(one) === target) ? sequence : [];
}

/** Loads from one base that end in an indirect jump. */
function restoreBefore(list: readonly Instruction[], jump: number): Instruction[] {
  const all = runBefore(list, jump, (one) => loadBase(one) !== undefined || between(one) !== undefined);
  const base = baseOf(all, loadBase);
  if (base === undefined || base === 'rsp') return [];
  const run = runBefore(all, all.length, (one) => {
    const load = loadBase(one);
    return load === base || (load === undefined && between(one)?.[1] !== base);
  });
  const first = run.findIndex((one) => loadBase(one) === base);
  return first < 0 ? [] : [...run.slice(first), list[jump]];
}

/** All instructions of a section in a straight line; what is no instruction is passed over by a byte. */
function instructionsOf(bytes: Uint8Array, start: number, disassembler: Disassembler): Instruction[] {
  const list: Instruction[] = [];
  for (let at = 0; at < bytes.length; ) {
    const address = start + at;
    const one = disassembler.disassemble(bytes.subarray(at, at + 16), BigInt(address));
    const length = one?.length ?? 1;
    list.push({ address, length, mnemonic: one?.mnemonic ?? '', operands: one?.operands ?? '' });
    at += length;
  }
  return list;
}

/**
 * Where compilers have put a switch's sequences inline: stores to one base register in front of a label whose address
 * is among what is stored, and loads from one base register in front of an indirect jump. That they are what they look
 * like is for the probe to find out.
 */
export async function findInline(image: Image): Promise<Occurrence[]> {
  const disassembler = await Disassembler.load();
  try {
    return image.sections
      .filter(({ name, address }) => name === '.text' && image.sectionAt(image.symbol(DRIVER))?.address !== address)
      .flatMap(({ address, bytes }) => occurrences(image, instructionsOf(bytes, Number(address), disassembler)));
  } finally {
    disassembler.close();
  }
}

function occurrences(image: Image, list: readonly Instruction[]): Occurrence[] {
  const at = new Map(list.map(({ address }, index) => [address, index]));
  const found = new Map<number, Occurrence>();
  const add = (kind: Occurrence['kind'], run: readonly Instruction[]): void => {
    const [first, last] = [run[0], run.at(-1)];
    if (first === undefined || last === undefined) return;
    const start = first.address;
    const end = kind === 'save' ? { end: last.address + last.length } : {};
    found.set(start, { kind, routine: { name: image.describe(BigInt(start)), entry: 'inline', start, ...end } });
  };
  list.forEach((one, index) => {
    const target = leaTarget(one);
    const end = target === undefined ? undefined : at.get(target);
    if (end !== undefined && end > index) add('save', saveBefore(list, end, target ?? 0));
    if (one.mnemonic.startsWith('jmp') && /^\*/.test(one.operands)) add('restore', restoreBefore(list, index));
  });
  return [...found.values()];
}
