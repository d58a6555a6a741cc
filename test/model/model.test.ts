import { env } from 'node:process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { check } from './check.js';
import { type ClauseOf, describeProgram, type Program, programs, type Step } from './program.js';
import { type Feature, Tally } from './tally.js';

const RUNS = 2000;
const SECONDS = 1000;
/** So long may it take to find the smallest program that fails, too. */
const PATIENCE = 300 * SECONDS;

/*
 * How often 2,000 programs have to meet each feature: a quarter of what they usually do at most, so that no seed is
 * unlucky, but enough for a broken rule to be noticed.
 */
const LEAST: readonly (readonly [Feature, number])[] = [
  ['blocked sends', 200],
  ['blocked receives', 500],
  ['buffered sends', 1200],
  ['sends to a waiting receiver', 250],
  ['receives from a blocked sender', 75],
  ['refills by a blocked sender', 60],
  ['several waiting at one end', 200],
  ['chooses with several ready clauses', 500],
  ['blocked chooses', 500],
  ['blocked chooses of one end named twice', 40],
  ['deadlines fired', 300],
  ['deadlines cancelled', 60],
  ['deadlines fired with one end named twice', 8],
  ['otherwise taken', 50],
  ['done broadcasts to several', 8],
  ['receives of the final value', 45],
  ['items left when done', 15],
  ['sleeps', 600],
  ['timer ties', 35],
  ['jumps of the clock', 600],
  ['polls without a wait', 20],
  ['polls that released somebody', 5],
  ['moves of the clock by now()', 3],
  ['last closes', 35],
  ['exits', 200],
  ['deadlocks', 190],
  ['panic: null channel used', 5],
  ['panic: send to done-with channel', 55],
  ['panic: attempt to close a channel while it is still being used', 6],
  ["panic: multiple 'otherwise' or 'deadline' clauses in a choose statement", 6],
  ['panic: receive of a type not matching the channel', 1],
  ['panic: send of a type not matching the channel', 1],
];

describe('random programs', () => {
  const tally = new Tally();
  const runs = Number(env.MODEL_RUNS ?? RUNS);
  let complete = false;

  it('take the course that the rules say', { timeout: 2 * PATIENCE }, () => {
    const property = fc.property(programs, (program) => tally.add(check(program).tally));
    const details = fc.check(property, {
      numRuns: runs,
      interruptAfterTimeLimit: PATIENCE,
      markInterruptAsFailure: true,
      ...(env.MODEL_SEED === undefined ? {} : { seed: Number(env.MODEL_SEED) }),
      ...(env.MODEL_PATH === undefined ? {} : { path: env.MODEL_PATH }),
    });
    if (details.failed) throw new Error(report(details));
    complete = true;
  });

  it.skipIf(env.MODEL_PATH !== undefined || runs < RUNS)('meet every feature', ({ skip }) => {
    skip(!complete, 'not all programs were run');
    if (env.MODEL_TALLY !== undefined) console.log(`${tally}`);
    const missed = LEAST.filter(([feature, least]) => tally.of(feature) < least);
    expect(missed.map(([feature, least]) => `${feature}: ${tally.of(feature)}, not ${least}`)).toEqual([]);
  });
});

function report(details: fc.RunDetails<[Program]>): string {
  const [program] = details.counterexample ?? [];
  return [
    `the machine and the rules part after ${details.numRuns} programs (shrunk ${details.numShrinks} times):`,
    program === undefined ? 'none has failed, but there was no time for all' : describeProgram(program),
    details.errorInstance instanceof Error ? details.errorInstance.message : '',
    'To run this one again:',
    `  MODEL_SEED=${details.seed} MODEL_PATH=${details.counterexamplePath} npx vitest run test/model`,
    `All of them (with MODEL_RUNS=${details.runConfiguration.numRuns}, if that was given):`,
    `  MODEL_SEED=${details.seed} npx vitest run test/model`,
  ].join('\n');
}

/** Expects what the machine does to be what the model does, and returns the lines that pass a filter. */
function course(bodies: readonly (readonly Step[])[], filter: RegExp, capacities: readonly number[] = [0]): string[] {
  const channels = capacities.map((capacity) => ({ capacity, size: 8 }));
  const { lines } = check({ channels, bodies, seed: 1 });
  return lines.filter((line) => filter.test(line));
}

function ending(bodies: readonly (readonly Step[])[], capacities: readonly number[] = [0]): unknown {
  const channels = capacities.map((capacity) => ({ capacity, size: 8 }));
  return check({ channels, bodies, seed: 1 }).ending;
}

