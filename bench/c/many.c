/* `many 1000`: coroutines that are all alive at once, each started by the one before. Prints a dot for every hundred. */
#include <libmill.h>
#include <stdlib.h>
#include <unistd.h>

static int alive, left;

static coroutine void worker(void)
{
    if (++alive % 100 == 0 && write(STDOUT_FILENO, ".", 1) != 1) abort();
    if (--left > 0) go(worker());
    yield();
    alive--;
}

int main(int argc, char **argv)
{
    if (argc != 2) return 2;
    left = atoi(argv[1]);
    goprepare(2, 3000, 128);
    go(worker());
    while (alive > 0) yield();
    return 0;
}
