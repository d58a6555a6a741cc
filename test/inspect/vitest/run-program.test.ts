import { describe, expect, it } from 'vitest';
import { type Body, chmake, chr, chs, go, print } from '../../../inspect/millscope.js';
import { runProgram } from '../../../inspect/vitest.js';
import { promised } from '../../fixture.js';

describe('runProgram', () => {
  it('runs files, with what they print, how they end, and every switch', async () => {
    const { stdout, stderr, status, message, switches } = await runProgram('fixtures/programs/ping-pong.s');
    // As the comment in the program says.
    const { output, status: promisedStatus } = promised('ping-pong.s');
    expect({ stdout, stderr, status, message }).toEqual({
      stdout: output,
      stderr: '',
      status: promisedStatus,
      message: undefined,
    });
    expect(switches[0]).toMatchObject({ number: 1, kind: 'start', from: 0, to: 1 });
  });

  it('runs coroutine bodies written in TypeScript', async () => {
    const main: Body = function* () {
      const channel = yield* chmake(8);
      const doubles: Body = function* () {
        for (let n = 1n; n <= 3n; n++) yield* chs(channel, 2n * n);
      };
      yield* go(doubles);
      let sum = 0n;
      for (let n = 0; n < 3; n++) sum += yield* chr(channel);
      yield* print(`${sum}\n`);
      return 5;
    };
    // 2 + 4 + 6
    expect(await runProgram(main)).toMatchObject({ stdout: '12\n', status: 5, message: undefined });
  });

  it('takes the same course again, and another one with another seed', async () => {
    const course = async (seed: bigint) => (await runProgram('fixtures/programs/fan-in.s', { seed })).switches;
    expect(await course(1n)).toEqual(await course(1n));
    expect(await course(1n)).not.toEqual(await course(2n));
  });

  it('says how a run ended that did not end by itself, as the command does', async () => {
    const deadlock = await runProgram(new URL('../../../fixtures/programs/deadlock.s', import.meta.url));
    expect(deadlock).toMatchObject({ status: 3, message: expect.stringMatching(/millscope: deadlock: /) });
    const endless: Body = function* () {
      for (;;) yield;
    };
    const stopped = await runProgram(endless, { limit: 1000 });
    expect(stopped).toMatchObject({ status: 124, message: expect.stringMatching(/^millscope: stopped by --limit/) });
  });

  it('hands arguments and environment to the program, and runs past the ends of children', async () => {
    const run = await runProgram('fixtures/c/arguments.o', { arguments: ['one', 'two'] });
    expect(run).toMatchObject({ stdout: expect.stringMatching(/^2 arguments\n/), status: 2 });
    expect(await runProgram('fixtures/c/fork-children.o')).toMatchObject({ status: 5, message: undefined });
  });
});
