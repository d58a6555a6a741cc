import type { Image } from '../../asm/image.js';
import type { Cpu } from '../../emu/cpu.js';
import type { Fault } from '../../emu/fault.js';
import { libmill } from '../../runtime/libmill.js';
import { Process, type SavedProcess } from '../../runtime/process.js';
import { type DriverPlaces, placesOf } from './driver.js';
import { PROBED_REGISTERS, type RegisterValues } from './registers.js';
import { keepSignalMask } from './signal-mask.js';

/** Bytes of memory: for the code, its stacks, and what of a C library comes with it. */
const MEMORY = 32 << 20;
/** Opens a CPU with so many bytes of memory: pages have another way than Node. Its engine is loaded. */
export type OpenCpu = (memory: number) => Cpu;

/** Instructions after which code that has not arrived is taken to go round for ever. */
export const BUDGET = 20_000;

/** One access to memory, and the instruction that made it. */
export interface Access {
  readonly kind: 'read' | 'write';
  readonly address: number;
  /** In bytes. */
  readonly size: number;
  /** Address of the instruction. */
  readonly rip: number;
  /** The moment in front of the instruction. */
  readonly moment: number;
}

/** One instruction that was executed. */
export interface Step {
  readonly rip: number;
  /** In front of it. */
  readonly moment: number;
}

/** How a stretch of a probe ended. */
export type Arrival =
  | { readonly kind: 'arrived'; readonly at: number }
  /** At the instruction, before it. */
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'endless' }
  /** The code has ended the process. */
  | { readonly kind: 'ended' };

/** A stretch of a probe that was watched step by step. */
export interface Watched {
  readonly arrival: Arrival;
  readonly steps: readonly Step[];
  readonly accesses: readonly Access[];
}

/** A machine with a probe in it, to be run from any of its states any number of times. Close it after use. */
export class ProbeMachine {
  readonly process: Process;
  readonly places: DriverPlaces;

  /** @param image with a driver and its data */
  constructor(image: Image, open: OpenCpu) {
    const cpu = open(MEMORY);
    try {
      this.process = new Process(cpu, libmill(), image, ['probe']);
      this.places = placesOf(image);
      keepSignalMask(this.process, this.places.mask);
    } catch (error) {
      cpu.close();
      throw error;
    }
  }

  get moment(): number {
    return this.process.cpu.moment;
  }

  get registers(): RegisterValues {
    const { cpu } = this.process;
    const values = PROBED_REGISTERS.map((name) => [name, cpu.read(name)] as const);
    return { ...Object.fromEntries(values), sigmask: cpu.memory.u64(this.places.mask) } as RegisterValues;
  }

  /** Writes registers; rip too, if it is among them. */
  load(values: Partial<RegisterValues>): void {
    for (const name of PROBED_REGISTERS) {
      const value = values[name];
      if (value !== undefined) this.process.cpu.write(name, value);
    }
    if (values.sigmask !== undefined) this.process.cpu.memory.setU64(this.places.mask, values.sigmask);
  }

  save(): SavedProcess {
    return this.process.save();
  }

  restore(saved: SavedProcess): void {
    this.process.restore(saved);
  }

  /** Runs to where a block begins. @returns whether it came there */
  runTo(target: number, budget = BUDGET): boolean {
    const { process } = this;
    const { cpu } = process;
    let arrived = false;
    const end = cpu.onBlock((address) => {
      if (address !== target) return;
      arrived = true;
      cpu.stop();
    });
    process.run(cpu.moment + budget);
    end();
    return arrived;
  }

  /** Executes instructions until it is at one of these addresses, one at least. */
  goTo(targets: readonly number[], budget = BUDGET): Arrival {
    const { process } = this;
    const { cpu } = process;
    let at: number | undefined;
    const outcome = process.step(budget, () => {
      if (!targets.includes(cpu.rip)) return;
      at = cpu.rip;
      cpu.stop();
    });
    if (at !== undefined) return { kind: 'arrived', at };
    if (outcome.kind === 'fault') return { kind: 'fault', fault: outcome.fault };
    return { kind: outcome.kind === 'limit' ? 'endless' : 'ended' };
  }

  /** The same, with every step and every access. */
  watch(targets: readonly number[], budget = BUDGET): Watched {
    const { cpu } = this.process;
    const steps: Step[] = [];
    const accesses: Access[] = [];
    let [rip, moment] = [cpu.rip, cpu.moment];
    const end = cpu.onBlock((address) => {
      rip = address;
      moment = cpu.moment;
      if (steps.at(-1)?.moment !== moment) steps.push({ rip, moment });
    });
    const endAccesses = cpu.onAccess((kind, address, size) => {
      accesses.push({ kind: kind === 'read' ? 'read' : 'write', address, size, rip, moment });
    });
    try {
      return { arrival: this.goTo(targets, budget), steps, accesses };
    } finally {
      end();
      endAccesses();
    }
  }

  close(): void {
    this.process.cpu.close();
  }
}
