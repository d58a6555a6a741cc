import type { GeneralRegister } from '../../emu/registers.js';
import { CTX_SLOTS, SLOT_BYTES } from '../../runtime/layout.js';
import type { MoveOptions } from '../history.js';
import { survey } from '../survey.js';
import { type Anchor, reach, readAnchor, runningId } from './anchor.js';
import { LessonError } from './error.js';
import { type Fact, isRegister, printedLines, type Registers, registersNow } from './fact.js';
import type { Stage } from './stage.js';

/** The System V ABI's registers that a function gives back as it found them. */
const CALLEE_SAVED = ['rbx', 'rbp', 'rsp', 'r12', 'r13', 'r14', 'r15'] as const satisfies readonly GeneralRegister[];

/** What is asked; `at` is looked for behind the moment at which it is asked. */
export type Asked =
  /** What a register holds then. */
  | { readonly kind: 'register'; readonly register: GeneralRegister | 'rip'; readonly at: Anchor }
  /** Which slot a save puts a register into, from here on, or a restore takes it from. */
  | {
      readonly kind: 'slot';
      readonly register: GeneralRegister | 'rip';
      readonly done: 'saved' | 'restored';
      readonly at: Anchor;
    }
  /** Who goes on with the next switch. */
  | { readonly kind: 'coroutine' }
  /** Who is ready then, the head of the queue first. */
  | { readonly kind: 'ready'; readonly at: Anchor }
  /** What is printed from here until then. */
  | { readonly kind: 'output'; readonly at: Anchor }
  /** How many ms pass on the machine's clock until then. */
  | { readonly kind: 'time'; readonly at: Anchor }
  /** Which of the registers that a call has to keep are not what they are now. */
  | { readonly kind: 'lost'; readonly at: Anchor }
  /** Which of the options is true then. */
  | { readonly kind: 'choice'; readonly at: Anchor };

/** One of the answers to a choice. */
export interface Option {
  readonly fact: Fact;
  /** Markdown. */
  readonly text: string;
}

/** A question of a lesson. What is right is nowhere written: the machine is asked. */
export interface Question {
  readonly file: string;
  readonly line: number;
  /** As written. */
  readonly text: string;
  readonly asked: Asked;
  /** Markdown. */
  readonly prompt: string;
  /** Empty unless it is a choice. */
  readonly options: readonly Option[];
  /** Markdown, for when the answer has been given. */
  readonly explanation: string;
}

/** The right answer, as the machine has it. */
export type Expected =
  /** `names` says what a name that a student may write stood for when the question was asked. */
  | {
      readonly kind: 'number';
      readonly value: bigint;
      /** What is at this address, if it is that of a label. */
      readonly symbol: string | undefined;
      readonly names: (name: string) => bigint | undefined;
    }
  | { readonly kind: 'slot'; readonly slot: number }
  | { readonly kind: 'coroutine'; readonly id: number }
  | { readonly kind: 'ready'; readonly ids: readonly number[] }
  | { readonly kind: 'output'; readonly lines: readonly string[] }
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'lost'; readonly registers: readonly GeneralRegister[] }
  /** Counting from 1. */
  | { readonly kind: 'choice'; readonly option: number; readonly options: number };

const KINDS =
  'write "register rsp at +1", "slot r12 saved at +5", "slot r12 restored at +3", "next coroutine", ' +
  '"ready queue at …", "output until …", "time until …", "lost registers at …" or "choice at …"';

/** Reads what is asked. @throws LessonError */
export function readAsked(text: string, file: string, line: number): Asked {
  if (text === 'next coroutine') return { kind: 'coroutine' };
  const parts = /^(.+?) (?:at|until) (.+)$/.exec(text);
  const refuse = (problem: string): never => {
    throw new LessonError(file, line, `"${text}" is no question: ${problem}`);
  };
  if (parts === null) return refuse(KINDS);
  const at = readAnchor(parts[2], file, line);
  const register = (name: string): GeneralRegister | 'rip' =>
    isRegister(name) || name === 'rip' ? name : refuse(`there is no general register ${name}`);
  const [first, second = '', third = ''] = parts[1].split(' ');
  switch (first) {
    case 'register':
      return { kind: 'register', register: register(second), at };
    case 'slot':
      if (third !== 'saved' && third !== 'restored') return refuse(KINDS);
      return { kind: 'slot', register: register(second), done: third, at };
    case 'ready':
    case 'output':
    case 'time':
    case 'lost':
    case 'choice':
      return { kind: first, at };
    default:
      return refuse(KINDS);
  }
}

