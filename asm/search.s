# The functions of stdlib.h and search.h that sort and look for things. They call the program's comparator, which may do
# anything: yield to another coroutine, sort something else, or not come back. So all they know is in registers, on the
# stack of the coroutine, and in memory that is theirs alone.

        .text

# void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *))
# void qsort_r(void *base, size_t count, size_t size, int (*compare)(const void *, const void *, void *), void *argument)
#
# A merge sort from the top downwards, as glibc's: what compares equal stays in its order, and the comparator is called
# with the same pairs in the same order. It takes room for all elements from malloc; if there is none it is a heap sort,
# which needs none and keeps no order. errno stays as it was.

# What rbp points to: what was given to qsort_r, and the room.
        .set    sort_size, 0
        .set    sort_compare, 8
        .set    sort_argument, 16
        .set    sort_room, 24
        .set    sort_base, 32
        .set    sort_count, 40
        .set    sort_errno, 48
        .set    sort_frame, 64

        .globl  qsort, qsort_r
qsort:
        xor     %r8d, %r8d
qsort_r:
        cmp     $1, %rsi
        jbe     sort_nothing
        push    %rbp
        sub     $sort_frame, %rsp
        mov     %rsp, %rbp
        mov     %rdi, sort_base(%rbp)
        mov     %rsi, sort_count(%rbp)
        mov     %rdx, sort_size(%rbp)
        mov     %rcx, sort_compare(%rbp)
        mov     %r8, sort_argument(%rbp)
        call    __errno_location
        mov     (%rax), %eax
        mov     %eax, sort_errno(%rbp)
        mov     %rsi, %rax
        mul     %rdx
        jo      sort_in_place
        mov     %rax, %rdi
        call    malloc
        mov     %rax, sort_room(%rbp)
        call    __errno_location
        mov     sort_errno(%rbp), %edx
        mov     %edx, (%rax)
        cmpq    $0, sort_room(%rbp)
        je      sort_in_place
        mov     sort_base(%rbp), %rdi
        mov     sort_count(%rbp), %rsi
        call    merge_sort
        mov     sort_room(%rbp), %rdi
        call    free
        jmp     sort_done
sort_in_place:
        call    heap_sort
sort_done:
        add     $sort_frame, %rsp
        pop     %rbp
sort_nothing:
        ret

# Sorts rsi elements from rdi on: the first half, the second half, and then both into the room and back.
# rbx and r12: what is left of the first half, where and how many elements; r13 and r14: of the second; r15: the room.
merge_sort:
        cmp     $1, %rsi
        jbe     sort_nothing
        push    %rbx
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        push    %rdi
        sub     $8, %rsp
        mov     %rdi, %rbx
        mov     %rsi, %r12
        shr     $1, %r12
        mov     %rsi, %r14
        sub     %r12, %r14
        mov     %r12, %r13
        imul    sort_size(%rbp), %r13
        add     %rbx, %r13
        mov     %r12, %rsi
        call    merge_sort
        mov     %r13, %rdi
        mov     %r14, %rsi
        call    merge_sort
        mov     sort_room(%rbp), %r15
merge_next:
        mov     %rbx, %rdi
        mov     %r13, %rsi
        mov     sort_argument(%rbp), %rdx
        call    *sort_compare(%rbp)
        mov     %r15, %rdi
        mov     sort_size(%rbp), %rdx
        add     %rdx, %r15
        test    %eax, %eax
        jg      merge_second
        mov     %rbx, %rsi
        add     %rdx, %rbx
        call    memcpy
        dec     %r12
        jnz     merge_next
# What is left of the second half is in its place already.
        jmp     merge_back
merge_second:
        mov     %r13, %rsi
        add     %rdx, %r13
        call    memcpy
        dec     %r14
        jnz     merge_next
        mov     %r15, %rdi
        mov     %rbx, %rsi
        mov     %r12, %rdx
        imul    sort_size(%rbp), %rdx
        add     %rdx, %r15
        call    memcpy
merge_back:
        mov     8(%rsp), %rdi
        mov     sort_room(%rbp), %rsi
        mov     %r15, %rdx
        sub     %rsi, %rdx
        call    memcpy
        add     $8, %rsp
        pop     %rdi
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbx
        ret

# Sorts what was given to qsort_r where it is. rbx: the elements not yet in the heap, from the middle down to none; r12:
# how many elements the heap may have, all at first, and then one less each time its greatest was put behind it.
heap_sort:
        push    %rbx
        push    %r12
        push    %r13
        mov     sort_count(%rbp), %r12
        mov     %r12, %rbx
        shr     $1, %rbx
