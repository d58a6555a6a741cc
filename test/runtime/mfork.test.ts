/** Processes: fork() and mfork(), how children end, and what of them their parents see. */
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Image } from '../../asm/image.js';
import { openCpu } from '../../emu/open.js';
import { recordSwitches, type SwitchRecord } from '../../inspect/switches.js';
import type { Body } from '../../runtime/bodies.js';
import { libmill } from '../../runtime/libmill.js';
import { call, callForBytes, go, msleep, now, print } from '../../runtime/operations.js';
import { type Outcome, Process } from '../../runtime/process.js';
import { assemble, listen, withProcess } from './guest.js';

/** Runs to the end of everything. @returns all outcomes, the last one being the first process's */
function runAll(process: Process, run = () => process.run(10_000_000)): Outcome[] {
  const outcomes: Outcome[] = [];
  for (;;) {
    const outcome = run();
    if (outcome.kind === 'paused') continue;
    outcomes.push(outcome);
    if (outcome.kind !== 'child') return outcomes;
  }
}

async function runForks(program: string | Image | Body) {
  return withProcess(program, (process) => {
    const written = listen(process);
    const outcomes = runAll(process);
    return { outcomes, output: written.join('') };
  });
}

const ended = (id: number, outcome: object) => ({ kind: 'child', id, ended: outcome });
const exit = (status: number) => ({ kind: 'exit', status });

/** A body that forks: `child` ends with exit(), `parent` is given the status that waitpid() has. */
function forking(child: Body, parent: (status: number, id: number) => ReturnType<Body>, fork = 'mill_mfork_'): Body {
  return function* () {
    const id = Number(BigInt.asIntN(32, yield* call(fork)));
    if (id === 0) {
      yield* call('exit', Number((yield* child()) ?? 0));
    }
    return yield* parent(yield* statusOf(id), id);
  };
}

function* statusOf(id: number) {
  const to = yield* call('calloc', 1, 4);
  if (Number(BigInt.asIntN(32, yield* call('waitpid', id, to, 0))) !== id) return -1;
  const bytes = yield* callForBytes(4, 'realloc', to, 4);
  return new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true);
}

// Two children within each other, each saying its number before and after; the status is the sum.
const NESTED = `
main:   push %rbx
        mov $'0', %ebx
next:   call say
        cmp $'2', %ebx
        je out
        call fork
        test %eax, %eax
        jnz parent
        inc %ebx
        jmp next
parent: sub $16, %rsp
        mov %eax, %edi
        mov %rsp, %rsi
        xor %edx, %edx
        call waitpid
        movzbl 1(%rsp), %eax
        add $16, %rsp
        push %rax
        push %rax
        call say
        pop %rax
        pop %rax
        add $10, %eax
        pop %rbx
        ret
out:    mov $3, %eax
        pop %rbx
        ret
say:    push %rbx
        mov $1, %edi
        mov %rsp, %rsi
        mov $1, %edx
        call write
        pop %rbx
        ret
`;
const NESTED_ENDS = [ended(3, exit(3)), ended(2, exit(13)), exit(23)];

/** The list of coroutines that are ready. */
const READY = libmill().symbol('mill_ready');

