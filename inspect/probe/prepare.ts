import type { Image } from '../../asm/image.js';
import type { GeneralRegister } from '../../emu/registers.js';
import { UsageError } from '../errors.js';
import type { ProgramFiles } from '../program-image.js';
import { type Code, type Convention, hasFrom, type Routine, type SwapForm } from './code.js';
import { learnOtherSide, tryRegisters, trySwaps } from './convention.js';
import { type DriverData, type DriverPlaces, type Entry, placesOf, withData } from './driver.js';
import { findInline } from './inline.js';
import { globalsOf, linkProbe, type Sequences } from './link.js';
import { type OpenCpu, ProbeMachine } from './machine.js';
import { castValues } from './registers.js';

/** What is said of a switch; what is not is found out where that is safe. */
export interface SwitchOptions {
  readonly shape?: 'jump' | 'swap';
  /** Symbols. */
  readonly save?: string;
  readonly restore?: string;
  readonly switch?: string;
  /** The registers in which the two halves get the ctx, or a routine the one to save and the one to restore. */
  readonly ctx?: readonly [save: GeneralRegister, restore: GeneralRegister];
  readonly from?: GeneralRegister;
  readonly to?: GeneralRegister;
}

/** The code that is looked for is not in the files, or cannot be told apart: nothing can be measured. */
export class NothingToMeasure extends UsageError {}

type Jump = Extract<Convention, { shape: 'jump' }>;
type Swap = Extract<Convention, { shape: 'swap' }>;

/** Where a routine is to be found once everything is linked. */
type Wanted = { readonly symbol: string } | { readonly sequence: string };

/** What System V calls pass first, and where inline sequences have it in libmill: what is taken if trying finds nothing. */
const FALLBACK = { call: { save: 'rdi', restore: 'rdi' }, inline: { save: 'rdx', restore: 'rax' } } as const;
const JUMP_LENGTH = 5;
/** `jmp` to an address relative to the next instruction. */
const JUMP = 0xe9;

const listed = (names: readonly string[]): string => names.join(', ');

function entryOf(wanted: Wanted): Entry {
  return 'symbol' in wanted ? 'call' : 'inline';
}

function routineOf(image: Image, wanted: Wanted): Routine {
  if ('symbol' in wanted) {
    return { name: wanted.symbol, entry: 'call', start: Number(image.symbol(wanted.symbol)) };
  }
  const { sequence } = wanted;
  const [start, end] = [Number(image.symbol(sequence)), Number(image.symbol(`${sequence}_end`))];
  return { name: sequence, entry: 'inline', start, end };
}

/** The driver's data for a jump. */
function jumpData(
  places: DriverPlaces,
  save: Routine,
  restore: Routine | undefined,
  convention: Partial<Pick<Jump, 'save' | 'restore'>>,
): DriverData {
  const ctx = BigInt(places.ctx);
  return {
    save: save.start,
    restore: restore?.start ?? 0,
    saved: {
      ...castValues('saved'),
      ...(convention.save && { [convention.save]: ctx }),
      rsp: BigInt(places.stack),
    },
    poison: {
      ...castValues('poison'),
      ...(convention.restore && { [convention.restore]: ctx }),
      rsp: BigInt(places.otherStack),
    },
    memory: new Map(),
  };
}

/** Chooses the one register that works. */
function choose(found: readonly GeneralRegister[], fallback: GeneralRegister, what: string, guesses: string[]) {
  if (found.length > 1) {
    throw new NothingToMeasure(`the ${what} works with its ctx in any of ${listed(found)}: say which, with --ctx`);
  }
  const [register] = found;
  guesses.push(
    register === undefined
      ? `the ${what} works with its ctx in no register: ${fallback} is taken`
      : `the ${what} takes its ctx in ${register}: with that alone it works`,
  );
  return register ?? fallback;
}

/** A jump whose two halves are in this image. */
function jumpCode(
  image: Image,
  save: Routine,
  restore: Routine | undefined,
  { ctx }: SwitchOptions,
  said: readonly string[],
  open: OpenCpu,
): Code {
  const guesses = [...said];
  const places = placesOf(image);
  const landing = save.end ?? places.landing;
  let registers = ctx;
  if (registers === undefined) {
    const machine = new ProbeMachine(withData(image, jumpData(places, save, restore, {})), open);
    try {
      machine.runTo(save.start);
      const saving = choose(tryRegisters(machine, landing, 'save'), FALLBACK[save.entry].save, 'save', guesses);
      let restoring: GeneralRegister = FALLBACK[restore?.entry ?? 'call'].restore;
      if (restore !== undefined) {
        machine.load({ [saving]: BigInt(places.ctx) });
        const arrived = machine.goTo([landing]).kind === 'arrived' && machine.runTo(restore.start);
        if (arrived) restoring = choose(tryRegisters(machine, landing, 'restore'), restoring, 'restore', guesses);
      }
      registers = [saving, restoring];
    } finally {
      machine.close();
    }
  }
  const convention = { shape: 'jump', save: registers[0], restore: registers[1] } as const;
  return {
    name: restore === undefined || restore.name === save.name ? save.name : `${save.name}, ${restore.name}`,
    image: withData(image, jumpData(places, save, restore, convention)),
    save,
    restore,
    convention,
    guesses,
    open,
  };
}