heap_make:
        dec     %rbx
        js      heap_take
        mov     %rbx, %r13
        call    heap_sink
        jmp     heap_make
heap_take:
        dec     %r12
        jz      heap_done
        xor     %edi, %edi
        mov     %r12, %rsi
        call    heap_swap
        xor     %r13d, %r13d
        call    heap_sink
        jmp     heap_take
heap_done:
        pop     %r13
        pop     %r12
        pop     %rbx
        ret

# Lets element r13 of a heap of r12 sink below all that are greater.
heap_sink:
        push    %rbx
heap_sink_next:
        lea     1(%r13,%r13), %rbx
        cmp     %r12, %rbx
        jae     heap_sunk
        lea     1(%rbx), %rsi
        cmp     %r12, %rsi
        jae     heap_sink_compare
        mov     %rbx, %rdi
        call    heap_compare
        test    %eax, %eax
        jns     heap_sink_compare
        inc     %rbx
heap_sink_compare:
        mov     %r13, %rdi
        mov     %rbx, %rsi
        call    heap_compare
        test    %eax, %eax
        jns     heap_sunk
        mov     %r13, %rdi
        mov     %rbx, %rsi
        call    heap_swap
        mov     %rbx, %r13
        jmp     heap_sink_next
heap_sunk:
        pop     %rbx
        ret

# Calls the comparator with the elements rdi and rsi.
heap_compare:
        call    heap_elements
        mov     sort_argument(%rbp), %rdx
        sub     $8, %rsp
        call    *sort_compare(%rbp)
        add     $8, %rsp
        ret

# Makes the numbers of elements in rdi and rsi their addresses.
heap_elements:
        imul    sort_size(%rbp), %rdi
        imul    sort_size(%rbp), %rsi
        add     sort_base(%rbp), %rdi
        add     sort_base(%rbp), %rsi
        ret

# Puts the elements rdi and rsi in each other's place.
heap_swap:
        call    heap_elements
        mov     sort_size(%rbp), %rcx
heap_swap_next:
        dec     %rcx
        js      heap_swapped
        mov     (%rdi,%rcx), %al
        mov     (%rsi,%rcx), %dl
        mov     %dl, (%rdi,%rcx)
        mov     %al, (%rsi,%rcx)
        jmp     heap_swap_next
heap_swapped:
        ret

# void *bsearch(const void *key, const void *base, size_t count, size_t size,
#               int (*compare)(const void *key, const void *element)): the middle first, the upper of two
        .globl  bsearch
bsearch:
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        sub     $24, %rsp
        mov     %rdi, (%rsp)
        mov     %rsi, %rbx
        mov     %rcx, %rbp
        mov     %r8, %r12
        xor     %r13d, %r13d
        mov     %rdx, %r14
bsearch_next:
        cmp     %r14, %r13
        jae     bsearch_nothing
        lea     (%r13,%r14), %r15
        shr     $1, %r15
        mov     %r15, %rsi
        imul    %rbp, %rsi
        add     %rbx, %rsi
        mov     %rsi, 8(%rsp)
        mov     (%rsp), %rdi
        call    *%r12
        test    %eax, %eax
        jz      bsearch_found
        js      bsearch_below
        lea     1(%r15), %r13
        jmp     bsearch_next
bsearch_below:
        mov     %r15, %r14
        jmp     bsearch_next
bsearch_nothing:
        xor     %eax, %eax
        mov     %rax, 8(%rsp)
bsearch_found:
        mov     8(%rsp), %rax
        add     $24, %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret

# void *lfind(const void *key, const void *base, size_t *count, size_t size,
#             int (*compare)(const void *key, const void *element)): the first that is equal
        .globl  lfind
lfind:
        push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        sub     $8, %rsp
        mov     %rdi, %rbx
        mov     %rsi, %rbp
        mov     %rdx, %r12
        mov     %rcx, %r13
        mov     %r8, %r14
        xor     %r15d, %r15d
lfind_next:
        cmp     (%r12), %r15
        jae     lfind_nothing
        mov     %rbx, %rdi
        mov     %rbp, %rsi
        call    *%r14
        test    %eax, %eax
        jz      lfind_found
        add     %r13, %rbp
        inc     %r15
        jmp     lfind_next
lfind_nothing:
        xor     %ebp, %ebp
lfind_found:
        mov     %rbp, %rax
        add     $8, %rsp
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret
