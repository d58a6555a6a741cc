/** Switches that nobody has written: what is measured is what the generator has put in. */
import { describe, expect, it } from 'vitest';
import { file, layout, short } from './measuring.js';

/** A small generator of numbers, so that each case is the same in every run (Numerical Recipes' constants). */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

function shuffled<T>(list: readonly T[], below: (limit: number) => number): T[] {
  const copy = [...list];
  for (let at = copy.length - 1; at > 0; at--) {
    const other = below(at + 1);
    [copy[at], copy[other]] = [copy[other], copy[at]];
  }
  return copy;
}

const CALLEE_SAVED = ['rbx', 'rbp', 'r12', 'r13', 'r14', 'r15'];
const OTHERS = ['r8', 'r9', 'r10', 'r11', 'rdx'];
const VECTORS = ['xmm0', 'xmm6', 'xmm7', 'xmm15'];
const CONTROLS = ['mxcsr', 'fpcw'];

interface Case {
  readonly text: Record<string, string>;
  readonly files: readonly string[];
  readonly expected: readonly string[];
  readonly options: { readonly save?: string; readonly restore?: string; readonly switch?: string };
}

interface Field {
  readonly name: string;
  readonly offset: number;
  readonly size: number;
}

const SIZES: Readonly<Record<string, number>> = { mxcsr: 4, fpcw: 2 };
const sizeOf = (name: string): number => SIZES[name] ?? (name.startsWith('xmm') ? 16 : 8);

/** Registers at places in an order of their own, with gaps. */
function fields(names: readonly string[], below: (limit: number) => number): Field[] {
  let offset = 8 * below(4);
  return shuffled(names, below).map((name) => {
    const field = { name, offset, size: sizeOf(name) };
    offset += Math.max(8, field.size) + 8 * below(3);
    return field;
  });
}

const store = ({ name, offset }: Field, base: string): string =>
  ({
    mxcsr: `stmxcsr ${offset}(%${base})`,
    fpcw: `fnstcw ${offset}(%${base})`,
    rip: `mov (%rsp), %rax\n        mov %rax, ${offset}(%${base})`,
    rsp: `lea 8(%rsp), %rcx\n        mov %rcx, ${offset}(%${base})`,
  })[name] ?? `${name.startsWith('xmm') ? 'movups' : 'mov'} %${name}, ${offset}(%${base})`;

const load = ({ name, offset }: Field, base: string): string =>
  ({ mxcsr: `ldmxcsr ${offset}(%${base})`, fpcw: `fldcw ${offset}(%${base})` })[name] ??
  `${name.startsWith('xmm') ? 'movups' : 'mov'} ${offset}(%${base}), %${name}`;

const lines = (list: readonly string[]): string => list.map((line) => `        ${line}\n`).join('');
const routine = (name: string, body: readonly string[]): string =>
  `        .text\n        .globl ${name}\n${name}:\n${lines(body)}`;

/** A fault that one case in three has: what is saved comes back as another register, or not at all. */
type Fault = 'none' | 'swapped' | 'forgotten';

function restoredAs(list: readonly Field[], fault: Fault): Map<string, string | undefined> {
  const plain = list.filter(({ name }) => CALLEE_SAVED.includes(name)).map(({ name }) => name);
  const map = new Map<string, string | undefined>(list.map(({ name }) => [name, name]));
  const [one, other] = plain;
  if (fault === 'forgotten' && one !== undefined) map.set(one, undefined);
  if (fault === 'swapped' && one !== undefined && other !== undefined) {
    map.set(one, other);
    map.set(other, one);
  }
  return map;
}

function expectation(list: readonly Field[], back: ReadonlyMap<string, string | undefined>): string[] {
  return [...list]
    .sort((a, b) => a.offset - b.offset)
    .map(({ name, offset, size }) => `${offset}:${size} ${name} > ${back.get(name) ?? '-'}`);
}

function choose(below: (limit: number) => number): string[] {
  const some = (list: readonly string[]) => list.filter(() => below(2) === 0);
  return [...CALLEE_SAVED.filter(() => below(5) > 0), ...some(OTHERS), ...some(VECTORS), ...some(CONTROLS)];
}

/** Saves and restores by two routines, which are called, with a ctx in rdi. */
function jump(seed: number, fault: Fault): Case {
  const below = numbers(seed);
  const list = fields([...choose(below), 'rsp', 'rip'], below);
  const back = restoredAs(list, fault);
  const find = (name: string) => list.find((field) => field.name === name)?.offset ?? 0;
  const plain = shuffled(list, below).filter(({ name }) => name !== 'rsp' && name !== 'rip');
  const save = [...shuffled(list, below).map((field) => store(field, 'rdi')), 'xor %eax, %eax', 'ret'];
  const loads = plain.flatMap((field) => {
    const name = back.get(field.name);
    return name === undefined ? [] : [load({ ...field, name }, 'rdi')];
  });
  const restore = [...loads, 'mov %esi, %eax', `mov ${find('rsp')}(%rdi), %rsp`, `jmp *${find('rip')}(%rdi)`];
  const text = { [`jump${seed}.s`]: routine('keep', save) + routine('bring', restore) };
  return {
    text,
    files: Object.keys(text),
    expected: expectation(list, back),
    options: { save: 'keep', restore: 'bring' },
  };
}

