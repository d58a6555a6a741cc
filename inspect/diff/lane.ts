import type { RegisterName } from '../../emu/registers.js';
import type { Output } from '../../runtime/events.js';
import type { Outcome, Process, SavedProcess } from '../../runtime/process.js';
import { type Landing, watchLandings } from '../landings.js';
import type { Run } from '../run.js';

/** What was written, and the moment behind the `syscall` that wrote it. */
export interface Written extends Output {
  readonly at: number;
}

/** A moment that a lane can be taken back to. */
export interface Mark {
  readonly saved: SavedProcess;
  readonly lastSwitch: Landing | undefined;
}

const RAX = 0;
const FNV_PRIME = 0x01000193;

/** One of two runs that are compared. */
export class Lane {
  /** What tells it from the other one. */
  readonly label: string;
  readonly run: Run;
  readonly guest: Process;
  lastSwitch: Landing | undefined;
  /** Since the last mark. */
  written: Written[] = [];
  /** A hash of what the host has answered since the last mark, and when. */
  answers = 0;
  /** How it has ended, if it has. */
  outcome: Outcome | undefined;

  constructor(label: string, run: Run, guest: Process) {
    this.label = label;
    this.run = run;
    this.guest = guest;
    const { cpu } = guest;
    watchLandings(guest, (landing) => {
      this.lastSwitch = landing;
    });
    guest.on('output', (output) => this.written.push({ ...output, at: cpu.moment }));
    const open = cpu.onHypercall;
    cpu.onHypercall = () => {
      open();
      for (const word of [cpu.moment, cpu.low(RAX)]) this.answers = Math.imul(this.answers ^ word, FNV_PRIME);
    };
  }

  get moment(): number {
    return this.guest.cpu.moment;
  }

  read(register: RegisterName): bigint {
    return this.guest.cpu.read(register);
  }

  mark(): Mark {
    this.written = [];
    this.answers = 0;
    return { saved: this.guest.save(), lastSwitch: this.lastSwitch };
  }

  backTo({ saved, lastSwitch }: Mark): void {
    this.guest.restore(saved);
    this.lastSwitch = lastSwitch;
    this.written = [];
    this.answers = 0;
    this.outcome = saved.parents.length === 0 ? saved.outcome : undefined;
  }

  /**
   * Runs to a moment or to its end, past the ends of children.
   * @param visit if it is given, the run is stepped, and this is called behind each instruction but for those that fork
   * or end a process; what it returns says whether to go on
   */
  advance(to: number, visit?: () => boolean): void {
    const { cpu } = this.guest;
    while (this.moment < to && this.outcome === undefined) {
      const outcome =
        visit === undefined
          ? this.guest.run(to)
          : this.guest.step(to - this.moment, () => {
              if (!visit()) cpu.stop();
            });
      if (outcome.kind === 'paused') return;
      if (outcome.kind !== 'limit' && outcome.kind !== 'child') this.outcome = outcome;
    }
  }
}
