import { describe, expect, it } from 'vitest';
import { openCpu } from '../../emu/open.js';
import { ending } from '../../inspect/outcome.js';
import type { Body } from '../../runtime/bodies.js';
import { libmill } from '../../runtime/libmill.js';
import { type Channel, chdone, chmake, choose, chr, chs, cls, go, msleep, now } from '../../runtime/operations.js';
import { Process } from '../../runtime/process.js';
import { fixturePrograms, loadFixture, promised } from '../fixture.js';
import { listen, run } from './guest.js';

/*
 * Who runs when, derived by hand. The rules are those of libmill that a program can observe:
 *
 *   1. mill_resume appends to one FIFO ready queue; mill_suspend runs its head, and waits for timers when it is empty.
 *   2. yield: resume oneself, suspend. go: resume the parent, run the child. End of a coroutine: suspend, with nobody
 *      to save.
 *   3. chs, chr and choose suspend always. If they could complete at once, they resume the peer (if there is one), then
 *      themselves. chmake, chdup, chclose and chdone never suspend.
 *   4. At the suspend after 103 switches without a wait, timers are polled without blocking. On the virtual clock such
 *      a poll moves time on by 1 ms, and so does every 1,000th now() without one.
 *   5. Whoever waits for a channel is served first come, first served, receivers directly. Timers with the same
 *      deadline fire in the order in which they were set.
 *   6. choose takes a ready clause, else `otherwise`, else it waits in all of its clauses and for its deadline.
 *   7. chdone wakes every waiting receiver with the final value; after that every receive returns it, once the buffer
 *      is drained.
 *   8. chr: the buffer first; then the value of a blocked sender moves into the freed slot, and that sender is resumed.
 *
 * M is the main coroutine, A, B, C and so on are others; T is the time at the start. `[A M]` is the ready queue, head
 * first, and `x(1 2)` what is in the buffer of channel x. Each event is what a coroutine says of itself: its letter,
 * then what it has done last.
 */

type Say = (event: string) => void;

/** Runs a program that says what it does, and returns all that was said. */
async function order(program: (say: Say) => Body): Promise<string> {
  const events: string[] = [];
  const { outcome } = await run(program((event) => events.push(event)));
  expect(outcome).toEqual({ kind: 'exit', status: 0 });
  return events.join(' ');
}

/** A coroutine that says 1, 2, … and yields behind each: it shows at which place in the queue others are put. */
const bystander = (say: Say, name: string, count: number): Body =>
  function* () {
    for (let i = 1; i <= count; i++) {
      say(`${name}${i}`);
      yield;
    }
  };

/** A coroutine that ends without having suspended. */
const brief = (say: Say, name: string): Body =>
  function* () {
    yield* cls();
    say(`${name}1`);
  };

describe('go and yield', () => {
  // M says M1 and starts A: M is queued [M] (2). A says A1 and starts B [M A]. B says B1 and yields [M A B].
  // M says M2 and yields [A B M]. A says A2 and yields [B M A]. B says B2 and ends: [M A] (2).
  // M says M3 and yields [A M]. A says A3 and ends [M]. M says M4.
  it('queue a parent behind those who were ready before, also inside a child', async () => {
    const said = await order(
      (say) =>
        function* () {
          say('M1');
          yield* go(function* () {
            say('A1');
            yield* go(function* () {
              say('B1');
              yield;
              say('B2');
            });
            say('A2');
            yield;
            say('A3');
          });
          say('M2');
          yield;
          say('M3');
          yield;
          say('M4');
        },
    );
    expect(said).toBe('M1 A1 B1 M2 A2 B2 M3 A3 M4');
  });

  // M starts A [M]; A ends at once, so M runs at once: [] (2). M starts B [M]: B says B1, yields [M B]. M says M1 and
  // starts C [B M]: C1, C ends, and B is the head: B ends [M]. M says M2.
  it('run the head of the queue at the end of a coroutine, not its parent', async () => {
    const said = await order(
      (say) =>
        function* () {
          yield* go(brief(say, 'A'));
          yield* go(function* () {
            say('B1');
            yield;
            say('B2');
          });
          say('M1');
          yield* go(brief(say, 'C'));
          say('M2');
        },
    );
    expect(said).toBe('A1 B1 M1 C1 B2 M2');
  });
});

