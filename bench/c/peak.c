/* Linked into a native program, says at its end how much memory it has had at most, in KiB, on standard error. */
#include <stdio.h>

static __attribute__((destructor)) void say_peak(void)
{
    /* getrusage() would count what the process was before it became this program. */
    FILE *status = fopen("/proc/self/status", "r");
    char line[128];
    long peak = 0;
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "VmHWM: %ld", &peak) == 1) break;
    fprintf(stderr, "%ld\n", peak);
}
