# Counts for ever.

        .text
        .globl  main
main:
        xor     %eax, %eax
count:
        inc     %rax
        jmp     count