const go = (body: number): Step => ({ kind: 'go', body });
const pause = (times = 1): Step => ({ kind: 'yield', times });
const sleep = (ms: number): Step => ({ kind: 'sleep', deadline: { from: 'start', ms } });
const send = (channel: number, value: number): Step => ({ kind: 'send', channel, value });
const receive = (channel: number): Step => ({ kind: 'receive', channel });
const done = (channel: number, value: number): Step => ({ kind: 'done', channel, value });
const choose = (...clauses: ClauseOf[]): Step => ({ kind: 'choose', clauses });
const from = (channel: number): ClauseOf => ({ kind: 'in', channel });
const to = (channel: number, value: number): ClauseOf => ({ kind: 'out', channel, value });
const until = (ms: number): ClauseOf => ({ kind: 'deadline', deadline: { from: 'start', ms } });
const repeat = <Item>(times: number, item: Item): Item[] => Array.from({ length: times }, () => item);

// The courses are derived from the rules by hand, so these hold the model to them as well as the machine.
describe('by the rules', () => {
  it('a coroutine runs at once, its parent behind those who are ready', () => {
    expect(course([[go(1), pause()], [go(2)], [pause()]], /done|ends/)).toEqual([
      '0.0 go 1: done at 0 ms',
      '1.0 go 2: done at 0 ms',
      '1 ends',
      '2.0 yield: done at 0 ms',
      '2 ends',
      '0.1 yield: done at 0 ms',
      '0 ends',
    ]);
  });

  it('a receiver that has been waiting runs before its sender', () => {
    expect(course([[go(1), send(0, 5), sleep(9)], [receive(0)]], /done/)).toEqual([
      '0.0 go 1: done at 0 ms',
      '1.0 receive on 0: done = 5 at 0 ms',
      '0.1 send 5 on 0: done at 0 ms',
      '0.2 sleep until start + 9: done at 9 ms',
    ]);
  });

  it('senders that wait refill the buffer, first come, first served', () => {
    const senders = [[send(0, 1)], [send(0, 2)], [send(0, 3)]];
    const main = [go(1), go(2), go(3), ...repeat(3, receive(0))];
    expect(course([main, ...senders], /(send|receive).*done/, [1])).toEqual([
      '1.0 send 1 on 0: done at 0 ms',
      '2.0 send 2 on 0: done at 0 ms',
      '0.3 receive on 0: done = 1 at 0 ms',
      '3.0 send 3 on 0: done at 0 ms',
      '0.4 receive on 0: done = 2 at 0 ms',
      '0.5 receive on 0: done = 3 at 0 ms',
    ]);
  });

  it('timers fire by their deadlines, and in the order they were set where these are the same', () => {
    const sleepers = [[sleep(7)], [sleep(3)], [sleep(7)], [sleep(3)], [sleep(7)]];
    const main = [...sleepers.map((_, index) => go(index + 1)), sleep(9)];
    expect(course([main, ...sleepers], /ends/)).toEqual(['2 ends', '4 ends', '1 ends', '3 ends', '5 ends', '0 ends']);
  });

  it('the suspend after 103 switches releases a sleeper, behind who is ready', () => {
    const lines = course([[go(1), pause(110)], [sleep(1)]], /(yield|sleep).*done/);
    // The switch back from the sleeper is the first, the 102nd yield's the 103rd
    expect(lines.indexOf('1.0 sleep until start + 1: done at 1 ms')).toBe(103);
    expect(lines[101]).toMatch(/at 0 ms$/);
    expect(lines[102]).toMatch(/at 1 ms$/);
  });

  it('every 1,000th now() moves time', () => {
    // The first is the script's own
    expect(course([[{ kind: 'now', times: 2100 }]], /done/)).toEqual([
      '0.0 now x 2100: done call 1: 0, call 999: 1, call 1999: 2, at 2 ms',
    ]);
  });

  it('the first wait of all keeps to its deadline', () => {
    expect(course([[choose(from(0), until(80))]], /done/)[0]).toMatch(/took -1 at 80 ms$/);
  });

  it('a deadline fires with one end named twice, and nobody is left waiting there', () => {
    const main = [choose(from(0), from(0), to(1, 4), to(1, 5), until(3)), { kind: 'close', channel: 0 } as const];
    expect(course([main], /done/, [0, 0])).toEqual([
      '0.0 choose {in on 0, in on 0, out 4 on 1, out 5 on 1, deadline start + 3}: done took -1 at 3 ms',
      '0.1 close on 0: done at 3 ms',
    ]);
  });

  it('chdone wakes all who wait, in order, and lets what is in the buffer out first', () => {
    const main = [go(1), go(2), go(3), send(1, 5), done(1, 6), done(0, 7), receive(1), receive(1), receive(1)];
    expect(course([main, [receive(0)], [choose(from(0))], [receive(0)]], /(choose|receive).*done/, [0, 1])).toEqual([
      '1.0 receive on 0: done = 7 at 0 ms',
      '2.0 choose {in on 0}: done took 0 = 7 at 0 ms',
      '3.0 receive on 0: done = 7 at 0 ms',
      '0.6 receive on 1: done = 5 at 0 ms',
      '0.7 receive on 1: done = 6 at 0 ms',
      '0.8 receive on 1: done = 6 at 0 ms',
    ]);
  });

  it('a deadlock names who waits where', () => {
    const children = [
      [send(0, 1)],
      [choose(from(1), to(0, 2))],
      [{ kind: 'sleep', deadline: { from: 'never' } } as const],
    ];
    expect(ending([[go(1), go(2), go(3), receive(1)], ...children], [0, 0])).toEqual({
      kind: 'deadlock',
      waiting: ['{0} chr(<2>)', '{1} chs(<1>)', '{2} choose(<2>,<1>)', '{3} msleep()'],
    });
  });

  const slipped = (slip: 'null' | 'type') => ({ channel: 0, slip });
  const wait: Step[][] = [[send(0, 1)], [receive(0)]];
  it.each<[string, Step[]]>([
    ['null channel used', [{ kind: 'send', value: 1, ...slipped('null') }]],
    ['null channel used', [{ kind: 'receive', ...slipped('null') }]],
    ['null channel used', [{ kind: 'done', value: 1, ...slipped('null') }]],
    ['null channel used', [{ kind: 'close', ...slipped('null') }]],
    ['null channel used', [{ kind: 'dup', ...slipped('null') }]],
    ['null channel used', [choose({ kind: 'in', ...slipped('null') })]],
    ['receive of a type not matching the channel', [{ kind: 'receive', ...slipped('type') }]],
    ['receive of a type not matching the channel', [choose({ kind: 'in', ...slipped('type') })]],
    ['send of a type not matching the channel', [{ kind: 'send', value: 1, ...slipped('type') }]],
    ['send of a type not matching the channel', [{ kind: 'done', value: 1, ...slipped('type') }]],
    ['send of a type not matching the channel', [choose({ kind: 'out', value: 1, ...slipped('type') })]],
    ['send to done-with channel', [done(0, 1), send(0, 2)]],
    ['send to done-with channel', [done(0, 1), choose(to(0, 2))]],
    ['send to done-with channel', [go(1), done(0, 1)]],
    ['chdone on already done-with channel', [done(0, 1), done(0, 2)]],
    ['attempt to close a channel while it is still being used', [go(1), { kind: 'close', channel: 0 }]],
    ['attempt to close a channel while it is still being used', [go(2), { kind: 'close', channel: 0 }]],
    ["multiple 'otherwise' or 'deadline' clauses in a choose statement", [choose({ kind: 'otherwise' }, until(1))]],
    ["multiple 'otherwise' or 'deadline' clauses in a choose statement", [choose(until(1), { kind: 'otherwise' })]],
    ["multiple 'otherwise' or 'deadline' clauses in a choose statement", [choose(until(1), until(2))]],
  ])('panic: %s', (text, main) => {
    expect(ending([main, ...wait])).toEqual({ kind: 'panic', text });
  });
});

describe('a choice at random', () => {
  /** How often which clause was taken. */
  const counts = (lines: readonly string[]): number[] =>
    [0, 1, 2].map((index) => lines.filter((line) => line.includes(`took ${index} `)).length);

  it('is as often one ready clause as another', () => {
    const main = [done(0, 1), done(1, 2), done(2, 3), ...repeat(300, choose(from(0), from(1), from(2)))];
    for (const count of counts(course([main], /done took/, [0, 0, 0]))) expect(count).toBeGreaterThan(60);
  });

  it('is as often one of the clauses that wait at one end as another', () => {
    const main = [go(1), ...repeat(300, choose(from(0), from(0), from(0)))];
    const child = [pause(), ...repeat(300, send(0, 1))];
    for (const count of counts(course([main, child], /done took/))) expect(count).toBeGreaterThan(60);
  });
});
