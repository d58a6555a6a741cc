import { expect, test } from 'vitest';
import { judge, rightAnswer, type Verdict } from '../../../inspect/lesson/answer.js';
import { LANGUAGES } from '../../../inspect/lesson/lesson.js';
import type { Expected } from '../../../inspect/lesson/question.js';

const NAMES = new Map([
  ['rsp', 0x1000n],
  ['rdx', 0xff8n],
  ['main', 0x400000n],
  ['fade', 0x12n],
]);
const number: Expected = { kind: 'number', value: 0xff8n, symbol: undefined, names: (name) => NAMES.get(name) };
const minusOne: Expected = { kind: 'number', value: 0xffff_ffff_ffff_ffffn, symbol: undefined, names: () => undefined };
const symbol: Expected = { kind: 'number', value: 0x400004n, symbol: undefined, names: (name) => NAMES.get(name) };
const named: Expected = { kind: 'number', value: 0x12n, symbol: 'fade', names: (name) => NAMES.get(name) };
const slot: Expected = { kind: 'slot', slot: 2 };
const main: Expected = { kind: 'coroutine', id: 0 };
const two: Expected = { kind: 'coroutine', id: 2 };
const queue: Expected = { kind: 'ready', ids: [1, 0, 2] };
const empty: Expected = { kind: 'ready', ids: [] };
const output: Expected = { kind: 'output', lines: ['a  1', 'b'] };
const time: Expected = { kind: 'time', ms: 15 };
const lost: Expected = { kind: 'lost', registers: ['r13', 'rbx'] };
const none: Expected = { kind: 'lost', registers: [] };
const choice: Expected = { kind: 'choice', option: 2, options: 3 };

const EVERY = [number, minusOne, symbol, named, slot, main, two, queue, empty, output, time, lost, none, choice];

test.each<[Verdict, Expected, readonly string[]]>([
  [
    'right',
    number,
    [
      '0xff8',
      '0XFF8',
      'ff8',
      'FF8h',
      '4088',
      '4_088',
      ' 0xff8 ',
      'rsp - 8',
      'rsp-8',
      '%rsp - 0x8',
      'rdx',
      '$0xff8',
      '0ｘｆｆ８',
    ],
  ],
  ['wrong', number, ['0xff9', '8', 'rsp', 'rsp + 8', '-8', 'main']],
  ['unreadable', number, ['', 'slot 2', 'rsp 8', 'less', 'rsp *', '0x', '1 2', 'rsp - - 8']],
  ['right', minusOne, ['-1', '0xffffffffffffffff', '18446744073709551615']],
  ['right', symbol, ['main+4', 'main + 0x4', '0x400004', '4194308', '400004h']],
  // Without 0x digits are decimal; it is letters that make them hexadecimal.
  ['wrong', symbol, ['400004', 'main']],
  // A name goes before a number of the same letters.
  ['right', named, ['fade', '18']],
  ['wrong', named, ['0xfade']],
  [
    'right',
    slot,
    ['2', 'slot 2', 'Slot 2', '槽 2', '2号槽', '2 号槽', '第2个槽', '２', 'ctx[2]', '16(%rdx)', '0x10(%rax)', 'ctx+16'],
  ],
  ['wrong', slot, ['3', 'slot 0', '(%rdx)', '2(%rdx)', '24(%rdx)']],
  ['unreadable', slot, ['', 'r12', '10', 'slot', '16']],
  ['right', main, ['main', 'Main', '0', '<main>', '主协程', 'the main coroutine', 'coroutine 0']],
  ['right', two, ['2', 'coroutine 2', 'Coroutine 2.', '协程 2', '协程2', '2 号协程', '{2}', 'cr 2', '#2']],
  ['wrong', two, ['main', '1', 'coroutine 22']],
  ['unreadable', two, ['', 'nobody', 'the worker', '-2']],
  [
    'right',
    queue,
    [
      '1, 0, 2',
      '1,main,2',
      'coroutine 1, main, coroutine 2',
      '1 main 2',
      '[1, main, 2]',
      '1 -> main -> 2',
      '协程 1、主协程、协程 2',
      '协程1，主协程，协程2',
      '1 then main then 2',
    ],
  ],
  ['wrong', queue, ['main, 1, 2', '1, 2', '1', 'nobody']],
  ['unreadable', queue, ['', 'everybody', '1, , 2']],
  ['right', empty, ['nobody', 'empty', '[]', '-', '空', '没有', 'None']],
  ['wrong', empty, ['main', '0']],
  ['right', output, ['a  1\nb', 'a 1\nb\n', ' a 1 b ']],
  ['wrong', output, ['a 1', 'b\na 1', 'a1\nb', '']],
  ['right', time, ['15', '15 ms', '15ms', '15 毫秒', '１５']],
  ['wrong', time, ['5', '150 ms']],
  ['unreadable', time, ['', '15 s', '1.5', 'soon']],
  ['right', lost, ['r13, rbx', 'rbx r13', '%r13 and %rbx', 'RBX、R13', 'rbx 和 r13']],
  ['wrong', lost, ['r13', 'rbx, r13, r14', 'none']],
  ['unreadable', lost, ['', 'r16', 'all of them']],
  ['right', none, ['none', '无', 'nothing']],
  ['right', choice, ['2', 'b', 'B', '(b)', '2.']],
  ['wrong', choice, ['1', 'c']],
  ['unreadable', choice, ['', '4', 'd', '0', 'yes']],
])('%s', (verdict, expected, answers) => {
  for (const answer of answers) expect(judge(expected, answer), answer).toBe(verdict);
});

test('the right answer in words', () => {
  const words = (language: 'en' | 'zh') => EVERY.map((expected) => rightAnswer(expected, language));
  expect(words('en')).toEqual([
    '0xff8 (4088)',
    '0xffffffffffffffff (18446744073709551615)',
    '0x400004 (4194308)',
    '0x12 (fade)',
    'slot 2',
    'main',
    'coroutine 2',
    'coroutine 1, main, coroutine 2',
    'nobody',
    'a  1\nb',
    '15 ms',
    'r13, rbx',
    'none',
    '2',
  ]);
  expect(words('zh').slice(4, 11)).toEqual([
    '槽 2',
    '主协程',
    '协程 2',
    '协程 1, 主协程, 协程 2',
    '空',
    'a  1\nb',
    '15 毫秒',
  ]);
});

test('the right answer in words is accepted, in each language', () => {
  for (const expected of EVERY) {
    for (const language of LANGUAGES) {
      expect(judge(expected, rightAnswer(expected, language)), rightAnswer(expected, language)).toBe('right');
    }
  }
});
