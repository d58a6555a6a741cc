import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { Image } from '../../../asm/image.js';
import { openCpu } from '../../../emu/open.js';
import { loadEngine } from '../../../inspect/engine.js';
import { assembleProgram } from '../../../inspect/program-image.js';
import type { BuiltProgram, Problem, ProgramFile } from '../../../inspect/web/workshop/protocol.js';
import { libmill } from '../../../runtime/libmill.js';
import { Process } from '../../../runtime/process.js';
import { openWorkshop, sourceOf } from './workshop.js';

const fixture = (path: string): string => fileURLToPath(new URL(`../../../fixtures/${path}`, import.meta.url));
const text = (path: string, name: string): ProgramFile => ({ name, text: readFileSync(fixture(path), 'utf8') });
const PING_PONG = text('programs/ping-pong.s', 'ping-pong.s');
const SIEVE = [
  { name: 'prime-sieve.o', bytes: new Uint8Array(readFileSync(fixture('c/prime-sieve.o'))) },
  text('c/prime-sieve.c', 'prime-sieve.c'),
];

async function build(
  files: readonly ProgramFile[],
  runtime = [] as { name: string; text: string }[],
): Promise<BuiltProgram> {
  const reply = await openWorkshop().build({ files, runtime });
  if (reply.kind === 'problems') throw new Error(JSON.stringify(reply.problems));
  return reply.program;
}

async function problems(...files: readonly ProgramFile[]): Promise<readonly Problem[]> {
  const reply = await openWorkshop().build({ files, runtime: [] });
  return reply.kind === 'problems' ? reply.problems : [];
}

/** A program of these lines, with a main. */
const lines = (...all: string[]): ProgramFile => ({
  name: 'a.s',
  text: ['        .globl main', 'main:', ...all, ''].join('\n'),
});

async function printed({ image, runtime }: BuiltProgram): Promise<string> {
  await loadEngine();
  const cpu = openCpu();
  let output = '';
  try {
    // As it is sent to the machine: what is in it has to survive being plain data.
    const guest = runtime === undefined ? libmill() : Image.fromJSON(structuredClone(runtime));
    const process = new Process(cpu, guest, Image.fromJSON(structuredClone(image)), ['a']);
    process.on('output', ({ bytes }) => {
      output += new TextDecoder().decode(bytes);
    });
    process.run();
  } finally {
    cpu.close();
  }
  return output;
}

it('builds assembly text and objects as the command line does, with all that is needed to show them', async () => {
  const ping = await build([PING_PONG]);
  if (!('text' in PING_PONG)) throw new Error('it is text');
  expect(ping.image).toEqual((await assembleProgram(PING_PONG)).toJSON());
  expect(ping.runtime).toBeUndefined();
  expect(ping.sources).toEqual([PING_PONG]);
  expect(await printed(ping)).toBe('ping\npong\nping\npong\nping\npong\ndone\n');
  const sieve = await build(SIEVE);
  expect(sieve.sources.map(({ name }) => name)).toEqual(['prime-sieve.c']);
  expect(await printed(sieve)).toMatch(/^2 3 5 7 11 13 /);
});

it('lists every instruction of the program, one behind the other', async () => {
  const { image, listing } = await build([lines('        xor     %eax, %eax', '        ret')]);
  const start = Number(Image.fromJSON(image).symbol('main'));
  expect(listing).toEqual([
    [start, 2, 'xorl %eax, %eax'],
    [start + 2, 1, 'retq'],
  ]);
});

it('builds for an edited runtime, and for the shipped one if what is given is that', async () => {
  const same = await build([PING_PONG], [sourceOf('mill_setjmp.s')]);
  expect(same.runtime).toBeUndefined();
  const program = text('playground/broken-r13/program.s', 'program.s');
  const broken = sourceOf('mill_setjmp.s', '%r13, 32(%rdx)', '%r13, 40(%rdx)');
  const built = await build([program], [broken]);
  expect(built.sources.map(({ name }) => name)).toEqual(['program.s', 'mill_setjmp.s']);
  expect(await printed(built)).toBe('sheep: 1\nsheep: 1\nsheep: 1\n');
  expect(built.listing.some(([address]) => address < 0x400000)).toBe(true);
});

it('includes text that is beside a program, and assembles no such text by itself', async () => {
  const program = lines('        .include "exit.s"');
  const beside = { name: 'exit.s', text: '        xor     %eax, %eax\n        ret\n', beside: true } as const;
  expect(await printed(await build([program, beside]))).toBe('');
});

it.each<[string, string[], Partial<Problem>[]]>([
  // Columns are counted by hand.
  ['a register that there is not', ['        mov     %r16, %rax'], [{ line: 3, column: 17, length: 4 }]],
  ['a symbol that there is not', ['        mov     %rax, nosuch(%rip) # so'], [{ line: 3, column: 23, length: 6 }]],
  ['an instruction that there is not', ['        nop; mvo %rax, %rbx'], [{ line: 3, column: 14, length: 14 }]],
  [
    'a number that is too large',
    ['        mov     $18446744073709551616, %rax'],
    [{ line: 3, column: 18, length: 20 }],
  ],
  [
    'several at once',
    ['        foo', '        bar'],
    [
      { line: 3, column: 9, length: 3 },
      { line: 4, column: 9, length: 3 },
    ],
  ],
  ['behind a label', ['here:   mov     %r16, %rax'], [{ line: 3, column: 17, length: 4 }]],
  ['a token that is there twice', ['        mov     %r16, %r16'], [{ line: 3, column: 9, length: 18 }]],
  [
    'in a macro, where its arguments are not in the text',
    ['        .macro  two what', '        mov     \\what, %rax', '        .endm', '        two     %r16'],
    [{ line: 4, column: undefined, length: undefined }],
  ],
])('says where: %s', async (_, written, expected) => {
  const found = await problems(lines(...written));
  expect(found.map(({ file, line, column, length }) => ({ file, line, column, length }))).toEqual(
    expected.map((one) => ({ file: 'a.s', ...one })),
  );
  for (const { message } of found) expect(message).not.toBe('');
});

it('says what is wrong in what was included where that is included', async () => {
  const bad = { name: 'bad.inc', text: '        nop\n        foo\n' };
  const own = await problems(lines('        .include "bad.inc"'), bad);
  expect(own).toMatchObject([
    { file: 'bad.inc', line: 2, column: 9, message: expect.stringContaining('included at a.s:3:9') },
  ]);
  // The macro is libmill.inc's, which is in no editor.
  const [{ file, line, column, message }] = await problems(
    lines('        .include "libmill.inc"', '        go      nobody'),
  );
  expect([file, line, column]).toEqual(['a.s', 4, 9]);
  expect(message).toMatch(/^libmill\.inc:\d+: undefined symbol "nobody"/);
});

it('says what cannot be linked', async () => {
  const object = (name: string, bytes: Uint8Array): ProgramFile => ({ name, bytes });
  expect(await problems(object('a.o', Uint8Array.of(1, 2, 3)))).toMatchObject([{ file: 'a.o', line: undefined }]);
  expect(await problems({ name: 'a.s', text: '        nop\n' })).toMatchObject([
    { message: expect.stringMatching(/no main/) },
  ]);
  const twice = await problems(...SIEVE, lines('        ret'));
  expect(twice).toMatchObject([{ message: expect.stringMatching(/main/) }]);
});