/**
 * Finds the right answer by running on from the moment at which the question is asked, and comes back there.
 * @throws LessonError if the machine gives none, or several
 */
export async function expected(
  stage: Stage,
  question: Question,
  moment: number,
  options: MoveOptions = {},
): Promise<Expected> {
  const { session } = stage;
  await session.go(moment, options);
  const before = registersNow(stage);
  const printed = printedLines(stage).length;
  const { time } = survey(session.process);
  const { asked } = question;
  const refuse = (problem: string): never => {
    throw new LessonError(question.file, question.line, `"${question.text}": ${problem}`);
  };
  const words = asked.kind === 'slot' ? ctxWords(stage, asked.done, before, refuse) : [];
  if (asked.kind === 'coroutine')
    await reach(stage, readAnchor('switch', question.file, question.line), moment, options);
  else await reach(stage, asked.at, moment, options);
  const answer = ((): Expected => {
    switch (asked.kind) {
      case 'register':
        return numberAt(stage, asked.register, before);
      case 'slot':
        return { kind: 'slot', slot: slotOf(stage, asked, before, words, refuse) };
      case 'coroutine':
        return { kind: 'coroutine', id: runningId(stage) ?? refuse('nobody runs there') };
      case 'ready':
        return { kind: 'ready', ids: survey(session.process).ready };
      case 'output':
        return { kind: 'output', lines: printedLines(stage).slice(printed) };
      case 'time':
        return { kind: 'time', ms: survey(session.process).time - time };
      case 'lost':
        return {
          kind: 'lost',
          registers: CALLEE_SAVED.filter((name) => session.process.cpu.read(name) !== before[name]),
        };
      case 'choice': {
        const right = question.options.flatMap(({ fact }, index) => (fact.holds(stage, before) ? [index + 1] : []));
        if (right.length !== 1) refuse(`of the options ${right.length} are true: exactly one may be`);
        return { kind: 'choice', option: right[0], options: question.options.length };
      }
    }
  })();
  await session.go(moment, options);
  return answer;
}

/** What is in a ctx, and where that is: mill_setjmp_ is given it in rdx, mill_longjmp_ in rax. */
function ctxWords(
  { session }: Stage,
  done: 'saved' | 'restored',
  before: Registers,
  refuse: (problem: string) => never,
): bigint[] {
  const register = done === 'saved' ? 'rdx' : 'rax';
  const { memory } = session.process.cpu;
  const ctx = Number(before[register]);
  const end = ctx + CTX_SLOTS.length * SLOT_BYTES - 1;
  if (memory.protectionAt(ctx) === undefined || memory.protectionAt(end) === undefined) {
    refuse(`${register} does not point to a ctx here`);
  }
  return CTX_SLOTS.map((_, slot) => memory.u64(ctx + slot * SLOT_BYTES));
}

function slotOf(
  { session }: Stage,
  { register, done }: Asked & { readonly kind: 'slot' },
  before: Registers,
  words: readonly bigint[],
  refuse: (problem: string) => never,
): number {
  const { cpu } = session.process;
  const ctx = Number(before.rdx);
  if (done === 'saved' && register === 'rip') refuse('a save has the return address from rcx: ask for that');
  const value = done === 'restored' || register === 'rip' ? cpu.read(register) : before[register];
  const now = done === 'saved' ? words.map((_, slot) => cpu.memory.u64(ctx + slot * SLOT_BYTES)) : words;
  const slots = now.flatMap((word, slot) => (word === value ? [slot] : []));
  if (slots.length === 1) return slots[0];
  return refuse(
    `the value of ${register} is in ${slots.length} slots: give all registers of the program different values`,
  );
}

function numberAt(stage: Stage, register: GeneralRegister | 'rip', before: Registers): Expected {
  const { process } = stage.session;
  const value = process.cpu.read(register);
  const near = process.imageAt(value)?.symbolAt(value);
  const symbol = near?.offset === 0n ? near.name : undefined;
  return { kind: 'number', value, symbol, names: namesAt(stage, before) };
}

/** Registers as they were when the question was asked, and symbols. */
function namesAt({ session: { process } }: Stage, before: Registers): (name: string) => bigint | undefined {
  return (name) => {
    if (isRegister(name)) return before[name];
    return process.images.findLast(({ symbols }) => symbols.has(name))?.symbols.get(name);
  };
}
