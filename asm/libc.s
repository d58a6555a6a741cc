# The guest side of libc: how a program starts and ends, and what has to be guest code because it calls guest code or
# moves the stack. Everything else is behind doors, one instruction of `syscall` each, in runtime/libc.

        .include "doors.inc"

        .text

# __libc_start_main(main, argc, argv): where the machine begins. The program's constructors are called first, as System
# V has it with argc, argv and the environment.
        .globl  __libc_start_main
__libc_start_main:
        mov     %rsi, libc_argc(%rip)
        mov     %rdx, libc_argv(%rip)
        lea     8(%rdx,%rsi,8), %rdx
        mov     %rdx, environ(%rip)
        push    %rdi
        sub     $8, %rsp
libc_construct:
        mov     init_array(%rip), %rax
        cmp     init_array_end(%rip), %rax
        jae     libc_main
        addq    $8, init_array(%rip)
        mov     libc_argc(%rip), %rdi
        mov     libc_argv(%rip), %rsi
        mov     environ(%rip), %rdx
        call    *(%rax)
        jmp     libc_construct
libc_main:
        add     $8, %rsp
        pop     %rax
        mov     libc_argc(%rip), %rdi
        mov     libc_argv(%rip), %rsi
        mov     environ(%rip), %rdx
        call    *%rax
        mov     %eax, %edi

# void exit(int status): what atexit() was given, last first, then the program's destructors, last first. Each is taken
# off its list before it is called, so that one that calls exit() itself goes on with the next.
        .globl  exit
exit:
        and     $-16, %rsp
        sub     $16, %rsp
        mov     %rdi, (%rsp)
exit_next:
        mov     exit_functions(%rip), %rax
        test    %rax, %rax
        jz      exit_destruct
        mov     exit_function_next(%rax), %rdx
        mov     %rdx, exit_functions(%rip)
        mov     exit_function_argument(%rax), %rdi
        call    *exit_function_address(%rax)
        jmp     exit_next
exit_destruct:
        mov     fini_array_end(%rip), %rax
        cmp     fini_array(%rip), %rax
        jbe     exit_done
        sub     $8, %rax
        mov     %rax, fini_array_end(%rip)
        call    *(%rax)
        jmp     exit_destruct
exit_done:
        mov     (%rsp), %rdi
        door    door_exit
        hlt

# int __cxa_atexit(void (*function)(void *), void *argument, void *dso)
        .set    exit_function_next, 0
        .set    exit_function_address, 8
        .set    exit_function_argument, 16
        .set    exit_function_size, 24

        .globl  atexit, __cxa_atexit
atexit:
__cxa_atexit:
        push    %rdi
        push    %rsi
        sub     $8, %rsp
        mov     $exit_function_size, %edi
        call    malloc
        add     $8, %rsp
        pop     %rsi
        pop     %rdi
        test    %rax, %rax
        jz      atexit_failed
        mov     %rdi, exit_function_address(%rax)
        mov     %rsi, exit_function_argument(%rax)
        mov     exit_functions(%rip), %rdx
        mov     %rdx, exit_function_next(%rax)
        mov     %rax, exit_functions(%rip)
        xor     %eax, %eax
        ret
atexit_failed:
        mov     $-1, %eax
        ret

# void abort(void)
        .globl  abort
abort:
        door    door_abort
        hlt

# void _exit(int status): nothing is called and nothing flushed
        .globl  _exit, _Exit
_exit:
_Exit:
        door    door__exit
        hlt

# pid_t fork(void): 0 in the child, which runs to its end first, and the child's id in the parent, which then goes on
        .globl  fork
fork:
        door    door_fork
        ret

# int setjmp(jmp_buf env), void longjmp(jmp_buf env, int val): C's own, which are calls and know nothing of coroutines.
# rbx, rbp, r12-r15, rsp and the return address in eight words; signal masks there are none.
        .globl  setjmp, _setjmp, __sigsetjmp
setjmp:
_setjmp:
__sigsetjmp:
        mov     %rbx, (%rdi)
        mov     %rbp, 8(%rdi)
        mov     %r12, 16(%rdi)
        mov     %r13, 24(%rdi)
        mov     %r14, 32(%rdi)
        mov     %r15, 40(%rdi)
        lea     8(%rsp), %rdx
        mov     %rdx, 48(%rdi)
        mov     (%rsp), %rdx
        mov     %rdx, 56(%rdi)
        xor     %eax, %eax
        ret

        .globl  longjmp, _longjmp, siglongjmp, __longjmp_chk
longjmp:
_longjmp:
siglongjmp:
__longjmp_chk:
        mov     $1, %eax
        test    %esi, %esi
        cmovnz  %esi, %eax
        mov     (%rdi), %rbx
        mov     8(%rdi), %rbp
        mov     16(%rdi), %r12
        mov     24(%rdi), %r13
        mov     32(%rdi), %r14
        mov     40(%rdi), %r15
        mov     48(%rdi), %rsp
        jmp     *56(%rdi)

# void *__tls_get_addr(size_t index[2]): one thread and one module, so the second word counts from the thread pointer
        .globl  __tls_get_addr
__tls_get_addr:
        mov     8(%rdi), %rax
        add     %fs:0, %rax
        ret

# int *__errno_location(void), under the name too that musl's own functions call it by: they are to share it
        .globl  __errno_location, ___errno_location
__errno_location:
___errno_location:
        lea     errno(%rip), %rax
        ret

# int abs(int), long labs(long) and its other names
        .globl  abs, labs, llabs, imaxabs