const FORM_WORDS: Readonly<Record<SwapForm, (from: string, to: string) => string>> = {
  pointers: (from, to) => `${from} points to the context that is saved, ${to} to the one that is restored`,
  value: (from, to) => `${from} points to where the stack pointer is saved, ${to} is the one that is restored`,
  implicit: (_, to) => `it knows itself where to save; ${to} points to the context that is restored`,
  result: (_, to) => `the context is the saved stack pointer: ${to} is the one to restore, rax returns the other`,
};

async function swapCode(
  files: ProgramFiles,
  name: string,
  options: SwitchOptions,
  said: readonly string[],
  open: OpenCpu,
): Promise<Code> {
  const image = await linkProbe(files, { shape: 'swap' }, new Map(), [name]);
  const routine = routineOf(image, { symbol: name });
  const places = placesOf(image);
  const data = (memory: ReadonlyMap<number, Uint8Array>, swap: Swap | undefined, to: number): DriverData => ({
    save: routine.start,
    restore: routine.start,
    saved: {
      ...castValues('saved'),
      ...(swap && hasFrom(swap) && { [swap.from]: BigInt(places.ctx) }),
      ...(swap && { [swap.to]: BigInt(to) }),
      rsp: BigInt(places.stack),
    },
    poison: {
      ...castValues('poison'),
      ...(swap && hasFrom(swap) && { [swap.from]: BigInt(places.otherCtx) }),
      ...(swap && { [swap.to]: BigInt(places.ctx) }),
      // What B has pushed last is taken off when it goes on.
      rsp: BigInt(places.otherStack),
    },
    memory,
  });
  const machine = new ProbeMachine(withData(image, data(new Map(), undefined, 0)), open);
  const guesses = [...said];
  try {
    machine.runTo(routine.start);
    const start = machine.save();
    const [from, to] = options.ctx ?? [options.from, options.to];
    const found = trySwaps(machine, routine, { ...(from && { from }), ...(to && { to }) });
    if (found.length === 0 && options.switch === undefined) {
      const told = [from, to].filter((register) => register !== undefined).join(' and ');
      throw new NothingToMeasure(
        `${name}, the only function, is no swap${told && ` told in ${told}`}: name the switch, with --save and --restore or with --switch`,
      );
    }
    if (found.length > 1) {
      const ways = found.map(({ form, from, to }) => FORM_WORDS[form](from, to)).join('; or ');
      throw new NothingToMeasure(`${name} works in more than one way: ${ways}: say which with --from and --to`);
    }
    const [swap = { shape: 'swap', form: 'pointers', from: from ?? 'rdi', to: to ?? 'rsi' } as const] = found;
    guesses.push(
      found.length === 1
        ? FORM_WORDS[swap.form](swap.from, swap.to)
        : `${name} goes there and back in no way that was tried; taken is: ${FORM_WORDS[swap.form](swap.from, swap.to)}`,
    );
    const { memory, to: target } = learnOtherSide(machine, start, routine, swap);
    const source = ({ pointers: undefined, implicit: undefined, value: 'ctx', result: 'result' } as const)[swap.form];
    return {
      name,
      image: withData(image, { ...data(memory, swap, target), back: source && { source, register: swap.to } }),
      save: routine,
      restore: routine,
      convention: swap,
      guesses,
      open,
    };
  } finally {
    machine.close();
  }
}

/** Lets an inline sequence go on in the driver instead of in its function. */
function continued(image: Image, end: number): Image {
  const bytes = new Uint8Array(JUMP_LENGTH);
  bytes[0] = JUMP;
  new DataView(bytes.buffer).setInt32(1, Number(image.symbol('probe_landing')) - (end + JUMP_LENGTH), true);
  return image.patched([[end, bytes]]);
}

/** A label that no assembly text is likely to have. */
function labelOf(file: string): string {
  return file.replace(/\.s$/, '').replaceAll(/\W/g, '_');
}

