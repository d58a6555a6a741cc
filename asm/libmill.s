# libmill's functions as the guest sees them. What libmill does in C before and after a switch is done behind the
# doors; the switch itself is here, and its two sequences are inline as libmill has them.

        .include "doors.inc"

# Offsets in struct mill_cr.
        .set    mill_cr_ctx, 96
        .set    mill_cr_result, 176
        .set    mill_cr_clsval, 200

# What a blocking call on a channel needs on the stack of its coroutine: a struct mill_clause, and what keeps rsp
# aligned at the call of mill_suspend.
        .set    mill_clause_size, 64
        .set    mill_clause_frame, mill_clause_size + 8
# Bytes between the return address of that call and their own, by which a caller is found from outside.
        .set    mill_chs_frame, mill_clause_frame
        .set    mill_chr_frame, mill_clause_frame
        .set    mill_choose_wait_frame, 8

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

# int64_t mill_now_(void): in ms
        .globl  mill_now_
mill_now_:
        door    door_now
        ret

# chan mill_chmake_(size_t sz, size_t bufsz, const char *created)
        .globl  mill_chmake_
mill_chmake_:
        door    door_chmake
        ret

# chan mill_chdup_(chan ch, const char *current)
        .globl  mill_chdup_
mill_chdup_:
        door    door_chdup
        ret

# void mill_chclose_(chan ch, const char *current)
        .globl  mill_chclose_
mill_chclose_:
        door    door_chclose
        ret

# void mill_chdone_(chan ch, void *val, size_t sz, const char *current)
        .globl  mill_chdone_
mill_chdone_:
        door    door_chdone
        ret

# void mill_choose_init_(const char *current)
        .globl  mill_choose_init_
mill_choose_init_:
        door    door_choose_init
        ret

# void mill_choose_in_(void *clause, chan ch, size_t sz, int idx)
        .globl  mill_choose_in_
mill_choose_in_:
        door    door_choose_in
        ret

# void mill_choose_out_(void *clause, chan ch, void *val, size_t sz, int idx)
        .globl  mill_choose_out_
mill_choose_out_:
        door    door_choose_out
        ret

# void mill_choose_deadline_(int64_t ddline)
        .globl  mill_choose_deadline_
mill_choose_deadline_:
        door    door_choose_deadline
        ret

# void mill_choose_otherwise_(void)
        .globl  mill_choose_otherwise_
mill_choose_otherwise_:
        door    door_choose_otherwise
        ret

# void *mill_choose_val_(size_t sz)
        .globl  mill_choose_val_
mill_choose_val_:
        door    door_choose_val
        ret

# pid_t mill_mfork_(void): the child drops what is ready, and all timers
        .globl  mill_mfork_
mill_mfork_:
        sub     $8, %rsp
        call    fork
        test    %eax, %eax
        jnz     mill_mfork_parent
        door    door_postfork
        xor     %eax, %eax
mill_mfork_parent:
        add     $8, %rsp
        ret

# void goredump(void)
        .globl  goredump
goredump:
        door    door_goredump
        ret

# void gotrace(int level)
        .globl  gotrace
gotrace:
        door    door_gotrace
        ret

# int mill_choose_wait_(void)
        .globl  mill_choose_wait_
mill_choose_wait_:
        mov     $door_choose_wait, %r10d
        sub     $mill_choose_wait_frame, %rsp
        call    mill_suspend
        mov     mill_cr_result - mill_cr_ctx(%rax), %eax
        add     $mill_choose_wait_frame, %rsp
        ret

# void mill_chs_(chan ch, void *val, size_t sz, const char *current)
        .globl  mill_chs_
mill_chs_:
        mov     %rdx, %r8
        mov     %rcx, %r9
        mov     $door_chs, %r10d
        sub     $mill_clause_frame, %rsp
        call    mill_suspend
        add     $mill_clause_frame, %rsp
        ret

# void *mill_chr_(chan ch, size_t sz, const char *current): rsi comes back from the switch as it was
        .globl  mill_chr_
mill_chr_:
        mov     %rdx, %r8
        mov     $door_chr, %r10d
        sub     $mill_clause_frame, %rsp
        call    mill_suspend
        add     $mill_clause_frame, %rsp
        mov     %rsi, %rdi
        jmp     mill_choose_val_

# void mill_msleep_(int64_t deadline, const char *current)
        .globl  mill_msleep_
mill_msleep_:
        mov     $door_msleep, %r10d
        jmp     mill_suspend

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
mill_all_chans:         .zero   16      # list
mill_next_cr_id:        .long   1
mill_next_chan_id:      .long   1
mill_choose_seqnum:     .long   0
mill_tracelevel:        .long   0
mill_suspend_counter:   .long   0       # switches since the last wait
mill_unoptimisable1_:   .long   1
        .balign 8
mill_unoptimisable2_:   .quad   0

# The clock: virtual time in ms, and what it has to count to creep on; the timers, a heap of pointers to mill_timer.
mill_clock:             .quad   1000000
mill_clock_calls:       .long   0       # of now() since the last poll
mill_timers_count:      .long   0
mill_timers_capacity:   .long   0
        .balign 8
mill_timers:            .quad   0
mill_timers_sequence:   .quad   0
        .balign 16
mill_main:              .zero   248
        .balign 16
mill_main_valbuf:       .zero   128
