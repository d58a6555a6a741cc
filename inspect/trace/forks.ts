import type { Process } from '../../runtime/process.js';

/**
 * Tells of each process that is forked, by its id, behind the `syscall` that does it.
 * @returns what ends that
 */
export function watchForks(process: Process, tell: (child: number) => void): () => void {
  const { cpu } = process;
  const { processes } = process.mill;
  const open = cpu.onHypercall;
  let { last } = processes;
  const endOfRestored = process.on('restored', () => {
    last = processes.last;
  });
  cpu.onHypercall = () => {
    open();
    const now = processes.last;
    if (now === last) return;
    last = now;
    tell(now);
  };
  return () => {
    cpu.onHypercall = open;
    endOfRestored();
  };
}
