/*
 * `ptrace PROGRAM COUNT`: as many instructions of a program, one at a time, and all registers behind each. Prints the
 * seconds it took, and rip and rbx at the end.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    pid_t child = fork();
    if (child == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execl(argv[1], argv[1], (char *)NULL);
        _exit(127);
    }
    int status;
    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) return 1;
    struct user_regs_struct registers;
    double start = now();
    for (long left = atol(argv[2]); left > 0; left--) {
        if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0) return 1;
        waitpid(child, &status, 0);
        if (!WIFSTOPPED(status) || ptrace(PTRACE_GETREGS, child, NULL, &registers) != 0) return 1;
    }
    double end = now();
    kill(child, SIGKILL);
    printf("%.6f %#llx %#llx\n", end - start, registers.rip, registers.rbx);
    return 0;
}
