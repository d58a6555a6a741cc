/** Where a value came from, in words. */
import type { Language } from '../lesson/lesson.js';
import { hex } from '../names.js';
import type { Input, ProvenanceStep, StepKind } from '../provenance/step.js';

/** What a sentence is made of, in the page's language. */
interface Parts {
  /** The place that the value came from. */
  readonly from: string;
  /** The values that it was made of; empty if there are none. */
  readonly inputs: string;
  /** The function whose door it was. */
  readonly door: string;
  /** Of a channel; empty if none was crossed. */
  readonly channel: string;
  /** What is said in the place of an instruction; the instruction, if there is one. */
  readonly text: string;
}

type Sentences = Readonly<Record<StepKind, string | ((parts: Parts) => string)>>;

const EN: Sentences = {
  copy: ({ from }) => `copied from ${from}`,
  load: ({ from }) => `loaded from ${from}`,
  store: ({ from }) => `stored from ${from}`,
  push: ({ from }) => `pushed from ${from}`,
  pop: ({ from }) => `popped from ${from}`,
  save: ({ from }) => `saved from ${from}`,
  restore: ({ from }) => `restored from ${from}`,
  transfer: ({ from, door, channel }) =>
    channel === ''
      ? `copied by the runtime in ${door}, from ${from}`
      : `moved by the runtime in ${door}, over channel ${channel}, from ${from}`,
  constant: ({ text }) => (text.startsWith('call') ? 'the address to return to' : 'a constant of the instruction'),
  address: 'an address in the program',
  arithmetic: ({ inputs }) => (inputs === '' ? 'computed' : `computed from ${inputs}`),
  part: ({ inputs }) => `only a part of it, from ${inputs}`,
  result: ({ door }) => `the result of ${door}`,
  host: ({ door }) => `written by the runtime in ${door}`,
  start: ({ text }) => text,
  unseen: ({ text }) => text,
};

const ZH: Sentences = {
  copy: ({ from }) => `复制自${from}`,
  load: ({ from }) => `从${from}读出`,
  store: ({ from }) => `由${from}写入`,
  push: ({ from }) => `由${from}压栈`,
  pop: ({ from }) => `从${from}弹出`,
  save: ({ from }) => `由${from}保存`,
  restore: ({ from }) => `从${from}恢复`,
  transfer: ({ from, door, channel }) =>
    channel === '' ? `运行时在 ${door} 中复制自${from}` : `运行时在 ${door} 中经通道 ${channel} 移来，原在${from}`,
  constant: ({ text }) => (text.startsWith('call') ? '返回地址' : '指令中的常数'),
  address: '程序中的地址',
  arithmetic: ({ inputs }) => (inputs === '' ? '计算得出' : `由 ${inputs} 计算得出`),
  part: ({ inputs }) => `只写了其中一部分，来自 ${inputs}`,
  result: ({ door }) => `${door} 的返回值`,
  host: ({ door }) => `运行时在 ${door} 中写入`,
  start: '程序开始之前就有',
  unseen: '在两条指令之间改变',
};

const SENTENCES: Readonly<Record<Language, Sentences>> = { en: EN, zh: ZH };

/** From where a step's value came. */
export function originText({ kind, text, door, channel, from, inputs }: ProvenanceStep, language: Language): string {
  const named = ({ name, value }: Input): string => `${placeName(name, language)} = ${hex(value)}`;
  const sentence = SENTENCES[language][kind];
  if (typeof sentence === 'string') return sentence;
  const words = sentence({
    from: from === undefined ? '' : placeName(from.name, language),
    inputs: inputs.map(named).join(', '),
    door: door ?? 'Linux',
    channel: channel === undefined ? '' : `<${channel}>`,
    text,
  });
  return language === 'en' ? words : spaced(words);
}

/** Names of places begin with these, and say then whose they are. */
const ZH_PLACES: readonly (readonly [RegExp, string])[] = [
  [/^slot (\S+) of (.+)$/, '$2的槽 $1'],
  [/^stack of (.+) at (0x\w+)$/, '$1的栈 $2'],
  [/^(valbuf|mill_\S+) of (.+)$/, '$2的 $1'],
  [/^element (\d+) of (.+)$/, '$2的元素 $1'],
  [/^last value of (.+)$/, '$1的最后值'],
  [/^memory at (0x\w+)$/, '内存 $1'],
  [/coroutine (\d+)/, '协程 $1'],
  [/channel (<\d+>)/, '通道 $1'],
  [/\bmain的/, '主协程的'],
];

/** The name of a place, which the machine says in English, in the page's language. */
export function placeName(name: string, language: Language): string {
  if (language === 'en') return name;
  return spaced(ZH_PLACES.reduce((text, [pattern, words]) => text.replace(pattern, words), name));
}

/** Between Chinese and what is not, there is a space. */
function spaced(text: string): string {
  return text.replace(/(\p{Script=Han})([\w%<])/gu, '$1 $2').replace(/([\w>)])(\p{Script=Han})/gu, '$1 $2');
}