describe('fork()', () => {
  it('runs a child to its end, then its parent; each outcome is told', async () => {
    expect(await runForks(NESTED)).toEqual({ outcomes: NESTED_ENDS, output: '01210' });
  });

  it('takes the same course step by step, whatever the steps are', async () => {
    const image = await assemble(NESTED);
    const course = (advance: (process: Process) => Outcome) =>
      withProcess(image, (process) => {
        const written: [string, number][] = [];
        process.on('output', ({ bytes }) => written.push([new TextDecoder().decode(bytes), process.cpu.moment]));
        const outcomes: Outcome[] = [];
        for (;;) {
          const outcome = advance(process);
          if (outcome.kind === 'limit') continue;
          outcomes.push(outcome);
          if (outcome.kind !== 'child') return { outcomes, written, moment: process.cpu.moment };
        }
      });
    const whole = await course((process) => process.run());
    expect(whole.outcomes).toEqual(NESTED_ENDS);
    expect(whole.written.map(([text]) => text).join('')).toBe('01210');
    expect(await course((process) => process.step())).toEqual(whole);
    expect(await course((process) => process.step(7, () => {}))).toEqual(whole);
    expect(await course((process) => process.step(100_000))).toEqual(whole);
    expect(await course((process) => process.run(process.cpu.moment + 1))).toEqual(whole);
    expect(await course((process) => process.run(process.cpu.moment + 11))).toEqual(whole);
  });

  it('visits all instructions but those that fork or end a process', async () => {
    await withProcess(NESTED, (process) => {
      let visits = 0;
      runAll(process, () => process.step(1000, () => visits++));
      // Two forks, three ends
      expect(visits).toBe(process.cpu.moment - 5);
    });
  });

  it('is in snapshots: taken at any moment, they go on in another machine to the same end', async () => {
    const image = await assemble(NESTED);
    const whole = await withProcess(image, (process) => {
      const written = listen(process);
      const outcomes = runAll(process);
      return { outcomes, output: written.join(''), moment: process.cpu.moment };
    });
    for (let moment = 0; moment <= whole.moment; moment += 13) {
      await withProcess(image, async (process) => {
        const before = listen(process);
        const first: Outcome[] = [];
        for (let outcome = process.run(moment); outcome.kind === 'child'; outcome = process.run(moment))
          first.push(outcome);
        const saved = process.save();
        const finish = (other: Process) => {
          const after = listen(other);
          const outcomes = [...first, ...runAll(other)];
          return { outcomes, output: [...before, ...after].join(''), moment: other.cpu.moment };
        };
        await withProcess(image, (fresh) => {
          fresh.restore(saved);
          expect(finish(fresh), `from ${moment} in another machine`).toEqual(whole);
          // Back into a child that has long ended, and whose parent too
          fresh.restore(saved);
          expect(finish(fresh), `from ${moment} once more`).toEqual(whole);
        });
      });
    }
  });

  it('is in snapshots that are taken when a child has just ended', async () => {
    await withProcess(NESTED, async (process) => {
      expect(process.run()).toEqual(NESTED_ENDS[0]);
      const saved = process.save();
      await withProcess(process.images[1], (fresh) => {
        fresh.restore(saved);
        expect(runAll(fresh)).toEqual(NESTED_ENDS.slice(1));
      });
    });
  });

  it('ends everything when children nest too deeply', async () => {
    const program = `main: sub $8, %rsp\nmore: movl $'.', (%rsp)\n mov $1, %edi\n mov %rsp, %rsi\n mov $1, %edx
      call write\n call fork\n test %eax, %eax\n jz more\n ud2`;
    await withProcess(program, (process) => {
      const written = listen(process);
      const outcome = process.run();
      expect(outcome).toMatchObject({ kind: 'error', error: { name: 'TooManyProcesses' } });
      expect(outcome.kind === 'error' && outcome.error.message).toMatch(
        /forked too often: there are 8 processes within/,
      );
      // The first one, and 8 within each other.
      expect(written.join('')).toBe('.'.repeat(9));
      expect(process.run()).toEqual(outcome);
    });
  });

  it('ends everything when there are 1000 processes', async () => {
    const { outcomes } = await runForks(
      'main: sub $8, %rsp\nmore: call fork\n test %eax, %eax\n jnz more\n xor %edi, %edi\n call _exit',
    );
    expect(outcomes.length).toBe(1000);
    expect(outcomes[998]).toEqual(ended(1000, exit(0)));
    expect(outcomes[999]).toMatchObject({ kind: 'error', error: { name: 'TooManyProcesses' } });
    expect(outcomes[999]).toMatchObject({ error: { message: expect.stringContaining('1000 processes in one run') } });
  });

  it('is not disturbed by what the program does to the runtime: ids, a damaged heap, a ready list that is a circle', async () => {
    const child = (text: string) => `main: sub $24, %rsp\n ${text}\nparent: mov %eax, %edi\n lea 8(%rsp), %rsi
      xor %edx, %edx\n call waitpid\n mov 9(%rsp), %edi\n call _exit`;
    const forked = 'call fork\n test %eax, %eax\n jnz parent\n';
    const leave = 'mov $6, %edi\n call _exit';
    for (const text of [
      `${forked} movl $4000000, __process_id(%rip)\n ${leave}`,
      `mov $16, %edi\n call malloc\n mov %rax, (%rsp)\n mov %rax, %rdi\n call free\n mov (%rsp), %rax
       movq $1, (%rax)\n movq $-1, -8(%rax)\n ${forked} ${leave}`,
      `lea 16(%rsp), %rax\n mov %rax, (%rax)\n mov $${READY}, %ecx
       mov %rax, (%rcx)\n mov %rax, 8(%rcx)
       call mill_mfork_\n test %eax, %eax\n jnz parent\n ${leave}`,
    ]) {
      const { outcomes } = await runForks(child(text));
      expect(outcomes).toEqual([{ ...ended(2, exit(6)), id: expect.any(Number) }, exit(6)]);
    }
  });
});

