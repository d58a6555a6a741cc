/** Holds the switches of the emulated machine against those of a real CPU, slot by slot. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openCpu } from '../../emu/open.js';
import { loadProgram } from '../../inspect/program.js';
import { type Half as ReportedHalf, recordSwitches } from '../../inspect/switches.js';
import { CTX_SLOTS, type CtxSlot, MILL_CR } from '../../runtime/layout.js';
import { libmill } from '../../runtime/libmill.js';
import { type Outcome, Process } from '../../runtime/process.js';

/** One half of a switch: the ten registers without the addresses that differ between machines. */
interface Half {
  readonly coroutine: number;
  readonly slots: Record<CtxSlot, string>;
}

/** A switch, in the words of fixtures/native/capture.py: the order of the fields is that of the hashed text. */
interface SwitchRecord {
  readonly kind: 'start' | 'switch' | 'end';
  readonly saved: Half | null;
  readonly restored: Half | null;
}

/** What capture.py writes. `first` and `last` are the ends of the list of records, `sha256` is of all of it. */
interface Dump {
  readonly program: string;
  readonly stdout: string;
  readonly status: number;
  readonly switches: number;
  readonly sha256: string;
  readonly first: readonly SwitchRecord[];
  readonly last: readonly SwitchRecord[];
}

const FIXTURES = join(import.meta.dirname, '../../fixtures');
/** Programs that need what the native scheduler does not have. */
const NOT_NATIVE: readonly string[] = [
  'buffered-ping-pong',
  'deadlock',
  'done-broadcast',
  'fan-in',
  'msleep-sort',
  'pipeline',
  'prime-sieve',
  'timeouts',
  'whispers',
];
const MEMORY_BYTES = 64 << 20;
/** How many records a dump shows from either end. */
const SHOWN = 100;
const CTX = MILL_CR.fields.ctx.offset;
const SLOT_BYTES = 8;
/** Bytes of `jmp *%rdx`, which a restore ends in. */
const JUMP_BYTES = 2;
/** The status of a program that SIGABRT ended. */
const ABORTED = 134;

/** Values in the form in which the dumps have them: `symbol+0xOFF`, `stack N-0xOFF` below its top, or plain. */
class Names {
  readonly #process: Process;
  /** By its top. A stack that is used again belongs to its latest coroutine. */
  readonly #owners = new Map<number, { readonly low: number; readonly coroutine: number }>();

  constructor(process: Process) {
    this.#process = process;
  }

  /** To be told of each coroutine before its registers are described. */
  note(cr: number): void {
    const { low, high } = this.#process.mill.coroutines.stackOf(cr);
    this.#owners.set(high, { low, coroutine: this.#process.mill.census.id(cr) });
  }

  describe(value: bigint): string {
    const symbol = this.#process.imageAt(value)?.symbolAt(value);
    if (symbol?.offset === 0n) return symbol.name;
    if (symbol !== undefined) return `${symbol.name}+0x${symbol.offset.toString(16)}`;
    for (const [high, { low, coroutine }] of this.#owners) {
      if (value >= low && value <= high) return `stack ${coroutine}-0x${(BigInt(high) - value).toString(16)}`;
    }
    return `0x${value.toString(16)}`;
  }
}

/**
 * The records of one run, made as capture.py makes them: the registers are the CPU's own, read before the first
 * instruction of each save and behind the jump of each restore. Neither the doors nor what they report are asked.
 */
class Recorder {
  readonly #process: Process;
  readonly #records: SwitchRecord[];
  readonly #names: Names;
  /** Where each save begins, and where it ends. */
  readonly #saves: ReadonlyMap<number, number>;
  readonly #landings: ReadonlySet<number>;
  readonly #jumps: ReadonlySet<number>;
  readonly #epilogue: number;
  #pending: Half | null = null;
  #unchecked: { readonly ctx: number; readonly values: readonly bigint[] } | undefined;
  #jumped = false;

