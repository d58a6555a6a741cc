import { Image } from '../../asm/image.js';
import type { Disassembler } from '../../emu/disassembler.js';
import type { Code } from '../probe/code.js';
import type { Fault } from './fault.js';
import { codeAt, type SwitchInstruction } from './instruction.js';
import { type Placed, placed } from './placed.js';

const PAGE = 4096;

/** Code with a fault in it. */
export interface Mutant {
  readonly fault: Fault;
  readonly code: Code;
}

/** First page behind an image. */
function behind({ sections }: Image): number {
  const ends = sections.map(({ address, size }) => Number(address) + size);
  return Math.ceil(Math.max(...ends) / PAGE) * PAGE;
}

/** An image with an edit in it. */
function changed(image: Image, { changes, annex }: Placed): Image {
  const patched = image.patched(changes);
  if (annex === undefined) return patched;
  const { address, bytes } = annex;
  const section = { name: '.text', address: BigInt(address), size: bytes.length, bytes } as const;
  return Image.join([patched, new Image([section], [], [])]);
}

/**
 * Makes a fault in code that can be probed.
 * @param run the straight line that the fault is in
 * @returns undefined if there is no machine code for it
 */
export function mutantOf(
  fault: Fault,
  run: readonly SwitchInstruction[],
  code: Code,
  disassembler: Disassembler,
): Mutant | undefined {
  const { image } = code;
  const ground = {
    read: (address: number, length: number) => codeAt(image, address, length),
    relocated: () => false,
    free: behind(image),
  };
  const bytes = fault.edit && placed(fault.edit, run, ground, disassembler);
  return bytes && { fault, code: { ...code, image: changed(image, bytes) } };
}
