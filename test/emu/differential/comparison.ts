import { Disassembler } from '../../../emu/disassembler.js';
import { GENERAL_REGISTERS } from '../../../emu/registers.js';
import type { Ending } from './ending.js';
import { EmulatedCpu, type Way } from './engine.js';
import { type Known, knownOf } from './known-differences.js';
import { Layout } from './layout.js';
import type { RealCpu } from './real-cpu.js';
import {
  ALL_FLAGS,
  CODE,
  CODE_SIZE,
  DATA,
  DATA_SIZE,
  FLUSH_TO_ZERO,
  flagNames,
  initialState,
  MODES,
  type State,
  XMM_COUNT,
} from './state.js';

/** Of mxcsr: rounding, flushing and masks, but not the exceptions that were seen. */
const MXCSR_CONTROL = 0xffc0;
const DATA_END = BigInt(DATA + DATA_SIZE);
/** Bytes of the largest access. */
const LARGEST = 16n;

/** A sequence of instructions at its address, and what it starts with. */
export interface Sequence {
  readonly layout: Layout;
  readonly code: Uint8Array;
  readonly initial: State;
}

/** Puts instructions into a layout. */
export type Lay = (layout: Layout) => void;

function sequence(lay: Lay, seed: number, address: number, avoided: ReadonlySet<Known>): Sequence {
  const initial = initialState(seed, avoided.has('flush to zero') ? MODES & ~FLUSH_TO_ZERO : MODES);
  const layout = new Layout(address, avoided, initial.mxcsr);
  lay(layout);
  return { layout, code: layout.finish(), initial };
}

/** One thing that is not the same after a run. */
export interface Difference {
  readonly what: string;
  readonly initially: string;
  readonly expected: string;
  readonly found: string;
}

const hex = (value: bigint, digits: number): string => value.toString(16).padStart(digits, '0');
const hexOf = (bytes: Uint8Array, at: number, size: number): string =>
  Buffer.from(bytes.slice(at, at + size).reverse()).toString('hex');

/** What differs between two endings, flags that are undefined there left out. */
export function differences({ layout, initial }: Sequence, expected: Ending, found: Ending): Difference[] {
  const all: Difference[] = [];
  const compare = (what: string, initially: string, one: string, other: string): void => {
    if (one !== other) all.push({ what, initially, expected: one, found: other });
  };
  const knows = (known: Known): boolean => layout.avoids(known);
  compare('stop', '', expected.stop, found.stop);
  const isRead = knows('access of read-modify-write') && expected.access === 'write' && found.access === 'read';
  if (!isRead) compare('access', '', expected.access ?? '', found.access ?? '');
  compare('rip', hex(BigInt(layout.start), 8), hex(expected.rip, 8), hex(found.rip, 8));
  const address = ({ target }: Ending): string => (target === undefined ? '' : hex(target, 8));
  const crosses = ({ target = 0n }: Ending): boolean => target >= DATA_END && target < DATA_END + LARGEST;
  const isCrossing = crosses(expected) && crosses(found);
  if (!isCrossing || !knows('target across pages')) compare('target', '', address(expected), address(found));
  const one = expected.state;
  const other = found.state;
  GENERAL_REGISTERS.forEach((name, index) => {
    compare(name, hex(initial.general[index], 16), hex(one.general[index], 16), hex(other.general[index], 16));
  });
  const isStale = knows('flags of a divide error') && expected.stop === 'divide error';
  const defined = isStale ? 0 : ALL_FLAGS & ~layout.taintedAt(expected.rip);
  compare('flags', flagNames(initial.flags), flagNames(one.flags & defined), flagNames(other.flags & defined));
  const kept = knows('exceptions in mxcsr') ? MXCSR_CONTROL : 0xffff;
  const control = ({ mxcsr }: State): string => hex(BigInt(mxcsr & kept), 4);
  compare('mxcsr', control(initial), control(one), control(other));
  for (let index = 0; index < XMM_COUNT; index++) {
    const [before, here, there] = [initial, one, other].map(({ xmm }) => hexOf(xmm, index * 16, 16));
    compare(`xmm${index}`, before, here, there);
  }
  for (let at = 0; at < one.data.length; at += 8) {
    if (Buffer.compare(one.data.subarray(at, at + 8), other.data.subarray(at, at + 8)) === 0) continue;
    const [before, here, there] = [initial, one, other].map(({ data }) => hexOf(data, at, 8));
    compare(`0x${(DATA + at).toString(16)}`, before, here, there);
  }
  return all;
}

