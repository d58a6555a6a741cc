# The little of libc that programs need before anything else: a start, output, an end.

        .include "doors.inc"

        .text

# __libc_start_main(main, argc, argv): where the machine begins
        .globl  __libc_start_main
__libc_start_main:
        mov     %rdi, %rax
        mov     %rsi, %rdi
        mov     %rdx, %rsi
        xor     %edx, %edx
        call    *%rax
        mov     %eax, %edi

# void exit(int status)
        .globl  exit
exit:
        door    door_exit
        hlt

# void abort(void)
        .globl  abort
abort:
        door    door_abort
        hlt

# ssize_t write(int fd, const void *buf, size_t count): fd 1 and 2 only
        .globl  write
write:
        door    door_write
        ret

# int putchar(int c)
        .globl  putchar
putchar:
        push    %rdi
        mov     $1, %edi
        mov     %rsp, %rsi
        mov     $1, %edx
        call    write
        pop     %rax
        movzbl  %al, %eax
        ret

# int puts(const char *s)
        .globl  puts
puts:
        push    %rbx
        mov     %rdi, %rsi
        xor     %edx, %edx
puts_length:
        cmpb    $0, (%rsi,%rdx)
        je      puts_write
        inc     %rdx
        jmp     puts_length
puts_write:
        mov     $1, %edi
        call    write
        mov     $10, %edi
        call    putchar
        pop     %rbx
        ret

# void *malloc(size_t size)
        .globl  malloc
malloc:
        door    door_malloc
        ret

# void free(void *ptr)
        .globl  free
free:
        door    door_free
        ret

# void *memcpy(void *dest, const void *src, size_t n)
        .globl  memcpy
memcpy:
        mov     %rdi, %rax
        mov     %rdx, %rcx
        rep movsb
        ret

# long random(void): the machine's seed decides
        .globl  random
random:
        door    door_random
        ret

# int *__errno_location(void)
        .globl  __errno_location
__errno_location:
        lea     errno(%rip), %rax
        ret

        .bss
        .balign 4
errno:  .zero   4

# The heap: where it ends, and the first free block of each size class.
        .balign 8
random_state:   .zero   8
heap_end:       .zero   8
heap_free:      .zero   8 * 32
