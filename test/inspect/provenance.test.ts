import { describe, expect, test } from 'vitest';
import { UndefinedSymbol } from '../../asm/errors.js';
import { UsageError } from '../../inspect/errors.js';
import { assembleProgram } from '../../inspect/program-image.js';
import { placeOf, placeQuery } from '../../inspect/provenance/place.js';
import { sourceText } from '../../inspect/provenance/report.js';
import type { Provenance } from '../../inspect/provenance/step.js';
import { type WhyOptions, why, whyMemory, whyRegister } from '../../inspect/provenance/why.js';
import { Session } from '../../inspect/session.js';
import { programNamed, withProcess } from './every-program.js';

/** Each step as one line. */
const lines = ({ steps }: Provenance): string[] =>
  steps.map((step) => `${step.text}: ${step.name} ${step.after} ${sourceText(step)}`);

/** Runs a program up to its label `here`, and asks there. */
async function ask(text: string, question: string, options?: WhyOptions): Promise<Provenance> {
  const program = await assembleProgram({ name: 'asked.s', text: `.globl main\nmain:\n${text}\n` });
  return withProcess(program, [], async (process) => {
    const session = new Session(process);
    expect(await session.to('here')).toBe(true);
    const { moment } = session;
    const found = await why(session, placeOf(process, question), options);
    expect(session.moment).toBe(moment);
    return found;
  });
}

/** Of a chain, what is asked for most. */
async function asked(text: string, question: string): Promise<string[]> {
  return lines(await ask(`${text}\nhere: xor %eax, %eax\nret`, question));
}

