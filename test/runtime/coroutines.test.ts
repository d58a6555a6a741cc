import { describe, expect, it } from 'vitest';
import { PAGE_SIZE } from '../../emu/memory.js';
import { openCpu } from '../../emu/open.js';
import { MILL_CR } from '../../runtime/layout.js';
import { libmill } from '../../runtime/libmill.js';
import { chclose, chmake, chrBytes, chs, go, print } from '../../runtime/operations.js';
import { Process } from '../../runtime/process.js';
import { regionAt } from '../../runtime/region.js';
import { assemble, listen, run, withProcess } from './guest.js';

const EXIT_0 = { kind: 'exit', status: 0 };

describe('go and yield', () => {
  // By the rules: go queues the parent and runs the child at once; yield queues oneself behind all others.
  it('runs the child before the parent goes on, and takes turns first come, first served', async () => {
    const { output, outcome } = await run(`
main:   push %rbx
        mov $'1', %edi
        call putchar
        go child
        mov $'3', %edi
        call putchar
        xor %edi, %edi
        call mill_yield_
        mov $'5', %edi
        call putchar
        xor %eax, %eax
        pop %rbx
        ret
child:  push %rbx
        mov $'2', %edi
        call putchar
        xor %edi, %edi
        call mill_yield_
        mov $'4', %edi
        call putchar
        pop %rbx
        ret`);
    expect({ output, outcome }).toEqual({ output: '12345', outcome: EXIT_0 });
  });

  it('goes on alone when there is nobody to yield to', async () => {
    const { output } = await run(`
main:   push %rbx
        xor %edi, %edi
        call mill_yield_
        mov $'x', %edi
        call putchar
        xor %eax, %eax
        pop %rbx
        ret`);
    expect(output).toBe('x');
  });

  it('gives a new coroutine a stack that is aligned as the System V ABI wants it', async () => {
    const { outcome } = await run(`
main:   push %rbx
        go child
        mov aligned(%rip), %eax
        pop %rbx
        ret
child:  lea 8(%rsp), %rax
        and $15, %eax
        mov %eax, aligned(%rip)
        ret
        .bss
aligned: .zero 4`);
    expect(outcome).toEqual(EXIT_0);
  });

  it('makes a coroutine as libmill lays it out: stack, valbuf, mill_cr, up to the end of the block', async () => {
    await withProcess('main: go child\n ret\nchild: xor %edi, %edi\n call mill_yield_\n ret', (process) => {
      process.on('switched', () => process.cpu.stop());
      process.run();
      const [main, child] = [...process.mill.census.all()];
      const { low, high } = process.mill.coroutines.stackOf(child);
      const blockEnd = child + MILL_CR.size;
      expect(main).toBe(process.mill.coroutines.main);
      expect(blockEnd % PAGE_SIZE).toBe(0);
      expect(high).toBe(blockEnd - 248 - 128);
      // 256 KiB - 256 bytes, rounded up to pages; the guard page is below.
      expect(blockEnd - low).toBe(256 * 1024);
      const words = (address: number) => regionAt(process, address);
      expect(words(low - 1)).toBe('the guard page below the stack of coroutine 1');
      expect(words(low)).toBe('the stack of coroutine 1');
      expect(words(high)).toBe('the valbuf of coroutine 1');
      expect(words(child)).toBe('the mill_cr of coroutine 1');
      expect(process.cpu.memory.protectionAt(low - 1)).toBeUndefined();
      expect(process.cpu.memory.protectionAt(low)).toBe('rw-');
    });
  });
});

/** goprepare(count, 4096, 128), then `coroutines` coroutines that are all alive together before the first one ends. */
const prepared = (count: number, coroutines: number): string => `
main:   push %rbx
        mov $${count}, %edi
        mov $4096, %esi
        mov $128, %edx
        call mill_goprepare_
        mov $${coroutines}, %ebx
1:      go child
        dec %ebx
        jnz 1b
        movl $1, released(%rip)
        xor %edi, %edi
        call mill_yield_
        xor %eax, %eax
        pop %rbx
        ret
child:  sub $8, %rsp
2:      xor %edi, %edi
        call mill_yield_
        cmpl $0, released(%rip)
        je 2b
        add $8, %rsp
        ret
        .bss
released: .zero 4`;

