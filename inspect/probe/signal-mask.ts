import { GENERAL_INDEX } from '../../emu/registers.js';
import type { Process } from '../../runtime/process.js';

/** Linux's number for it (arch/x86/entry/syscalls). */
const RT_SIGPROCMASK = 14;
/** How the mask is to change (rt_sigprocmask(2)); any other way replaces it. */
const [BLOCK, UNBLOCK] = [0, 1];
const { rdi: HOW, rsi: SET, rdx: OLD } = GENERAL_INDEX;

/**
 * Lets a probe keep a mask of blocked signals, which has no effect as there are no signals: switches that save it make
 * Linux's system call rt_sigprocmask and give up without it.
 * @param mask where it is in the guest's memory
 */
export function keepSignalMask({ cpu }: Process, mask: number): void {
  const { memory } = cpu;
  const others = cpu.onHypercall;
  cpu.onHypercall = () => {
    if (cpu.low(GENERAL_INDEX.rax) !== RT_SIGPROCMASK) {
      others();
      return;
    }
    const [how, set, old] = [cpu.low(HOW), cpu.pointer(SET), cpu.pointer(OLD)];
    const before = memory.u64(mask);
    const wanted = set === 0 ? before : memory.u64(set);
    const after = how === BLOCK ? before | wanted : how === UNBLOCK ? before & ~wanted : wanted;
    if (old !== 0) memory.setU64(old, before);
    if (set !== 0) memory.setU64(mask, after);
    cpu.setRax(0);
  };
}
