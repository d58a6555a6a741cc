"""`python-unicorn.py COUNT < IMAGE`: as many instructions, and 18 registers read before each. The image is lines of an address
and bytes in hexadecimal, the first being where to start. Prints the seconds it took, and rip and rbx at the end."""

import sys
import time

from unicorn import UC_ARCH_X86, UC_HOOK_CODE, UC_MODE_64, Uc, x86_const

NAMES = "RAX RCX RDX RBX RSP RBP RSI RDI R8 R9 R10 R11 R12 R13 R14 R15 RIP EFLAGS".split()
REGISTERS = [getattr(x86_const, "UC_X86_REG_" + name) for name in NAMES]

lines = [line.split() for line in sys.stdin if not line.endswith(" \n")]
entry = int(lines[0][0], 16)
uc = Uc(UC_ARCH_X86, UC_MODE_64)
uc.mem_map(entry, 1 << 20)
for address, code in lines:
    uc.mem_write(int(address, 16), bytes.fromhex(code))

# From 2.1 on there is one call for all of them.
if hasattr(uc, "reg_read_batch"):

    def visit(uc, address, size, data):
        uc.reg_read_batch(REGISTERS)

else:

    def visit(uc, address, size, data):
        for register in REGISTERS:
            uc.reg_read(register)


uc.hook_add(UC_HOOK_CODE, visit)
start = time.perf_counter()
uc.emu_start(entry, 0, count=int(sys.argv[1]))
end = time.perf_counter()
rip, rbx = uc.reg_read(x86_const.UC_X86_REG_RIP), uc.reg_read(x86_const.UC_X86_REG_RBX)
print(f"{end - start:.6f} {rip:#x} {rbx:#x}")
