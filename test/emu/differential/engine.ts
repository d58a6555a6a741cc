import type { Cpu, Stop } from '../../../emu/cpu.js';
import { openCpu } from '../../../emu/open.js';
import { GENERAL_REGISTERS, type RegisterName, VECTOR_REGISTERS } from '../../../emu/registers.js';
import { bytesOf } from './encoder.js';
import type { Ending } from './ending.js';
import { ALL_FLAGS, CODE, CODE_SIZE, DATA, DATA_SIZE, type State, XMM_COUNT } from './state.js';

const MEMORY = 16 << 20;
/** More than any sequence has. */
const MOST_STEPS = 100_000;

/** How a {@link Cpu} executes a sequence. */
export type Way = 'run' | 'step';

/** An emulator with the memory that sequences are made for. Each sequence needs addresses of its own there. */
export class EmulatedCpu {
  readonly #cpu: Cpu;

  constructor(readonly engine: string) {
    this.#cpu = openCpu({ engine, memory: MEMORY });
    this.#cpu.memory.reserve(CODE, CODE_SIZE, 'r-x');
    this.#cpu.memory.reserve(DATA, DATA_SIZE, 'rw-');
  }

  run(code: Uint8Array, address: number, state: State, way: Way): Ending & { readonly moments: number } {
    const cpu = this.#cpu;
    cpu.memory.load(address, code);
    cpu.memory.write(DATA, state.data);
    for (let index = 0; index < 16; index++) cpu.write(GENERAL_REGISTERS[index], state.general[index]);
    for (let index = 0; index < XMM_COUNT; index++) cpu.write(VECTOR_REGISTERS[index], wide(state.xmm, index * 16));
    cpu.write('eflags', BigInt(state.flags));
    cpu.write('mxcsr', BigInt(state.mxcsr));
    cpu.write('rip', BigInt(address));
    const before = cpu.moment;
    const stop = way === 'run' ? cpu.run(before + MOST_STEPS) : cpu.step(MOST_STEPS);
    return { ...ending(cpu, stop), moments: cpu.moment - before };
  }

  close(): void {
    this.#cpu.close();
  }
}

function wide(bytes: Uint8Array, at: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 16);
  return (view.getBigUint64(8, true) << 64n) | view.getBigUint64(0, true);
}

function ending(cpu: Cpu, stop: Stop): Ending {
  const fault = stop.kind === 'fault' ? stop.fault : undefined;
  const xmm = new Uint8Array(XMM_COUNT * 16);
  VECTOR_REGISTERS.forEach((name: RegisterName, index) => {
    xmm.set(bytesOf(cpu.read(name), 16), index * 16);
  });
  return {
    stop: fault === undefined ? stop.kind : fault.kind === 'breakpoint' ? 'end' : fault.kind,
    rip: fault?.kind === 'breakpoint' ? cpu.read('rip') - 1n : (fault?.rip ?? cpu.read('rip')),
    access: fault?.access,
    target: fault?.target,
    state: {
      general: GENERAL_REGISTERS.map((name) => cpu.read(name)),
      flags: Number(cpu.read('eflags')) & ALL_FLAGS,
      mxcsr: Number(cpu.read('mxcsr')),
      xmm,
      data: cpu.memory.read(DATA, DATA_SIZE),
    },
  };
}
