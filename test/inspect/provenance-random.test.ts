/** Random places at random moments of all programs: what `why` says against a full trace and objdump's reading of it. */
import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { Image } from '../../asm/image.js';
import { GENERAL_REGISTERS, REGISTER_FILE } from '../../emu/registers.js';
import { type Place, placeOf } from '../../inspect/provenance/place.js';
import type { ProvenanceStep } from '../../inspect/provenance/step.js';
import { why } from '../../inspect/provenance/why.js';
import { Session } from '../../inspect/session.js';
import { CTX_SLOTS } from '../../runtime/layout.js';
import type { Process } from '../../runtime/process.js';
import { everyProgram, withProcess } from './every-program.js';
import { type Listed, listing, type Span, share, writtenBy } from './written-by-objdump.js';

const PAIRS = 5;
/** Of the longer programs, the first so many instructions. */
const TRACED = 30_000;
const WIDTH = REGISTER_FILE.length;
const SYSCALL = 'syscall';

/** Random numbers from a seed: mulberry32. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) % below;
  };
}

/** Every moment of a run from its start on. */
class Recording {
  readonly registers: BigUint64Array;
  readonly processes: Uint16Array;
  readonly parents = new Map<number, number>();
  readonly code: Map<number, Listed>;
  readonly fsBase: bigint;
  length = 0;

  constructor(process: Process) {
    const { cpu } = process;
    this.registers = new BigUint64Array((TRACED + 1) * WIDTH);
    this.processes = new Uint16Array(TRACED + 1);
    this.code = listing(process.images.filter((image) => image instanceof Image));
    this.fsBase = cpu.read('fs_base');
    const parent = Number(process.symbol('__parent_process_id'));
    const end = cpu.onBlock(() => {
      if (cpu.moment > TRACED) return;
      cpu.readInto(this.registers.subarray(cpu.moment * WIDTH, (cpu.moment + 1) * WIDTH));
      const { id } = process.mill.processes;
      this.processes[cpu.moment] = id;
      this.parents.set(id, cpu.memory.u32(parent));
      this.length = cpu.moment + 1;
    });
    while (cpu.moment < TRACED && process.step(TRACED - cpu.moment).kind === 'child');
    end();
  }

  value(moment: number, name: string): bigint {
    return this.registers[moment * WIDTH + (REGISTER_FILE as readonly string[]).indexOf(name)];
  }

  instruction(moment: number): Listed {
    const found = this.code.get(Number(this.value(moment, 'rip')));
    if (found === undefined) throw new Error(`objdump has no instruction of moment ${moment}`);
    return found;
  }

  written(moment: number): Span[] {
    const value = (name: string): bigint => this.value(moment, name);
    return writtenBy(this.instruction(moment), Number(value('rip')), value, this.fsBase);
  }

  /** Moments in front of one that belong to its process or those above it, the last one first. */
  *before(moment: number): Generator<number> {
    const own = new Set<number>();
    for (let id = this.processes[moment]; id > 0; id = this.parents.get(id) ?? 0) own.add(id);
    for (let at = moment - 1; at >= 0; at--) if (own.has(this.processes[at])) yield at;
  }

  /** The last moment in front of one at which an instruction of the guest writes bytes of a place. */
  lastWrite(span: Span, moment: number): number | undefined {
    for (const at of this.before(moment)) if (this.written(at).some((one) => share(one, span))) return at;
    return undefined;
  }

  /** The last moment in front of one whose instruction changes a general register. */
  lastChange(register: string, moment: number): number | undefined {
    const value = this.value(moment, register);
    for (const at of this.before(moment)) if (this.value(at, register) !== value) return at;
    return undefined;
  }
}

function spanOf(place: Place): Span {
  if (place.kind === 'memory') return { space: 'memory', start: place.address, size: place.size };
  const { register, offset, size } = place.part;
  return { space: register, start: offset, size };
}

