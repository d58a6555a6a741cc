/*
 * `switches yield 50000`: two coroutines hand the CPU to each other, each as many times as that; by yields, by messages
 * over a channel, or by messages that a choose of two clauses receives. Every way there are two switches a round.
 */
#include <libmill.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static coroutine void yielding(int *rounds)
{
    for (;;) {
        yield();
        ++*rounds;
    }
}

static coroutine void receiving(chan messages, int *sum)
{
    for (;;) *sum += chr(messages, int);
}

static coroutine void choosing(chan messages, chan never, int *sum)
{
    for (;;) {
        choose {
        in(messages, int, value):
            *sum += value;
        in(never, int, value):
            *sum -= value;
        end
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    int rounds = atoi(argv[2]);
    int sum = 0;
    if (strcmp(argv[1], "yield") == 0) {
        go(yielding(&sum));
        for (int i = 0; i < rounds; i++) yield();
    } else {
        chan messages = chmake(int, 0);
        chan never = chmake(int, 0);
        if (strcmp(argv[1], "channel") == 0) go(receiving(messages, &sum));
        else go(choosing(messages, never, &sum));
        for (int i = 0; i < rounds; i++) chs(messages, int, 1);
    }
    printf("%s %d\n", argv[1], sum);
    return 0;
}
