import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assemble } from '../../../asm/assembler.js';
import { Disassembler } from '../../../emu/disassembler.js';
import { loadEngine } from '../../../inspect/engine.js';
import type { Part } from '../../../inspect/mutants/edit.js';
import { type Effect, Equivalence } from '../../../inspect/mutants/equivalence.js';
import { codeAt, type SwitchInstruction } from '../../../inspect/mutants/instruction.js';
import { moved } from '../../../inspect/mutants/moved.js';
import { placed } from '../../../inspect/mutants/placed.js';
import { parse } from '../../../inspect/mutants/syntax.js';

const BASE = 0x400000;
let disassembler: Disassembler;
beforeAll(async () => {
  await loadEngine();
  disassembler = await Disassembler.load();
});
afterAll(() => disassembler.close());

/** The instructions of a text, as if they had run from the first to the last. */
async function code(text: string) {
  const image = await assemble([{ name: 'code.s', text: `${text}\n` }], { base: BigInt(BASE) });
  const [{ bytes }] = image.sections;
  const run: SwitchInstruction[] = [];
  for (let at = 0; at < bytes.length; ) {
    const one = disassembler.disassemble(bytes.subarray(at), BigInt(BASE + at));
    if (one === undefined) throw new Error(`no instruction at ${at}`);
    const { mnemonic, operands, length } = one;
    const leaves = /^(j|ret|call)/.test(mnemonic);
    run.push({
      address: BASE + at,
      length,
      text: parse(mnemonic, operands),
      place: `${at}`,
      leaves,
      entered: at === 0,
    });
    at += length;
  }
  return { image, run };
}

const kept = ({ address, length }: SwitchInstruction): Part => ({ kind: 'kept', address, length });

/** What swapping the first two of some instructions does. */
async function swap(text: string): Promise<Effect> {
  const { image, run } = await code(text);
  const [first, second] = run;
  const edit = { address: first.address, length: first.length + second.length, parts: [kept(second), kept(first)] };
  const fault = { kind: 'swapped', at: first, change: '', what: '', edit } as const;
  return new Equivalence(image, disassembler).effect(fault, run);
}

describe('the full effect of a fault', () => {
  it('is the same on 10,000 states for what is independent', async () => {
    expect(await swap('mov %rbx, (%rdx)\nmov %rbp, 8(%rdx)')).toEqual({ kind: 'equal', states: 10_000 });
    expect(await swap('lea 5(%rip), %rcx\nxor %eax, %eax')).toEqual({ kind: 'equal', states: 10_000 });
    expect(await swap('ldmxcsr (%rdi)\nfldcw 4(%rdi)')).toEqual({ kind: 'equal', states: 10_000 });
    expect(await swap('movups %xmm6, (%rdi)\nmovups %xmm7, 16(%rdi)')).toEqual({ kind: 'equal', states: 10_000 });
  });

  it('is another in the register that differs, and in no other', async () => {
    expect(await swap('mov (%rdi), %rbx\nmov 8(%rdi), %rbx')).toEqual({ kind: 'differs', what: ['rbx'] });
    expect(await swap('movups (%rdi), %xmm6\nmovups 8(%rdi), %xmm6')).toEqual({ kind: 'differs', what: ['xmm6'] });
    expect(await swap('fldcw (%rdi)\nfldcw 8(%rdi)')).toMatchObject({ what: expect.arrayContaining(['fpcw']) });
    expect(await swap('ldmxcsr (%rdi)\nldmxcsr 8(%rdi)')).toEqual({ kind: 'differs', what: ['mxcsr'] });
  });

  it('is another in memory, also where only pointers that happen to be near each other make it so', async () => {
    expect(await swap('mov %rbx, (%rdx)\nmov %rbp, (%rdx)')).toEqual({ kind: 'differs', what: ['memory'] });
    expect(await swap('mov %rbx, (%rdi)\nmov %rbp, (%rsi)')).toEqual({ kind: 'differs', what: ['memory'] });
    expect(await swap('mov %rbx, (%rdi)\nmov (%rsi), %rbp')).toEqual({ kind: 'differs', what: ['rbp'] });
  });

  it('is another in the flags', async () => {
    expect(await swap('xor %eax, %eax\ncmp $1, %esi')).toEqual({ kind: 'differs', what: ['flags'] });
    expect(await swap('std\ncld')).toEqual({ kind: 'differs', what: ['direction flag'] });
  });

  it('is another where a pointer is loaded on the way', async () => {
    expect(await swap('mov (%rsi), %rsp\npop %rbx')).toMatchObject({ what: expect.arrayContaining(['rsp', 'rbx']) });
  });

  it('is not tried where control goes elsewhere', async () => {
    expect(await swap('jmp *%rdx\nmov (%rdi), %rbx')).toEqual({ kind: 'differs', what: ['where control goes'] });
  });
});

