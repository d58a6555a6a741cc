/*
 * libmill for C and C++ programs, with the names, the arguments and the binary interface of libmill 1.18 for x86_64:
 * coroutines, channels, timers and descriptors. libmill's sockets and files are not here.
 *
 * With MILL_USE_PREFIX defined, every name below that a program uses begins with mill_ (constants: MILL_).
 *
 * The text is millscope's own, except for the instructions in mill_setjmp_ and mill_longjmp_ and what the compiler is
 * told of them: these are libmill's, Copyright (c) 2015 Martin Sustrik, MIT/X11 licence; see NOTICE.
 *
 * Compile with -fno-stack-clash-protection where the compiler has -fstack-clash-protection on by default: its probes
 * would walk from one stack to the other.
 */

#ifndef LIBMILL_H_INCLUDED
#define LIBMILL_H_INCLUDED

#if !defined(__x86_64__) || !defined(__GNUC__)
#error "libmill.h: needs gcc or clang, for x86_64"
#endif

/* Programs for libmill get all of these from its header. */
#include <errno.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The interface that this is: libmill 1.18's libtool numbers. */
#define MILL_VERSION_CURRENT 19
#define MILL_VERSION_REVISION 1
#define MILL_VERSION_AGE 1

/* "file.c:123", as goredump() and gotrace() show it. */
#define MILL_HERE_ (__FILE__ ":" mill_text_(__LINE__))
#define mill_text_(line) mill_text_as_it_is_(line)
#define mill_text_as_it_is_(line) #line

/* Coroutines. All times are in ms of mill_now_()'s clock; a deadline below 0 never comes. */

#define MILL_FDW_IN_ 1
#define MILL_FDW_OUT_ 2
#define MILL_FDW_ERR_ 4

/* Where a coroutine's registers are kept: rbx, rbp, r12, rsp, r13, r14, r15, the return address, rdi, rsi. */
typedef uint64_t *mill_ctx;

/* Always 1, which the compiler must not know. */
extern volatile int mill_unoptimisable1_;

/* Takes the address of what the compiler must not leave out. */
extern volatile void *mill_unoptimisable2_;

/* clang would make a loop of its own out of the first time through the one in mill_go_: see there. */
#ifdef __clang__
#define MILL_ONCE_ __attribute__((noduplicate))
#else
#define MILL_ONCE_
#endif

/* The ctx of the running coroutine. */
MILL_ONCE_ mill_ctx mill_getctx_(void);

/* Makes the caller ready and a new coroutine the running one; returns the lowest address that its stack may not use. */
void *mill_prologue_(const char *created);

/* Ends the running coroutine. It never returns, which the compiler must not know: see mill_go_. */
void mill_epilogue_(void);

/* Makes `count` stacks ready for use, with room for values of `val_size` bytes; errno is not 0 when it could not. */
void mill_goprepare_(int count, size_t stack_size, size_t val_size);

/* Lets all other ready coroutines run first. */
void mill_yield_(const char *current);

/* Waits until the deadline. */
void mill_msleep_(int64_t deadline, const char *current);

/* Waits until the descriptor can do one of the events, and returns those it can; 0 if the deadline came first. */
int mill_fdwait_(int fd, int events, int64_t deadline, const char *current);

/* To be called before a descriptor that was waited for is closed. */
void mill_fdclean_(int fd);

/* The running coroutine's own value, NULL at first. */
void *mill_cls_(void);

/* Sets the running coroutine's own value. */
void mill_setcls_(void *val);

/* The time in ms. */
int64_t mill_now_(void);

/* Forks; the child goes on with the running coroutine alone. */
pid_t mill_mfork_(void);

/* Channels. */

struct mill_chan_;

/* The room for a clause of a choose statement: 64 bytes, which the caller provides and libmill fills in. */
typedef struct {
    void *pointers[6];
    int numbers[3];
} mill_clause_;
#define MILL_CLAUSELEN_ (sizeof(mill_clause_))

/* A new channel for values of `sz` bytes, with a buffer of `bufsz` values; NULL if there is not enough memory. */
struct mill_chan_ *mill_chmake_(size_t sz, size_t bufsz, const char *created);

/* One more handle of the channel: the same pointer, to be closed once more. */
struct mill_chan_ *mill_chdup_(struct mill_chan_ *ch, const char *created);

/* Closes a handle, with the last one the channel. */
void mill_chclose_(struct mill_chan_ *ch, const char *current);

/* Sends the value, and waits until it is received or in the buffer. */
void mill_chs_(struct mill_chan_ *ch, void *val, size_t sz, const char *current);

