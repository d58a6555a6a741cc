/** The steps of a program in the form in which fixtures/native/steps.py writes them. */
import { Disassembler } from '../../emu/disassembler.js';
import { PAGE_SIZE } from '../../emu/memory.js';
import { GENERAL_REGISTERS, REGISTERS } from '../../emu/registers.js';
import { MILL_CR } from '../../runtime/layout.js';
import type { Process } from '../../runtime/process.js';
import {
  ARITHMETIC,
  BIT_SCAN,
  BIT_TEST,
  COUNTING,
  DIVIDE,
  type Effect,
  LOGIC,
  MULTIPLY,
  NONE,
  type Shift,
  STATUS,
  shiftEffect,
} from '../emu/differential/flags.js';

/** The status flags and DF. */
const FLAGS = STATUS | 0x400;
const RIP = REGISTERS.indexOf('rip');
const EFLAGS = REGISTERS.indexOf('eflags');
const RCX = GENERAL_REGISTERS.indexOf('rcx');
/** Bytes of the longest instruction. */
const LONGEST = 15;

/** What single steps of a real CPU have shown. */
export interface Steps {
  /** What took part, each with its version. */
  readonly tools: readonly string[];
  /** The top of the main stack. */
  readonly stacksTop: number;
  readonly status: number;
  readonly stdout: string;
  /** One for each instruction, from the first of main to the one behind its return. */
  readonly lines: readonly string[];
}

/** Reads what steps.py has written, unpacked. */
export function readSteps(text: string): Steps {
  const lines = text.trimEnd().split('\n');
  const headed = (word: string): string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  const first = lines.findIndex((line) => !/^(#|stacks|status|stdout) /.test(line));
  const stdout = headed('stdout').map((line) => `${line}\n`);
  return {
    tools: headed('# tool:'),
    stacksTop: Number(headed('stacks')[0]),
    status: Number(headed('status')[0]),
    stdout: stdout.join(''),
    lines: lines.slice(first),
  };
}

/** A line without its flags, and those. */
export function splitFlags(line: string): { readonly registers: string; readonly flags: number } {
  const space = line.lastIndexOf(' ');
  return { registers: line.slice(0, space), flags: Number.parseInt(line.slice(space + 1), 16) };
}

/** Says where a process is, step by step, without the addresses that differ between machines. */
export class Stepper {
  readonly #process: Process;
  readonly #values = new BigUint64Array(EFLAGS + 1);
  /** The top of each stack in the order in which they were made, and its lowest address. A stack may be used again. */
  readonly #stacks = new Map<number, number>();
  #before: BigUint64Array | undefined;

  constructor(process: Process) {
    this.#process = process;
    this.#stacks.set(process.mainStack.high, process.mainStack.low);
  }

  /** The line of the instruction that comes next, to be asked once for each. */
  line(): string {
    const values = this.#values;
    this.#noteStack();
    this.#process.cpu.readInto(values);
    const before = this.#before;
    const changed = GENERAL_REGISTERS.flatMap((name, index) =>
      before?.[index] === values[index] ? [] : [`${name}=${this.#describe(values[index])}`],
    );
    this.#before = values.slice();
    const flags = (Number(values[EFLAGS]) & FLAGS).toString(16);
    return [this.#describe(values[RIP]), ...changed, flags].join(' ');
  }

  /** The low byte of rcx, which says how far some instructions shift. */
  get cl(): number {
    return Number(this.#values[RCX] & 0xffn);
  }

  get rip(): number {
    return Number(this.#values[RIP]);
  }

  #noteStack(): void {
    const { coroutines } = this.#process.mill;
    const { running } = coroutines;
    // Between two coroutines there is none.
    if (running === 0 || running === coroutines.main) return;
    const top = Math.ceil((running + MILL_CR.size) / PAGE_SIZE) * PAGE_SIZE;
    if (!this.#stacks.has(top)) this.#stacks.set(top, coroutines.stackOf(running).low);
  }

  #describe(value: bigint): string {
    let number = 0;
    for (const [high, low] of this.#stacks) {
      if (value >= low && value <= high) return `stack${number}-0x${(BigInt(high) - value).toString(16)}`;
      number++;
    }
    const symbol = this.#process.imageAt(value)?.symbolAt(value);
    if (symbol === undefined) return `0x${value.toString(16)}`;
    return symbol.offset === 0n ? symbol.name : `${symbol.name}+0x${symbol.offset.toString(16)}`;
  }
}

const EFFECTS: Readonly<Record<string, Effect>> = {
  add: ARITHMETIC,
  adc: ARITHMETIC,
  sub: ARITHMETIC,
  sbb: ARITHMETIC,
  cmp: ARITHMETIC,
  neg: ARITHMETIC,
  inc: COUNTING,
  dec: COUNTING,
  and: LOGIC,
  or: LOGIC,
  xor: LOGIC,
  test: LOGIC,
  mul: MULTIPLY,
  imul: MULTIPLY,
  div: DIVIDE,
  idiv: DIVIDE,
  bt: BIT_TEST,
  bsf: BIT_SCAN,
  bsr: BIT_SCAN,
  // As it is on a processor that knows it, and bsf on one that does not: compilers use it where both are the same.
  tzcnt: { undefines: STATUS },
  comisd: ARITHMETIC,
  ucomisd: ARITHMETIC,
  comiss: ARITHMETIC,
  ucomiss: ARITHMETIC,
};
const SHIFT = /^(rol|ror|rcl|rcr|shl|shr|sar|shld|shrd)([bwlq])$/;
const BITS: Readonly<Record<string, number>> = { b: 8, w: 16, l: 32, q: 64 };

/** Knows which flags a program may rely on: what processors are free to do differently is not compared. */
export class DefinedFlags {
  readonly #disassembler: Disassembler;
  /** Bits of EFLAGS. */
  mask = FLAGS;

  private constructor(disassembler: Disassembler) {
    this.#disassembler = disassembler;
  }

  static async open(): Promise<DefinedFlags> {
    return new DefinedFlags(await Disassembler.load());
  }

  close(): void {
    this.#disassembler.close();
  }

  /** To be told of each instruction before it executes. */
  note(process: Process, rip: number, cl: number): void {
    const { defines = 0, undefines = 0 } = this.#effect(process, rip, cl);
    this.mask = (this.mask & ~undefines) | defines;
  }

  #effect(process: Process, rip: number, cl: number): Effect {
    const bytes = process.cpu.memory.read(rip, LONGEST);
    const instruction = this.#disassembler.disassemble(bytes, BigInt(rip));
    if (instruction === undefined) throw new Error(`no instruction at 0x${rip.toString(16)}`);
    const { mnemonic, operands } = instruction;
    // The shift by one has an opcode of its own, and is written without a count.
    const [, shift, suffix] = SHIFT.exec(mnemonic) ?? [];
    if (shift !== undefined) {
      const count = operands.startsWith('%cl') ? cl : Number(/^\$(\w+)/.exec(operands)?.[1] ?? 1);
      return shiftEffect(shift as Shift, BITS[suffix], count);
    }
    return EFFECTS[mnemonic] ?? EFFECTS[mnemonic.replace(/[bwlq]$/, '')] ?? NONE;
  }
}
