#include "parts.h"

/* Prints what depends on the linker: addresses in code and data, in tables, of functions, weak and thread-local ones. */

static int local_data = 7, local_bss;
static const int local_constants[] = {11, 22, 33, 44, 55};
static __thread long local_thread = 1234567890123;
static __thread char local_thread_zero[100];
static __thread __attribute__((aligned(64))) int local_thread_aligned = 64;
static int *const pointers[] = {&local_data, &local_bss, &shared_data, &shared_array[3]};
static const char *name = "a string";

int tentative __attribute__((common));

int overridden(void) { return 1; }

__attribute__((weak)) int only_weak(void) { return 5; }

__attribute__((section("registry"), used)) static int registered_one = 100;

static void first(void) { put("constructor without priority", local_data); }
static void early(void) { put("constructor 200", local_data); }
static void earliest(void) { put("constructor 101", local_data++); }
static void late(void) { put("destructor", local_data); }
__attribute__((section(".init_array"), used)) static void (*const run_first)(void) = first;
__attribute__((section(".init_array.00200"), used)) static void (*const run_early)(void) = early;
__attribute__((section(".init_array.00101"), used)) static void (*const run_earliest)(void) = earliest;
__attribute__((section(".fini_array"), used)) static void (*const run_late)(void) = late;

__attribute__((noinline)) static int choose(int n) {
  switch (n) {
    case 0: return local_constants[4];
    case 1: return shared_data;
    case 2: return hidden_function(n);
    case 3: return depth(3);
    case 4: return shared_array[2];
    case 5: return local_bss;
    case 6: return (int)thread_zero;
    default: return -1;
  }
}

__attribute__((noinline)) static int jump(int n) {
  static void *const labels[] = {&&zero, &&one, &&two};
  goto *labels[n];
zero:
  return 10;
one:
  return 20;
two:
  return 30;
}

static double scale(double x) { return x * 2.5 + 0.125; }

extern int __start_registry[], __stop_registry[];

int main(void) {
  volatile char buffer[64];
  for (int i = 0; i < 64; i++) buffer[i] = (char)i;
  for (int i = 0; i < 9; i++) put("choose", choose(i));
  for (int i = 0; i < 3; i++) put("jump", jump(i));
  for (int i = 0; i < 4; i++) put("pointer", (*pointers[i])++);
  for (int i = 0; i < 4; i++) put("again", *pointers[i]);
  for (int i = 0; i < 3; i++) put(shared_names[i], operations[i](6, 4));
  put(name, name[2]);
  put("constant", shared_constant);
  put("weak data that is nowhere", &nowhere == 0);
  put("weak function that is nowhere", no_function == 0);
  put("overridden", overridden());
  put("only weak", only_weak());
  put("common", with_common());
  put("common", ++tentative);
  put("thread", thread_data++);
  put("thread", ++thread_data);
  put("thread", thread_pair.big);
  put("thread", (long)thread_pair.small);
  put("thread", local_thread);
  put("thread", local_thread_zero[99]++);
  put("thread", ++local_thread_zero[99]);
  put("thread", local_thread_aligned);
  put("thread aligned", (long)&local_thread_aligned % 64);
  put("thread elsewhere", sum_other_threads());
  put("double", (long)scale(buffer[8]));
  long sum = 0;
  for (int *each = __start_registry; each < __stop_registry; each++) sum += *each;
  put("registry", sum);
  return 42;
}
