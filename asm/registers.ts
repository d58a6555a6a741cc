import { Fault } from './errors.js';
import { didYouMean, nearNames } from './near.js';

const WIDTHS = new Map<string, number>();
const add = (width: number, names: string) => {
  for (const name of names.split(' ')) WIDTHS.set(name, width);
};

add(64, 'rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip');
add(32, 'eax ebx ecx edx esi edi ebp esp r8d r9d r10d r11d r12d r13d r14d r15d eip');
add(16, 'ax bx cx dx si di bp sp r8w r9w r10w r11w r12w r13w r14w r15w cs ds es fs gs ss');
add(8, 'al bl cl dl ah bh ch dh sil dil bpl spl r8b r9b r10b r11b r12b r13b r14b r15b');
add(64, 'mm0 mm1 mm2 mm3 mm4 mm5 mm6 mm7 cr0 cr2 cr3 cr4 cr8 dr0 dr1 dr2 dr3 dr6 dr7');
add(80, 'st st(0) st(1) st(2) st(3) st(4) st(5) st(6) st(7)');
for (let i = 0; i < 16; i++) {
  WIDTHS.set(`xmm${i}`, 128);
  WIDTHS.set(`ymm${i}`, 256);
}

/** All registers, without `%`, those of 64 bits first. */
export function registerNames(): string[] {
  return [...WIDTHS.keys()];
}

/**
 * The width of a register in bits; `name` is without `%`.
 *
 * Keystone answers an unknown register with success and no bytes at all, so names are checked here.
 * @throws Fault if there is no such register
 */
export function registerWidth(name: string): number {
  const width = WIDTHS.get(name);
  if (width === undefined) {
    const near = nearNames(name, WIDTHS.keys()).map((near) => `%${near}`);
    throw new Fault(`unknown register "%${name}"${didYouMean(near)}`, `%${name}`);
  }
  return width;
}