describe('an edit', () => {
  const ground = (image: Parameters<typeof codeAt>[0], free = BASE + 0x1000) => ({
    read: (address: number, length: number) => codeAt(image, address, length),
    relocated: () => false,
    free,
  });
  const texts = (bytes: Uint8Array, start: number): string[] => {
    const list: string[] = [];
    for (let at = 0; at < bytes.length; ) {
      const one = disassembler.disassemble(bytes.subarray(at), BigInt(start + at));
      list.push(one?.text ?? '?');
      at += one?.length ?? 1;
    }
    return list;
  };

  it('leaves instructions that do nothing where it is shorter', async () => {
    const { image, run } = await code('mov %rbx, 8(%rdx)\nret');
    const edit = { address: run[0].address, length: run[0].length, parts: [] };
    const made = placed(edit, run, ground(image), disassembler);
    // Intel SDM, volume 2, "NOP": the recommended one of four bytes
    expect(made?.changes).toEqual([[BASE, Uint8Array.of(0x0f, 0x1f, 0x40, 0x00)]]);
    expect(made?.annex).toBeUndefined();
  });

  it('is elsewhere, with a jump there and one back, where it is longer', async () => {
    const { image, run } = await code('mov (%rax), %rbx\nlea 7(%rip), %rcx\nret');
    const [first] = run;
    // mov 8(%rax), %rbx as GNU as has it
    const bytes = Uint8Array.of(0x48, 0x8b, 0x58, 0x08);
    const own = { address: first.address, length: first.length };
    const made = placed({ ...own, parts: [{ kind: 'made', bytes, ...own }] }, run, ground(image), disassembler);
    const [[address, patch]] = made?.changes ?? [[0, new Uint8Array()] as const];
    expect(texts(patch, address)).toEqual(['jmp 0x401000', 'nopl (%rax, %rax)']);
    // What lea names is where it was: 0x40000a + 7 = 0x401000 + 4 + 7 - 0xffa.
    expect(texts(made?.annex?.bytes ?? new Uint8Array(), BASE + 0x1000)).toEqual([
      'movq 8(%rax), %rbx',
      'leaq -0xffa(%rip), %rcx',
      'jmp 0x40000a',
    ]);
  });

  it('keeps the target of a branch that moves', () => {
    // jmp, je and call to 0x400010, moved to 0x401000: short ones become long ones
    const at = (bytes: readonly number[], from = BASE, to = BASE + 0x1000): string | undefined => {
      const result = moved(Uint8Array.from(bytes), from, to, false, disassembler);
      return result && texts(result, to).join();
    };
    expect(at([0xeb, 0x0e])).toBe('jmp 0x400010');
    expect(at([0x74, 0x0e])).toBe('je 0x400010');
    expect(at([0xe8, 0x0b, 0, 0, 0])).toBe('callq 0x400010');
    expect(at([0xeb, 0x0e], BASE, BASE + 2)).toBe('jmp 0x400010');
    // jrcxz has no long form.
    expect(at([0xe3, 0x0e])).toBeUndefined();
  });
});