it('tells each process its parent, which the first one has not', async () => {
  // main ends with 16 × its own parent, to which the child's is added: 1.
  const { outcomes } = await runForks(`main: sub $24, %rsp\n call fork\n test %eax, %eax\n jnz parent
    call getppid\n mov %eax, %edi\n call _exit
parent: mov %eax, %edi\n lea 8(%rsp), %rsi\n xor %edx, %edx\n call waitpid
    call getppid\n shl $4, %eax\n movzbl 9(%rsp), %ecx\n add %ecx, %eax\n add $24, %rsp\n ret`);
  expect(outcomes).toEqual([ended(2, exit(1)), exit(1)]);
});

describe('how a child ends', () => {
  // The status as waitpid() has it: an exit status in its second byte, a signal of signal(7) in its first one.
  const program = (child: string) => `main: sub $24, %rsp\n call fork\n test %eax, %eax\n jnz parent\n ${child}
parent: mov %eax, %edi\n lea 8(%rsp), %rsi\n xor %edx, %edx\n call waitpid\n mov 8(%rsp), %eax
        movzbl %ah, %ecx\n or %ecx, %eax\n add $24, %rsp\n ret`;
  it.each([
    ['by exit', 'mov $263, %edi\n call exit', exit(7), 7],
    ['by _exit', 'mov $-1, %edi\n call _exit', exit(255), 255],
    ["by Linux's own exit_group", 'mov $231, %eax\n mov $9, %edi\n syscall', exit(9), 9],
    ['by return', 'mov $5, %eax\n add $24, %rsp\n ret', exit(5), 5],
    ['by abort', 'call abort', { kind: 'abort' }, 6],
    [
      'by a panic',
      'xor %edi, %edi\n xor %esi, %esi\n call mill_chclose_',
      { kind: 'error', error: { name: 'Panic' } },
      6,
    ],
    ['by a deadlock', 'mov $-1, %rdi\n xor %esi, %esi\n call mill_msleep_', { error: { name: 'Deadlock' } }, 6],
    ['by a page fault', 'mov %eax, 0', { kind: 'fault', fault: { kind: 'page fault' } }, 11],
    ['by a privileged instruction', 'hlt', { fault: { kind: 'general protection fault' } }, 11],
    ['by a division by zero', 'xor %ecx, %ecx\n xor %edx, %edx\n div %ecx', { fault: { kind: 'divide error' } }, 8],
    ['by an invalid instruction', 'ud2', { fault: { kind: 'invalid instruction' } }, 4],
    ['by a breakpoint', 'int3', { fault: { kind: 'breakpoint' } }, 5],
  ])('%s is told, and its parent goes on and learns of it', async (_, child, outcome, status) => {
    const { outcomes } = await runForks(program(child));
    expect(outcomes).toMatchObject([{ kind: 'child', id: 2, ended: outcome }, exit(status)]);
  });

  it('can be the limit, which counts through all processes and can be raised', async () => {
    await withProcess(program('mov $1000, %ecx\nspin: loop spin\n xor %edi, %edi\n call _exit'), (process) => {
      expect(process.run(500)).toEqual({ kind: 'limit' });
      expect(process.cpu.moment).toBe(500);
      expect(process.mill.processes.id).toBe(2);
      expect(process.run(500)).toEqual({ kind: 'limit' });
      expect(process.run(2000)).toEqual(ended(2, exit(0)));
      expect(process.run(2000)).toEqual(exit(0));
      expect(process.cpu.moment).toBeGreaterThan(1000);
      expect(process.mill.processes.id).toBe(1);
    });
  });
});

