# mill_setjmp_: saves the running context. From libmill, libmill.h, x86_64,
# Copyright (c) 2015 Martin Sustrik, MIT/X11 licence.
#
# In: rdx = ctx. Out: eax = 0 on the save; not 0 when mill_longjmp_ lands on the last line.
# Clobbers rcx; the compiler is told that r8-r11 and xmm0-15 are lost as well.
#
#   slot   0    1    2    3    4    5    6    7               8    9
#   byte   0    8    16   24   32   40   48   56              64   72
#   holds  rbx  rbp  r12  rsp  r13  r14  r15  return address  rdi  rsi
#
# Meant to be included inline: behind a call it would save the stack pointer of a dead frame.
# The label stands for libmill's LJMPRET%=, which is new in every statement: it is numeric, so that it can be defined
# again, and spells LJMPRET on a telephone's keys, so that no `1b` of the program around it will ever mean it.

        lea     5567738f(%rip), %rcx
        xor     %rax, %rax
        mov     %rbx, (%rdx)
        mov     %rbp, 8(%rdx)
        mov     %r12, 16(%rdx)
        mov     %rsp, 24(%rdx)
        mov     %r13, 32(%rdx)
        mov     %r14, 40(%rdx)
        mov     %r15, 48(%rdx)
        mov     %rcx, 56(%rdx)
        mov     %rdi, 64(%rdx)
        mov     %rsi, 72(%rdx)
5567738:
