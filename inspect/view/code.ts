import type { Image, SourceLine } from '../../asm/image.js';
import type { Disassembly } from '../../emu/disassembler.js';
import { PAGE_SIZE } from '../../emu/memory.js';
import type { Process } from '../../runtime/process.js';
import { hex } from '../names.js';
import { parseOperand, splitOperands } from './operand.js';

/** The lines of a file that code is from, by the name that the image has for it; undefined if it is not at hand. */
export type Sources = (file: string) => readonly string[] | undefined;

/** What has the text of instructions: a `Disassembler`, or a list that one has made. */
export interface Instructions {
  /** The instruction that `bytes` begins with, at an address; undefined if they are none. */
  disassemble(bytes: Uint8Array, address: bigint): Disassembly | undefined;
  close(): void;
}

/** A line of a file with its text, where that is at hand. */
export interface SourceText extends SourceLine {
  readonly text: string | undefined;
}

/** One instruction of the listing. */
export interface InstructionRow {
  readonly kind: 'instruction';
  readonly address: number;
  /** As Capstone writes it. */
  readonly text: string;
  /** What an address in it means: `<send>`, `# 0x402000 <message>`; or nothing. */
  readonly note: string;
  readonly source: SourceLine | undefined;
  readonly isNext: boolean;
}

/** A line of the listing of code. */
export type CodeRow =
  | { readonly kind: 'symbol'; readonly name: string }
  /** Of a compiled file, in front of the instructions that come from it. */
  | ({ readonly kind: 'source' } & SourceText)
  | InstructionRow;

/** The code around the next instruction. */
export interface CodeView {
  readonly rows: readonly CodeRow[];
  /** `symbol+0x4 (file.s:12)` */
  readonly place: string;
  readonly source: SourceText | undefined;
  /** The next instruction; undefined if none is there. */
  readonly next: Disassembly | undefined;
}

const LONGEST_INSTRUCTION = 15;
/** From farther back than this nothing is decoded, so that a large function costs no more than a small one. */
const REACH = 512;

/** The instruction at an address; undefined if there is none. */
export function instructionAt(process: Process, instructions: Instructions, address: number): Disassembly | undefined {
  const { memory } = process.cpu;
  if (memory.protectionAt(address) !== 'r-x') return undefined;
  const page = PAGE_SIZE - (address % PAGE_SIZE);
  const goesOn = memory.protectionAt(address + page) === 'r-x';
  const bytes = memory.read(address, goesOn ? LONGEST_INSTRUCTION : Math.min(LONGEST_INSTRUCTION, page));
  return instructions.disassemble(bytes, BigInt(address));
}

/**
 * The code around where the guest is.
 * @param around instructions on each side
 */
export function codeView(process: Process, instructions: Instructions, sources: Sources, around: number): CodeView {
  const { rip } = process.cpu;
  const image = process.imageAt(BigInt(rip));
  const next = instructionAt(process, instructions, rip);
  const addresses = [...behind(process, instructions, rip, image).slice(-around)];
  for (let at = rip; addresses.length <= 2 * around; ) {
    const instruction = instructionAt(process, instructions, at);
    if (instruction === undefined) break;
    addresses.push(at);
    at += instruction.length;
  }
  const rows: CodeRow[] = [];
  let last: SourceLine | undefined;
  for (const address of addresses) {
    const symbol = image?.symbolAt(BigInt(address));
    if (symbol?.offset === 0n) rows.push({ kind: 'symbol', name: symbol.name });
    const source = image?.lineAt(BigInt(address));
    if (source !== undefined && !isAssembly(source.file) && !isSameLine(source, last)) {
      rows.push({ kind: 'source', ...textOf(source, sources) });
    }
    last = source;
    rows.push(instructionRow(process, instructions, address, source, address === rip));
  }
  const line = image?.lineAt(BigInt(rip));
  const source = line === undefined ? undefined : textOf(line, sources);
  return { rows, place: process.describe(process.cpu.read('rip')), source, next };
}

/** Whether a file is assembly text, of which every instruction is a line. */
export function isAssembly(file: string): boolean {
  return /\.(s|inc)$/.test(file);
}

function isSameLine(one: SourceLine, other: SourceLine | undefined): boolean {
  return one.file === other?.file && one.line === other.line;
}

function textOf({ file, line }: SourceLine, sources: Sources): SourceText {
  return { file, line, text: sources(file)?.[line - 1] };
}

/** Addresses of the instructions in front of one, from the last place that is known to begin one. */
function behind(process: Process, instructions: Instructions, address: number, image: Image | undefined): number[] {
  if (image === undefined) return [];
  const found: number[] = [];
  for (let at = knownStart(image, address); at < address; ) {
    const instruction = instructionAt(process, instructions, at);
    if (instruction === undefined) {
      found.length = 0;
      at += 1;
      continue;
    }
    found.push(at);
    at += instruction.length;
    // It was no instruction's start after all.
    if (at > address) return [];
  }
  return found;
}

function knownStart(image: Image, address: number): number {
  const section = image.sectionAt(BigInt(address));
  const lowest = Math.max(address - REACH, Number(section?.address ?? 0n));
  // A symbol's start is an instruction's, and so is a line's.
  let start = address;
  for (let at = address; at > lowest; ) {
    const symbol = image.symbolAt(BigInt(at - 1));
    if (symbol === undefined) break;
    const symbolStart = at - 1 - Number(symbol.offset);
    if (symbolStart >= lowest) {
      start = symbolStart;
      at = symbolStart;
      continue;
    }
    start = image.lines.find((line) => line.start >= lowest && line.start < start)?.start ?? start;
    break;
  }
  return start;
}

function instructionRow(
  process: Process,
  instructions: Instructions,
  address: number,
  source: SourceLine | undefined,
  isNext: boolean,
): InstructionRow {
  const instruction = instructionAt(process, instructions, address);
  const text = instruction?.text ?? 'no instruction';
  const note = instruction === undefined ? '' : noteOn(process, address, instruction);
  return { kind: 'instruction', address, text, note, source, isNext };
}

function noteOn(process: Process, address: number, { operands, length }: Disassembly): string {
  if (/^0x[0-9a-f]+$/.test(operands)) return symbolNote(process, BigInt(operands));
  for (const text of splitOperands(operands)) {
    const operand = parseOperand(text.replace(/^\*/, ''));
    if (operand.kind !== 'memory' || operand.base !== 'rip') continue;
    const target = BigInt(address + length) + operand.displacement;
    return `# ${hex(target)} ${symbolNote(process, target)}`.trimEnd();
  }
  return '';
}

/** `<symbol+4>`, or nothing. */
function symbolNote(process: Process, address: bigint): string {
  const symbol = process.imageAt(address)?.symbolAt(address);
  if (symbol === undefined) return '';
  return symbol.offset === 0n ? `<${symbol.name}>` : `<${symbol.name}+${hex(symbol.offset)}>`;
}
