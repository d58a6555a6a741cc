import { Disassembler } from '../../emu/disassembler.js';
import { RegisterUses } from '../../emu/register-access.js';
import { UsageError } from '../errors.js';
import type { Code } from '../probe/code.js';
import type { Measurement } from '../probe/measure.js';
import { type Effect, Equivalence } from './equivalence.js';
import { type Fault, faultsIn } from './fault.js';
import { instructionsOf, type SwitchInstruction, straightRuns } from './instruction.js';
import { mutantOf } from './mutant.js';
import { reasonOf } from './reason.js';
import { type Catch, catches, type Findings, findingsOf } from './verdict.js';

/** What has become of a fault. */
export type Result =
  | { readonly fault: Fault; readonly verdict: 'killed'; readonly by: readonly Catch[] }
  /** It does the same as the original, on so many random states, and why. */
  | { readonly fault: Fault; readonly verdict: 'equivalent'; readonly states: number; readonly reason: string }
  /** Nobody has noticed; what comes of it, if that is known. */
  | {
      readonly fault: Fault;
      readonly verdict: 'survived';
      readonly effect: Exclude<Effect, { kind: 'equal' }>;
      readonly by: readonly Catch[];
    }
  /** There is no machine code for it. */
  | { readonly fault: Fault; readonly verdict: 'impossible' };

/** Faults of one switch, tried one after another. Close it after use. The engine has to be loaded. */
export class Trial {
  readonly measurement: Measurement;
  readonly #findings: Findings;
  readonly #runs: readonly SwitchInstruction[][];
  readonly #equivalence: Equivalence;

  private constructor(
    readonly code: Code,
    { measurement, findings }: ReturnType<typeof findingsOf>,
    readonly instructions: readonly SwitchInstruction[],
    readonly disassembler: Disassembler,
    private readonly uses: RegisterUses,
  ) {
    this.measurement = measurement;
    this.#findings = findings;
    this.#runs = straightRuns(instructions);
    this.#equivalence = new Equivalence(code.image, disassembler);
  }

  /** @throws UsageError if the switch itself is not measured to the end */
  static async open(code: Code): Promise<Trial> {
    const found = findingsOf(code);
    const { failed } = found.findings.layout;
    if (failed !== undefined) {
      throw new UsageError(`${code.name}: nothing can be said of faults in what does not work without: ${failed}`);
    }
    const disassembler = await Disassembler.load();
    return new Trial(
      code,
      found,
      instructionsOf(found.measurement, disassembler),
      disassembler,
      await RegisterUses.load(),
    );
  }

  /** Every fault that there is to be tried. */
  faults(): Promise<Fault[]> {
    return faultsIn(this.instructions, this.disassembler);
  }

  /** The straight line that a fault is in. */
  runOf({ at }: Fault): readonly SwitchInstruction[] {
    return this.#runs.find((run) => run.includes(at)) ?? [at];
  }

  /** The moment in front of the instruction that a fault is in, in the probe of the original. */
  momentOf({ at }: Fault): number | undefined {
    const { save, restore } = this.measurement;
    return [...save.steps, ...(restore?.steps ?? [])].find(({ rip }) => rip === at.address)?.moment;
  }

  /** What the checks say of a fault that they do not say of the original; undefined if there is no machine code for it. */
  catchesOf(fault: Fault): Catch[] | undefined {
    const mutant = mutantOf(fault, this.runOf(fault), this.code, this.disassembler);
    return mutant && catches(this.#findings, findingsOf(mutant.code).findings);
  }

  /** Tries whether layout and contract notice a fault. */
  async check(fault: Fault): Promise<Result> {
    const by = this.catchesOf(fault);
    if (by === undefined) return { fault, verdict: 'impossible' };
    return by.length > 0 ? { fault, verdict: 'killed', by } : this.unnoticed(fault, by);
  }

  /** What to say of a fault that nobody has noticed. @param by checks that would have */
  async unnoticed(fault: Fault, by: readonly Catch[]): Promise<Result> {
    const effect = await this.#equivalence.effect(fault, this.runOf(fault));
    if (effect.kind !== 'equal') return { fault, verdict: 'survived', effect, by };
    const reason = reasonOf(fault, this.code.image, this.uses);
    return { fault, verdict: 'equivalent', states: effect.states, reason };
  }

  close(): void {
    this.disassembler.close();
    this.uses.close();
  }
}
