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
 * `count` coroutines with small stacks, all alive at once: each starts the next, is switched back to, yields, is
 * switched back to and ends.
 */
export const manyCoroutines = (count: number): string => `
        .include "libmill.inc"
        .text
        .globl  main
main:   push    %rbx
        xor     %edi, %edi
        mov     $3000, %esi
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

/** `rounds` choose statements of `clauses` clauses, each on a channel of its own, of which the last one is ready. */
export const chooseOf = (rounds: number, clauses: number): string => `
        .include "libmill.inc"
        .text
        .globl  main
main:   push    %rbx
        push    %r12
        sub     $8, %rsp
        xor     %ebx, %ebx
make:   mov     $8, %edi
        mov     $1, %esi
        xor     %edx, %edx
        call    mill_chmake_
        lea     channels(%rip), %rcx
        mov     %rax, (%rcx,%rbx,8)
        inc     %ebx
        cmp     $${clauses}, %ebx
        jne     make
        mov     $${rounds}, %r12d
again:  mov     channels+${(clauses - 1) * 8}(%rip), %rdi
        lea     element(%rip), %rsi
        mov     $8, %edx
        xor     %ecx, %ecx
        call    mill_chs_
        xor     %edi, %edi
        call    mill_choose_init_
        xor     %ebx, %ebx
clause: mov     %rbx, %rdi
        shl     $6, %rdi
        lea     buffers(%rip), %rcx
        add     %rcx, %rdi
        lea     channels(%rip), %rcx
        mov     (%rcx,%rbx,8), %rsi
        mov     $8, %edx
        mov     %ebx, %ecx
        call    mill_choose_in_
        inc     %ebx
        cmp     $${clauses}, %ebx
        jne     clause
        call    mill_choose_wait_
        dec     %r12d
        jnz     again
        xor     %eax, %eax
        add     $8, %rsp
        pop     %r12
        pop     %rbx
        ret
        .data
        .balign 8
element: .quad  42
        .bss
        .balign 8
channels: .zero ${clauses * 8}
buffers: .zero  ${clauses * 64}
`;

/** `count` coroutines that each sleep until a later time than the one before: as many timers, in ascending order. */
export const ascendingTimers = (count: number): string => `
        .include "libmill.inc"
        .text
        .globl  main
main:   push    %rbx
        xor     %edi, %edi
        mov     $3000, %esi
        mov     $128, %edx
        call    mill_goprepare_
        call    mill_now_
        lea     1000(%rax), %rbx
start:  inc     %rbx
        go      sleeper
        decl    left(%rip)
        jnz     start
        mov     %rbx, %rdi
        inc     %rdi
        xor     %esi, %esi
        call    mill_msleep_
        mov     asleep(%rip), %eax
        pop     %rbx
        ret
sleeper:
        sub     $8, %rsp
        incl    asleep(%rip)
        mov     %rbx, %rdi
        xor     %esi, %esi
        call    mill_msleep_
        decl    asleep(%rip)
        add     $8, %rsp
        ret
        .data
left:   .long   ${count}
asleep: .long   0
`;

/**
 * Two contexts that switch to each other by libmill's two sequences, `rounds` times each, and nothing else: for any
 * x86_64, with nothing around it. It brings its own stacks, and ends by Linux's exit.
 */
export const bareSwitches = (rounds: number): string => `
        .text
        .globl  main
main:   lea     ping_stack(%rip), %rsp
        lea     pong_stack(%rip), %rax
        mov     %rax, pong_ctx+24(%rip)
        lea     pong(%rip), %rax
        mov     %rax, pong_ctx+56(%rip)
        mov     $${rounds}, %ebx
ping:   lea     ping_ctx(%rip), %rdx
        .include "mill_setjmp.s"
        test    %eax, %eax
        jnz     resumed
        lea     pong_ctx(%rip), %rax
        .include "mill_longjmp.s"
resumed: dec    %ebx
        jnz     ping
        mov     $60, %eax
        xor     %edi, %edi
        syscall
pong:   lea     pong_ctx(%rip), %rdx
        .include "mill_setjmp.s"
        test    %eax, %eax
        jnz     pong
        lea     ping_ctx(%rip), %rax
        .include "mill_longjmp.s"
        .bss
        .balign 16
ping_ctx: .zero 80
pong_ctx: .zero 80
        .zero   4096
ping_stack: .zero 4096
pong_stack: .zero 16
`;

/** Stages of {@link busyPipeline}, the bytes that each of them writes to, and how many writes it makes for a number. */
const STAGES = 4;
const TABLE = 64 << 10;
const WRITES = 32;

/**
 * `rounds` numbers that main sends through a pipeline of four stages. Each of them writes to places all over a table of
 * its own, yields, and sends the number on: some 420 instructions and three or four switches for each.
 */
export const busyPipeline = (rounds: number): string => `
        .include "libmill.inc"
        .text
        .globl  main
main:   push    %rbx
        push    %r12
        push    %r13
        push    %r14
        sub     $8, %rsp
        call    make_channel
        mov     %rax, %r13
        mov     %rax, first(%rip)
        lea     tables(%rip), %r14
        mov     $${STAGES}, %ebx
start:  mov     %r13, %r12
        call    make_channel
        mov     %rax, %r13
        go      stage
        add     $${TABLE}, %r14
        dec     %ebx
        jnz     start
        mov     $${rounds}, %ebx
next:   mov     first(%rip), %rdi
        mov     %rbx, %rsi
        call    send
        mov     %r13, %rdi
        call    receive
        dec     %ebx
        jnz     next
        xor     %eax, %eax
        add     $8, %rsp
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbx
        ret
stage:  sub     $8, %rsp
again:  mov     %r12, %rdi
        call    receive
        mov     %rax, %rbx
        mov     $${WRITES}, %ecx
write:  imul    $1664525, %rbx, %rbx
        add     $1013904223, %rbx
        mov     %rbx, %rdx
        shr     $16, %rdx
        and     $${TABLE / 8 - 1}, %edx
        mov     %rbx, (%r14,%rdx,8)
        dec     %ecx
        jnz     write
        xor     %edi, %edi
        call    mill_yield_
        mov     %r13, %rdi
        mov     %rbx, %rsi
        call    send
        jmp     again
make_channel:
        mov     $8, %edi
        xor     %esi, %esi
        xor     %edx, %edx
        jmp     mill_chmake_
send:   push    %rsi
        mov     %rsp, %rsi
        mov     $8, %edx
        xor     %ecx, %ecx
        call    mill_chs_
        pop     %rsi
        ret
receive: sub    $8, %rsp
        mov     $8, %esi
        xor     %edx, %edx
        call    mill_chr_
        mov     (%rax), %rax
        add     $8, %rsp
        ret
        .bss
        .balign 16
first:  .zero   8
tables: .zero   ${STAGES * TABLE}
`;
