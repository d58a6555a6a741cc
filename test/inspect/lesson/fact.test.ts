import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Cpu } from '../../../emu/cpu.js';
import { openCpu } from '../../../emu/open.js';
import { readFact, registersNow } from '../../../inspect/lesson/fact.js';
import { endingOf, openStage, type Stage } from '../../../inspect/lesson/stage.js';
import { Deadlock, Misuse, Panic } from '../../../runtime/errors.js';
import { lessonOf } from './lessons.js';

let cpu: Cpu | undefined;
let stage: Stage;

/** At the first instruction of main in lesson 6, where nobody else is there yet. */
beforeAll(async () => {
  const program = (await lessonOf('06-yield')).programs.get('main');
  if (program === undefined) throw new Error('lesson 6 has no program');
  cpu = openCpu();
  stage = openStage(cpu, program);
  await stage.session.to('main');
});
afterAll(() => cpu?.close());

test.each<[text: string, holds: boolean]>([
  ['1 = 1', true],
  ['1 = 2', false],
  ['1 != 2', true],
  ['2 != 2', false],
  ['1 < 2', true],
  ['2 < 2', false],
  ['2 <= 2', true],
  ['3 <= 2', false],
  ['2 > 1', true],
  ['2 > 2', false],
  ['2 >= 2', true],
  ['1 >= 2', false],
  ['not 1 = 2', true],
  ['not 1 = 1', false],
  // Addresses are unsigned.
  ['-1 = 0xffffffffffffffff', true],
  ['-1 > 1', true],
  ['0 - 1 = -1', true],
  ['rip = main', true],
  ['rip = main + 1', false],
  ['rip + 0x10 = main+16', true],
  ['before rsp = rsp', true],
  ['word rsp - 8 = word rsp-8', true],
  ['word a_text = 0x6e69616d00620061', true],
  ['word a_text + 1 = word a_text', false],
  ['slot rsp of main = 0', true],
  ['ctx of main = mill_main + 96', true],
  ['rsp < top of main', true],
  ['clock = word mill_clock', true],
  ['rsp in stack of main', true],
  ['top of main in stack of main', true],
  ['top of main + 1 in stack of main', false],
  ['rsp in guard page of main', false],
  ['top of main - 8388608 in guard page of main', true],
  ['main is RUNNING', true],
  ['main is ready', false],
  ['coroutine 1 is ready', false],
  ['ready is nobody', true],
  ['ready is main', false],
  ['ended as not yet', true],
  ['ended as exit 0', false],
  ['circle is nobody', false],
  ['printed a', false],
])('%s: %s', (text, holds) => {
  expect(readFact(text, 'en.md', 1).holds(stage, registersNow(stage))).toBe(holds);
});

test.each([
  ['fault = 0', 'there is no page fault'],
  ['items of channel 1 = 0', 'there is no channel 1'],
  ['top of coroutine 1 = 0', 'there is no coroutine 1'],
  ['word 0 = 0', 'cannot read guest memory at 0x0'],
])('%s cannot be said', (text, problem) => {
  const fact = readFact(text, 'en.md', 3);
  expect(() => fact.holds(stage, registersNow(stage))).toThrow(`en.md:3: "${text}": ${problem}`);
});

test('how a run has ended', () => {
  expect(endingOf(undefined)).toBe('not yet');
  expect(endingOf({ kind: 'exit', status: 7 })).toBe('exit 7');
  expect(endingOf({ kind: 'abort' })).toBe('abort');
  expect(endingOf({ kind: 'fault', fault: { kind: 'divide error', rip: 0n } })).toBe('divide error');
  expect(endingOf({ kind: 'error', error: new Deadlock() })).toBe('deadlock');
  expect(endingOf({ kind: 'error', error: new Panic('null channel used') })).toBe('panic');
  expect(endingOf({ kind: 'error', error: new Misuse('freed twice') })).toBe('Misuse');
});
