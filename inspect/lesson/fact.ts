import { UndefinedSymbol } from '../../asm/errors.js';
import { BadAddress } from '../../emu/errors.js';
import { PAGE_SIZE } from '../../emu/memory.js';
import { GENERAL_REGISTERS, type GeneralRegister } from '../../emu/registers.js';
import { explainDeadlock } from '../../runtime/deadlock.js';
import { CTX_SLOTS, MILL_CR, offsets, SLOT_BYTES } from '../../runtime/layout.js';
import { UsageError } from '../errors.js';
import { coroutineOf, survey } from '../survey.js';
import { LessonError } from './error.js';
import { endingOf, type Stage } from './stage.js';
import { idOf, idsOf, WHO } from './who.js';

const CTX = offsets(MILL_CR).ctx;

/** The general registers at a moment. */
export type Registers = Readonly<Record<GeneralRegister, bigint>>;

/** Something that is true or false of a moment, as written. */
export interface Fact {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  /** Whether it is so where the session is. @param before the registers at the moment that it is compared with */
  holds(stage: Stage, before: Registers): boolean;
}

type Holds = Fact['holds'];
type Operand = (stage: Stage, before: Registers) => bigint;

const COMPARISONS: Readonly<Record<string, (one: bigint, other: bigint) => boolean>> = {
  '=': (one, other) => one === other,
  '!=': (one, other) => one !== other,
  '<': (one, other) => one < other,
  '<=': (one, other) => one <= other,
  '>': (one, other) => one > other,
  '>=': (one, other) => one >= other,
};

const IS = new RegExp(`^(${WHO}) is (\\S+)$`);
const OF = new RegExp(`^(top|ctx|slot)(?: (\\w+))? of (${WHO})$`);
const STACK = new RegExp(`^(.+?) in (stack|guard page) of (${WHO})$`);

const FORMS =
  'write "main is chr(<1>)", "ready is main, coroutine 1", "ended as exit 0", "printed …", "circle is coroutine 1, coroutine 2", ' +
  '"rsp in stack of main", "fault in guard page of coroutine 1", or compare two values with = != < <= > >=';
const VALUES =
  'a value is a register, "before" and a register, a number, a symbol, "word" and an address, "slot r12 of main", ' +
  '"ctx of main", "top of main", "items of channel 1", "clock", "fault", and may have +N or -N behind it';

/** Reads a fact. @throws LessonError */
export function readFact(text: string, file: string, line: number): Fact {
  const refuse = (problem: string): never => {
    throw new LessonError(file, line, `"${text}" is no fact: ${problem}`);
  };
  const negated = text.startsWith('not ');
  const holds = readHolds(negated ? text.slice('not '.length) : text, refuse);
  return {
    file,
    line,
    text,
    holds: (stage, before) => {
      try {
        return holds(stage, before) !== negated;
      } catch (error) {
        if (![UsageError, UndefinedSymbol, BadAddress].some((type) => error instanceof type)) throw error;
        throw new LessonError(file, line, `"${text}": ${(error as Error).message}`);
      }
    },
  };
}

function readHolds(text: string, refuse: (problem: string) => never): Holds {
  const [, first, rest = ''] = /^(\w+)(?: (.*))?$/.exec(text) ?? [];
  const list = (ids: string): readonly number[] =>
    idsOf(ids.replace(/^is /, '')) ?? refuse('a list of coroutines is "main, coroutine 1", or "nobody"');
  if (first === 'ready' && rest.startsWith('is ')) {
    const ids = list(rest).join();
    return ({ session }) => survey(session.process).ready.join() === ids;
  }
  if (first === 'circle' && rest.startsWith('is ')) {
    const ids = [...list(rest)].sort().join();
    return ({ session: { process, outcome } }) =>
      endingOf(outcome) === 'deadlock' && [...(explainDeadlock(process).cycle ?? [])].sort().join() === ids;
  }
  if (first === 'ended' && rest.startsWith('as ')) {
    return ({ session }) => endingOf(session.outcome) === rest.slice('as '.length);
  }
  if (first === 'printed') return (stage) => printedLines(stage).at(-1) === rest;
  const state = IS.exec(text);
  if (state !== null) {
    const id = idOf(state[1]);
    return ({ session }) => survey(session.process).coroutines.find((one) => one.id === id)?.state === state[2];
  }
  const within = STACK.exec(text);
  if (within !== null) return readWithin(readOperand(within[1], refuse), within[2], idOf(within[3]));
  const parts = /^(.+?) (=|!=|<=|>=|<|>) (.+)$/.exec(text);
  if (parts === null) return refuse(FORMS);
  const [one, other] = [readOperand(parts[1], refuse), readOperand(parts[3], refuse)];
  const compare = COMPARISONS[parts[2]];
  return (stage, before) => compare(one(stage, before), other(stage, before));
}

