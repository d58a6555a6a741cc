import { afterEach } from 'vitest';
import { assemble } from '../../asm/assembler.js';
import type { Image } from '../../asm/image.js';
import type { Cpu, Stop } from '../../emu/cpu.js';
import { PAGE_SIZE, type Protection } from '../../emu/memory.js';
import { defaultEngine, openCpu } from '../../emu/open.js';
import type { RegisterName } from '../../emu/registers.js';

/** Where the programs of these tests are, what they may write to, and their stack; nothing is mapped around them. */
export const CODE = 0x400000;
export const DATA = 0x600000;
export const DATA_END = 0x610000;
export const STACK_LOW = 0x700000;
export const STACK = 0x710000;
const MEMORY = 16 << 20;

/** The end of a program: the hypercall that stops the run, which counts as two instructions. */
export const END = 'mov $99, %eax\nsyscall\n';

const PROTECTION: Readonly<Record<string, Protection>> = { '.text': 'r-x', '.rodata': 'r--' };
const opened: Cpu[] = [];

/** Done after each test; needed in a test that opens more machines than there is memory for. */
export function closeAll(): void {
  for (const cpu of opened.splice(0)) cpu.close();
}

afterEach(closeAll);

/** A bare CPU, closed when the test is over. */
export function openBare(engine = defaultEngine()): Cpu {
  const cpu = openCpu({ engine, memory: MEMORY });
  opened.push(cpu);
  return cpu;
}

/** A CPU in front of a program, with fresh pages for data and stack; closed when the test is over. */
export function open(program: Image | Uint8Array, engine = defaultEngine()): Cpu {
  const cpu = openBare(engine);
  const { memory } = cpu;
  const sections =
    program instanceof Uint8Array
      ? [{ name: '.text', address: BigInt(CODE), size: program.length, bytes: program }]
      : program.sections;
  for (const { name, address, size, bytes } of sections) {
    memory.reserve(Number(address), Math.ceil(size / PAGE_SIZE) * PAGE_SIZE, PROTECTION[name] ?? 'rw-');
    memory.load(Number(address), bytes);
  }
  memory.reserve(DATA, DATA_END - DATA, 'rw-');
  memory.reserve(STACK_LOW, STACK - STACK_LOW, 'rw-');
  cpu.write('rip', BigInt(CODE));
  cpu.write('rsp', BigInt(STACK));
  cpu.onHypercall = () => {
    if (cpu.low(0) === 99) cpu.stop();
    else cpu.setRax(cpu.moment);
  };
  return cpu;
}

export async function image(text: string): Promise<Image> {
  return assemble([{ name: 'guest.s', text }], { base: BigInt(CODE) });
}

export async function openText(text: string): Promise<Cpu> {
  return open(await image(text));
}

/** Everything that can be observed where a run ended. */
export interface End {
  readonly stop: Stop;
  readonly moment: number;
  readonly registers: Record<RegisterName, bigint>;
  readonly memory: string;
}

/** Data and stack, as text that a failing comparison can show. */
export function contents(cpu: Cpu): string {
  return [...cpu.memory.read(DATA, DATA_END - DATA), ...cpu.memory.read(STACK_LOW, STACK - STACK_LOW)].reduce(
    (text, byte, at) => (byte === 0 ? text : `${text}${at.toString(16)}:${byte.toString(16)} `),
    '',
  );
}

export function endOf(cpu: Cpu, stop: Stop): End {
  return { stop, moment: cpu.moment, registers: cpu.readAll(), memory: contents(cpu) };
}

/** The end of a plain run and that of a stepped one. */
export async function plainAndStepped(text: string): Promise<{ plain: End; stepped: End }> {
  const program = await image(text);
  const one = open(program);
  const other = open(program);
  return { plain: endOf(one, one.run(100_000)), stepped: endOf(other, other.step(100_000)) };
}