describe('wait() and waitpid()', () => {
  const ECHILD = 10;
  const EINVAL = 22;
  const int = (value: bigint) => Number(BigInt.asIntN(32, value));
  function* errno() {
    return new DataView((yield* callForBytes(4, '__errno_location')).slice().buffer).getInt32(0, true);
  }
  function* child(status: number) {
    const id = int(yield* call('fork'));
    if (id === 0) yield* call('_exit', status);
    return id;
  }

  it('find children by their ids, whoever ended first, and nobody twice', async () => {
    const results: number[] = [];
    await runForks(function* () {
      results.length = 0;
      for (let status = 0; status < 5; status++) results.push(yield* child(status));
      results.push(yield* statusOf(4));
      results.push(int(yield* call('wait', 0)));
      results.push(int(yield* call('waitpid', 5, 0, 1)));
      results.push(int(yield* call('waitpid', -1, 0, 0)));
      results.push(int(yield* call('waitpid', 0, 0, 0)));
      for (const id of [4, 2, 1, 7, 1000, 1001, 2 ** 31 - 1, -1]) {
        results.push(int(yield* call('waitpid', id, 0, 0)), yield* errno());
      }
      results.push(int(yield* call('waitpid', -1, 0, 4)), yield* errno());
    });
    const none = Array.from({ length: 8 }, () => [-1, ECHILD]).flat();
    expect(results).toEqual([2, 3, 4, 5, 6, 2 << 8, 2, 5, 3, 6, ...none, -1, EINVAL]);
  });

  it("know a process's own children only, and number all in the order in which they were made", async () => {
    const { outcomes, output } = await runForks(function* () {
      yield* child(1);
      const id = int(yield* call('fork'));
      if (id === 0) {
        const grandchild = yield* child(2);
        const waited = [int(yield* call('wait', 0)), int(yield* call('wait', 0))];
        yield* print(`${grandchild}: ${waited};`);
        yield* call('_exit', 3);
      }
      const waited = [int(yield* call('wait', 0)), int(yield* call('wait', 0)), int(yield* call('wait', 0))];
      yield* print(`${id}: ${waited}; ${yield* child(4)}`);
    });
    expect(output).toBe('4: 4,-1;3: 2,3,-1; 5');
    expect(outcomes).toEqual([ended(2, exit(1)), ended(4, exit(2)), ended(3, exit(3)), ended(5, exit(4)), exit(0)]);
  });
});

