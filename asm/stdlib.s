# The functions of stdlib.h that are others with some arguments given, and those that return floating-point numbers, of
# which the host's functions return the bits.

        .text

# int atoi(const char *text), long atol(const char *text), long long atoll(const char *text)
        .globl  atoi, atol, atoll
atoi:
atol:
atoll:
        xor     %esi, %esi
        mov     $10, %edx
        jmp     strtol

# double strtod(const char *text, char **end), double atof(const char *text)
        .globl  atof, strtod
atof:
        xor     %esi, %esi
strtod:
        call    __strtod_bits
        movq    %rax, %xmm0
        ret

# float strtof(const char *text, char **end)
        .globl  strtof
strtof:
        call    __strtof_bits
        movd    %eax, %xmm0
        ret

# long double strtold(const char *text, char **end)
        .globl  strtold
strtold:
        call    __strtold_bits
        fldt    strtold_result(%rip)
        ret

        .bss
        .balign 16
strtold_result: .zero   16
