# Coroutines whose bodies are TypeScript generators. The loop below is their frame on a real stack: it asks the host
# for the body's next operation, calls the guest function that is it, and hands over the result.

        .include "doors.inc"

# What the door keeps in the frame: a function, its six arguments, the buffer with what they point to, and how many
# bytes the body wants from where the result points.
        .set    operation_function, 0
        .set    operation_arguments, 8
        .set    operation_buffer, 56
        .set    operation_wants, 64
        .set    operation_size, 80

        .text

# uint64_t mill_body(uint64_t number): runs a body to its end and returns its result
        .globl  mill_body
mill_body:
        push    %rbx
        sub     $operation_size, %rsp
        mov     %rdi, %rbx
        xor     %eax, %eax
        mov     %rax, operation_buffer(%rsp)
        mov     %rax, operation_wants(%rsp)
mill_body_next:
        mov     %rbx, %rdi
        mov     %rax, %rsi
        mov     %rsp, %rdx
        door    door_body
        test    %eax, %eax
        jz      mill_body_done
        mov     operation_arguments(%rsp), %rdi
        mov     operation_arguments+8(%rsp), %rsi
        mov     operation_arguments+16(%rsp), %rdx
        mov     operation_arguments+24(%rsp), %rcx
        mov     operation_arguments+32(%rsp), %r8
        mov     operation_arguments+40(%rsp), %r9
        call    *operation_function(%rsp)
        jmp     mill_body_next
mill_body_done:
        mov     operation_arguments(%rsp), %rax
        add     $operation_size, %rsp
        pop     %rbx
        ret

# void mill_go_body(uint64_t number): go(mill_body(number))
        .globl  mill_go_body
mill_go_body:
        push    %rbx
        mov     %rdi, %rbx
        call    mill_getctx_
        mov     %rax, %rdx
        .include "mill_setjmp.s"
        test    %eax, %eax
        jnz     mill_go_body_parent
        xor     %edi, %edi
        call    mill_prologue_
        mov     %rax, %rsp
        and     $-16, %rsp
        mov     %rbx, %rdi
        call    mill_body
        call    mill_epilogue_
mill_go_body_parent:
        pop     %rbx
        ret

# int main(void) of a program whose main coroutine is a TypeScript generator
        .globl  mill_main_body
mill_main_body:
        xor     %edi, %edi
        jmp     mill_body
