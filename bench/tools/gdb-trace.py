"""Runs inside gdb, with $count set and the environment variable TRACE a path: as many stepi, and for each a line with
rip and those of 18 registers that have changed. Prints the seconds it took, and rip and rbx at the end."""

import os
import time

import gdb

NAMES = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 rip eflags".split()

gdb.execute("set pagination off")
gdb.execute("set confirm off")
gdb.execute("starti", to_string=True)
count = int(gdb.convenience_variable("count"))
mask = (1 << 64) - 1


def registers():
    frame = gdb.newest_frame()
    return [int(frame.read_register(name)) & mask for name in NAMES]


before = registers()
with open(os.environ["TRACE"], "w") as trace:
    start = time.perf_counter()
    for _ in range(count):
        gdb.execute("stepi", to_string=True)
        after = registers()
        changed = [f"{name} {new:#x}" for name, old, new in zip(NAMES, before, after) if old != new]
        trace.write(f"{before[16]:#x} {' '.join(changed)}\n")
        before = after
    trace.flush()
    end = time.perf_counter()
rip = int(gdb.parse_and_eval("(unsigned long)$rip"))
rbx = int(gdb.parse_and_eval("(unsigned long)$rbx"))
gdb.execute("kill")
print(f"{end - start:.6f} {rip:#x} {rbx:#x}")