describe('a value is followed', () => {
  test('from register to register', async () => {
    expect(await asked('mov $42, %ecx\nmov %rcx, %rdx\nxchg %rdx, %rsi\nmov %rsi, %rbx', 'rbx')).toEqual([
      'movq %rsi, %rbx: rbx 42 from rsi',
      'xchgq %rdx, %rsi: rsi 42 from rdx',
      'movq %rcx, %rdx: rdx 42 from rcx',
      'movl $0x2a, %ecx: rcx 42 a constant',
    ]);
  });

  test('through an exchange, in both directions', async () => {
    const text = 'mov $1, %ecx\nmov $2, %edx\nxchg %rcx, %rdx';
    expect((await asked(text, 'rcx')).slice(1)).toEqual(['movl $2, %edx: rdx 2 a constant']);
    expect((await asked(text, 'rdx')).slice(1)).toEqual(['movl $1, %ecx: rcx 1 a constant']);
  });

  test('through the stack, as an argument is', async () => {
    const found = await asked('push $7\ncall callee\njmp here\ncallee: mov 8(%rsp), %rdi\nret', 'rdi');
    expect(found[0]).toMatch(/^movq 8\(%rsp\), %rdi: rdi 7 loaded from stack of main at 0x[0-9a-f]+$/);
    expect(found[1]).toMatch(/^pushq \$7: stack of main at 0x[0-9a-f]+ 7 a constant$/);
    expect(found).toHaveLength(2);
  });

  test('through leave, and a return address to its call', async () => {
    const text = 'mov $5, %ebp\npush %rbp\nmov %rsp, %rbp\nsub $32, %rsp\nleave\ncall next\nnext: mov (%rsp), %rcx';
    expect((await asked(text, 'rbp')).map((line) => line.replace(/ at 0x\w+/, ''))).toEqual([
      'leave: rbp 5 popped from stack of main',
      'pushq %rbp: stack of main 5 pushed from rbp',
      'movl $5, %ebp: rbp 5 a constant',
    ]);
    expect((await asked(text, 'rcx'))[1]).toMatch(/^callq .* the address to return to$/);
  });

  test('to the last write, though it was the same value', async () => {
    const found = await ask('mov $5, %eax\nmov %rax, %rbx\nmov $5, %ecx\nmov %rcx, %rbx\nhere: ret', 'rbx');
    expect(lines(found)).toEqual(['movq %rcx, %rbx: rbx 5 from rcx', 'movl $5, %ecx: rcx 5 a constant']);
    expect(found.steps[0]).toMatchObject({ before: 5n, after: 5n, coroutine: 0 });
    const memory =
      'mov $5, %eax\nmov %rax, word(%rip)\nmov $5, %ecx\nmov %rcx, word(%rip)\nhere: ret\n.data\nword: .quad 5';
    const [store, made] = lines(await ask(memory, 'word'));
    expect(store).toMatch(/^movq %rcx, 0x[0-9a-f]+\(%rip\): word 5 stored from rcx$/);
    expect(made).toBe('movl $5, %ecx: rcx 5 a constant');
  });

  test('as far as it is copied: a part of what was loaded, and zeros where there was none', async () => {
    const text = 'mov $0x1234, %edx\nmovb %dl, %cl\nmovzbl %dl, %ecx';
    expect(await asked(text, 'rcx')).toEqual([
      'movzbl %dl, %ecx: rcx 52 from dl',
      'movl $0x1234, %edx: dl 52 a constant',
    ]);
    expect((await asked(`${text}\nmov %ecx, %esi`, '%esi'))[0]).toBe('movl %ecx, %esi: esi 52 from ecx');
  });

  test('to an instruction that writes a part only, and names the rest', async () => {
    const { steps } = await ask('mov $0x1200, %ecx\nmov $0x34, %edx\nmovb %dl, %cl\nhere: ret', 'rcx');
    expect(steps).toHaveLength(1);
    expect(steps[0]).toMatchObject({ kind: 'part', before: 0x1200n, after: 0x1234n });
    expect(steps[0].inputs.map(({ query, value }) => [query, value])).toEqual([
      ['dl', 0x34n],
      ['rcx', 0x1200n],
    ]);
  });

  test('to arithmetic, which names what it computed with', async () => {
    const { steps } = await ask('mov $6, %ecx\nmov $7, %edx\nimul %rdx, %rcx\nmov %rcx, %rbx\nhere: ret', 'rbx');
    expect(steps.map(({ kind }) => kind)).toEqual(['copy', 'arithmetic']);
    expect(steps[1].inputs.map(({ name, value }) => [name, value])).toEqual([
      ['rcx', 6n],
      ['rdx', 7n],
    ]);
  });

  test.each([
    ['xor %ecx, %ecx', 'rcx', 'constant'],
    ['sub %rcx, %rcx', 'rcx', 'constant'],
    ['lea here(%rip), %rcx', 'rcx', 'address'],
    ['lea 8(%rsp), %rcx', 'rcx', 'arithmetic'],
    ['call mill_now_', 'rax', 'result'],
    ['push $1', 'rsp', 'arithmetic'],
    ['pxor %xmm3, %xmm3', 'xmm3', 'constant'],
    ['addsd %xmm1, %xmm3', 'xmm3', 'part'],
    ['cmp %rax, %rcx', 'eflags', 'arithmetic'],
  ])('%s makes what is in %s: %s', async (instruction, question, kind) => {
    const { steps } = await ask(`${instruction}\nhere: ret`, question);
    expect(steps.map((step) => step.kind)).toEqual([kind]);
  });

  test('past a cmov whose condition does not hold, and through one whose does', async () => {
    const text = 'mov $3, %ecx\nmov $4, %edx\ntest %ecx, %ecx\ncmovz %rdx, %rcx\nnop\nnop';
    expect(await asked(text, 'rcx')).toEqual(['movl $3, %ecx: rcx 3 a constant']);
    expect(await asked(text.replace('cmovz', 'cmovnz'), 'rcx')).toEqual([
      'cmovneq %rdx, %rcx: rcx 4 from rdx',
      'movl $4, %edx: rdx 4 a constant',
    ]);
  });

  test('past a rep that does nothing, and a shift by none for flags', async () => {
    const text = 'mov $3, %edi\nxor %ecx, %ecx\nrep stosb';
    expect(await asked(text, 'rdi')).toEqual(['movl $3, %edi: rdi 3 a constant']);
    expect((await asked('xor %ecx, %ecx\nmov $1, %edx\nshl %cl, %edx', 'eflags'))[0]).toMatch(/^xorl/);
    expect((await asked('xor %eax, %eax\nmov $1, %ecx\nmov $1, %edx\nshl %cl, %edx', 'eflags'))[0]).toMatch(/^shll/);
  });

  test('through cmpxchg, which writes one or the other', async () => {
    const text = 'mov $1, %eax\nmov $2, %ecx\nmov $1, %edx\ncmpxchg %rcx, %rdx';
    expect(await asked(text, 'rdx')).toEqual([
      'cmpxchgq %rcx, %rdx: rdx 2 from rcx',
      'movl $2, %ecx: rcx 2 a constant',
    ]);
    expect(await asked(text, 'rax')).toEqual(['movl $1, %eax: rax 1 a constant']);
    const other = text.replace('mov $1, %edx', 'mov $9, %edx');
    expect(await asked(other, 'rax')).toEqual([
      'cmpxchgq %rcx, %rdx: rax 9 from rdx',
      'movl $9, %edx: rdx 9 a constant',
    ]);
    expect(await asked(other, 'rdx')).toEqual(['movl $9, %edx: rdx 9 a constant']);
  });

  test('through what rep movs copies', async () => {
    const data = '.data\nfrom: .quad 1, 2, 3\nto: .zero 24';
    const text = `movq $77, from+8(%rip)\nlea from(%rip), %rsi\nlea to(%rip), %rdi\nmov $3, %ecx\nrep movsq\nhere: ret\n${data}`;
    const { steps } = await ask(text, 'to+8');
    expect(steps.map(({ kind, name, after }) => [kind, name, after])).toEqual([
      ['copy', 'to+8', 77n],
      ['constant', 'from+8', 77n],
    ]);
  });

  test('through SSE registers, each half by itself', async () => {
    const text =
      'mov $8, %ecx\nmovq %rcx, %xmm0\nmov $9, %edx\nmovq %rdx, %xmm1\npunpcklqdq %xmm1, %xmm0\nmovups %xmm0, word(%rip)\nhere: ret\n.data\nword: .zero 16';
    expect((await ask(text, 'word')).steps.at(-1)).toMatchObject({ kind: 'constant', text: 'movl $8, %ecx' });
    expect((await ask(text, 'word+8')).steps.map(({ kind, name }) => [kind, name])).toEqual([
      ['store', 'word+8'],
      ['copy', 'xmm0[8..15]'],
      ['copy', 'xmm1[0..7]'],
      ['constant', 'rdx'],
    ]);
  });

  test("through the host's memcpy", async () => {
    const text =
      'sub $8, %rsp\nmovq $55, from(%rip)\nlea to(%rip), %rdi\nlea from(%rip), %rsi\nmov $16, %edx\ncall memcpy\nadd $8, %rsp\nhere: ret\n.data\nfrom: .quad 1, 2\nto: .zero 16';
    const { steps } = await ask(text, 'to');
    expect(steps.map(({ kind, name, door }) => [kind, name, door])).toEqual([
      ['transfer', 'to', 'memcpy'],
      ['constant', 'from', undefined],
    ]);
    expect((await ask(text, 'to+8')).steps.at(-1)).toMatchObject({ kind: 'start', after: 2n, moment: 0 });
  });

  test('to the start', async () => {
    expect((await asked('nop', 'r15')).join()).toBe('as the program was started: r15 0 as the program was started');
    expect((await asked('.data\nword: .quad 3\n.text', 'word')).join()).toMatch(/loaded with \.data/);
    expect((await asked('.bss\nword: .zero 8\n.text', 'word')).join()).toMatch(/word 0 zero, as memory is/);
  });
});