abs:
        mov     %edi, %eax
        neg     %eax
        cmovs   %edi, %eax
        ret
labs:
llabs:
imaxabs:
        mov     %rdi, %rax
        neg     %rax
        cmovs   %rdi, %rax
        ret

# div_t div(int, int), ldiv_t ldiv(long, long) and its other names: quotient and remainder are returned in one register,
# or in rax and rdx. A division by zero faults here, as everywhere.
        .globl  div, ldiv, lldiv, imaxdiv
div:
        mov     %edi, %eax
        cltd
        idivl   %esi
        shl     $32, %rdx
        mov     %eax, %eax
        or      %rdx, %rax
        ret
ldiv:
lldiv:
imaxdiv:
        mov     %rdi, %rax
        cqto
        idivq   %rsi
        ret

# int ffs(int), int ffsl(long), int ffsll(long long): the number of the lowest bit that is set, from 1; 0 if there is none
        .globl  ffs, ffsl, ffsll
ffs:
        mov     $-1, %edx
        bsf     %edi, %eax
        cmovz   %edx, %eax
        inc     %eax
        ret
ffsl:
ffsll:
        mov     $-1, %rdx
        bsf     %rdi, %rax
        cmovz   %rdx, %rax
        inc     %eax
        ret

# double drand48(void), double erand48(unsigned short state[3]): 48 random bits, divided by 2^48
        .globl  drand48, erand48
drand48:
        lea     rand48_state(%rip), %rdi
erand48:
        call    __bits48
        cvtsi2sd %rax, %xmm0
        mulsd   two_to_minus_48(%rip), %xmm0
        ret

# double difftime(time_t end, time_t start)
        .globl  difftime
difftime:
        sub     %rsi, %rdi
        cvtsi2sd %rdi, %xmm0
        ret

        .data
        .balign 16

# What fs points to in a program that brings no thread-local storage of its own: its own address, and at 0x28 the value
# that gcc's stack protector puts between a function's arrays and its return address.
        .globl  __thread_pointer
__thread_pointer:
        .quad   __thread_pointer, 0, 0, 0, 0, 0x6d696c6c73636f00, 0, 0

# Between which addresses the program's constructors and destructors are listed.
init_array:     .quad   0
init_array_end: .quad   0
fini_array:     .quad   0
fini_array_end: .quad   0

# The process that runs, its parent (0 for the first one, as for a process whose parent is outside of its namespace), and
# the last that was made.
        .globl  __process_id, __parent_process_id
__process_id:        .long 1
__parent_process_id: .long 0
process_last_id:     .long 1

# 2^-48 as a double.
        .balign 8
two_to_minus_48: .quad  0x3cf0000000000000

# Multiplier and increment of drand48() and its family, which lcong48() sets.
rand48_factor:    .quad 0x5deece66d
rand48_increment: .quad 0xb

# What time.h's functions know of time zones: there is one, without summer time.
        .globl  tzname, __tzname, timezone, __timezone, daylight, __daylight
tzname:
__tzname:       .quad   utc, utc
timezone:
__timezone:     .quad   0
daylight:
__daylight:     .long   0
utc:            .asciz  "UTC"
gmt:            .asciz  "GMT"

# Only the addresses of these are used, by what describes a C++ class, as long as nothing is thrown or cast dynamically.
        .balign 8
        .globl  _ZTVN10__cxxabiv117__class_type_infoE
        .globl  _ZTVN10__cxxabiv120__si_class_type_infoE
        .globl  _ZTVN10__cxxabiv121__vmi_class_type_infoE
_ZTVN10__cxxabiv117__class_type_infoE:          .zero   24
_ZTVN10__cxxabiv120__si_class_type_infoE:       .zero   24
_ZTVN10__cxxabiv121__vmi_class_type_infoE:      .zero   24

# The middles of the tables below, which are indexed from -128 on.
ctype_b_middle:         .quad   ctype_b + 2 * 128
ctype_tolower_middle:   .quad   ctype_tolower + 4 * 128
ctype_toupper_middle:   .quad   ctype_toupper + 4 * 128

        .bss
        .balign 8
libc_argc:      .zero   8
libc_argv:      .zero   8
        .globl  environ
environ:        .zero   8
exit_functions: .zero   8
# Children that have ended and were not yet waited for: a word for each of the 1000 processes that there may be.
process_children: .zero 4 * 1001
# And when they ended, in ms.
process_child_times: .zero 8 * 1001
# A bit for each of Linux's system calls that the program has made in vain, so that each is reported once.
system_calls_refused: .zero 64
errno:          .zero   4

# The numbers choose draws; the heap: where it ends, and the first and the last free block of each size class.
        .balign 8
random_state:   .zero   8
heap_end:       .zero   8
heap_free:      .zero   8 * 32
heap_free_last: .zero   8 * 32

# rand() and random(): 31 words, and which of them is next. drand48() and its family: three times 16 bits, and what
# seed48() returns.
rand_state:     .zero   4 * 31
rand_next:      .zero   4
rand48_state:   .zero   6
rand48_before:  .zero   6

# Where strtok() goes on, and what functions return the address of.
strtok_next:    .zero   8
strerror_text:  .zero   64
strerror_texts: .zero   4096
strsignal_text: .zero   64
time_tm:        .zero   56
time_text:      .zero   64

# ctype.h's tables for -128 to 255; not 0 in front of them says that they were written.
        .balign 8
ctype_ready:    .zero   4
ctype_b:        .zero   2 * 384
ctype_tolower:  .zero   4 * 384
ctype_toupper:  .zero   4 * 384