/** Text without a label of its own is a sequence, meant to be inline. */
function isSequence(text: string): boolean {
  return !/^\s*([A-Za-z_.][\w.$]*:|\.glob)/m.test(text.replaceAll(/#.*/g, ''));
}

/** The functions that the files themselves define for others. */
function functionsOf({ objects, sources }: ProgramFiles): string[] {
  const inObjects = objects.flatMap(({ symbols }) =>
    symbols.filter(({ binding, type, home }) => binding !== 'local' && type === 2 && home !== 'undefined'),
  );
  return [...inObjects.map(({ name }) => name), ...sources.flatMap(({ text }) => globalsOf(text))];
}

/**
 * Finds the switch, or all occurrences of an inline one, and makes each ready to be measured.
 * @throws NothingToMeasure if there is none, or it cannot be told which; UndefinedSymbol, AssemblyError, LinkError
 */
export async function prepare(files: ProgramFiles, options: SwitchOptions, open: OpenCpu): Promise<Code[]> {
  if (options.switch !== undefined && (options.shape === 'jump' || (options.save ?? options.restore) !== undefined)) {
    throw new UsageError(
      '--switch names one routine: leave it out to name the two halves of a jump, with --save and --restore',
    );
  }
  if (options.save !== undefined && options.shape === 'swap') {
    throw new UsageError('--save names a half of a jump: name the one routine of a swap, with --switch');
  }
  if (options.switch !== undefined) return [await swapCode(files, options.switch, options, [], open)];
  const sequences = new Map(
    files.sources.filter(({ text }) => isSequence(text)).map(({ name }) => [labelOf(name), name]),
  );
  const byName = (symbol: string | undefined): Wanted | undefined => (symbol === undefined ? undefined : { symbol });
  if (options.save !== undefined)
    return jumpCodes(files, sequences, byName(options.save), byName(options.restore), options, open);
  const labels = [...sequences.keys()];
  const functions = functionsOf(files).filter((name) => name !== 'main');
  if (files.objects.length > 0) {
    const codes = await inlineCodes(files, sequences, options, open);
    if (codes.length > 0) return codes;
  } else if (labels.length > 2) {
    throw new NothingToMeasure(
      `${listed([...sequences.values()])}: a switch is two sequences, one that saves and one that restores`,
    );
  } else if (labels.length > 0) {
    const [save, restore] = labels.map((sequence) => ({ sequence }));
    return jumpCodes(files, sequences, save, restore ?? byName(options.restore), options, open);
  }
  const [one, ...others] = functions;
  if (one !== undefined && others.length === 0 && options.shape !== 'jump') {
    return [await swapCode(files, one, options, [`${one} is the only function there is`], open)];
  }
  const what =
    files.objects.length > 0 ? 'no inline save or restore was found' : 'there is no sequence without a label';
  const names = functions.length === 0 ? '' : `; functions there are ${listed(functions.slice(0, 20))}`;
  const inArchive =
    files.archives.length > 0 ? '; an inline one is looked for in objects, not in archives: take it out with ar x' : '';
  throw new NothingToMeasure(
    `${what}: name the switch, with --save and --restore or with --switch${names}${inArchive}`,
  );
}

async function jumpCodes(
  files: ProgramFiles,
  sequences: Sequences,
  save: Wanted | undefined,
  restore: Wanted | undefined,
  options: SwitchOptions,
  open: OpenCpu,
): Promise<Code[]> {
  if (save === undefined) throw new NothingToMeasure('a restore alone cannot be measured: say what saves, with --save');
  const names = [save, restore].flatMap((wanted) => (wanted && 'symbol' in wanted ? [wanted.symbol] : []));
  const shape = { shape: 'jump', save: entryOf(save), restore: entryOf(restore ?? save) } as const;
  const image = await linkProbe(files, shape, sequences, names);
  return [jumpCode(image, routineOf(image, save), restore && routineOf(image, restore), options, [], open)];
}

/** Every inline occurrence in objects, each save with a restore and each restore with a save. */
async function inlineCodes(
  files: ProgramFiles,
  sequences: Sequences,
  options: SwitchOptions,
  open: OpenCpu,
): Promise<Code[]> {
  const image = await linkProbe(files, { shape: 'jump', save: 'inline', restore: 'inline' }, sequences, []);
  const found = await findInline(image);
  const texts = [...sequences.keys()].map((sequence) => routineOf(image, { sequence }));
  const saves = found.filter(({ kind }) => kind === 'save').map(({ routine }) => routine);
  const restores = [...found.filter(({ kind }) => kind === 'restore').map(({ routine }) => routine), ...texts];
  if (saves.length === 0) return [];
  const count = Math.max(saves.length, restores.length);
  return Array.from({ length: count }, (_, index) => {
    const save = saves[Math.min(index, saves.length - 1)];
    const restore = restores[Math.min(index, restores.length - 1)];
    const guess = `${saves.length} inline saves and ${restores.length} restores were found`;
    return jumpCode(continued(image, save.end ?? 0), save, restore, options, [guess], open);
  });
}