/** Holds one step of a chain against the recording. @param moment at which the place was asked for */
function check(recording: Recording, step: ProvenanceStep, moment: number): void {
  const span = spanOf(step.place);
  if (span.space.startsWith('xmm')) return;
  const last = recording.lastWrite(span, moment);
  const what = `${span.space} ${span.start} (${span.size}) at ${moment}, by ${step.text} at ${step.moment}`;
  if (step.kind === 'start' || step.kind === 'unseen') {
    expect(last, what).toBeUndefined();
  } else if (step.place.kind === 'memory' && recording.instruction(step.moment).mnemonic === SYSCALL) {
    // What the host writes no instruction says; the guest has not written since.
    expect(last ?? -1, what).toBeLessThan(step.moment);
  } else expect(step.moment, what).toBe(last);
  if (step.place.kind === 'register') {
    expect(step.moment, what).toBeGreaterThanOrEqual(recording.lastChange(span.space, moment) ?? 0);
  }
  if (step.from !== undefined) {
    // A copy is a copy.
    const bits = step.from.place.kind === 'memory' ? step.from.place.size * 8 : step.from.place.part.size * 8;
    expect(BigInt.asUintN(bits, step.after), what).toBe(step.from.value);
  }
}

/** Values of words of memory at each moment, read in single steps. */
function valuesOf(process: Process, addresses: readonly number[], upTo: number): Map<number, bigint[]> {
  const { cpu } = process;
  const values = new Map<number, bigint[]>(addresses.map((address) => [address, []]));
  const end = cpu.onBlock(() => {
    for (const [address, list] of values) {
      list[cpu.moment] = cpu.memory.protectionAt(address) === undefined ? 0n : cpu.memory.u64(address);
    }
  });
  while (cpu.moment <= upTo && process.step(upTo + 1 - cpu.moment).kind === 'child');
  end();
  return values;
}

const objdump = spawnSync('objdump', ['--version']).status === 0;

describe.skipIf(!objdump)('why', () => {
  let checked = 0;
  test.each(everyProgram)('finds who wrote a random place of %s', async (name, load, argv) => {
    const program = await load();
    const recording = await withProcess(program, argv, (process) => new Recording(process));
    const random = randomFrom([...name].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7));
    await withProcess(program, argv, async (process) => {
      const session = new Session(process);
      const asked: { moment: number; place: Place; first: ProvenanceStep }[] = [];
      for (let pair = 0; pair < PAIRS; pair++) {
        const moment = 1 + random(recording.length - 1);
        await session.go(moment);
        const coroutines = process.coroutines();
        const id = process.mill.census.id(coroutines[random(coroutines.length)]);
        const questions = [
          GENERAL_REGISTERS[random(GENERAL_REGISTERS.length)],
          `slot ${CTX_SLOTS[random(CTX_SLOTS.length)]} of coroutine ${id}`,
          `${random(8) * 8}(%rsp)`,
        ];
        // Behind the top of the main stack nothing is mapped.
        const rsp = process.cpu.pointer(4);
        const question = rsp + 64 > process.mainStack.high ? questions[pair % 2] : questions[pair % 3];
        const place = placeOf(process, question.replace('coroutine 0', 'main'));
        const { steps, value } = await why(session, place, { steps: 12 });
        expect(session.moment).toBe(moment);
        expect(steps[0].after).toBe(value);
        let at = moment;
        for (const step of steps) {
          check(recording, step, at);
          at = step.moment;
        }
        asked.push({ moment, place, first: steps[0] });
        checked++;
      }
      await memoryOf(program, argv, asked, recording);
    });
  });

  /** Of words of memory: no change is later than what was found. */
  async function memoryOf(
    program: Parameters<typeof withProcess>[0],
    argv: readonly string[],
    asked: readonly { moment: number; place: Place; first: ProvenanceStep }[],
    recording: Recording,
  ): Promise<void> {
    const words = asked.flatMap(({ place }) => (place.kind === 'memory' ? [place.address] : []));
    if (words.length === 0) return;
    const values = await withProcess(program, argv, (process) => valuesOf(process, words, recording.length));
    for (const { moment, place, first } of asked) {
      if (place.kind !== 'memory') continue;
      const list = values.get(place.address) ?? [];
      let change = 0;
      for (const at of recording.before(moment)) {
        if (list[at] === list[moment]) continue;
        change = at;
        break;
      }
      expect(first.moment).toBeGreaterThanOrEqual(change);
      expect(first.after).toBe(list[moment]);
    }
  }

  test('two hundred of them', () => {
    expect(checked).toBeGreaterThanOrEqual(200);
  });
});