describe('stacks', () => {
  const cached = async (program: string): Promise<number> =>
    withProcess(program, (process) => {
      expect(process.run(1_000_000)).toEqual(EXIT_0);
      return process.cpu.memory.u32(Number(process.symbol('mill_num_cached_stacks')));
    });

  it('keeps as many freed stacks as goprepare made, and releases the others', async () => {
    expect(await cached(prepared(3, 2))).toBe(3);
    expect(await cached(prepared(3, 9))).toBe(3);
  });

  it('keeps 64 without goprepare', async () => {
    const many = prepared(0, 100).replace('call mill_goprepare_', 'nop');
    expect(await cached(many)).toBe(64);
  });

  it('gives goprepare its stack size: what was asked for, valbuf and mill_cr, in whole pages', async () => {
    await withProcess(prepared(3, 2), (process) => {
      process.run(1_000_000);
      // 4096 + 128 + 248 bytes are two pages; the guard page is a third.
      expect(process.mill.stacks.blockSize).toBe(3 * PAGE_SIZE);
    });
  });

  it('refuses goprepare with EAGAIN while there are coroutines', async () => {
    const { outcome } = await run(`
main:   push %rbx
        go child
        mov $2, %edi
        mov $4096, %esi
        mov $128, %edx
        call mill_goprepare_
        call __errno_location
        mov (%rax), %eax
        pop %rbx
        ret
child:  xor %edi, %edi
        jmp mill_yield_`);
    expect(outcome).toEqual({ kind: 'exit', status: 11 });
  });

  it('answers ENOMEM when goprepare asks for more than there is, and goes on with the old size', async () => {
    const { outcome, output } = await run(
      `
main:   push %rbx
        mov $1000, %edi
        mov $1048576, %esi
        mov $128, %edx
        call mill_goprepare_
        go child
        call __errno_location
        mov (%rax), %eax
        pop %rbx
        ret
child:  mov $'c', %edi
        jmp putchar`,
      undefined,
      64 << 20,
    );
    expect({ outcome, output }).toEqual({ outcome: { kind: 'exit', status: 12 }, output: 'c' });
  });

  it('panics as libmill does when there is no memory for another stack', async () => {
    const { outcome } = await run(prepared(0, 300).replace('call mill_goprepare_', 'nop'), undefined, 64 << 20);
    expect(outcome).toMatchObject({
      kind: 'error',
      error: { name: 'Panic', message: 'not enough memory to allocate coroutine stack' },
    });
  });

  it('stops a stack overflow at the guard page, at the instruction that hit it', async () => {
    await withProcess('main: go deep\n ret\ndeep: push %rax\n jmp deep', (process) => {
      const outcome = process.run(1_000_000);
      const { low, high } = process.mill.coroutines.stackOf(process.mill.coroutines.running);
      expect(outcome).toEqual({
        kind: 'fault',
        fault: { kind: 'page fault', rip: process.symbol('deep'), access: 'write', target: BigInt(low - 8) },
      });
      expect(process.cpu.read('rsp')).toBe(BigInt(low));
      expect(high - low).toBeLessThan(256 * 1024);
    });
  });

  it('goes on with the old valbuf as well when goprepare finds no memory', async () => {
    const { outcome } = await run(
      `
main:   push %rbx
        mov $1000, %edi
        mov $1048576, %esi
        mov $524288, %edx
        call mill_goprepare_
        go child
        mov fits(%rip), %eax
        pop %rbx
        ret
child:  push %rax
        pop %rax
        movl $0, fits(%rip)
        ret
        .data
fits:   .long 1`,
      undefined,
      64 << 20,
    );
    expect(outcome).toEqual(EXIT_0);
  });

  it('refuses what goprepare cannot mean', async () => {
    const errno = async (count: string, stack: string): Promise<unknown> => {
      const { outcome } = await run(`
main:   push %rbx
        mov $${count}, %edi
        mov $${stack}, %rsi
        mov $128, %edx
        call mill_goprepare_
        call __errno_location
        mov (%rax), %eax
        pop %rbx
        ret`);
      return outcome;
    };
    expect(await errno('-1', '4096')).toEqual({ kind: 'exit', status: 22 });
    expect(await errno('1', '0x100000000')).toEqual({ kind: 'exit', status: 12 });
  });

  it('reports a stack pointer above its stack, in its own valbuf', async () => {
    const { outcome } = await run('main: go up\n ret\nup: add $128, %rsp\n xor %edi, %edi\n jmp mill_yield_');
    expect(outcome).toMatchObject({ kind: 'error', error: { name: 'StackEscape', coroutine: 1 } });
  });

  it('leaves the heap as it was when coroutines, their large valbufs and their texts are gone', async () => {
    const inUse = async (rounds: number): Promise<number> =>
      withProcess(
        function* () {
          const channel = yield* chmake(5000);
          for (let i = 0; i < rounds; i++) {
            yield* go(function* () {
              yield* chrBytes(channel);
              yield* print('x');
            });
            yield* chs(channel, new Uint8Array(5000));
            yield;
          }
          yield* chclose(channel);
        },
        (process) => {
          expect(process.run()).toEqual(EXIT_0);
          return process.mill.heap.end;
        },
      );
    expect(await inUse(100)).toBe(await inUse(3));
  });

  it('reports a stack pointer that left its stack other than by a switch', async () => {
    const { outcome } = await run(`
main:   go thief
        ret
thief:  mov thief_stack(%rip), %rax
        lea elsewhere_top(%rip), %rsp
        xor %edi, %edi
        call mill_yield_
        hlt
        .bss
thief_stack: .zero 8
        .zero 4096
elsewhere_top: .zero 8`);
    expect(outcome).toMatchObject({ kind: 'error', error: { name: 'StackEscape', coroutine: 1 } });
    expect(outcome.kind === 'error' && outcome.error.message).toMatch(
      /the stack pointer of coroutine 1 is 0x[0-9a-f]+, outside its stack 0x[0-9a-f]+-0x[0-9a-f]+/,
    );
  });
});

