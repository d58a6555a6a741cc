# libmill's functions as the guest sees them. What libmill does in C before and after a switch is done behind the
# doors; the switch itself is here, and its two sequences are inline as libmill has them.

        .include "doors.inc"

# Offsets in struct mill_cr.
        .set    mill_cr_ctx, 96
        .set    mill_cr_clsval, 200

        .text

# mill_ctx mill_getctx_(void)
        .globl  mill_getctx_
mill_getctx_:
        mov     mill_running(%rip), %rax
        lea     mill_cr_ctx(%rax), %rax
        ret

# void *mill_prologue_(const char *created): where the stack of the new coroutine, which runs from here on, begins
        .globl  mill_prologue_
mill_prologue_:
        door    door_prologue
        ret

# void mill_epilogue_(void): nobody to save, so straight to the half that restores
        .globl  mill_epilogue_
mill_epilogue_:
        mov     $door_epilogue, %eax
        jmp     mill_schedule

# void mill_goprepare_(int count, size_t stack_size, size_t val_size)
        .globl  mill_goprepare_
mill_goprepare_:
        door    door_goprepare
        ret

# void *mill_cls_(void)
        .globl  mill_cls_
mill_cls_:
        mov     mill_running(%rip), %rax
        mov     mill_cr_clsval(%rax), %rax
        ret

# void mill_setcls_(void *val)
        .globl  mill_setcls_
mill_setcls_:
        mov     mill_running(%rip), %rax
        mov     %rdi, mill_cr_clsval(%rax)
        ret

# void mill_yield_(const char *current)
        .globl  mill_yield_
mill_yield_:
        mov     $door_yield, %r10d

# mill_suspend: saves the running coroutine, restores the next one, and returns when somebody has resumed this one. rax
# is then what the landing leaves in it, its ctx: who needs the result given to mill_resume finds it from there.
#
# Each function that blocks comes here with its door in r10d. The door is opened between save and restore, so that one
# is enough for what libmill does before (register the wait, resume the peer) and in between (choose who is next). The
# save takes rdx and rcx, so a third and a fourth argument wait in r8 and r9.
        .globl  mill_suspend
mill_suspend:
        mov     mill_running(%rip), %rdx
        lea     mill_cr_ctx(%rdx), %rdx
        .include "mill_setjmp.s"
        test    %eax, %eax
        jnz     mill_resumed
        mov     %r10d, %eax
mill_schedule:
        open_door
        .include "mill_longjmp.s"
mill_resumed:
        ret

        .data
        .balign 16

# libmill's own variables, under its names.
        .globl  mill_running, mill_main, mill_unoptimisable1_, mill_unoptimisable2_
mill_running:           .quad   mill_main
mill_ready:             .zero   16      # slist: first, last
mill_all_crs:           .zero   16      # list: first, last
mill_cached_stacks:     .zero   16      # slist
mill_valbuf_size:       .quad   128
mill_stack_size:        .quad   262144 - 256
mill_num_cached_stacks: .long   0
mill_max_cached_stacks: .long   64
mill_next_cr_id:        .long   1
mill_suspend_counter:   .long   0       # switches since the last wait
mill_unoptimisable1_:   .long   1
        .balign 8
mill_unoptimisable2_:   .quad   0
        .balign 16
mill_main:              .zero   248
        .balign 16
mill_main_valbuf:       .zero   128
