/** qsort and qsort_r, which are guest code. fixtures/c/sorting.c has them together with coroutines, bsearch and lfind. */
import { describe, expect, test } from 'vitest';
import { PAGE_SIZE } from '../../../emu/memory.js';
import { withProcess } from '../guest.js';
import { generator } from './native.js';

/** What is behind `cases`: base, count, size, and how often the comparator was called; a base of 0 is the end. */
const CASE = 32;
const CALLS = 24;

/** Sorts each case, in turn with qsort and qsort_r, by the first byte of its elements. */
const SORTS = `
main:   push    %rbx
        push    %rbp
        sub     $8, %rsp
        cmpl    $0, exhausted(%rip)
        je      ready
        mov     $0x100000, %ebx
exhaust: mov    %rbx, %rdi
        call    malloc
        test    %rax, %rax
        jnz     exhaust
        shr     $1, %rbx
        jnz     exhaust
ready:  call    __errno_location
        movl    $77, (%rax)
        mov     cases(%rip), %rbx
1:      mov     %rbx, current(%rip)
        mov     (%rbx), %rdi
        mov     8(%rbx), %rsi
        mov     16(%rbx), %rdx
        testl   $${CASE}, %ebx
        jz      2f
        lea     compare(%rip), %rcx
        call    qsort
        jmp     3f
2:      lea     compare_r(%rip), %rcx
        lea     ${CALLS}(%rbx), %r8
        call    qsort_r
3:      add     $${CASE}, %rbx
        cmpq    $0, (%rbx)
        jne     1b
        call    __errno_location
        mov     (%rax), %eax
        add     $8, %rsp
        pop     %rbp
        pop     %rbx
        ret

# Every register that a function may use is used up.
compare:
        mov     current(%rip), %rdx
        add     $${CALLS}, %rdx
compare_r:
        incq    (%rdx)
        movzbl  (%rdi), %eax
        movzbl  (%rsi), %ecx
        sub     %ecx, %eax
        mov     $-1, %rcx
        mov     %rcx, %rdx
        mov     %rcx, %rsi
        mov     %rcx, %rdi
        mov     %rcx, %r8
        mov     %rcx, %r9
        mov     %rcx, %r10
        mov     %rcx, %r11
        ret
        .bss
        .globl  cases, exhausted
cases:  .zero   8
current: .zero  8
exhausted: .zero 4`;

interface Sorted {
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly calls: number;
}

/** Arrays of elements of a key and, if they are longer, the place at which they were; sorted there. */
function sort(shapes: readonly { readonly count: number; readonly size: number }[], exhausted = false) {
  const below = generator(99);
  return withProcess(
    SORTS,
    (process): Sorted[] => {
      const { memory } = process.cpu;
      const reserved = (bytes: number): number => {
        const size = Math.ceil(bytes / PAGE_SIZE) * PAGE_SIZE;
        const address = memory.allocate(size, 0);
        memory.reserve(address, size, 'rw-');
        return address;
      };
      const cases = reserved(CASE * (shapes.length + 1));
      const bases = shapes.map(({ count, size }, index) => {
        const base = reserved(count * size + 1);
        const keys = 1 + below(index % 3 === 0 ? 4 : 256);
        for (let at = 0; at < count; at++) {
          for (let byte = 0; byte < size; byte++) {
            const place = at >> (8 * ((byte - 1) % 2));
            memory.setU8(base + at * size + byte, byte === 0 ? below(keys) : place & 0xff);
          }
        }
        [base, count, size].forEach((word, field) => {
          memory.setPointer(cases + CASE * index + 8 * field, word);
        });
        return base;
      });
      const elements = (index: number): string[] => {
        const { count, size } = shapes[index];
        const read = (_: unknown, at: number): string =>
          Buffer.from(memory.read(bases[index] + at * size, size)).toString('hex');
        return Array.from({ length: count }, read);
      };
      const before = shapes.map((_, index) => elements(index));
      memory.setPointer(Number(process.symbol('cases')), cases);
      memory.setU32(Number(process.symbol('exhausted')), Number(exhausted));
      const end = process.mill.heap.end;
      expect(process.run(), 'errno is what it was').toEqual({ kind: 'exit', status: 77 });
      if (!exhausted) expect(process.mill.heap.end - end, 'the room is free again').toBeLessThan(1 << 20);
      return before.map((list, index) => ({
        before: list,
        after: elements(index),
        calls: memory.pointer(cases + CASE * index + CALLS),
      }));
    },
    undefined,
    32 << 20,
  );
}

const key = (element: string): string => element.slice(0, 2);
const byKey = (one: string, other: string): number => Number(key(one) > key(other)) - Number(key(one) < key(other));

const SHAPES = [
  ...[0, 1, 2, 3, 4, 5, 7, 8, 9, 31, 100, 255].flatMap((count) =>
    [1, 2, 3, 4, 8, 12, 40].map((size) => ({ count, size })),
  ),
  ...Array.from({ length: 40 }, (_, index) => ({ count: index, size: 3 })),
];
const LARGE = [...Array.from({ length: 20 }, () => ({ count: 100, size: 1000 })), { count: 5000, size: 8 }];

describe('qsort', () => {
  test('sorts, keeps the order of what is equal, and calls the comparator n log n times', async () => {
    const shapes = [...SHAPES, ...LARGE];
    for (const [index, { before, after, calls }] of (await sort(shapes)).entries()) {
      const { count, size } = shapes[index];
      // JavaScript's sort is stable.
      expect(after, `${count} of ${size} bytes`).toEqual(before.toSorted(byKey));
      expect(calls).toBeLessThanOrEqual(count * Math.ceil(Math.log2(Math.max(count, 1))));
      expect(calls).toBeGreaterThanOrEqual(Math.floor(count / 2));
    }
  });

  test('sorts without any memory to be had', async () => {
    for (const [index, { before, after, calls }] of (await sort(SHAPES, true)).entries()) {
      const { count, size } = SHAPES[index];
      expect(after.map(key), `${count} of ${size} bytes`).toEqual(before.map(key).toSorted());
      expect(after.toSorted()).toEqual(before.toSorted());
      expect(calls).toBeLessThanOrEqual(3 * count * Math.ceil(Math.log2(Math.max(count, 2))));
    }
  });
});