describe('what cannot go on', () => {
  it('is an end of the main coroutine by mill_epilogue_', async () => {
    const { outcome } = await run('main: call mill_epilogue_');
    expect(outcome).toMatchObject({ kind: 'error', error: { name: 'MillError' } });
  });

  it('is a system call that is none of the doors', async () => {
    const { outcome } = await run('main: mov $20000, %eax\n syscall\n ret');
    expect(outcome).toMatchObject({ kind: 'error', error: { name: 'UnknownSystemCall' } });
  });

  it('is abort()', async () => {
    expect((await run('main: call abort')).outcome).toEqual({ kind: 'abort' });
  });

  it('is write() from where nothing is', async () => {
    const { outcome } = await run('main: mov $1, %edi\n mov $16, %esi\n mov $1, %edx\n call write\n ret');
    expect(outcome).toMatchObject({ kind: 'fault', fault: { kind: 'bad pointer', access: 'read', target: 16n } });
  });

  it('stays ended when it is run again', async () => {
    await withProcess('main: mov $7, %eax\n ret', (process) => {
      expect(process.run()).toEqual({ kind: 'exit', status: 7 });
      const { moment } = process.cpu;
      expect(process.run()).toEqual({ kind: 'exit', status: 7 });
      expect(process.step()).toEqual({ kind: 'exit', status: 7 });
      expect(process.cpu.moment).toBe(moment);
    });
  });
});

describe('libc', () => {
  it('refuses to write to a descriptor that is not standard output or error', async () => {
    const { outcome, output } = await run(`
main:   push %rbx
        mov $5, %edi
        lea main(%rip), %rsi
        mov $1, %edx
        call write
        cmp $-1, %eax
        jne 1f
        call __errno_location
        mov (%rax), %eax
1:      pop %rbx
        ret`);
    expect({ outcome, output }).toEqual({ outcome: { kind: 'exit', status: 9 }, output: '' });
  });

  it('enters main with argc, argv and a NULL behind it', async () => {
    const { outcome, output } = await run(`
main:   push %rbx
        mov %rsi, %rbx
        lea '0'(%rdi), %edi
        call putchar
        mov (%rbx), %rdi
        call puts
        mov 8(%rbx), %rax
        pop %rbx
        ret`);
    expect({ outcome, output }).toEqual({ outcome: EXIT_0, output: '1guest\n' });
  });

  it('draws the same random numbers for the same seed, and others for another', async () => {
    const program = `
main:   push %rbx
        mov $8, %ebx
1:      call random
        and $15, %eax
        lea 'a'(%rax), %edi
        call putchar
        dec %ebx
        jnz 1b
        xor %eax, %eax
        pop %rbx
        ret`;
    const [first, second] = [await run(program), await run(program)];
    expect(second).toEqual(first);
    const cpu = openCpu({ memory: 64 << 20 });
    const process = new Process(cpu, libmill(), await assemble(program), ['guest'], { seed: 2n });
    const written = listen(process);
    process.run();
    cpu.close();
    expect(written.join('')).not.toBe(first.output);
  });
});
