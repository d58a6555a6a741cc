import type { Image } from '../../asm/image.js';
import type { Disassembler } from '../../emu/disassembler.js';
import type { GeneralRegister } from '../../emu/registers.js';
import { Bench } from './bench.js';
import type { Edit, Part } from './edit.js';
import type { Fault } from './fault.js';
import { codeAt, type SwitchInstruction } from './instruction.js';
import { laidOut } from './placed.js';
import { Random } from './random.js';
import { differencesIn, isDone, randomStates, SPREAD } from './state.js';
import { isGeneral, memoryOf, parse } from './syntax.js';

/** Random states on which an original and an equivalent mutant have to agree. */
export const STATES = 10_000;
/** Of the random numbers. */
const SEED = 20_15;
/** How often states in which the original faults are replaced before that is given up. */
const MOST_ROUNDS = 40;
/** Bytes that an access takes at most: fxsave's. */
const WIDEST = 512;
const WIDE = /^(fx|xs|xr)/;
const STACK = /^(push|pop|call|ret|leave)/;

/** What a fault does to the straight line of instructions that it is in. */
export type Effect =
  | { readonly kind: 'equal'; readonly states: number }
  /** Registers, `flags`, `memory`, or what else comes of it. */
  | { readonly kind: 'differs'; readonly what: readonly string[] }
  /** It cannot be tried, and why. */
  | { readonly kind: 'unknown'; readonly why: string };

/** States, and what the original makes of them. */
interface Original {
  readonly bench: Bench;
  /** Bytes of a row. */
  readonly size: number;
  readonly given: Uint8Array;
  readonly results: Uint8Array;
}

/** What a piece of code needs of the states that it is tried on. */
interface Needs {
  readonly pointers: ReadonlySet<GeneralRegister>;
  /** Bytes around where a pointer points. */
  readonly reach: number;
  /** Whether it names an SSE register, or all of them at once. */
  readonly vectors: boolean;
}

function needsOf(bytes: Uint8Array, start: number, disassembler: Disassembler): Needs {
  const pointers = new Set<GeneralRegister>();
  let reach = 64;
  let vectors = false;
  for (let at = 0; at < bytes.length; ) {
    const one = disassembler.disassemble(bytes.subarray(at), BigInt(start + at));
    if (one === undefined) break;
    at += one.length;
    vectors ||= one.operands.includes('%xmm') || WIDE.test(one.mnemonic);
    const memory = memoryOf(parse(one.mnemonic, one.operands));
    const names = [memory?.base, ...(memory?.index.match(/[a-z0-9]+/g) ?? [])];
    for (const name of names) if (name !== undefined && isGeneral(name)) pointers.add(name);
    if (STACK.test(one.mnemonic)) {
      pointers.add('rsp');
      reach += 8;
    }
    const width = WIDE.test(one.mnemonic) ? WIDEST : 16;
    reach = Math.max(reach, Math.abs(memory?.displacement ?? 0) + width);
  }
  return { pointers, reach, vectors };
}

/** The straight line that a fault is in, as it is and as the fault makes it. */
function partsOf(
  { address, length, parts }: Edit,
  block: readonly SwitchInstruction[],
): [original: Part[], mutant: Part[]] {
  const kept = (one: SwitchInstruction): Part => ({ kind: 'kept', address: one.address, length: one.length });
  const before = block.filter((one) => one.address < address).map(kept);
  const behind = block.filter((one) => one.address >= address + length).map(kept);
  return [block.map(kept), [...before, ...parts, ...behind]];
}

/** Tries faults on random states, always the same ones. The engine has to be loaded. */
export class Equivalence {
  readonly #originals = new Map<string, Original | undefined>();
  readonly #benches = new Map<string, Bench>();

  constructor(
    private readonly image: Image,
    private readonly disassembler: Disassembler,
  ) {}

  /**
   * Compares all that the straight line around a fault does, with the fault and without.
   * @param run the straight line
   */
  async effect({ edit }: Fault, run: readonly SwitchInstruction[]): Promise<Effect> {
    if (edit === undefined) return { kind: 'unknown', why: 'there is no machine code for it' };
    const within = (one: SwitchInstruction): boolean =>
      one.address >= edit.address && one.address < edit.address + edit.length;
    if (run.some((one) => one.leaves && within(one))) return { kind: 'differs', what: ['where control goes'] };
    const block = run.filter(({ leaves }) => !leaves);
    const [before, after] = partsOf(edit, block);
    // Where the code is to be does not depend on how much memory there is behind it.
    const { piece } = await this.#bench(0, false);
    const [one, other] = [this.#laidOut(before, piece), this.#laidOut(after, piece)];
    if (one === undefined || other === undefined) return { kind: 'unknown', why: 'it cannot be moved' };
    const original = await this.#original(one, other, piece);
    if (original === undefined) return { kind: 'unknown', why: 'it faults on nearly every random state' };
    const { size, given, results } = original;
    const made = original.bench.run(other, given);
    const rows = given.length / size;
    if (Buffer.compare(made, results) === 0) return { kind: 'equal', states: rows };
    const what = new Set<string>();
    for (let row = 0; row < given.length; row += size) {
      const [expected, actual] = [results, made].map((bytes) => bytes.subarray(row, row + size));
      if (!isDone(actual)) what.add('a fault');
      else for (const name of differencesIn(expected, actual)) what.add(name);
    }
    return { kind: 'differs', what: [...what] };
  }

  #laidOut(parts: readonly Part[], start: number): Uint8Array | undefined {
    const read = (address: number, length: number): Uint8Array => codeAt(this.image, address, length);
    return laidOut(parts, start, { read, relocated: () => false }, this.disassembler)?.bytes;
  }

  async #bench(memory: number, vectors: boolean): Promise<Bench> {
    const key = `${memory} ${vectors}`;
    const known = this.#benches.get(key) ?? (await Bench.make(STATES, memory, vectors));
    this.#benches.set(key, known);
    return known;
  }

  /** States in which the original does not fault, {@link STATES} of them. */
  async #original(code: Uint8Array, mutant: Uint8Array, piece: number): Promise<Original | undefined> {
    const needs = [code, mutant].map((bytes) => needsOf(bytes, piece, this.disassembler));
    const pointers = new Set(needs.flatMap((one) => [...one.pointers]));
    const reach = Math.ceil(Math.max(...needs.map((one) => one.reach)) / 64) * 64;
    const vectors = needs.some((one) => one.vectors);
    const key = [Buffer.from(code).toString('hex'), ...[...pointers].sort(), reach, vectors].join();
    if (!this.#originals.has(key)) this.#originals.set(key, await this.#tried(code, { pointers, reach, vectors }));
    return this.#originals.get(key);
  }

  async #tried(code: Uint8Array, { pointers, reach, vectors }: Needs): Promise<Original | undefined> {
    const bench = await this.#bench(2 * reach + SPREAD, vectors);
    const { size, table } = bench;
    const random = new Random(SEED);
    const given = randomStates(STATES, { size, table, pointers, reach }, random);
    let results = given;
    // Pointers are to the memory of their own row, so that a row that faults is made again in its place.
    for (let round = 0; round < MOST_ROUNDS; round++) {
      results = bench.run(code, results);
      const fresh = randomStates(STATES, { size, table, pointers, reach }, random);
      let faults = 0;
      for (let row = 0; row < given.length; row += size) {
        if (isDone(results.subarray(row, row + size))) continue;
        for (const rows of [given, results]) rows.set(fresh.subarray(row, row + size), row);
        faults++;
      }
      if (faults === 0) return { bench, size, given, results };
    }
    return undefined;
  }
}