describe('an unbuffered channel', () => {
  // A waits in chr(x); [M]. M starts Y [M]: Y1, yields [M Y]. M says M1 and sends 7: A has it (5), A is resumed, then M
  // (3): [Y A M]. Y says Y2 and yields [A M Y]. A says its 7 and ends [M Y]. M says M2 and yields [Y M]. Y ends. M
  // ends.
  it('puts a waiting receiver ahead of the sender, and both behind who is ready already', async () => {
    const said = await order(
      (say) =>
        function* () {
          const x = yield* chmake(8);
          yield* go(function* () {
            say(`A:${yield* chr(x)}`);
          });
          yield* go(bystander(say, 'Y', 2));
          say('M1');
          yield* chs(x, 7);
          say('M2');
          yield;
        },
    );
    expect(said).toBe('Y1 M1 Y2 A:7 M2');
  });

  // A says A1, waits in chs(x); [M]. M starts Y [M]: Y1, yields [M Y]. M says M1 and receives: nothing is buffered, so
  // it takes the 5 from A; A is resumed, then M (3, 8): [Y A M]. Y says Y2 and yields [A M Y]. A says A2 and ends. M
  // says its 5.
  it('puts a waiting sender ahead of the receiver', async () => {
    const said = await order(
      (say) =>
        function* () {
          const x = yield* chmake(8);
          yield* go(function* () {
            say('A1');
            yield* chs(x, 5);
            say('A2');
          });
          yield* go(bystander(say, 'Y', 2));
          say('M1');
          say(`M:${yield* chr(x)}`);
        },
    );
    expect(said).toBe('A1 Y1 M1 Y2 A2 M:5');
  });

  // A yields before its chr(x): [M A]. M starts B [A M]: B waits first. A runs [M]: A waits second. M sends 1: B has it
  // (5); [B M]. B says 1 and ends [M]. M says M1 and sends 2: A has it, [A M]. A says 2. M says M2.
  it('serves receivers in the order in which they came to it, not that of their creation', async () => {
    const said = await order(
      (say) =>
        function* () {
          const x = yield* chmake(8);
          yield* go(function* () {
            yield;
            say(`A:${yield* chr(x)}`);
          });
          yield* go(function* () {
            say(`B:${yield* chr(x)}`);
          });
          yield* chs(x, 1);
          say('M1');
          yield* chs(x, 2);
          say('M2');
        },
    );
    expect(said).toBe('B:1 M1 A:2 M2');
  });

  // The same with senders. A yields [M A]; M starts B [A M]; B waits in chs(x) with 'B' first, A second. M receives:
  // B's 2 (5), B is resumed, then M: [B M]. B says B1 and ends. M says 2 and receives: A's 1, [A M]. A says A1. M says
  // 1.
  it('serves senders in the order in which they came to it', async () => {
    const said = await order(
      (say) =>
        function* () {
          const x = yield* chmake(8);
          yield* go(function* () {
            yield;
            yield* chs(x, 1);
            say('A1');
          });
          yield* go(function* () {
            yield* chs(x, 2);
            say('B1');
          });
          say(`M:${yield* chr(x)}`);
          say(`M:${yield* chr(x)}`);
        },
    );
    expect(said).toBe('B1 M:2 A1 M:1');
  });

  // M starts A: A waits in chr(x); [M]. M sends 1: [A M]. A says 1 and receives again: nobody sends, so A waits; [M].
  // M says M1 and sends 2: [A M]. A says 2 and waits. M says M2 and sends 3, the same. A says 3 and ends. M says M3.
  it('lets a sender and a receiver take turns', async () => {
    const said = await order(
      (say) =>
        function* () {
          const x = yield* chmake(8);
          yield* go(function* () {
            for (let i = 0; i < 3; i++) say(`A:${yield* chr(x)}`);
          });
          for (let i = 1; i <= 3; i++) {
            yield* chs(x, i);
            say(`M${i}`);
          }
        },
    );
    expect(said).toBe('A:1 M1 A:2 M2 A:3 M3');
  });
});