/* Waits for a value; returns its address, good until the coroutine's next receive. */
void *mill_chr_(struct mill_chan_ *ch, size_t sz, const char *current);

/* Ends the channel: nothing more is sent, and who receives gets this value for ever once the buffer is empty. */
void mill_chdone_(struct mill_chan_ *ch, void *val, size_t sz, const char *current);

/* Begins a choose statement. */
void mill_choose_init_(const char *current);

/* A clause that receives. */
void mill_choose_in_(void *clause, struct mill_chan_ *ch, size_t sz, int idx);

/* A clause that sends; the value is read when it is taken. */
void mill_choose_out_(void *clause, struct mill_chan_ *ch, void *val, size_t sz, int idx);

/* What ends the wait when no clause is ready in time. */
void mill_choose_deadline_(int64_t deadline);

/* What is done when no clause is ready at once. */
void mill_choose_otherwise_(void);

/* Waits for a clause; returns the idx of the one taken, or -1 for deadline and otherwise. */
int mill_choose_wait_(void);

/* The address of the value that the clause taken has received. */
void *mill_choose_val_(size_t sz);

/* Debugging. These two have no prefix in libmill either, so that they can be called from a debugger. */

/* Writes a table of all coroutines and channels to stderr. */
void goredump(void);

/* Above 0: writes a line to stderr for each operation from now on. */
void gotrace(int level);

#ifdef __cplusplus
}
#endif

/*
 * Saves the registers of the running coroutine: 0 now, and not 0 when mill_longjmp_ comes back to it.
 * It has to be inline in its caller: behind a call it would save the stack pointer of a dead frame.
 */
#define mill_setjmp_(ctx)                                                                                              \
    __extension__({                                                                                                    \
        int mill_result_;                                                                                              \
        __asm__ volatile("lea     LJMPRET%=(%%rip), %%rcx\n\t"                                                         \
                         "xor     %%rax, %%rax\n\t"                                                                    \
                         "mov     %%rbx, (%%rdx)\n\t"                                                                  \
                         "mov     %%rbp, 8(%%rdx)\n\t"                                                                 \
                         "mov     %%r12, 16(%%rdx)\n\t"                                                                \
                         "mov     %%rsp, 24(%%rdx)\n\t"                                                                \
                         "mov     %%r13, 32(%%rdx)\n\t"                                                                \
                         "mov     %%r14, 40(%%rdx)\n\t"                                                                \
                         "mov     %%r15, 48(%%rdx)\n\t"                                                                \
                         "mov     %%rcx, 56(%%rdx)\n\t"                                                                \
                         "mov     %%rdi, 64(%%rdx)\n\t"                                                                \
                         "mov     %%rsi, 72(%%rdx)\n\t"                                                                \
                         "LJMPRET%=:\n\t"                                                                              \
                         : "=a"(mill_result_)                                                                          \
                         : "d"(ctx)                                                                                    \
                         : "memory", "rcx", "r8", "r9", "r10", "r11", MILL_VECTORS_);                                  \
        mill_result_;                                                                                                  \
    })

/* Goes on where mill_setjmp_ has saved this ctx. */
#define mill_longjmp_(ctx)                                                                                             \
    __asm__ volatile("movq    (%%rax), %%rbx\n\t"                                                                      \
                     "movq    8(%%rax), %%rbp\n\t"                                                                     \
                     "movq    16(%%rax), %%r12\n\t"                                                                    \
                     "movq    24(%%rax), %%rdx\n\t"                                                                    \
                     "movq    32(%%rax), %%r13\n\t"                                                                    \
                     "movq    40(%%rax), %%r14\n\t"                                                                    \
                     "mov     %%rdx, %%rsp\n\t"                                                                        \
                     "movq    48(%%rax), %%r15\n\t"                                                                    \
                     "movq    56(%%rax), %%rdx\n\t"                                                                    \
                     "movq    64(%%rax), %%rdi\n\t"                                                                    \
                     "movq    72(%%rax), %%rsi\n\t"                                                                    \
                     "jmp     *%%rdx\n\t"                                                                              \
                     :                                                                                                 \
                     : "a"(ctx)                                                                                        \
                     : "rdx")

#define MILL_XMM_                                                                                                      \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",         \
        "xmm13", "xmm14", "xmm15"
#ifdef __AVX__
#define MILL_VECTORS_                                                                                                  \
    MILL_XMM_, "ymm0", "ymm1", "ymm2", "ymm3", "ymm4", "ymm5", "ymm6", "ymm7", "ymm8", "ymm9", "ymm10", "ymm11",       \
        "ymm12", "ymm13", "ymm14", "ymm15"
#else
#define MILL_VECTORS_ MILL_XMM_
#endif

/*
 * Runs `call` as a coroutine, at once. The array of variable length is what moves the stack pointer: it is as long as
 * it takes to end where the new stack begins. The function goes on using its own variables, through rbp.
 *
 * The child, and later the parent, go on from here in the same frame, where the compiler sees that one of two ways is
 * taken. With an `if`, which libmill has, optimisers let the child's way write where a value is that only the parent's
 * way still needs, or move an addition to a place where both pass. So they are told that the child comes back and all
 * of it is done again: what is needed behind a loop has to stay as it is in the loop. Hence also the condition, as a
 * call may be known never to return.
 */
#define mill_go_(call)                                                                                                 \
    do {                                                                                                               \
        while (!mill_setjmp_(mill_getctx_())) {                                                                        \
            char *mill_stack_ = (char *)mill_prologue_(MILL_HERE_);                                                    \
            int mill_anchor_[mill_unoptimisable1_];                                                                    \
            mill_unoptimisable2_ = &mill_anchor_;                                                                      \
            char mill_filler_[(char *)&mill_anchor_ - mill_stack_];                                                    \
            mill_unoptimisable2_ = &mill_filler_;                                                                      \
            if (mill_unoptimisable1_) {                                                                                \
                call;                                                                                                  \
            }                                                                                                          \
            mill_epilogue_();                                                                                          \
        }                                                                                                              \
    } while (0)

/* For a function that go() calls: inlined, it would have its variables in the frame of the parent. */
#define MILL_COROUTINE_ __attribute__((noinline))

#define mill_send_value_(function, ch, type, value)                                                                    \
    do {                                                                                                               \
        type mill_value_ = (value);                                                                                    \
        function((ch), (void *)&mill_value_, sizeof(type), MILL_HERE_);                                                \
    } while (0)

/* A copy, taken at once: in f(chr(a, int), chr(b, int)) both values may have the same address, one after the other. */
#define mill_receive_value_(ch, type)                                                                                  \
    __extension__({                                                                                                    \
        type mill_value_ = *(type *)mill_chr_((ch), sizeof(type), MILL_HERE_);                                         \
        mill_value_;                                                                                                   \
    })

/*
 * choose { in(...): ... out(...): ... otherwise: ... end } is one switch, gone through twice. The first time it enters
 * at its top and runs from clause to clause, past their bodies, to the end, where it waits. The second time it enters
 * at the case of the clause that was taken, and leaves with a break behind the body.
 *
 *   choose                    in(a, int, x)            :  body   end
 *   { switch (-2) { case -2:  setup; if (0) { case 5:     body;  wait; again with 5; } }
 *
 * Each part ends what the one before it has left open.
 */
#define mill_choose_                                                                                                   \
    {                                                                                                                  \
        __label__ mill_taken_;                                                                                         \
        int mill_idx_ = -2;                                                                                            \
        int mill_default_ = -1;                                                                                        \
        mill_choose_init_(MILL_HERE_);                                                                                 \
    mill_taken_:                                                                                                       \
        switch (mill_idx_) {                                                                                           \
        case -2:                                                                                                       \
            if (0)

/* Ends the body before, with the brace that `choose {` or mill_body_ has opened for it. */
#define mill_next_clause_                                                                                              \
    break;                                                                                                             \
    }

/* The colon that the program writes behind a clause makes the label. */
#define mill_colon_                                                                                                    \
    goto mill_body_;                                                                                                   \
    mill_body_

#define mill_in_(ch, type, name, idx)                                                                                  \
    mill_next_clause_ mill_clause_ mill_name_(mill_clause_, idx);                                                      \
    mill_choose_in_(&mill_name_(mill_clause_, idx), (ch), sizeof(type), idx);                                          \
    if (0) {                                                                                                           \
        __label__ mill_body_;                                                                                          \
    case idx:;                                                                                                         \
        __attribute__((unused)) type name = *(type *)mill_choose_val_(sizeof(type));                                   \
        mill_colon_

/* C++ does not let a switch enter behind an initialiser. */
#ifdef __cplusplus
#define mill_out_value_(type, name, value)                                                                             \
    type name;                                                                                                         \
    name = (value)
#else
#define mill_out_value_(type, name, value) type name = (value)
#endif

#define mill_out_(ch, type, value, idx)                                                                                \
    mill_next_clause_ mill_clause_ mill_name_(mill_clause_, idx);                                                      \
    mill_out_value_(type, mill_name_(mill_value_, idx), value);                                                        \
    mill_choose_out_(&mill_name_(mill_clause_, idx), (ch), (void *)&mill_name_(mill_value_, idx), sizeof(type), idx);  \
    if (0) {                                                                                                           \
        __label__ mill_body_;                                                                                          \
    case idx:                                                                                                          \
        mill_colon_

/* Of several, the last: libmill panics unless those before it were deadlines that never come. */
#define mill_else_(setup, idx)                                                                                         \
    mill_next_clause_ setup;                                                                                           \
    mill_default_ = idx;                                                                                               \
    if (0) {                                                                                                           \
        __label__ mill_body_;                                                                                          \
    case idx:                                                                                                          \
        mill_colon_

#define mill_end_                                                                                                      \
    mill_next_clause_ mill_idx_ = mill_choose_wait_();                                                                 \
    if (mill_idx_ == -1) mill_idx_ = mill_default_;                                                                    \
    goto mill_taken_;                                                                                                  \
    }

#define mill_name_(name, idx) name##idx

#ifdef MILL_USE_PREFIX

#define MILL_FDW_IN MILL_FDW_IN_
#define MILL_FDW_OUT MILL_FDW_OUT_
#define MILL_FDW_ERR MILL_FDW_ERR_
#define mill_coroutine MILL_COROUTINE_
#define mill_go(call) mill_go_(call)
#define mill_goprepare mill_goprepare_
#define mill_yield() mill_yield_(MILL_HERE_)
#define mill_msleep(deadline) mill_msleep_((deadline), MILL_HERE_)
#define mill_fdwait(fd, events, deadline) mill_fdwait_((fd), (events), (deadline), MILL_HERE_)
#define mill_fdclean mill_fdclean_
#define mill_cls mill_cls_
#define mill_setcls mill_setcls_
#define mill_now mill_now_
#define mill_mfork mill_mfork_
typedef struct mill_chan_ *mill_chan;
#define mill_chmake(type, bufsz) mill_chmake_(sizeof(type), (bufsz), MILL_HERE_)
#define mill_chdup(ch) mill_chdup_((ch), MILL_HERE_)
#define mill_chclose(ch) mill_chclose_((ch), MILL_HERE_)
#define mill_chs(ch, type, value) mill_send_value_(mill_chs_, ch, type, value)
#define mill_chr(ch, type) mill_receive_value_(ch, type)
#define mill_chdone(ch, type, value) mill_send_value_(mill_chdone_, ch, type, value)
#define mill_choose mill_choose_
#define mill_in(ch, type, name) mill_in_(ch, type, name, __COUNTER__)
#define mill_out(ch, type, value) mill_out_(ch, type, value, __COUNTER__)
#define mill_deadline(ddline) mill_else_(mill_choose_deadline_(ddline), __COUNTER__)
#define mill_otherwise mill_else_(mill_choose_otherwise_(), __COUNTER__)
#define mill_end mill_end_
#define mill_goredump goredump
#define mill_gotrace gotrace

#else

#define FDW_IN MILL_FDW_IN_
#define FDW_OUT MILL_FDW_OUT_
#define FDW_ERR MILL_FDW_ERR_
#define coroutine MILL_COROUTINE_
#define go(call) mill_go_(call)
#define goprepare mill_goprepare_
#define yield() mill_yield_(MILL_HERE_)
#define msleep(deadline) mill_msleep_((deadline), MILL_HERE_)
#define fdwait(fd, events, deadline) mill_fdwait_((fd), (events), (deadline), MILL_HERE_)
#define fdclean mill_fdclean_
#define cls mill_cls_
#define setcls mill_setcls_
#define now mill_now_
#define mfork mill_mfork_
typedef struct mill_chan_ *chan;
#define chmake(type, bufsz) mill_chmake_(sizeof(type), (bufsz), MILL_HERE_)
#define chdup(ch) mill_chdup_((ch), MILL_HERE_)
#define chclose(ch) mill_chclose_((ch), MILL_HERE_)
#define chs(ch, type, value) mill_send_value_(mill_chs_, ch, type, value)
#define chr(ch, type) mill_receive_value_(ch, type)
#define chdone(ch, type, value) mill_send_value_(mill_chdone_, ch, type, value)
#define choose mill_choose_
#define in(ch, type, name) mill_in_(ch, type, name, __COUNTER__)
#define out(ch, type, value) mill_out_(ch, type, value, __COUNTER__)
#define deadline(ddline) mill_else_(mill_choose_deadline_(ddline), __COUNTER__)
#define otherwise mill_else_(mill_choose_otherwise_(), __COUNTER__)
#define end mill_end_

#endif

#endif