  constructor(process: Process, records: SwitchRecord[]) {
    this.#process = process;
    this.#records = records;
    this.#names = new Names(process);
    const included = (file: string) => process.images.flatMap((image) => image.occurrences(file));
    this.#saves = new Map(included('mill_setjmp.s').map(({ start, end }) => [Number(start), Number(end)]));
    this.#landings = new Set(this.#saves.values());
    this.#jumps = new Set(included('mill_longjmp.s').map(({ end }) => Number(end) - JUMP_BYTES));
    this.#epilogue = Number(process.symbol('mill_epilogue_'));
  }

  /** To be called between any two instructions. */
  look(): void {
    const { cpu } = this.#process;
    const at = cpu.rip;
    const landing = this.#saves.get(at);
    if (this.#jumped) this.#restored();
    else if (this.#landings.has(at)) this.#check();
    if (landing !== undefined) {
      this.childRan();
      this.#saved(landing);
    } else if (at === this.#epilogue) {
      this.childRan();
      this.#running();
    }
    this.#jumped = this.#jumps.has(at);
  }

  /** A save without a restore behind it was go's: the parent is saved, and its child runs. */
  childRan(): void {
    if (this.#pending !== null) this.#records.push({ kind: 'start', saved: this.#pending, restored: null });
    this.#pending = null;
  }

  #saved(landing: number): void {
    const { cpu } = this.#process;
    const cr = this.#running();
    const ctx = Number(cpu.read('rdx'));
    expect(ctx, 'it is the running coroutine that is saved').toBe(cr + CTX);
    const values = CTX_SLOTS.map((name) => (name === 'rip' ? BigInt(landing) : cpu.read(name)));
    this.#unchecked = { ctx, values };
    this.#pending = this.#half(cr, values);
  }

  #check(): void {
    const { cpu } = this.#process;
    if (this.#unchecked === undefined) throw new Error('fell through a save that did not begin');
    const { ctx, values } = this.#unchecked;
    const slots = CTX_SLOTS.map((_, slot) => cpu.memory.u64(ctx + slot * SLOT_BYTES));
    expect(slots, 'the slots hold what the registers held').toEqual(values);
    expect(cpu.read('rax'), 'a save falls through with 0').toBe(0n);
    this.#unchecked = undefined;
  }

  #restored(): void {
    const { cpu } = this.#process;
    const cr = this.#running();
    expect(this.#landings, 'a restore lands behind a save').toContain(cpu.rip);
    expect(Number(cpu.read('rax')), 'rax still holds the ctx of the running coroutine').toBe(cr + CTX);
    const values = CTX_SLOTS.map((name) => cpu.read(name));
    const kind = this.#pending === null ? 'end' : 'switch';
    this.#records.push({ kind, saved: this.#pending, restored: this.#half(cr, values) });
    this.#pending = null;
  }

  #running(): number {
    const cr = this.#process.cpu.memory.pointer(Number(this.#process.symbol('mill_running')));
    this.#names.note(cr);
    return cr;
  }

  #half(cr: number, values: readonly bigint[]): Half {
    const named = CTX_SLOTS.map((name, slot) => [name, this.#names.describe(values[slot] ?? 0n)]);
    return { coroutine: this.#process.mill.census.id(cr), slots: Object.fromEntries(named) as Half['slots'] };
  }
}

/**
 * The records of one run at full speed, as `recordSwitches` reports them: what people are shown is to be as true as
 * what the CPU holds, and single steps are not to be the only way in which it is.
 */
function recordReports(process: Process, records: SwitchRecord[]): void {
  const names = new Names(process);
  const half = (reported: ReportedHalf | null): Half | null => {
    if (reported === null) return null;
    const named = CTX_SLOTS.map((name) => [name, names.describe(reported.slots[name])]);
    return { coroutine: reported.coroutine, slots: Object.fromEntries(named) as Half['slots'] };
  };
  names.note(process.mill.coroutines.running);
  recordSwitches(process, ({ kind, saved, restored }) => {
    records.push({ kind, saved: half(saved), restored: half(restored) });
    // Behind the record: go's child may have the stack of one that its parent still points into.
    names.note(process.mill.coroutines.running);
  });
}

/** Runs a program in the emulated machine. */
async function emulate(program: string, watch: (process: Process, records: SwitchRecord[]) => Outcome): Promise<Dump> {
  const cpu = openCpu({ memory: MEMORY_BYTES });
  try {
    const process = new Process(cpu, libmill(), await loadProgram([sourceOf(program)]), [program]);
    let stdout = '';
    process.on('output', ({ stream, bytes }) => {
      if (stream === 1) stdout += new TextDecoder().decode(bytes);
    });
    const records: SwitchRecord[] = [];
    const outcome = watch(process, records);
    const text = records.map((record) => `${JSON.stringify(record)}\n`).join('');
    return {
      program,
      stdout,
      status: statusOf(outcome),
      switches: records.length,
      sha256: createHash('sha256').update(text).digest('hex'),
      first: records.slice(0, SHOWN),
      last: records.slice(SHOWN).slice(-SHOWN),
    };
  } finally {
    cpu.close();
  }
}

/** As a shell has it. */
function statusOf(outcome: Outcome): number {
  if (outcome.kind === 'exit') return outcome.status;
  if (outcome.kind === 'abort') return ABORTED;
  throw new Error(`the program did not end: ${outcome.kind}`);
}

function readDump(folder: string, program: string): Dump {
  const { provenance: _, ...dump }: Dump & { provenance: unknown } = JSON.parse(
    readFileSync(join(folder, `${program}.json`), 'utf8'),
  );
  return dump;
}

function sourceOf(program: string): string {
  const folder = programs.includes(program) ? 'programs' : 'native';
  return join(FIXTURES, folder, `${program}.s`);
}

function namesIn(folder: string, ending: string): string[] {
  return readdirSync(join(FIXTURES, folder))
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length));
}

const programs = namesIn('programs', '.s');
const dumps = namesIn('native', '.json');

/** A debugger may be there and not be allowed to debug, as in many containers. */
function canCapture(): boolean {
  if (process.platform !== 'linux' || process.arch !== 'x64') return false;
  const tools = ['gcc', 'as', 'nm'].every((tool) => spawnSync(tool, ['--version']).status === 0);
  const gdb = spawnSync('gdb', ['-q', '-nx', '-batch', '-ex', 'run', '-ex', 'python print("python")', '/bin/true']);
  return tools && ['exited normally', 'python'].every((said) => `${gdb.stdout}`.includes(said));
}

/** The differing records first, because they say more than the hash of them all. */
function expectSame(actual: Dump, expected: Dump): void {
  expect(actual.first).toEqual(expected.first);
  expect(actual.last).toEqual(expected.last);
  expect(actual).toEqual(expected);
}

describe('a real CPU', () => {
  test('every program that can run natively has been captured', () => {
    expect(dumps.filter((program) => programs.includes(program)).sort()).toEqual(
      programs.filter((program) => !NOT_NATIVE.includes(program)).sort(),
    );
  });

  test.each(dumps)('%s: had the registers that the emulated CPU has at each save and landing', async (program) => {
    const emulated = await emulate(program, (process, records) => {
      const recorder = new Recorder(process, records);
      const outcome = process.step(Number.POSITIVE_INFINITY, () => recorder.look());
      recorder.childRan();
      return outcome;
    });
    expectSame(emulated, readDump(join(FIXTURES, 'native'), program));
  });

  test.each(dumps)('%s: had the registers that a run at full speed reports', async (program) => {
    const emulated = await emulate(program, (process, records) => {
      recordReports(process, records);
      return process.run();
    });
    expectSame(emulated, readDump(join(FIXTURES, 'native'), program));
  });

  // Programs with few switches: gdb stops four times for each.
  test.skipIf(!canCapture())('here has the registers that were captured', () => {
    const folder = mkdtempSync(join(tmpdir(), 'native-'));
    try {
      const recaptured = ['every-slot', 'stack-reuse'];
      execFileSync(join(FIXTURES, 'native/capture.sh'), [folder, ...recaptured.map(sourceOf)], { stdio: 'pipe' });
      for (const program of recaptured) {
        expectSame(readDump(folder, program), readDump(join(FIXTURES, 'native'), program));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
