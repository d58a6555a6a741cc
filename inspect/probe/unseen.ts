import type { SavedProcess } from '../../runtime/process.js';
import type { Access, ProbeMachine } from './machine.js';
import type { Piece } from './pieces.js';
import type { RegisterValues } from './registers.js';

/** Widths in bytes at which a register's value may stand in memory, and what stands there. */
function widthAt(view: DataView, at: number, values: RegisterValues): number {
  const words = Object.entries(values).flatMap(([name, value]) => {
    return name.startsWith('xmm') ? [value & 0xffffffffffffffffn, value >> 64n] : [value];
  });
  const left = view.byteLength - at;
  if (left >= 8 && words.filter((word) => word >> 32n !== 0n).includes(view.getBigUint64(at, true))) return 8;
  if (left >= 4 && BigInt(view.getUint32(at, true)) === values.mxcsr) return 4;
  return left >= 2 ? 2 : 1;
}

/**
 * What a stretch has written to a range that the engine does not tell of: fxsave, and fnstenv on some. It is run again
 * from its start, one instruction at a time.
 * @param moment where the stretch ends
 * @param seen what is known
 */
export function unseenWrites(
  machine: ProbeMachine,
  { start, moment }: { start: SavedProcess; moment: number },
  { address, size }: Piece,
  seen: readonly Access[],
): Access[] {
  const { cpu } = machine.process;
  const known = new Uint8Array(size);
  for (const write of seen) {
    for (let at = write.address; at < write.address + write.size; at++) if (at >= address) known[at - address] = 1;
  }
  const end = cpu.memory.read(address, size);
  machine.restore(start);
  const values = machine.registers;
  let before = cpu.memory.read(address, size);
  if (end.every((byte, at) => byte === before[at] || known[at] === 1)) return [];

  const found: Access[] = [];
  while (cpu.moment < moment) {
    const [rip, at] = [cpu.rip, cpu.moment];
    if (machine.process.step(1).kind !== 'limit') break;
    const now = cpu.memory.read(address, size);
    const changed = (index: number): boolean => now[index] !== before[index] && known[index] !== 1;
    for (let first = 0; first < size; first++) {
      if (!changed(first)) continue;
      // What stands in between may have the value that was there.
      let last = first;
      for (let next = first; next < Math.min(size, last + 16); next++) if (changed(next)) last = next;
      const view = new DataView(now.buffer, first, last + 1 - first);
      for (let offset = 0; offset < view.byteLength; ) {
        const width = widthAt(view, offset, values);
        found.push({ kind: 'write', address: address + first + offset, size: width, rip, moment: at });
        offset += width;
      }
      first = last;
    }
    before = now;
  }
  return found;
}