describe('in the pipeline', () => {
  /** With a session at the first moment of a coroutine's n-th turn. */
  async function turn<Result>(id: number, count: number, use: (session: Session) => Promise<Result>): Promise<Result> {
    const [, load, argv] = programNamed('pipeline.s');
    return withProcess(await load(), argv, async (process) => {
      const session = new Session(process);
      for (let left = count; left > 0; ) {
        expect(await session.nextSwitch(id)).toBe(true);
        if (process.mill.census.id(process.mill.coroutines.running) === id) left--;
      }
      return use(session);
    });
  }

  // main has r13 from mill_chmake_, goes on to `go source`, which saves and restores it, moves it to r12, and goes to
  // coroutine 2 with it, whose first chr saves it.
  test("r12 of a stage comes from main's r13, over two switches", async () => {
    await turn(2, 2, async (session) => {
      const found = await whyRegister(session, 'r12');
      expect(found.steps.map(({ kind, coroutine, name }) => [kind, coroutine, name])).toEqual([
        ['restore', 2, 'r12'],
        ['save', 2, 'slot r12 of coroutine 2'],
        ['copy', 0, 'r12'],
        ['restore', 0, 'r13'],
        ['save', 0, 'slot r13 of main'],
        ['copy', 0, 'r13'],
        ['result', 0, 'rax'],
      ]);
      expect(found.steps.at(-1)?.door).toBe('mill_chmake_');
      expect(found.end).toBe('beginning');
      // The same question about the slot has the same answer from there on.
      const place = placeOf(session.process, 'slot r12 of coroutine 2');
      if (place.kind !== 'memory') throw new Error('a slot is in memory');
      const slot = await whyMemory(session, place.address, place.size);
      expect(slot.steps).toEqual(found.steps.slice(1));
    });
  });

  // The source sends 1; increment makes 2, triple 6, square 36, which main receives.
  test('a number that main receives was pushed by the last stage, which squared it', async () => {
    await turn(0, 1, async (session) => {
      await session.to('print_number');
      const { steps, value } = await whyRegister(session, 'rdi');
      expect(value).toBe(36n);
      expect(steps.map(({ kind, coroutine }) => [kind, coroutine])).toEqual([
        ['copy', 0],
        ['load', 0],
        ['transfer', 4],
        ['push', 4],
        ['copy', 4],
        ['arithmetic', 4],
      ]);
      const [, load, transfer, push] = steps;
      expect(load.from?.name).toBe('valbuf of main');
      expect(transfer).toMatchObject({ door: 'mill_chs_', channel: 4, name: 'valbuf of main' });
      expect(push.name).toMatch(/^stack of coroutine 4 at 0x/);
      expect(steps[5].text).toBe('imulq %rdi, %rax');
      expect(steps[5].inputs.map(({ name, value: one }) => [name, one])).toEqual([
        ['rax', 6n],
        ['rdi', 6n],
      ]);
    });
  });

  test('a moment that a step names is that of the instruction', async () => {
    await turn(2, 3, async (session) => {
      for (const { moment, place, before, after, text } of (await whyRegister(session, 'r13')).steps) {
        await session.go(moment);
        const question = placeOf(session.process, placeQuery(session.process, place));
        expect((await why(session, question, { steps: 1 })).value).toBe(before);
        if (text.startsWith('as ')) continue;
        await session.step();
        const { steps } = await why(session, question, { steps: 1 });
        expect(steps[0]).toMatchObject({ moment, after });
      }
    });
  });
});