/** In a stack, the address behind its highest included: that is where rsp is before the first push. */
function readWithin(operand: Operand, what: string, id: number): Holds {
  return (stage, before) => {
    const { process } = stage.session;
    const { low, high } = process.mill.coroutines.stackOf(coroutineOf(process, id));
    const address = Number(operand(stage, before));
    return what === 'stack' ? address >= low && address <= high : address >= low - PAGE_SIZE && address < low;
  };
}

function readOperand(text: string, refuse: (problem: string) => never): Operand {
  if (text.startsWith('word ')) {
    const address = readOperand(text.slice('word '.length), refuse);
    return (stage, before) => stage.session.process.cpu.memory.u64(Number(address(stage, before)));
  }
  const [, base, sign, distance] = /^(.+?)(?: ?([+-]) ?(0x[0-9a-f]+|\d+))?$/.exec(text) ?? [];
  if (base === undefined) return refuse(VALUES);
  const value = readValue(base, refuse);
  const by = BigInt(distance ?? 0) * (sign === '-' ? -1n : 1n);
  return (stage, before) => BigInt.asUintN(64, value(stage, before) + by);
}

function readValue(text: string, refuse: (problem: string) => never): Operand {
  if (/^-?(0x[0-9a-f]+|\d+)$/.test(text)) {
    const number = text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
    return () => number;
  }
  if (isRegister(text) || text === 'rip') return ({ session }) => session.process.cpu.read(text);
  if (text === 'clock') return ({ session }) => BigInt(survey(session.process).time);
  if (text === 'fault') return (stage) => faultTarget(stage);
  const [, first, rest] = /^(\w+) (.+)$/.exec(text) ?? [];
  if (first === 'before' && isRegister(rest)) return (_, before) => before[rest];
  const [, kind, name, who] = OF.exec(text) ?? [];
  if (kind === 'top') {
    return ({ session: { process } }) => BigInt(process.mill.coroutines.stackOf(coroutineOf(process, idOf(who))).high);
  }
  if (kind === 'ctx') return ({ session: { process } }) => BigInt(coroutineOf(process, idOf(who)) + CTX);
  if (kind === 'slot') {
    const slot = CTX_SLOTS.findIndex((one) => name === `${one}`);
    if (slot < 0) return refuse(`a ctx has the slots ${CTX_SLOTS.join(', ')}`);
    const at = CTX + slot * SLOT_BYTES;
    return ({ session: { process } }) => process.cpu.memory.u64(coroutineOf(process, idOf(who)) + at);
  }
  const channel = /^items of channel (\d+)$/.exec(text);
  if (channel !== null) return (stage) => itemsOf(stage, Number(channel[1]));
  if (!/^[A-Za-z_.][\w.]*$/.test(text)) return refuse(VALUES);
  return ({ session }) => session.process.symbol(text);
}

/** All registers where the session is. */
export function registersNow({ session: { process } }: Stage): Registers {
  return Object.fromEntries(GENERAL_REGISTERS.map((name) => [name, process.cpu.read(name)])) as Registers;
}

export function isRegister(name: string): name is GeneralRegister {
  return GENERAL_REGISTERS.some((one) => one === name);
}

/** The lines that the program has printed so far, on standard output and error. */
export function printedLines({ session }: Stage): string[] {
  const decoder = new TextDecoder();
  const written = session.history.outputs.filter(({ moment }) => moment <= session.moment);
  return written
    .map(({ bytes }) => decoder.decode(bytes, { stream: true }))
    .join('')
    .split('\n')
    .slice(0, -1);
}

function itemsOf({ session: { process } }: Stage, id: number): bigint {
  const { channels } = survey(process);
  const found = channels.find((channel) => channel.id === id);
  if (found !== undefined) return BigInt(found.items);
  throw new UsageError(`there is no channel ${id} at moment ${process.cpu.moment}`);
}

function faultTarget({ session: { outcome, moment } }: Stage): bigint {
  if (outcome?.kind === 'fault' && outcome.fault.target !== undefined) return outcome.fault.target;
  throw new UsageError(`there is no page fault at moment ${moment}`);
}
