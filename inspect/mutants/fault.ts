import { encode } from '../../asm/keystone.js';
import type { Disassembler } from '../../emu/disassembler.js';
import type { Edit, Part } from './edit.js';
import { type SwitchInstruction, straightRuns } from './instruction.js';
import { type InstructionText, isGeneral, lowerHalf, memoryOf, parse, registerOf, replace, write } from './syntax.js';

/** The faults that a person makes in a switch. */
export const FAULT_KINDS = [
  'dropped',
  'swapped',
  'offset',
  'register',
  'width',
  'base',
  'direction',
  'rsp order',
  'no jump',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** One fault in one place of a switch. */
export interface Fault {
  readonly kind: FaultKind;
  /** The instruction that it is in; of two, the first. */
  readonly at: SwitchInstruction;
  /** Before and after: `movq 16(%rax), %r12 → movq 24(%rax), %r12`. */
  readonly change: string;
  /** In words: `offset +8`. */
  readonly what: string;
  /** Undefined if there is no machine code for it. */
  readonly edit: Edit | undefined;
  /** Of two that have changed places, the texts of both. */
  readonly pair?: readonly [SwitchInstruction, SwitchInstruction];
}

/** `mill_longjmp.s:12: movq 16(%rax), %r12 → movq 24(%rax), %r12: offset +8` */
export function faultName({ at, change, what }: Fault): string {
  return `${at.place}: ${change}: ${what}`;
}

/** Bytes from a slot to the next. */
const SLOT = 8;
/** What a call passes first (System V ABI, AMD64 supplement, 3.2.3): whoever mistakes a pointer takes one of these. */
const ARGUMENTS = ['rdi', 'rsi'];
/** What stores, and what loads the same. */
const DIRECTIONS: readonly (readonly [store: RegExp, load: RegExp, toLoad: string, toStore: string])[] = [
  [/^push(q?)$/, /^pop(q?)$/, 'popq', 'pushq'],
  [/^stmxcsr$/, /^ldmxcsr$/, 'ldmxcsr', 'stmxcsr'],
  [/^fnstcw$/, /^fldcw$/, 'fldcw', 'fnstcw'],
];
const MOVES = /^(mov|lea|push|pop|ldmxcsr|stmxcsr|fldcw|fnstcw)/;
const PUSHES = /^(push|pop)q?$/;
/** It is there for a processor with CET, and does nothing here. */
const PADDING = /^(endbr64|nop)/;

const kept = ({ address, length }: SwitchInstruction): Part => ({ kind: 'kept', address, length });

/** The same instruction with other text, and what that is. */
export type Change = readonly [kind: FaultKind, what: string, text: InstructionText];

/** Whether an instruction has the value of a register in memory, or brings it from there. */
export function isMemoryInstruction({ text, leaves }: Pick<SwitchInstruction, 'text' | 'leaves'>): boolean {
  if (leaves) return memoryOf(text) !== undefined;
  return PUSHES.test(text.mnemonic) || (memoryOf(text) !== undefined && !text.mnemonic.startsWith('lea'));
}

function offsets(text: InstructionText): Change[] {
  return [SLOT, -SLOT].map((by) => [
    'offset',
    `offset ${by > 0 ? '+' : ''}${by}`,
    replace(text, 'memory', (memory) => ({ ...memory, displacement: memory.displacement + by })),
  ]);
}

function others(text: InstructionText, own: string, names: Iterable<string>): Change[] {
  return [...names]
    .filter((name) => name !== own && isGeneral(name) === isGeneral(own))
    .map((name) => ['register', `${name} for ${own}`, replace(text, 'register', (one) => ({ ...one, name }))]);
}

function bases(text: InstructionText, own: string, names: Iterable<string>): Change[] {
  return [...names]
    .filter((base) => base !== own)
    .map((base) => ['base', `base ${base} for ${own}`, replace(text, 'memory', (memory) => ({ ...memory, base }))]);
}

/** `movq` as `movl`: half of it. */
function narrower(text: InstructionText, own: string | undefined): Change[] {
  if (!/^movq?$/.test(text.mnemonic) || own === undefined || !isGeneral(own)) return [];
  const halved = replace(text, 'register', (one) => ({ ...one, name: lowerHalf(own) }));
  return [['width', '32 bits for 64', { ...halved, mnemonic: 'movl' }]];
}

/** A store as a load of the same, and the other way round. */
function turned(text: InstructionText): Change[] {
  const { mnemonic, operands } = text;
  for (const [store, load, toLoad, toStore] of DIRECTIONS) {
    if (store.test(mnemonic)) return [['direction', 'load for store', { mnemonic: toLoad, operands }]];
    if (load.test(mnemonic)) return [['direction', 'store for load', { mnemonic: toStore, operands }]];
  }
  const [source, target] = operands;
  if (!mnemonic.startsWith('mov') || source === undefined || target === undefined) return [];
  const what = target.kind === 'memory' ? 'load for store' : 'store for load';
  return [['direction', what, { mnemonic, operands: [target, source] }]];
}

/** What a fault may put in the place of a register: the others that the same switch moves, and its other pointers. */
export interface Names {
  readonly moved: ReadonlySet<string>;
  readonly bases: ReadonlySet<string>;
}

/** The names in a switch. */
export function namesIn(instructions: readonly Pick<SwitchInstruction, 'text' | 'leaves'>[]): Names {
  const memory = instructions.filter((one) => isMemoryInstruction(one) && !one.leaves);
  return {
    moved: new Set(memory.flatMap(({ text }) => registerOf(text) ?? [])),
    bases: new Set([...instructions.flatMap(({ text }) => memoryOf(text)?.base ?? []), ...ARGUMENTS]),
  };
}

/** Every other text that a person could have written for an instruction. @param names of the switch that it is in */
export function changesOf(one: Pick<SwitchInstruction, 'text' | 'leaves'>, names: Names): Change[] {
  const { text, leaves } = one;
  const memory = memoryOf(text);
  const own = registerOf(text);
  const inMemory = memory === undefined ? [] : [...offsets(text), ...bases(text, memory.base, names.bases)];
  if (!isMemoryInstruction(one)) return text.mnemonic.startsWith('lea') ? inMemory : [];
  if (leaves) return inMemory;
  const registers = own === undefined ? [] : others(text, own, names.moved);
  return [...inMemory, ...registers, ...narrower(text, own), ...turned(text)];
}

/** Bytes for text, if the assembler makes what was meant; the disassembler is asked. */
async function assembled(
  text: InstructionText,
  address: number,
  disassembler: Disassembler,
): Promise<Uint8Array | undefined> {
  const meant = write(text);
  const encoding = await encode(meant, BigInt(address));
  if (!encoding.ok) return undefined;
  const made = disassembler.disassemble(encoding.bytes, BigInt(address));
  if (made === undefined || made.length !== encoding.bytes.length) return undefined;
  return write(parse(made.mnemonic, made.operands)) === meant ? encoding.bytes : undefined;
}

/** What it is to leave an instruction out; undefined if a person would not. */
export function droppedAs({ text, leaves }: Pick<SwitchInstruction, 'text' | 'leaves'>): FaultKind | undefined {
  if (leaves && !text.mnemonic.startsWith('call')) return 'no jump';
  return MOVES.test(text.mnemonic) ? 'dropped' : undefined;
}

/** Every fault of one instruction alone. */
async function single(one: SwitchInstruction, names: Names, disassembler: Disassembler): Promise<Fault[]> {
  const { address, length, text } = one;
  const faults: Fault[] = [];
  const whole = { address, length };
  const title = write(text);
  const dropped = droppedAs(one);
  if (dropped !== undefined) {
    faults.push({ kind: dropped, at: one, change: title, what: dropped, edit: { ...whole, parts: [] } });
  }
  for (const [kind, what, changed] of changesOf(one, names)) {
    const bytes = await assembled(changed, address, disassembler);
    const edit = bytes && { ...whole, parts: [{ kind: 'made', bytes, ...whole } as const] };
    faults.push({ kind, at: one, change: `${title} → ${write(changed)}`, what, edit });
  }
  return faults;
}

/** Neighbours that have changed places. */
function swapped(run: readonly SwitchInstruction[]): Fault[] {
  return run.slice(1).flatMap((second, index): Fault[] => {
    const first = run[index];
    const pair = [first, second].map(({ text }) => text.mnemonic);
    // Where neither of the two moves anything, it is about what the switch returns, and not about what it keeps.
    if (pair.some((name) => PADDING.test(name)) || !pair.some((name) => MOVES.test(name))) return [];
    const edit = { address: first.address, length: first.length + second.length, parts: [kept(second), kept(first)] };
    const change = `${write(first.text)} ↔ ${write(second.text)}`;
    return [{ kind: 'swapped', at: first, change, what: 'swapped', edit, pair: [first, second] }];
  });
}

/** The stack pointer brought back before everything else in its run, and behind it. */
function stackOrder(run: readonly SwitchInstruction[]): Fault[] {
  const body = run.filter(({ text, leaves }) => !leaves && !PADDING.test(text.mnemonic));
  const at = body.findIndex(({ text: { mnemonic, operands } }) => {
    const target = operands.at(-1);
    return /^mov/.test(mnemonic) && target?.kind === 'register' && target.name === 'rsp';
  });
  const [one, first, last] = [body[at], body[0], body.at(-1)];
  if (one === undefined || first === undefined || last === undefined) return [];
  const moved = (what: string, order: readonly SwitchInstruction[]): Fault => {
    const start = order.reduce((least, { address }) => Math.min(least, address), order[0].address);
    const length = order.reduce((sum, each) => sum + each.length, 0);
    const edit = { address: start, length, parts: order.map(kept) };
    return { kind: 'rsp order', at: one, change: write(one.text), what, edit };
  };
  return [
    // One place further is a swap of neighbours.
    ...(at > 1 ? [moved('before all else', [one, ...body.slice(0, at)])] : []),
    ...(at < body.length - 2 ? [moved('behind all else', [...body.slice(at + 1), one])] : []),
  ];
}

/**
 * Every fault of one instruction that a person could make in a switch.
 * @param instructions the whole switch, as it has run
 */
export async function faultsIn(
  instructions: readonly SwitchInstruction[],
  disassembler: Disassembler,
): Promise<Fault[]> {
  const names = namesIn(instructions);
  const faults: Fault[] = [];
  for (const run of straightRuns(instructions)) {
    const pairs = swapped(run);
    for (const [index, one] of run.entries()) {
      if (PADDING.test(one.text.mnemonic)) continue;
      faults.push(...(await single(one, names, disassembler)));
      faults.push(...pairs.filter(({ at }) => at === run[index]));
    }
    faults.push(...stackOrder(run));
  }
  return faults;
}
