import type { Image } from '../../asm/image.js';
import { Disassembler } from '../../emu/disassembler.js';
import type { Listed } from './lesson.js';

const LONGEST_INSTRUCTION = 15;

/** All instructions of an image, in the order of their addresses; what is none is passed over. Loads Capstone. */
export async function listingOf({ sections }: Image): Promise<Listed[]> {
  const disassembler = await Disassembler.load();
  const listed: Listed[] = [];
  try {
    for (const { name, address, bytes } of sections) {
      if (name !== '.text') continue;
      for (let at = 0; at < bytes.length; ) {
        const code = bytes.subarray(at, at + LONGEST_INSTRUCTION);
        const instruction = disassembler.disassemble(code, address + BigInt(at));
        if (instruction !== undefined) listed.push([Number(address) + at, instruction.length, instruction.text]);
        at += instruction?.length ?? 1;
      }
    }
  } finally {
    disassembler.close();
  }
  return listed;
}
