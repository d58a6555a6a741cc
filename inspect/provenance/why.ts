import type { RegisterUse } from '../../emu/register-access.js';
import { RegisterUses } from '../../emu/register-access.js';
import type { TrackedRegister } from '../../emu/register-parts.js';
import type { Process } from '../../runtime/process.js';
import { UsageError } from '../errors.js';
import type { MoveOptions } from '../history.js';
import { instructionText } from '../instruction-text.js';
import type { Session } from '../session.js';
import { effectsOf } from './effects.js';
import { doorName, hostCopy } from './hosts.js';
import { inputsOf } from './inputs.js';
import {
  distance,
  type MemoryPlace,
  type Place,
  placeQuery,
  placeText,
  sizeOf,
  valueAt,
  wholeRegister,
  within,
} from './place.js';
import type { Input, Provenance, ProvenanceStep, StepKind } from './step.js';
import { lastWriter, type Writer, type Written } from './writes.js';

/** Chains are cut here; whoever wants more asks on. */
const LONG = 100;

export interface WhyOptions extends MoveOptions {
  /** How many steps at most. */
  readonly steps?: number;
}

/** What is found at a writer. */
type Found = Pick<ProvenanceStep, 'kind' | 'text' | 'door' | 'channel' | 'from' | 'inputs'>;

/**
 * Why a register holds what it holds at the session's moment: who wrote it, and from where that came, back to where it
 * was made. Runs on the session, which is where it was afterwards.
 */
export async function whyRegister(
  session: Session,
  register: TrackedRegister,
  options?: WhyOptions,
): Promise<Provenance> {
  return why(session, wholeRegister(register), options);
}

/**
 * As {@link whyRegister}, of memory.
 * @param size in bytes, 1 to 16
 * @throws UsageError if nothing is mapped there
 */
export async function whyMemory(
  session: Session,
  address: number,
  size: number,
  options?: WhyOptions,
): Promise<Provenance> {
  return why(session, { kind: 'memory', address, size }, options);
}

/**
 * As {@link whyRegister}, of any place.
 * @throws UsageError if nothing is mapped there
 */
export async function why(session: Session, place: Place, options: WhyOptions = {}): Promise<Provenance> {
  const { process, moment } = session;
  const value = valueAt(process, place);
  if (value === undefined)
    throw new UsageError(`nothing is mapped at ${placeText(process, place)} at moment ${moment}`);
  const name = placeText(process, place);
  const uses = await RegisterUses.load();
  const steps: ProvenanceStep[] = [];
  let end: Provenance['end'] | undefined;
  try {
    let [asked, wanted]: [Place, bigint] = [place, value];
    while (end === undefined) {
      const step = await stepBack(session, uses, asked, wanted, options);
      if (step === undefined) end = 'interrupted';
      else {
        steps.push(step);
        if (step.from === undefined) end = 'beginning';
        else [asked, wanted] = [step.from.place, step.from.value];
      }
      if (end === undefined && steps.length >= (options.steps ?? LONG)) end = 'long';
    }
  } finally {
    uses.close();
    await session.go(moment);
  }
  return { moment, place, name, value, steps, end };
}

/**
 * Goes to the instruction that wrote a place last.
 * @param value of the place
 * @returns undefined if the way there was interrupted
 */
async function stepBack(
  session: Session,
  uses: RegisterUses,
  place: Place,
  value: bigint,
  options: MoveOptions,
): Promise<ProvenanceStep | undefined> {
  const { process } = session;
  const asked = session.moment;
  const name = placeText(process, place);
  const writer = await lastWriter(session, uses, place, options);
  if (options.signal?.aborted === true) return undefined;
  const before = valueAt(process, place);
  const known = { moment: session.moment, place, before, after: value };
  if (writer === undefined)
    return { ...known, coroutine: undefined, at: '', name, ...beginning(session, place, value, asked) };
  const rip = BigInt(process.cpu.rip);
  const { running } = process;
  const coroutine = running === undefined ? undefined : process.mill.census.id(running);
  const step = {
    ...known,
    coroutine,
    at: process.describe(rip),
    // What it is called there; memory may have been something else when it was asked for.
    name: placeText(process, place),
    text: (await instructionText(process, rip)) ?? '',
  };
  if (writer.use.name === 'syscall') return { ...step, ...(await hostFound(session, place)) };
  return { ...step, ...guestFound(process, writer, place) };
}

