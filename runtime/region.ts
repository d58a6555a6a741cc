import { PAGE_SIZE } from '../emu/memory.js';
import { MILL_CR } from './layout.js';
import type { Process } from './process.js';

/** Says in words what part of a process an address is in, for messages. */
export function regionAt(process: Process, address: number): string {
  const { cpu, mainStack } = process;
  const { coroutines, census, stacks, heap } = process.mill;
  const image = process.imageAt(BigInt(address));
  if (image !== undefined) {
    const section = image.sectionAt(BigInt(address));
    return `${section?.name} of ${image === process.images[0] ? 'the runtime' : 'the program'}`;
  }
  if (address < PAGE_SIZE) return 'the NULL page';
  if (address >= mainStack.low - PAGE_SIZE && address < mainStack.low) return "the guard page below main's stack";
  if (address >= mainStack.low && address < mainStack.high) return "main's stack";
  for (const cr of process.coroutines()) {
    if (cr === coroutines.main) continue;
    const { low, high } = coroutines.stackOf(cr);
    const id = census.id(cr);
    if (address >= low - PAGE_SIZE && address < low) return `the guard page below the stack of coroutine ${id}`;
    if (address >= low && address < high) return `the stack of coroutine ${id}`;
    if (address >= high && address < cr) return `the valbuf of coroutine ${id}`;
    if (address >= cr && address < cr + MILL_CR.size) return `the mill_cr of coroutine ${id}`;
  }
  const protection = cpu.memory.protectionAt(address);
  if (protection === undefined) return 'no memory';
  return address < heap.end ? 'the heap' : `a stack that is not in use (blocks of ${stacks.blockSize} bytes)`;
}