describe('elements of channels', () => {
  const send = (value: string) => `
        push    ${value}
        mov     %r13, %rdi
        mov     %rsp, %rsi
        mov     $8, %edx
        xor     %ecx, %ecx
        call    mill_chs_
        pop     %rax`;
  const make = (capacity: number) => `
        mov     $8, %edi
        mov     $${capacity}, %esi
        xor     %edx, %edx
        call    mill_chmake_
        mov     %rax, %r13`;
  const receive = `
        mov     %r13, %rdi
        mov     $8, %esi
        xor     %edx, %edx
        call    mill_chr_
        mov     (%rax), %rbx`;

  test('through the buffer', async () => {
    const text = `${make(2)}${send('$70')}${send('$71')}${receive}\nhere: nop`;
    const { steps } = await ask(text, 'rbx');
    expect(steps.map(({ kind, name, door }) => [kind, name.replace(/ at .*/, ''), door])).toEqual([
      ['load', 'rbx', undefined],
      ['transfer', 'valbuf of main', 'mill_chr_'],
      ['transfer', 'element 0 of channel <1>', 'mill_chs_'],
      ['constant', 'stack of main', undefined],
    ]);
    expect(steps.at(-1)?.after).toBe(70n);
  });

  test('from chdone, for ever', async () => {
    const done = send('$72').replace('mill_chs_', 'mill_chdone_');
    const { steps } = await ask(`${make(0)}${done}${receive}${receive}\nhere: nop`, 'rbx');
    expect(steps.map(({ kind, name, door }) => [kind, name.replace(/ at .*/, ''), door])).toEqual([
      ['load', 'rbx', undefined],
      ['transfer', 'valbuf of main', 'mill_chr_'],
      ['transfer', 'last value of channel <1>', 'mill_chdone_'],
      ['constant', 'stack of main', undefined],
    ]);
  });
});

