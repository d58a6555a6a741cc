"""Runs inside gdb, with $count set: as many stepi, and 18 registers read behind each, which takes less time than
`info registers`. Prints the seconds it took, and
rip and rbx at the end."""

import time

import gdb

NAMES = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15 rip eflags".split()

gdb.execute("set pagination off")
gdb.execute("set confirm off")
gdb.execute("starti", to_string=True)
count = int(gdb.convenience_variable("count"))
start = time.perf_counter()
for _ in range(count):
    gdb.execute("stepi", to_string=True)
    frame = gdb.newest_frame()
    for name in NAMES:
        frame.read_register(name)
end = time.perf_counter()
rip = int(gdb.parse_and_eval("(unsigned long)$rip"))
rbx = int(gdb.parse_and_eval("(unsigned long)$rbx"))
gdb.execute("kill")
print(f"{end - start:.6f} {rip:#x} {rbx:#x}")