/** The same as sequences without a label, to be inline, with a ctx in a register of their own. */
function inline(seed: number, fault: Fault): Case {
  const below = numbers(seed);
  const [saveBase, restoreBase] = [shuffled(['rdi', 'rsi', 'r9'], below)[0], shuffled(['rdi', 'rsi', 'r9'], below)[0]];
  const names = choose(below).filter((name) => name !== 'r9');
  const list = fields([...names, 'rsp', 'rip'], below);
  const back = restoredAs(list, fault);
  const find = (name: string) => list.find((field) => field.name === name)?.offset ?? 0;
  const saves = shuffled(list, below).map((field) => {
    if (field.name === 'rip') return `mov %rcx, ${field.offset}(%${saveBase})`;
    return field.name === 'rsp' ? `mov %rsp, ${field.offset}(%${saveBase})` : store(field, saveBase);
  });
  const plain = shuffled(list, below).filter(({ name }) => name !== 'rsp' && name !== 'rip');
  const loads = plain.flatMap((field) => {
    const name = back.get(field.name);
    return name === undefined ? [] : [load({ ...field, name }, restoreBase)];
  });
  const text = {
    [`keep${seed}.s`]: `        lea 7f(%rip), %rcx\n${lines(saves)}7:\n`,
    [`bring${seed}.s`]: lines([
      ...loads,
      `mov ${find('rsp')}(%${restoreBase}), %rsp`,
      `jmp *${find('rip')}(%${restoreBase})`,
    ]),
  };
  return { text, files: Object.keys(text), expected: expectation(list, back), options: {} };
}

/** One routine, with a structure for each side; the return address in it, or left on the stack. */
function swapStruct(seed: number, fault: Fault): Case {
  const below = numbers(seed);
  const leavesAddress = below(2) === 0;
  const [from, to] = shuffled(['rdi', 'rsi'], below);
  const list = fields([...choose(below), 'rsp', ...(leavesAddress ? [] : ['rip'])], below);
  const back = restoredAs(list, fault);
  const find = (name: string) => list.find((field) => field.name === name)?.offset ?? 0;
  const saves = shuffled(list, below).map((field) =>
    field.name === 'rsp' && leavesAddress ? `mov %rsp, ${field.offset}(%${from})` : store(field, from),
  );
  const plain = shuffled(list, below).filter(({ name }) => name !== 'rsp' && name !== 'rip');
  const loads = plain.flatMap((field) => {
    const name = back.get(field.name);
    return name === undefined ? [] : [load({ ...field, name }, to)];
  });
  const end = leavesAddress
    ? [`mov ${find('rsp')}(%${to}), %rsp`, 'ret']
    : [`mov ${find('rsp')}(%${to}), %rsp`, `jmp *${find('rip')}(%${to})`];
  const text = { [`swap${seed}.s`]: routine('swap', [...saves, ...loads, ...end]) };
  const slots = expectation(list, back);
  const expected = leavesAddress
    ? [...slots.map((slot) => slot.replace(' rsp >', ' rsp as -8 >')), 'stack+0:8 rip > rip']
    : slots;
  return { text, files: Object.keys(text), expected, options: { switch: 'swap' } };
}

/** One routine that pushes everything and exchanges stack pointers, in one of three ways. */
function swapPushed(seed: number, fault: Fault): Case {
  const below = numbers(seed);
  const way = (['pointers', 'value', 'result'] as const)[seed % 3];
  const names = shuffled([...CALLEE_SAVED, ...OTHERS.filter(() => below(2) === 0)], below);
  const count = names.length;
  const slots = names.map((name, index) => ({ name, offset: 8 * (count - 1 - index), size: 8 }));
  const back = restoredAs(slots, fault);
  const exchange = {
    pointers: ['mov %rsp, (%rdi)', 'mov (%rsi), %rsp'],
    value: ['mov %rsp, (%rdi)', 'mov %rsi, %rsp'],
    result: ['mov %rsp, %rax', 'mov %rdi, %rsp'],
  }[way];
  const pops = [...names].reverse().map((name) => {
    const other = back.get(name);
    return other === undefined ? 'add $8, %rsp' : `pop %${other}`;
  });
  const body = [...names.map((name) => `push %${name}`), ...exchange, ...pops, 'ret'];
  const text = { [`pushed${seed}.s`]: routine('swap', body) };
  const expected = [
    ...(way === 'result' ? [] : [`0:8 rsp as -${8 * count + 8} > rsp`]),
    ...expectation(slots, back).map((slot) => `stack+${slot}`),
    `stack+${8 * count}:8 rip > rip`,
  ];
  return { text, files: Object.keys(text), expected, options: { switch: 'swap' } };
}

const KINDS = { jump, inline, swapStruct, swapPushed };
const FAULTS: readonly Fault[] = ['none', 'swapped', 'forgotten'];
const cases = Array.from({ length: 36 }, (_, index) => {
  const kind = (Object.keys(KINDS) as (keyof typeof KINDS)[])[index % 4];
  const fault = FAULTS[Math.floor(index / 4) % 3];
  return { kind, fault, seed: index + 1 };
});

describe('switches that are made up', () => {
  it.each(cases)('$kind $seed, fault: $fault', async ({ kind, fault, seed }) => {
    const made = KINDS[kind](seed, fault);
    const paths = made.files.map((name) => file(name, made.text[name]));
    const found = await layout(paths, made.options);
    expect(found.failed).toBeUndefined();
    expect(short(found)).toEqual(made.expected);
  });
});
