/*
 * What the scheduler in C asks of libc and Linux behind a switch and for its stacks, in guest code: so it is the guest
 * that does everything, as on a CPU. Stacks have no guard pages; a poll of no descriptors, one in 103 switches, costs
 * next to nothing here, and a system call on a CPU.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

/* As a loop: the compiler would make a call of memcpy of it. */
__attribute__((optimize("no-tree-loop-distribute-patterns"))) void *memcpy(void *to, const void *from, size_t size)
{
    char *at = to;
    const char *source = from;
    while (size-- > 0) *at++ = *source++;
    return to;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    static long milliseconds;
    (void)clock;
    milliseconds++;
    time->tv_sec = milliseconds / 1000;
    time->tv_nsec = milliseconds % 1000 * 1000000;
    return 0;
}

long random(void)
{
    static unsigned state = 1;
    state = state * 1103515245 + 12345;
    return state >> 1;
}

int poll(struct pollfd *polled, nfds_t count, int milliseconds)
{
    (void)polled, (void)count, (void)milliseconds;
    return 0;
}

void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    (void)address, (void)protection, (void)flags, (void)fd, (void)offset;
    void *block = aligned_alloc(4096, size);
    return block ? block : MAP_FAILED;
}

int munmap(void *address, size_t size)
{
    (void)size;
    free(address);
    return 0;
}

int mprotect(void *address, size_t size, int protection)
{
    (void)address, (void)size, (void)protection;
    return 0;
}