describe('the memory of a child', () => {
  /** What the child does, and what its parent prints then. */
  const both = async (child: Body, parent: Body, before: Body = function* () {}, fork = 'fork') => {
    const { output } = await runForks(function* () {
      yield* before();
      yield* forking(
        child,
        function* () {
          yield* parent();
        },
        fork,
      )();
      // Time for those who sleep.
      yield* msleep((yield* now()) + 50);
    });
    return output;
  };
  it('has a time of its own, which passes for its parent too as it waits', async () => {
    let start = 0;
    const printNow: Body = function* () {
      yield* print(`${(yield* now()) - start};`);
    };
    const late: Body = function* () {
      yield* msleep(start + 1000);
      yield* printNow();
    };
    const begin: Body = function* () {
      start = yield* now();
    };
    expect(await both(late, printNow, begin)).toBe('1000;1000;');
  });

  it('has a heap that is its own', async () => {
    let block = 0n;
    const output = await both(
      function* () {
        // Twice would be noticed in one heap.
        yield* call('free', block);
        yield* print(`${(yield* call('malloc', 100)) !== 0n};`);
      },
      function* () {
        yield* call('free', block);
        yield* print('freed;');
      },
      function* () {
        block = yield* call('malloc', 100);
      },
    );
    expect(output).toBe('true;freed;');
  });

  it('has buffers of output that begin as copies', async () => {
    const put = (text: string): Body =>
      function* () {
        yield* call('printf', text);
      };
    expect(await both(put('child\n'), put('parent\n'), put('both '))).toBe('both child\nboth parent\n');
    const lost: Body = function* () {
      yield* call('printf', 'lost');
      yield* call('_exit', 0);
    };
    expect(await both(lost, put('parent\n'), put('one '))).toBe('one parent\n');
  });

  const others: Body = function* () {
    yield* go(function* () {
      yield;
      yield* print('ready;');
    });
    yield* go(function* () {
      yield* msleep((yield* now()) + 10);
      yield* print('asleep;');
    });
    // The first one is ready again, having yielded in its turn.
    yield* go(function* () {
      yield;
      yield* print('new;');
    });
  };
  const sleeping = (who: string): Body =>
    function* () {
      yield* msleep((yield* now()) + 30);
      yield* print(`${who};`);
    };

  it('has all coroutines behind fork(), and behind mfork() only the one that forked', async () => {
    const run = 'new;asleep;';
    const all = await both(sleeping('child'), sleeping('parent'), others, 'fork');
    expect(all).toBe(`ready;${run}child;${run}parent;`);
    const one = await both(sleeping('child'), sleeping('parent'), others, 'mill_mfork_');
    expect(one).toBe(`ready;child;${run}parent;`);
  });

  it('has bodies of its own, which may go other ways and have others', async () => {
    const busy: Body = function* () {
      for (const name of ['x', 'y']) {
        yield* go(function* () {
          yield;
          yield* print(name);
        });
      }
      yield;
      yield;
    };
    expect(await both(busy, busy, busy)).toBe('xyxyxy');
    expect(await both(busy, busy, others, 'mill_mfork_')).toMatch(/^ready;xynew;xyasleep;$/);
  });

  it('waits on the real clock as its parent does', async () => {
    const body = forking(sleeping('child'), sleeping('parent') as () => ReturnType<Body>, 'fork');
    const cpu = openCpu({ memory: 64 << 20 });
    const process = new Process(cpu, libmill(), body, ['guest'], { clock: 'real' });
    const written = listen(process);
    const kinds: string[] = [];
    for (;;) {
      const { kind } = process.run();
      if (kinds.at(-1) !== kind) kinds.push(kind);
      if (kind === 'exit') break;
      if (kind === 'waiting') await setTimeout(1);
    }
    cpu.close();
    expect(written.join('')).toBe('child;parent;');
    expect(kinds).toEqual(['waiting', 'child', 'waiting', 'exit']);
  });
});

describe('the switches of a run that forks', () => {
  const yields = (count: number): Body =>
    function* () {
      yield* go(function* () {
        yield;
      });
      for (let i = 0; i < count; i++) yield;
    };
  const watch = async (childYields: number) => {
    const records: (SwitchRecord & { process: number })[] = [];
    const body: Body = function* () {
      yield* yields(3)();
      yield* forking(
        yields(childYields),
        function* () {
          yield* yields(4)();
        },
        'fork',
      )();
    };
    await withProcess(body, (process) => {
      recordSwitches(process, (record) => records.push({ ...record, process: process.mill.processes.id }));
      runAll(process);
    });
    return records;
  };

  it('are numbered and timed through all processes, and each has its own course', async () => {
    const records = await watch(5);
    expect(records.map(({ number }) => number)).toEqual(records.map((_, index) => index + 1));
    for (const [index, { at, instructions, stackUse, process, from, kind }] of records.entries()) {
      const before = records[index - 1];
      if (before !== undefined) expect(at).toBeGreaterThan(before.at);
      expect(instructions).toBeGreaterThan(0);
      expect(stackUse).toBeGreaterThan(0);
      if (before?.process === process) expect([from, kind]).toEqual([before.to, kind]);
    }
    expect(new Set(records.map(({ process }) => process))).toEqual(new Set([1, 2]));
  });

  it("are in the parent the same whatever its child has done, the restored coroutine's slots included", async () => {
    const parents = async (childYields: number) => {
      const records = (await watch(childYields)).filter(({ process }) => process === 1);
      return records.map(({ number, at, ...rest }) => rest);
    };
    const calm = await parents(0);
    expect(calm.length).toBeGreaterThan(6);
    expect(await parents(9)).toEqual(calm);
  });
});