describe('a buffered channel', () => {
  // x has room for 1. M starts Y: Y1, yields [M Y]. M says M1 and sends 9: x(9), no peer, M is resumed all the same
  // (3): [Y M]. Y says Y2 and yields [M Y]. M says M2 and receives 9 from the buffer: x(), [Y M]. Y says Y3 and yields
  // [M Y]. M says its 9.
  it('suspends who sends or receives also when that can be done at once', async () => {
    const said = await order(
      (say) =>
        function* () {
          const x = yield* chmake(8, 1);
          yield* go(bystander(say, 'Y', 3));
          say('M1');
          yield* chs(x, 9);
          say('M2');
          say(`M:${yield* chr(x)}`);
        },
    );
    expect(said).toBe('Y1 M1 Y2 M2 Y3 M:9');
  });

  // x has room for 2.
  //   M starts A [M]: A sends 1: x(1) [M A].
  //   M says M1 and yields [A M].            A says A1, sends 2: x(1 2) [M A].
  //   M says M2 and yields [A M].            A says A2, sends 3: the buffer is full, so A waits: [M].
  //   M says M3 and receives 1: x(2), A's 3 moves up: x(2 3); A is resumed, then M (8): [A M].
  //                                          A says A3, sends 4: the buffer is full again, so A waits: [M].
  //   M says 1 and receives 2: x(3), A's 4 moves up: x(3 4); [A M].      A says A4 and ends: [M].
  //   M says 2 and receives 3: x(4) [M]; says 3, receives 4: x() [M]; says 4.
  it('moves the value of a blocked sender into the slot that a receiver frees, and wakes the sender', async () => {
    const said = await order(
      (say) =>
        function* () {
          const x = yield* chmake(8, 2);
          yield* go(function* () {
            for (let i = 1; i <= 4; i++) {
              yield* chs(x, i);
              say(`A${i}`);
            }
          });
          for (let i = 1; i <= 3; i++) {
            say(`M${i}`);
            if (i < 3) yield;
          }
          for (let i = 1; i <= 4; i++) say(`M:${yield* chr(x)}`);
        },
    );
    expect(said).toBe('M1 A1 M2 A2 M3 A3 M:1 A4 M:2 M:3 M:4');
  });

  // x has room for 3 and nobody has sent. M starts A: A waits in chr(x); [M]. M sends 1: it does not go into the buffer
  // but to A (5), [A M]. A says 1, receives again and waits: [M]. M says M1 and sends 2: to A, [A M]. A says 2, ends.
  it('hands a value to a waiting receiver past its buffer', async () => {
    const said = await order(
      (say) =>
        function* () {
          const x = yield* chmake(8, 3);
          yield* go(function* () {
            say(`A:${yield* chr(x)}`);
            say(`A:${yield* chr(x)}`);
          });
          yield* chs(x, 1);
          say('M1');
          yield* chs(x, 2);
          say('M2');
        },
    );
    expect(said).toBe('A:1 M1 A:2 M2');
  });
});

