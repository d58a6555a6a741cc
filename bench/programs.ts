/** Two coroutines that do nothing but yield to each other; `rounds` times each. */
export const yieldPingPong = (rounds: number): string => `
        .include "libmill.inc"
        .text
        .globl  main
main:   push    %rbx
        go      pong
        mov     $${rounds}, %ebx
ping:   xor     %edi, %edi
        call    mill_yield_
        dec     %ebx
        jnz     ping
        xor     %eax, %eax
        pop     %rbx
        ret
pong:   sub     $8, %rsp
again:  xor     %edi, %edi
        call    mill_yield_
        jmp     again
`;

/** The same with another switch in the place of libmill's and its scheduler: `swap` has where to save and to load. */
const swapPingPong = (rounds: number, frame: number, swap: string): string => `
        .text
        .globl  main
main:   push    %rbx
        lea     pong(%rip), %rax
        mov     %rax, pong_frame+${frame}(%rip)
        lea     pong_frame(%rip), %rax
        mov     %rax, pong_rsp(%rip)
        mov     $${rounds}, %ebx
ping:   lea     main_rsp(%rip), %rdi
        lea     pong_rsp(%rip), %rsi
        call    swap
        dec     %ebx
        jnz     ping
        xor     %eax, %eax
        pop     %rbx
        ret
pong:   lea     pong_rsp(%rip), %rdi
        lea     main_rsp(%rip), %rsi
        call    swap
        jmp     pong
swap:   ${swap}
        .bss
        .balign 16
main_rsp: .zero 8
pong_rsp: .zero 8
        .zero   4096
pong_frame: .zero 128
`;

const pushed = (registers: readonly string[]): string =>
  [
    ...registers.map((register) => `push %${register}`),
    'mov %rsp, (%rdi)',
    'mov (%rsi), %rsp',
    ...[...registers].reverse().map((register) => `pop %${register}`),
    'ret',
  ].join('\n        ');

const ABI = ['rbp', 'rbx', 'r12', 'r13', 'r14', 'r15'];

/** The smallest swap that keeps what libmill's switch keeps, ten values with rsp and the return address. */
export const sameSwapPingPong = (rounds: number): string => swapPingPong(rounds, 64, pushed([...ABI, 'rdi', 'rsi']));

/** The smallest swap that keeps what the System V ABI asks for: eight values. */
export const abiSwapPingPong = (rounds: number): string => swapPingPong(rounds, 48, pushed(ABI));

/**
 * `count` coroutines with stacks of 16 KiB, all alive at once: each starts the next, is switched back to, yields, is
 * switched back to and ends.
 */
export const manyCoroutines = (count: number): string => `
        .include "libmill.inc"
        .text
        .globl  main
main:   push    %rbx
        xor     %edi, %edi
        mov     $16000, %esi
        mov     $128, %edx
        call    mill_goprepare_
        go      worker
        mov     $3, %ebx
wait:   xor     %edi, %edi
        call    mill_yield_
        dec     %ebx
        jnz     wait
        mov     alive(%rip), %eax
        pop     %rbx
        ret
worker: sub     $8, %rsp
        incl    alive(%rip)
        decl    left(%rip)
        jz      last
        go      worker
last:   xor     %edi, %edi
        call    mill_yield_
        decl    alive(%rip)
        add     $8, %rsp
        ret
        .data
left:   .long   ${count}
alive:  .long   0
`;
