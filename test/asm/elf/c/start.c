/* What a C library does before main and behind it, for Linux on x86_64 without one. */

typedef void function(void);

extern function *__preinit_array_start[], *__preinit_array_end[];
extern function *__init_array_start[], *__init_array_end[];
extern function *__fini_array_start[], *__fini_array_end[];
extern char __thread_pointer[];

int main(void);

static long call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "0"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}

void put(const char *name, long number) {
  char text[200];
  long at = sizeof text, length = 0;
  unsigned long left = number < 0 ? -(unsigned long)number : (unsigned long)number;
  text[--at] = '\n';
  do
    text[--at] = '0' + left % 10;
  while ((left /= 10) != 0);
  if (number < 0) text[--at] = '-';
  text[--at] = ' ';
  while (name[length] != 0) length++;
  while (length > 0) text[--at] = name[--length];
  call(1, 1, (long)text + at, sizeof text - at);
}

void __stack_chk_fail(void) { call(60, 134, 0, 0); }

/* The pair is a module, of which there is one, and an offset from the thread pointer. */
void *__tls_get_addr(unsigned long *pair) { return __thread_pointer + pair[1]; }

__attribute__((used)) static void begin(void) {
  call(158, 0x1002, (long)__thread_pointer, 0);
  for (function **each = __preinit_array_start; each < __preinit_array_end; each++) (*each)();
  for (function **each = __init_array_start; each < __init_array_end; each++) (*each)();
  int status = main();
  for (function **each = __fini_array_end; each > __fini_array_start;) (*--each)();
  call(60, status, 0, 0);
}

__asm__(".globl _start\n_start: xor %ebp, %ebp\n call begin\n");
