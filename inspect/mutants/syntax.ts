import { GENERAL_REGISTERS, type GeneralRegister } from '../../emu/registers.js';

/** An instruction in AT&T syntax, taken apart. */
export interface InstructionText {
  /** With its suffix: `movq`. */
  readonly mnemonic: string;
  /** Source first. */
  readonly operands: readonly OperandText[];
}

export type OperandText =
  | MemoryText
  | { readonly kind: 'register'; readonly name: string }
  | { readonly kind: 'other'; readonly text: string };

/** `*16(%rax,%rcx,8)`: bytes at a register and a displacement. */
export interface MemoryText {
  readonly kind: 'memory';
  /** `*` in front of what is jumped through. */
  readonly star: string;
  readonly displacement: number;
  readonly base: string;
  /** What follows the base, if anything: `,%rcx,8`. */
  readonly index: string;
}

const MEMORY = /^(\*?)(-?(?:0x[0-9a-f]+|\d+))?\(%([a-z0-9]+)((?:,[^)]*)?)\)$/;
const REGISTER = /^%([a-z0-9]+)$/;

function number(text: string | undefined): number {
  if (text === undefined) return 0;
  return text.startsWith('-') ? -Number(text.slice(1)) : Number(text);
}

function operand(text: string): OperandText {
  const [, name] = REGISTER.exec(text) ?? [];
  if (name !== undefined) return { kind: 'register', name };
  const [, star, displacement, base, index] = MEMORY.exec(text) ?? [];
  if (base === undefined) return { kind: 'other', text };
  return { kind: 'memory', star, displacement: number(displacement), base, index };
}

/** Takes apart what a disassembler has written. */
export function parse(mnemonic: string, operands: string): InstructionText {
  const texts = operands === '' ? [] : operands.split(/, ?(?![^(]*\))/);
  return { mnemonic, operands: texts.map(operand) };
}

function operandText(one: OperandText): string {
  if (one.kind === 'register') return `%${one.name}`;
  if (one.kind === 'other') return one.text;
  const { star, displacement, base, index } = one;
  return `${star}${displacement === 0 ? '' : displacement}(%${base}${index})`;
}

/** As people write it, offsets in decimal: `movq %rbx, 16(%rdx)`. */
export function write({ mnemonic, operands }: InstructionText): string {
  return operands.length === 0 ? mnemonic : `${mnemonic} ${operands.map(operandText).join(', ')}`;
}

/** The memory that an instruction names by a general register. */
export function memoryOf({ operands }: InstructionText): MemoryText | undefined {
  return operands.find((one) => one.kind === 'memory' && isGeneral(one.base)) as MemoryText | undefined;
}

/** The register that an instruction names as a whole operand. */
export function registerOf({ operands }: InstructionText): string | undefined {
  return operands.flatMap((one) => (one.kind === 'register' ? [one.name] : [])).at(0);
}

/** The same with another operand in the place of each of one kind. */
export function replace<Kind extends OperandText['kind']>(
  text: InstructionText,
  kind: Kind,
  change: (operand: Extract<OperandText, { kind: Kind }>) => OperandText,
): InstructionText {
  const operands = text.operands.map((one) =>
    one.kind === kind ? change(one as Extract<OperandText, { kind: Kind }>) : one,
  );
  return { ...text, operands };
}

/** Whether this is the name of a whole general register. */
export function isGeneral(name: string): name is GeneralRegister {
  return GENERAL_REGISTERS.some((one) => one === name);
}

/** The lower 32 bits of a general register. */
export function lowerHalf(name: GeneralRegister): string {
  return /^r\d/.test(name) ? `${name}d` : `e${name.slice(1)}`;
}