/** A sequence that did not end the same everywhere. */
export class Disagreement extends Error {}

let disassembler: Disassembler | undefined;

async function text({ layout }: Sequence): Promise<string> {
  disassembler ??= await Disassembler.load();
  const lines = layout.placed.map(({ address, bytes }) => {
    const found = disassembler?.disassemble(bytes, BigInt(address));
    return `  ${address.toString(16)}  ${Buffer.from(bytes).toString('hex').padEnd(24)} ${found?.text ?? '?'}`;
  });
  return lines.join('\n');
}

async function disagreement(sequence: Sequence, names: readonly string[], found: readonly Difference[]) {
  const rows = [['', 'initially', ...names], ...found.map((one) => [one.what, one.initially, one.expected, one.found])];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const table = rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd());
  return new Disagreement(`${await text(sequence)}\n${table.join('\n')}`);
}

/** The longest code of a sequence. */
const MOST_BYTES = 0x1000;
const WAYS: readonly Way[] = ['run', 'step'];

/** Runs sequences on the real CPU if there is one, and on all engines that are present in both ways. */
export class Comparison {
  readonly #engines: readonly string[];
  readonly #real: RealCpu | undefined;
  #emulated: readonly EmulatedCpu[] = [];
  #address = CODE + CODE_SIZE;

  constructor(engines: readonly string[], real: RealCpu | undefined) {
    this.#engines = engines;
    this.#real = real;
  }

  /** The engines, with room for a sequence: no two are at the same address of a machine. */
  #nextEngines(): readonly EmulatedCpu[] {
    if (this.#address + MOST_BYTES > CODE + CODE_SIZE) {
      this.#closeEngines();
      this.#emulated = this.#engines.map((engine) => new EmulatedCpu(engine));
      this.#address = CODE;
    }
    return this.#emulated;
  }

  /**
   * With a real CPU each engine has a sequence of its own, which only its own faults are kept out of.
   * @returns how the sequences ended, see {@link Ending}
   * @throws Disagreement
   */
  async check(lay: Lay, seed: number): Promise<string[]> {
    const emulated = this.#nextEngines();
    if (this.#real === undefined) {
      return [await this.#checkOn(emulated, sequence(lay, seed, this.#address, knownOf(this.#engines)), undefined)];
    }
    const stops: string[] = [];
    for (const index of this.#engines.keys()) {
      const engine = this.#nextEngines()[index];
      const made = sequence(lay, seed, this.#address, knownOf([engine.engine]));
      const real = await this.#real.run(made.code, made.layout.start, made.initial);
      stops.push(await this.#checkOn([engine], made, real));
    }
    return stops;
  }

  async #checkOn(engines: readonly EmulatedCpu[], made: Sequence, real: Ending | undefined) {
    this.#address += made.code.length;
    let name = 'the real CPU';
    let expected = real;
    let moments: number | undefined;
    for (const engine of engines) {
      for (const way of WAYS) {
        const found = engine.run(made.code, made.layout.start, made.initial, way);
        const here = `${engine.engine}, ${way}`;
        if (expected === undefined) {
          expected = found;
          name = here;
        }
        moments ??= found.moments;
        const different = differences(made, expected, found);
        if (found.moments !== moments) {
          different.push({ what: 'moments', initially: '', expected: String(moments), found: String(found.moments) });
        }
        if (different.length > 0) throw await disagreement(made, [name, here], different);
      }
    }
    return expected?.stop ?? 'nothing';
  }

  close(): void {
    this.#closeEngines();
    this.#real?.close();
    disassembler?.close();
    disassembler = undefined;
  }

  #closeEngines(): void {
    for (const engine of this.#emulated) engine.close();
    this.#emulated = [];
  }
}
