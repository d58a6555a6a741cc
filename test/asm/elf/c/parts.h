void put(const char *name, long number);

struct pair {
  char small;
  long big;
};

extern int shared_data, shared_bss, shared_array[];
extern const int shared_constant;
extern const char *const shared_names[];
extern __thread int thread_data;
extern __thread int thread_zero;
extern __thread struct pair thread_pair;
extern __attribute__((weak)) int nowhere;
extern __attribute__((weak)) int no_function(int);
__attribute__((weak)) int overridden(void);
int only_weak(void);
int with_common(void);
extern int (*const operations[])(int, int);
int depth(int n);
long sum_other_threads(void);
__attribute__((visibility("hidden"))) int hidden_function(int);
#ifndef SINGLE
extern int tentative;
#endif