describe('choose', () => {
  // A waits in chs(y) with 4; [M]. M starts Y: Y1, yields [M Y]. M says M1 and chooses between x, where nobody is, and
  // y, which is ready: it takes A's 4; A is resumed, then M (3): [Y A M]. Y says Y2, yields. A says A1. M says clause
  // 1.
  it('takes the clause that is ready, and suspends behind its peer', async () => {
    const said = await order(
      (say) =>
        function* () {
          const [x, y] = [yield* chmake(8), yield* chmake(8)];
          yield* go(function* () {
            yield* chs(y, 4);
            say('A1');
          });
          yield* go(bystander(say, 'Y', 2));
          say('M1');
          const { index, value } = yield* choose({ in: x }, { in: y });
          say(`M:${index}=${value}`);
        },
    );
    expect(said).toBe('Y1 M1 Y2 A1 M:1=4');
  });

  // M starts Y: Y1, yields [M Y]. M says M1; nothing is ready, so otherwise, which suspends too (3): [Y M]. Y says Y2,
  // yields [M Y]. M says -1 and starts A [Y M]: A sends 3 on x, where M's clause is not any more: A waits. Y ends [M].
  // M says M2 and receives: A, then M: [A M]. A says A1. M says its 3.
  it('suspends also when it takes otherwise, and leaves no clause behind', async () => {
    const said = await order(
      (say) =>
        function* () {
          const x = yield* chmake(8);
          yield* go(bystander(say, 'Y', 2));
          say('M1');
          const { index } = yield* choose({ in: x }, { otherwise: true });
          say(`M:${index}`);
          yield* go(function* () {
            yield* chs(x, 3);
            say('A1');
          });
          say('M2');
          say(`M:${yield* chr(x)}`);
        },
    );
    expect(said).toBe('Y1 M1 Y2 M:-1 M2 A1 M:3');
  });

  // A waits in choose over x and y; [M]. M sends 1 on y: A has it and leaves x as well; A is resumed, then M: [A M]. A
  // says clause 1 and yields [M A]. M says M1 and starts B [A M]: B sends 2 on x, where nobody waits: B waits. A says
  // A1 and receives from x: B, then A: [M B A]. M says M2 and yields [B A M]. B says B1, ends. A says 2, ends. M says
  // M3.
  it('that waited in two clauses is out of both when one fires', async () => {
    const said = await order(
      (say) =>
        function* () {
          const [x, y] = [yield* chmake(8), yield* chmake(8)];
          yield* go(function* () {
            const { index, value } = yield* choose({ in: x }, { in: y });
            say(`A:${index}=${value}`);
            yield;
            say('A1');
            say(`A:${yield* chr(x)}`);
          });
          yield* chs(y, 1);
          say('M1');
          yield* go(function* () {
            yield* chs(x, 2);
            say('B1');
          });
          say('M2');
          yield;
          say('M3');
        },
    );
    expect(said).toBe('A:1=1 M1 A1 M2 B1 A:2 M3');
  });

  // A waits in chr(x), B in choose over x; [M]. M sends 1: A came first (5), [A M]. A says 1, ends. M says M1 and sends
  // 2: B, [B M]. B says clause 0 with 2. M says M2.
  it('queues with those who wait in chr', async () => {
    const said = await order(
      (say) =>
        function* () {
          const x = yield* chmake(8);
          yield* go(function* () {
            say(`A:${yield* chr(x)}`);
          });
          yield* go(function* () {
            const { index, value } = yield* choose({ in: x });
            say(`B:${index}=${value}`);
          });
          yield* chs(x, 1);
          say('M1');
          yield* chs(x, 2);
          say('M2');
        },
    );
    expect(said).toBe('A:1 M1 B:0=2 M2');
  });

  // A waits in choose with `out` of 6 on x and `in` of y; [M]. M receives from x: A's 6; A is resumed, then M: [A M].
  // A says clause 0. M says 6.
  it('that waits to send gives its value to who receives', async () => {
    const said = await order(
      (say) =>
        function* () {
          const [x, y] = [yield* chmake(8), yield* chmake(8)];
          yield* go(function* () {
            const { index } = yield* choose({ out: x, value: 6 }, { in: y });
            say(`A:${index}`);
          });
          say(`M:${yield* chr(x)}`);
        },
    );
    expect(said).toBe('A:0 M:6');
  });
});

