#include "parts.h"

int shared_data = 3;
int shared_bss;
int shared_array[5] = {1, 2, 3, 4, 5};
const int shared_constant = 99;
const char *const shared_names[] = {"add", "multiply", "a string"};
__thread int thread_data = 17;
__thread int thread_zero;
__thread struct pair thread_pair = {'x', 1L << 40};
static __thread short hidden_thread[3] = {1, 2, 3};
static __thread short hidden_zero[3];
int tentative __attribute__((common));
char reserved[3 << 20];

__attribute__((weak)) int overridden(void) { return 2; }

__attribute__((section("registry"), used)) static int registered_two[] = {20, 3};

static int add(int a, int b) { return a + b; }
static int multiply(int a, int b) { return a * b; }
static int subtract(int a, int b) { return a - b + reserved[a]; }
int (*const operations[])(int, int) = {add, multiply, subtract};

int with_common(void) {
  tentative += 5;
  return tentative;
}

int depth(int n) {
  char room[40];
  for (int i = 0; i < 40; i++) room[i] = (char)(i + n);
  return n == 0 ? room[39] : depth(n - 1) + room[n];
}

long sum_other_threads(void) {
  long sum = thread_zero;
  for (int i = 0; i < 3; i++) sum += hidden_thread[i] * 100 + hidden_zero[i]++;
  return sum + hidden_zero[2];
}

int hidden_function(int n) { return n + shared_bss + 1000; }
