import { AssemblyError } from '../../../asm/errors.js';
import type { Source } from '../../../asm/statement.js';
import { UsageError } from '../../errors.js';
import { changesOf, droppedAs, namesIn } from '../../mutants/fault.js';
import { Random } from '../../mutants/random.js';
import { type InstructionText, write } from '../../mutants/syntax.js';
import type { OpenCpu } from '../../probe/machine.js';
import { type Measurement, measure } from '../../probe/measure.js';
import { type Claim, claimsOf, lostClauses } from './claims.js';
import type { Broken } from './protocol.js';
import { prepareSwitch, switchSources } from './switch.js';
import { rewritten, type WrittenInstruction, writtenIn } from './written.js';

const WRONG_CHOICES = 3;

/** One line that a person could have written otherwise. */
interface Slip {
  readonly at: WrittenInstruction;
  /** undefined if it is left out. */
  readonly changed: InstructionText | undefined;
}

/** @throws UsageError if a switch is broken already; AssemblyError */
export async function checkSound(own: readonly Source[], edited: readonly Source[], open: OpenCpu): Promise<void> {
  const [lost] = lostClauses(measure(await prepareSwitch(own, switchSources(own, edited), open)));
  if (lost === undefined) return;
  throw new UsageError(`the switch is broken already: ${lost.name}: ${lost.evidence}: mend it, or take libmill's own`);
}

/**
 * Breaks a sound switch in one instruction, so that the contract notices.
 * @param own all sources of the runtime
 * @param edited those that are others; what comes back has them too
 * @throws UsageError if no line can be broken so
 */
export async function breakSwitch(
  seed: number,
  own: readonly Source[],
  edited: readonly Source[],
  open: OpenCpu,
): Promise<Broken> {
  const sources = switchSources(own, edited);
  const random = new Random(seed);
  const slips = slipsIn(sources);
  while (slips.length > 0) {
    const [slip] = slips.splice(random.next() % slips.length, 1);
    const changed = sources.map((one) =>
      one.name === slip.at.file ? rewritten(one, slip.at.line, slip.changed) : one,
    );
    const measurement = await measured(own, changed, open);
    if (measurement === undefined || lostClauses(measurement).length === 0) continue;
    const claims = claimsOf(measurement);
    const right = claims.find(({ holds }) => holds);
    if (right === undefined) continue;
    const choices = [right, ...wrongChoices(claims, right, random)].map(({ words }) => words);
    if (choices.length <= WRONG_CHOICES) continue;
    const place = random.next() % choices.length;
    choices.splice(place, 0, ...choices.splice(0, 1));
    const { file, line } = slip.at;
    const others = edited.filter(({ name }) => name !== file);
    return {
      runtime: [...others, ...changed.filter(({ name }) => name === file)],
      file,
      line,
      choices,
      right: place,
      explanation: explained(slip, right, measurement),
    };
  }
  throw new UsageError('no line of this switch can be broken so that the contract notices');
}

/** Every slip in a switch, in the order of its lines. */
function slipsIn(sources: readonly Source[]): Slip[] {
  const written = sources
    .flatMap(writtenIn)
    .map((at) => ({ at, text: at.text, leaves: /^(jmp|ret)/.test(at.text.mnemonic) }));
  const names = namesIn(written);
  return written.flatMap((one): Slip[] => [
    ...(droppedAs(one) === undefined ? [] : [{ at: one.at, changed: undefined }]),
    ...changesOf(one, names).map(([, , changed]): Slip => ({ at: one.at, changed })),
  ]);
}

/** @returns undefined if there is no machine code for it */
async function measured(
  own: readonly Source[],
  sources: readonly Source[],
  open: OpenCpu,
): Promise<Measurement | undefined> {
  try {
    return measure(await prepareSwitch(own, sources, open));
  } catch (error) {
    if (error instanceof AssemblyError) return undefined;
    throw error;
  }
}

/** Claims that do not hold: about the same registers, as far as there are some, and each of another kind. */
function wrongChoices(claims: readonly Claim[], right: Claim, random: Random): Claim[] {
  const chosen: Claim[] = [];
  const isNear = ({ about }: Claim): boolean => about.some((register) => right.about.includes(register));
  for (const near of [true, false]) {
    const left = claims.filter((claim) => claim.holds === false && (!near || isNear(claim)));
    while (left.length > 0 && chosen.length < (near ? WRONG_CHOICES - 1 : WRONG_CHOICES)) {
      const kinds = [...new Set(left.map(({ kind }) => kind))];
      const kind = kinds[random.next() % kinds.length];
      const some = left.filter((claim) => claim.kind === kind);
      const claim = some[random.next() % some.length];
      if (!chosen.includes(claim)) chosen.push(claim);
      for (const one of some) left.splice(left.indexOf(one), 1);
    }
  }
  return chosen;
}

function explained({ at, changed }: Slip, right: Claim, measurement: Measurement): string {
  const was = `${at.file}:${at.line} was "${write(at.text)}"`;
  const is = changed === undefined ? 'and is left out' : `and is "${write(changed)}"`;
  const evidence = lostClauses(measurement).map(({ name, evidence: seen }) => `${name}: ${seen}`);
  return [`${was}, ${is}: ${right.words}.`, ...evidence].join('\n');
}