describe('timers', () => {
  const race =
    (arrival: number): ((say: Say) => Body) =>
    (say) =>
      function* () {
        const x = yield* chmake(8);
        const start = yield* now();
        yield* go(function* () {
          yield* msleep(start + arrival);
          say('A1');
          yield* chs(x, 1);
          say('A2');
        });
        const { index } = yield* choose({ in: x }, { deadline: start + 10 });
        say(`M:${index}`);
        if (index === -1) say(`M:${yield* chr(x)}`);
        // Until behind the deadline, if it has not fired.
        yield* msleep(start + 20);
        say(`M@${(yield* now()) - start}`);
      };

  // A sleeps until T+9, M waits in choose. At T+9 A is ready: A1, sends: M has 1, M, then A: [M A]. M says clause 0 and
  // sleeps until T+20. A says A2. The timer of T+10 is gone, so nobody is ready before T+20: M@20.
  it('of a choose goes when a value comes 1 ms before its deadline', async () => {
    expect(await order(race(9))).toBe('A1 M:0 A2 M@20');
  });

  // A's timer was set before M's, and both fire at T+10, in that order (5): [A M], M with -1 and out of x. A says A1
  // and sends: nobody receives, so A waits: [M]. M says -1 and receives: A, then M: [A M]. A2. M says 1 and sleeps
  // until T+20.
  it('of a choose wins over a value that is sent at its deadline', async () => {
    expect(await order(race(10))).toBe('A1 M:-1 A2 M:1 M@20');
  });

  // M's fires alone at T+10: M says -1 and waits in chr(x). At T+11, A1; A sends: M has it; M, then A: [M A]. M says 1
  // and sleeps. A says A2.
  it('of a choose wins over a value that comes later', async () => {
    expect(await order(race(11))).toBe('M:-1 A1 M:1 A2 M@20');
  });

  // Set in this order: A for T+5, B for T+5, C for T+3, D for T+5, then M for T+5. At T+3, C. At T+5 the others, as
  // they were set (5): [A B D M].
  it('with the same deadline fire in the order in which they were set', async () => {
    const said = await order(
      (say) =>
        function* () {
          const start = yield* now();
          const sleepers: readonly (readonly [string, number])[] = [
            ['A', 5],
            ['B', 5],
            ['C', 3],
            ['D', 5],
          ];
          for (const [name, delay] of sleepers) {
            yield* go(function* () {
              yield* msleep(start + delay);
              say(`${name}@${(yield* now()) - start}`);
            });
          }
          yield* msleep(start + 5);
          say('M');
        },
    );
    expect(said).toBe('C@3 A@5 B@5 D@5 M');
  });

  // A deadline that has passed is a timer like any other: M, whose deadline is T, waits until the queue is empty. M
  // starts Y: Y1, yields [M Y]. M says M1, sleeps: [Y]. Y says Y2, yields [Y]. Y ends: nobody is ready, so the timers
  // are looked at (1): M says M2.
  it('that are over already fire when nobody else is ready', async () => {
    const said = await order(
      (say) =>
        function* () {
          const start = yield* now();
          yield* go(bystander(say, 'Y', 3));
          say('M1');
          yield* msleep(start);
          say('M2');
        },
    );
    expect(said).toBe('Y1 M1 Y2 Y3 M2');
  });

  // Each suspend is one switch (1); a go is none. The first is S's msleep, the second B's first yield, the third M's
  // first, and so on in turn. Behind 103 switches M has yielded 51 times and B 51 times. The next suspend is B's 52nd
  // yield: B is queued, [M B], then the poll moves time to T+1, where S is due (4): [M B S]. M comes out of its 51st
  // yield and does the 52nd, [B S M]; B does its 53rd, [S M B]; S says how often both have yielded.
  it('are polled at the suspend after 103 switches, so a busy pair does not starve a sleeper', async () => {
    const said = await order(
      (say) =>
        function* () {
          const yields = { B: 0, M: 0 };
          let awake = false;
          const start = yield* now();
          yield* go(function* () {
            yield* msleep(start + 1);
            awake = true;
            say(`S: B${yields.B} M${yields.M}`);
          });
          yield* go(function* () {
            while (!awake) {
              yields.B += 1;
              yield;
            }
          });
          while (!awake) {
            yields.M += 1;
            yield;
          }
          say(`M@${(yield* now()) - start}`);
        },
    );
    expect(said).toBe('S: B53 M52 M@1');
  });

  // A wait for timers starts the count of 103 anew (1, 4). M yields 50 times alone, which is 50 switches, and sleeps
  // until T+1, which ends in a wait and a switch back to M: 1 since. S is started and sleeps until T+2: 2. M's next
  // 101 yields make 103, so it is the 102nd at which the poll is, and S is queued behind M, which was resumed first:
  // [M S]. M yields for the 103rd time, [S M], and S says so.
  it('are polled 103 switches behind the last wait, not 103 behind the last poll', async () => {
    const said = await order(
      (say) =>
        function* () {
          let awake = false;
          let count = 0;
          const start = yield* now();
          for (let i = 0; i < 50; i++) yield;
          yield* msleep(start + 1);
          yield* go(function* () {
            yield* msleep(start + 2);
            awake = true;
            say(`S: M${count}`);
          });
          while (!awake) {
            count += 1;
            yield;
          }
        },
    );
    expect(said).toBe('S: M103');
  });

  // The first call is M's `start`. Calls 2 to 999 see T too; the 1,000th moves time on (4), and so does the 2,000th.
  it('see time move on at each 1,000th now()', async () => {
    const said = await order(
      (say) =>
        function* () {
          const start = yield* now();
          let last = start;
          for (let calls = 2; calls <= 2500; calls++) {
            const time = yield* now();
            if (time !== last) say(`${calls}:${time - last}`);
            last = time;
          }
        },
    );
    expect(said).toBe('1000:1 2000:1');
  });

  // Those 1,000 calls are counted without a poll in between (4). M makes 600 calls, then yields alone 104 times: the
  // last one polls, which moves time to T+1 and starts the count anew. So the next call to move it is the 1,000th
  // behind that.
  it('see a poll start the count of now() anew', async () => {
    const said = await order(
      (say) =>
        function* () {
          const start = yield* now();
          for (let calls = 2; calls <= 600; calls++) yield* now();
          for (let i = 0; i < 104; i++) yield;
          let last = start;
          for (let calls = 1; calls <= 1500; calls++) {
            const time = yield* now();
            if (time !== last) say(`${calls}:${time - last}`);
            last = time;
          }
        },
    );
    expect(said).toBe('1:1 1000:1');
  });
});

