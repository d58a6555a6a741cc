#include <stdio.h>

/* As the one in start.c prints, through the C library. */
void put(const char *name, long number) {
  printf("%s %ld\n", name, number);
  fflush(stdout);
}
