import { Disassembler } from '../emu/disassembler.js';
import { PAGE_SIZE } from '../emu/memory.js';
import type { Process } from '../runtime/process.js';

const LONGEST_INSTRUCTION = 15;

/** The instruction at an address as text, or undefined if there is none. Loads Capstone. */
export async function instructionText(process: Process, address: bigint): Promise<string | undefined> {
  const { memory } = process.cpu;
  if (memory.protectionAt(Number(address)) !== 'r-x') return undefined;
  const left = PAGE_SIZE - (Number(address) % PAGE_SIZE);
  const bytes = memory.read(Number(address), Math.min(LONGEST_INSTRUCTION, left));
  const disassembler = await Disassembler.load();
  try {
    return disassembler.disassemble(bytes, address)?.text;
  } finally {
    disassembler.close();
  }
}
