/*
 * Runs machine code on the CPU of this machine: cases come in by standard input, what became of them goes out.
 * Linux itself sets all registers and reads them again: a signal handler changes the context that it returns to, and the
 * code ends in a trap, or in whatever fault it raises.
 *
 * Arguments, in hexadecimal: address and size of the code area, address and size of the data area.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

/* In the order of encoding, as test/emu/differential/state.ts has them. */
static const int REGISTERS[16] = {
  REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
  REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

/* Bytes of an fxsave image up to the end of xmm15 (Intel SDM, volume 1, 10.5.1). */
enum { FXSAVE_REGISTERS = 416 };

struct state {
  uint64_t rip, general[16], flags, mxcsr;
  unsigned char xmm[16][16];
};
struct ending {
  uint64_t vector, error, address;
  struct state state;
};

static struct state given;
static struct ending ended;
static gregset_t own_registers;
static struct _libc_fpstate own_vectors;
static volatile sig_atomic_t running;

static void swap_in(int signal, siginfo_t *information, void *argument) {
  (void)signal;
  (void)information;
  mcontext_t *context = &((ucontext_t *)argument)->uc_mcontext;
  memcpy(own_registers, context->gregs, sizeof own_registers);
  memcpy(&own_vectors, context->fpregs, sizeof own_vectors);
  for (int i = 0; i < 16; i++) context->gregs[REGISTERS[i]] = (greg_t)given.general[i];
  context->gregs[REG_RIP] = (greg_t)given.rip;
  context->gregs[REG_EFL] = (greg_t)given.flags;
  context->fpregs->mxcsr = (uint32_t)given.mxcsr;
  memcpy(context->fpregs->_xmm, given.xmm, sizeof given.xmm);
  running = 1;
}

static void swap_out(int signal, siginfo_t *information, void *argument) {
  (void)information;
  mcontext_t *context = &((ucontext_t *)argument)->uc_mcontext;
  if (!running) _exit(128 + signal);
  running = 0;
  ended.vector = (uint64_t)context->gregs[REG_TRAPNO];
  ended.error = (uint64_t)context->gregs[REG_ERR];
  ended.address = (uint64_t)context->gregs[REG_CR2];
  struct state *state = &ended.state;
  for (int i = 0; i < 16; i++) state->general[i] = (uint64_t)context->gregs[REGISTERS[i]];
  state->rip = (uint64_t)context->gregs[REG_RIP];
  state->flags = (uint64_t)context->gregs[REG_EFL];
  state->mxcsr = context->fpregs->mxcsr;
  memcpy(state->xmm, context->fpregs->_xmm, sizeof state->xmm);
  /* The kernel's own fields behind the registers stay as they are. */
  memcpy(context->gregs, own_registers, sizeof own_registers);
  memcpy(context->fpregs, &own_vectors, FXSAVE_REGISTERS);
}

static void handle(int signal, void (*handler)(int, siginfo_t *, void *)) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  if (sigaction(signal, &action, NULL) != 0) exit(2);
}

static unsigned char *map(uintptr_t address, size_t size) {
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
  void *area = mmap((void *)address, size, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0);
  if (area != (void *)address) {
    fprintf(stderr, "0x%lx cannot be mapped here\n", (unsigned long)address);
    exit(2);
  }
  return area;
}

int main(int count, char **arguments) {
  if (count != 5) return 2;
  uintptr_t numbers[4];
  for (int i = 0; i < 4; i++) numbers[i] = strtoul(arguments[i + 1], NULL, 16);
  map(numbers[0], numbers[1]);
  size_t size = numbers[3];
  unsigned char *data = map(numbers[2], size);
  if (mprotect(data, size, PROT_READ | PROT_WRITE) != 0) return 2;

  static unsigned char stack[1 << 16];
  stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
  if (sigaltstack(&alternative, NULL) != 0) return 2;
  handle(SIGUSR1, swap_in);
  int faults[] = {SIGTRAP, SIGSEGV, SIGFPE, SIGILL, SIGBUS};
  for (unsigned i = 0; i < sizeof faults / sizeof *faults; i++) handle(faults[i], swap_out);

  uint64_t length;
  while (fread(&length, sizeof length, 1, stdin) == 1) {
    if (fread(&given, sizeof given, 1, stdin) != 1 || fread(data, size, 1, stdin) != 1) return 2;
    if (length > numbers[1] || fread((void *)given.rip, length, 1, stdin) != 1) return 2;
    raise(SIGUSR1);
    if (fwrite(&ended, sizeof ended, 1, stdout) != 1 || fwrite(data, size, 1, stdout) != 1) return 2;
    fflush(stdout);
  }
  return 0;
}
