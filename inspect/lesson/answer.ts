import { GENERAL_REGISTERS } from '../../emu/registers.js';
import { SLOT_BYTES } from '../../runtime/layout.js';
import { coroutineName, hex } from '../names.js';
import type { Language } from './lesson.js';
import type { Expected } from './question.js';

const SLOTS = 10;
const NOBODY = ['nobody', 'none', 'empty', 'no one', 'nothing', '[]', '-', '空', '空的', '无', '没有'];

/** What has become of an answer as typed; `unreadable` if it is no answer to such a question at all. */
export type Verdict = 'right' | 'wrong' | 'unreadable';

/** Judges what a student has typed: spelling does not matter, as long as only one thing can be meant. */
export function judge(expected: Expected, typed: string): Verdict {
  // What Chinese keyboards write: full-width letters, digits and marks.
  const text = typed.normalize('NFKC').trim();
  const same = <Value>(read: Value | undefined, isRight: (value: Value) => boolean): Verdict =>
    read === undefined ? 'unreadable' : isRight(read) ? 'right' : 'wrong';
  switch (expected.kind) {
    case 'number':
      return same(numberOf(text, expected.names), (value) => value === expected.value);
    case 'slot':
      return same(slotOf(text), (slot) => slot === expected.slot);
    case 'coroutine':
      return same(coroutineOf(text), (id) => id === expected.id);
    case 'ready':
      return same(queueOf(text), (ids) => ids.join() === expected.ids.join());
    case 'output':
      return same(typed, (lines) => squeeze(lines) === squeeze(expected.lines.join('\n')));
    case 'time':
      return same(/^(\d+) *(?:ms|milliseconds?|毫秒)?$/i.exec(text)?.[1], (ms) => Number(ms) === expected.ms);
    case 'lost':
      return same(registersOf(text), (names) => names.join() === [...expected.registers].sort().join());
    case 'choice':
      return same(optionOf(text, expected.options), (option) => option === expected.option);
  }
}

/** The right answer in words, in a form that {@link judge} takes. */
export function rightAnswer(expected: Expected, language: Language): string {
  const coroutine = (id: number): string => {
    if (language === 'en') return coroutineName(id);
    return id === 0 ? '主协程' : `协程 ${id}`;
  };
  const nobody = language === 'zh' ? '空' : 'nobody';
  const none = language === 'zh' ? '没有' : 'none';
  switch (expected.kind) {
    case 'number':
      return `${hex(expected.value)} (${expected.symbol ?? expected.value})`;
    case 'slot':
      return language === 'zh' ? `槽 ${expected.slot}` : `slot ${expected.slot}`;
    case 'coroutine':
      return coroutine(expected.id);
    case 'ready':
      return expected.ids.length === 0 ? nobody : expected.ids.map(coroutine).join(', ');
    case 'output':
      return expected.lines.join('\n');
    case 'time':
      return language === 'zh' ? `${expected.ms} 毫秒` : `${expected.ms} ms`;
    case 'lost':
      return expected.registers.length === 0 ? none : expected.registers.join(', ');
    case 'choice':
      return String(expected.option);
  }
}

/**
 * Sums of numbers, symbols and registers as they are now: `0x40`, `64`, `40h`, `1f6fbf68`, `rsp - 8`, `main+4`. What is in
 * brackets behind it is a remark.
 */
function numberOf(typed: string, names: (name: string) => bigint | undefined): bigint | undefined {
  const text = typed.replace(/(\S) *\([^()]*\)$/, '$1');
  const terms = [...text.matchAll(/\s*([+-]?)\s*([%$]?[\w.]+)/g)];
  if (
    terms.length === 0 ||
    terms
      .map(([whole]) => whole)
      .join('')
      .trim() !== text
  )
    return undefined;
  let sum = 0n;
  for (const [index, [, sign, term]] of terms.entries()) {
    if (index > 0 && sign === '') return undefined;
    const value = termOf(term.replace(/^[%$]/, ''), names);
    if (value === undefined) return undefined;
    sum += sign === '-' ? -value : value;
  }
  return BigInt.asUintN(64, sum);
}

function termOf(term: string, names: (name: string) => bigint | undefined): bigint | undefined {
  const plain = term.replaceAll('_', '');
  if (/^(\d+|0x[0-9a-f]+)$/i.test(plain)) return BigInt(plain.toLowerCase());
  const known = names(term) ?? names(term.toLowerCase());
  if (known !== undefined) return known;
  const digits = /^([0-9a-f]+)h?$/i.exec(plain)?.[1];
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}

/** `2`, `slot 2`, `槽 2`, `ctx[2]`; or by its bytes, `16(%rdx)`, `ctx+16`. */
function slotOf(text: string): number | undefined {
  const bytes = /^(\d+|0x[0-9a-f]+)\(%?\w+\)$/i.exec(text)?.[1] ?? /^ctx *\+ *(\d+|0x[0-9a-f]+)$/i.exec(text)?.[1];
  if (bytes !== undefined) return Number(bytes) / SLOT_BYTES;
  if (/^\(%?r\w+\)$/i.test(text)) return 0;
  const number = /^(?:slot|槽|第|ctx *\[)? *(\d+)(?: *(?:号?槽|个?槽|\]))?$/i.exec(text)?.[1];
  return number === undefined || Number(number) >= SLOTS ? undefined : Number(number);
}

/** `main`, `0`, `coroutine 2`, `2`, `协程 2`, `<main>`. */
function coroutineOf(text: string): number | undefined {
  const plain = text.replace(/[<>{}.]/g, '').trim();
  if (/^(?:the )?(?:main(?: coroutine)?|主协程|主程序)$/i.test(plain)) return 0;
  const number = /^(?:coroutine|cr|worker|协程|第)? *#? *(\d+)(?: *(?:号协程|号))?$/i.exec(plain)?.[1];
  return number === undefined ? undefined : Number(number);
}

function queueOf(text: string): number[] | undefined {
  if (NOBODY.includes(text.toLowerCase())) return [];
  const ids = text
    .replace(/^\[(.*)\]$/, '$1')
    .split(/\s*(?:,|、|;|->|→|>|\bthen\b|然后|\band\b|和)\s*/)
    .map(coroutineOf);
  // Between bare numbers and `main` a blank is enough.
  const bare = /^\s*(?:main|\d+)(?:\s+(?:main|\d+))+\s*$/i.test(text) ? text.trim().split(/\s+/).map(coroutineOf) : ids;
  return bare.every((id) => id !== undefined) ? bare : undefined;
}

function registersOf(text: string): string[] | undefined {
  if (NOBODY.includes(text.toLowerCase())) return [];
  const names = text
    .toLowerCase()
    .split(/[\s,、;和]+|\band\b/)
    .map((name) => name.replace(/^%/, ''))
    .filter((name) => name !== '');
  const known = names.length > 0 && names.every((name) => GENERAL_REGISTERS.some((register) => register === name));
  return known ? [...new Set(names)].sort() : undefined;
}

/** A number from 1 on, or a letter. */
function optionOf(text: string, options: number): number | undefined {
  const plain = text.replace(/[().]/g, '').toLowerCase();
  const option = /^[a-z]$/.test(plain) ? plain.charCodeAt(0) - 'a'.charCodeAt(0) + 1 : Number(plain || Number.NaN);
  return Number.isInteger(option) && option >= 1 && option <= options ? option : undefined;
}

function squeeze(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}