describe('with fork', () => {
  const text = `
        mov     $3, %ebx
        mov     $4, %ecx
        mov     %rcx, word(%rip)
        push    %rax
        call    fork
        pop     %rcx
        test    %eax, %eax
        jnz     parent
        mov     $5, %ebx
        movq    $6, word(%rip)
        xor     %edi, %edi
        call    _exit
parent: mov     $1, %edi
here:   ret
        .data
word:   .quad 0`;

  test('what a child wrote is not in its parent', async () => {
    const registers = await ask(text, 'rbx');
    expect(lines(registers)).toEqual(['movl $3, %ebx: rbx 3 a constant']);
    const memory = await ask(text, 'word');
    expect(memory.steps.map(({ kind, after }) => [kind, after])).toEqual([
      ['store', 4n],
      ['constant', 4n],
    ]);
  });

  test('what a parent wrote is in its child', async () => {
    const child = text.replace('here:', 'gone:').replace('xor     %edi, %edi', 'here: xor %edi, %edi');
    expect(lines(await ask(child, 'rbx'))).toEqual(['movl $5, %ebx: rbx 5 a constant']);
    const before = child.replace('mov     $5, %ebx', 'nop');
    expect(lines(await ask(before, 'rbx'))).toEqual(['movl $3, %ebx: rbx 3 a constant']);
    expect((await ask(before.replace('movq    $6, word(%rip)', 'nop'), 'word')).steps[0]).toMatchObject({ after: 4n });
  });
});

describe('a question', () => {
  const withSession = async <Result>(use: (session: Session) => Promise<Result>): Promise<Result> => {
    const [, load, argv] = programNamed('pipeline.s');
    return withProcess(await load(), argv, async (process) => {
      const session = new Session(process);
      await session.go(1000);
      return use(session);
    });
  };

  test('may be put in several ways', async () => {
    await withSession(async ({ process }) => {
      const rsp = Number(process.cpu.read('rsp'));
      const memory = (address: number, size = 8) => ({ kind: 'memory', address, size });
      expect(placeOf(process, 'bl')).toEqual({ kind: 'register', part: { register: 'rbx', offset: 0, size: 1 } });
      for (const text of ['(%rsp)', '(rsp)', 'rsp+0']) expect(placeOf(process, text)).toEqual(memory(rsp));
      for (const text of ['8(%rsp)', 'rsp+8', 'rsp + 0x8', '(rsp+8)'])
        expect(placeOf(process, text)).toEqual(memory(rsp + 8));
      expect(placeOf(process, '4 bytes at rsp-4')).toEqual(memory(rsp - 4, 4));
      expect(placeOf(process, 'mill_ready+8')).toEqual(memory(Number(process.symbol('mill_ready')) + 8));
      expect(placeOf(process, 'slot 2 of main')).toEqual(memory(Number(process.symbol('mill_main')) + 96 + 16));
      expect(placeQuery(process, placeOf(process, 'slot r12 of main'))).toBe('slot r12 of main');
    });
  });

  test.each([
    ['rbq', UndefinedSymbol, /rbx/],
    ['mill_redy', UndefinedSymbol, /mill_ready/],
    ['8(%rbq)', UsageError, /did you mean .*rbx/],
    ['0x10', UsageError, /nothing is mapped at 0x10 at moment 1000/],
    ['slot r11 of main', UsageError, /rbx, rbp, r12/],
    ['slot r12 of coroutine 77', UsageError, /no coroutine 77 at moment 1000/],
    ['32 bytes at rsp', UsageError, /1 to 16/],
    ['4 bytes at rbx', UsageError, /\(rbx\)/],
  ])('%s is refused', async (text, type, message) => {
    await withSession(async ({ process }) => {
      expect(() => placeOf(process, text)).toThrow(type);
      expect(() => placeOf(process, text)).toThrow(message);
    });
  });

  test('may be cut short, and interrupted; the session is where it was', async () => {
    await withSession(async (session) => {
      const short = await whyRegister(session, 'r12', { steps: 2 });
      expect({ steps: short.steps.length, end: short.end }).toEqual({ steps: 2, end: 'long' });
      const stop = new AbortController();
      stop.abort();
      const none = await whyRegister(session, 'r12', { signal: stop.signal });
      expect({ steps: none.steps, end: none.end }).toEqual({ steps: [], end: 'interrupted' });
      expect(session.moment).toBe(1000);
    });
  });
});
