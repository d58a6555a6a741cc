# mill_longjmp_: restores a saved context and goes on there. From libmill, libmill.h, x86_64,
# Copyright (c) 2015 Martin Sustrik, MIT/X11 licence.
#
# In: rax = ctx. Does not come back. rdx is scratch; rax still holds ctx at the landing.
#
#   slot   0    1    2    3    4    5    6    7               8    9
#   byte   0    8    16   24   32   40   48   56              64   72
#   holds  rbx  rbp  r12  rsp  r13  r14  r15  return address  rdi  rsi

        movq    (%rax), %rbx
        movq    8(%rax), %rbp
        movq    16(%rax), %r12
        movq    24(%rax), %rdx
        movq    32(%rax), %r13
        movq    40(%rax), %r14
        mov     %rdx, %rsp
        movq    48(%rax), %r15
        movq    56(%rax), %rdx
        movq    64(%rax), %rdi
        movq    72(%rax), %rsi
        jmp     *%rdx
