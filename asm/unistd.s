# Sleeping, and who the process is.

        .include "doors.inc"

        .text

# int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left): the whole process
# sleeps, as natively. What is left is not written, as no signal wakes anybody. When to wake is found once and kept in
# rdi, since on the real clock the door is opened again and again.
        .globl  clock_nanosleep
clock_nanosleep:
        call    __wake_time
        test    %rax, %rax
        js      clock_nanosleep_failed
        mov     %rax, %rdi
        door    door_sleep
        xor     %eax, %eax
        ret
clock_nanosleep_failed:
        neg     %eax
        ret

# int nanosleep(const struct timespec *time, struct timespec *left)
        .globl  nanosleep
nanosleep:
        mov     %rdi, %rdx
        mov     %rsi, %rcx
        xor     %edi, %edi
        xor     %esi, %esi
        call    clock_nanosleep
        test    %eax, %eax
        jz      nanosleep_done
        mov     %eax, %edx
        call    __errno_location
        mov     %edx, (%rax)
        mov     $-1, %eax
nanosleep_done:
        ret

# int usleep(useconds_t time): in us
        .globl  usleep
usleep:
        mov     %edi, %eax
        xor     %edx, %edx
        mov     $1000000, %ecx
        div     %ecx
        imul    $1000, %edx, %edx
        jmp     sleep_for

# unsigned sleep(unsigned time): in seconds
        .globl  sleep
sleep:
        mov     %edi, %eax
        xor     %edx, %edx

# rax seconds and rdx ns, as a struct timespec
sleep_for:
        push    %rdx
        push    %rax
        mov     %rsp, %rdi
        xor     %esi, %esi
        call    nanosleep
        add     $16, %rsp
        ret

# int sched_yield(void): there is no other thread
        .globl  sched_yield
sched_yield:
        xor     %eax, %eax
        ret

# pid_t getpid(void), pid_t gettid(void): the one thread has the process's number
        .globl  getpid, gettid
getpid:
gettid:
        mov     __process_id(%rip), %eax
        ret

# pid_t getppid(void)
        .globl  getppid
getppid:
        mov     __parent_process_id(%rip), %eax
        ret
