# What stdio.h needs in guest memory: the streams, and what ends in abort(). The functions are in runtime/libc.

        .data
        .balign 8
        .globl  stdin, stdout, stderr
stdin:          .quad   stdin_file
stdout:         .quad   stdout_file
stderr:         .quad   stderr_file

# A FILE. The fields that glibc's headers look into are where glibc has them: the flags at 0, with 2 for unbuffered and
# 0x200 for buffered by line, and pairs of pointers at 8 and 40 that are always equal, so that getc and putc, where they
# are inline, call __uflow and __overflow each time. The others are runtime/libc's (stream.ts); behind them is the buffer
# that the stream has unless it was given another.
        .macro  file name, flags, number
\name:
        .long   \flags
        .zero   108
        .long   \number
        .zero   100
        .zero   1024
        .endm

        file    stdin_file, 0x200, 0
        file    stdout_file, 0x200, 1
        file    stderr_file, 2, 2

        .text

# void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function)
        .globl  __assert_fail
__assert_fail:
        call    __assert_message
        jmp     abort

# void __assert_perror_fail(int error, const char *file, unsigned line, const char *function)
        .globl  __assert_perror_fail
__assert_perror_fail:
        call    __assert_perror_message
        jmp     abort

# void __assert(const char *assertion, const char *file, int line)
        .globl  __assert
__assert:
        xor     %ecx, %ecx
        jmp     __assert_fail