const NOTHING = { door: undefined, channel: undefined, from: undefined, inputs: [] } as const;

/** What holds its value since the first moment. */
function beginning({ process }: Session, place: Place, value: bigint, asked: number): Found {
  if ((valueAt(process, place) ?? 0n) !== value) {
    return { ...NOTHING, kind: 'unseen', text: `changed by the host between two instructions, up to moment ${asked}` };
  }
  if (place.kind === 'register') return { ...NOTHING, kind: 'start', text: 'as the program was started' };
  const { address } = place;
  const section = process.imageAt(BigInt(address))?.sectionAt(BigInt(address))?.name;
  const { low, high } = process.mainStack;
  const isArgument = address >= Number(process.cpu.read('rsp')) && address >= low && address < high;
  const text =
    section !== undefined && section !== '.bss'
      ? `as it was loaded with ${section}`
      : isArgument
        ? 'the arguments and the environment, as the program was started'
        : 'zero, as memory is that nobody has written';
  return { ...NOTHING, kind: 'start', text };
}

async function hostFound(session: Session, place: Place): Promise<Omit<Found, 'text'>> {
  const door = doorName(session.process);
  if (place.kind === 'register') return { ...NOTHING, kind: 'result', door };
  const copied = await hostCopy(session, place);
  if (copied === undefined) return { ...NOTHING, kind: 'host', door };
  return { ...NOTHING, kind: 'transfer', door, channel: copied.channel, from: inputOf(session.process, copied.from) };
}

function guestFound(process: Process, { use, written }: Writer, place: Place): Omit<Found, 'text'> {
  const effect = effectsOf(process, use).find(({ to }) => distance(to, place) !== undefined);
  const computed = inputsOf(process, use, place).map((input) => inputOf(process, input));
  if (!covers(use, place, written) || (effect !== undefined && !contains(effect.to, place))) {
    const source = effect?.source.kind === 'copy' ? [inputOf(process, effect.source.from)] : computed;
    const rest = inputOf(process, place);
    return { ...NOTHING, kind: 'part', inputs: [...source.filter(({ query }) => query !== rest.query), rest] };
  }
  if (effect === undefined) return { ...NOTHING, kind: 'arithmetic', inputs: computed };
  const { source, to } = effect;
  if (source.kind !== 'copy') return { ...NOTHING, kind: source.kind };
  const offset = distance(to, place) ?? 0;
  const left = sizeOf(source.from) - offset;
  // What is asked for is what the source was extended by.
  if (left <= 0 && source.extension === 'zeros') return { ...NOTHING, kind: 'constant' };
  if (left <= 0) return { ...NOTHING, kind: 'arithmetic', inputs: [inputOf(process, source.from)] };
  const from = within(source.from, offset, Math.min(left, sizeOf(place)));
  return { ...NOTHING, kind: kindOf(process, use, from, place), from: inputOf(process, from) };
}

/** Whether an instruction wrote all bytes of a place. */
function covers(use: RegisterUse, place: Place, written: Written | undefined): boolean {
  if (place.kind === 'register') return use.writes.some((part) => contains({ kind: 'register', part }, place));
  return written !== undefined && written.low <= place.address && written.high >= place.address + place.size;
}

function contains(outer: Place, inner: Place): boolean {
  const far = distance(outer, inner);
  return far !== undefined && far >= 0 && far + sizeOf(inner) <= sizeOf(outer);
}

function kindOf(process: Process, { name }: RegisterUse, from: Place, to: Place): StepKind {
  if (name.startsWith('push') || name === 'enter') return 'push';
  if (name.startsWith('pop') || name === 'leave') return 'pop';
  if (to.kind === 'memory' && isSlot(process, to)) return 'save';
  if (from.kind === 'memory' && isSlot(process, from)) return 'restore';
  if (from.kind === to.kind) return 'copy';
  return to.kind === 'memory' ? 'store' : 'load';
}

function isSlot(process: Process, place: MemoryPlace): boolean {
  return placeText(process, place).startsWith('slot ');
}

function inputOf(process: Process, place: Place): Input {
  const value = valueAt(process, place) ?? 0n;
  return { place, name: placeText(process, place), query: placeQuery(process, place), value };
}