describe('chdone', () => {
  // A, B and C wait in chr(x), C in a choose; [M]. M says M1; chdone wakes all three and does not suspend (3, 7):
  // [A B C]. M says M2, which is before anybody else runs, and yields [A B C M]. Each says 9. M receives: 9 at once,
  // and says it.
  it('wakes all receivers in their order, and goes on itself', async () => {
    const said = await order(
      (say) =>
        function* () {
          const x = yield* chmake(8);
          const receiver = (name: string): Body =>
            function* () {
              say(`${name}:${yield* chr(x)}`);
            };
          yield* go(receiver('A'));
          yield* go(receiver('B'));
          yield* go(function* () {
            const { index, value } = yield* choose({ in: x });
            say(`C:${index}=${value}`);
          });
          say('M1');
          yield* chdone(x, 9);
          say('M2');
          yield;
          say(`M:${yield* chr(x)}`);
        },
    );
    expect(said).toBe('M1 M2 A:9 B:9 C:0=9 M:9');
  });

  // x has room for 2: x(1 2), then it is done with 9. A, started then, takes 1: x(2), [M A]; M takes 2: x(), [A M]; A
  // says 1 and receives 9, which is not in the buffer (7): [M A]. M says 2, receives 9, and so on: nobody ever waits.
  it('has its value given out behind those in the buffer, again and again', async () => {
    const said = await order(
      (say) =>
        function* () {
          const x = yield* chmake(8, 2);
          yield* chs(x, 1);
          yield* chs(x, 2);
          yield* chdone(x, 9);
          const receiver = function* (name: string, channel: Channel) {
            for (let i = 0; i < 3; i++) say(`${name}:${yield* chr(channel)}`);
          };
          yield* go(() => receiver('A', x));
          yield* receiver('M', x);
        },
    );
    expect(said).toBe('A:1 M:2 A:9 M:9 A:9 M:9');
  });
});

describe('a program of the fixtures', () => {
  // 10,000 coroutines with two pages each.
  const MEMORY = 128 << 20;

  const play = async (name: string) => {
    const cpu = openCpu({ memory: MEMORY });
    try {
      const process = new Process(cpu, libmill(), await loadFixture(name), [name]);
      const written = listen(process);
      const { status } = await ending(process, process.run(20_000_000));
      return { output: written.join(''), status, moment: cpu.moment };
    } finally {
      cpu.close();
    }
  };

  it.each(fixturePrograms('.s'))(
    'does what %s promises, and the same instructions when it is run again',
    async (name) => {
      const first = await play(name);
      const { output, status } = promised(name);
      expect(first).toEqual({ output, status, moment: first.moment });
      expect(await play(name)).toEqual(first);
    },
  );
});
