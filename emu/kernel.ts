import type { Engine } from './engine.js';
import type { Memory } from './memory.js';

/*
 * The little that an operating system would do before a process runs: paging on, and into ring 3, so that privileged
 * instructions fault and page tables are out of the guest's reach.
 *
 * In the kernel page: the descriptor table, the instruction that leaves ring 0, and the stack it takes.
 */
const DESCRIPTORS = 0;
const CODE = 0x100;
const STACK = 0x200;

/** Flat 64-bit segments of ring 3 (Intel SDM, volume 3, 3.4.5), as low and high words: code at 0x10, data at 0x18. */
const SEGMENTS = [0, 0, 0, 0, 0x0000ffff, 0x00affa00, 0x0000ffff, 0x00cff200];
const CODE_SELECTOR = 0x10 | 3;
const DATA_SELECTOR = 0x18 | 3;
/** `iretq` */
const RETURN = [0x48, 0xcf];
/** Ring 3 begins here, where nothing is mapped, and the engine is told to stop. */
const FIRST_ADDRESS = 0x1000;

/** Turns a CPU that has just been opened into one that runs user code. */
export function enterUserMode(engine: Engine, memory: Memory): void {
  const words = engine.words;
  const { kernel } = memory;
  SEGMENTS.forEach((word, index) => {
    words[((kernel + DESCRIPTORS) >>> 2) + index] = word;
  });
  const frame = [FIRST_ADDRESS, CODE_SELECTOR, 2, 0, DATA_SELECTOR];
  frame.forEach((word, index) => {
    words[((kernel + STACK) >>> 2) + index * 2] = word;
  });
  engine.bytes.set(RETURN, kernel + CODE);
  engine.enablePaging(memory.root, kernel + DESCRIPTORS, SEGMENTS.length * 4 - 1);
  engine.write('rsp', BigInt(kernel + STACK));
  engine.resume(kernel + CODE, FIRST_ADDRESS);
}
