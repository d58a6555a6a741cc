import type { Image } from '../../asm/image.js';
import type { Disassembler } from '../../emu/disassembler.js';
import { decode, ENDS_BLOCK } from '../../emu/instruction.js';
import { placeIn } from '../probe/instructions.js';
import type { Half, Measurement } from '../probe/measure.js';
import { type InstructionText, parse } from './syntax.js';

/** An instruction of a switch that has run in a probe. */
export interface SwitchInstruction {
  readonly address: number;
  /** In bytes. */
  readonly length: number;
  readonly text: InstructionText;
  /** For people: `mill_longjmp.s:12`, `relay_switch+0x8`. */
  readonly place: string;
  /** Whether control leaves the straight line here. */
  readonly leaves: boolean;
  /** Whether control has come here from elsewhere than the instruction in front of it. */
  readonly entered: boolean;
}

const LONGEST = 15;

/** Code of an image from an address on. */
export function codeAt(image: Image, address: number, length = LONGEST): Uint8Array {
  const section = image.sectionAt(BigInt(address));
  const offset = address - Number(section?.address ?? 0n);
  return section?.bytes.subarray(offset, offset + length) ?? new Uint8Array();
}

/** What has been executed of a switch, the save and the restore, in the order of the addresses. */
export function instructionsOf({ code, save, restore }: Measurement, disassembler: Disassembler): SwitchInstruction[] {
  const { image } = code;
  const found = new Map<number, SwitchInstruction>();
  const add = ({ steps }: Half): void => {
    let expected = 0;
    for (const { rip } of steps) {
      const bytes = codeAt(image, rip);
      const disassembly = disassembler.disassemble(bytes, BigInt(rip));
      if (disassembly === undefined) continue;
      const { mnemonic, operands, length } = disassembly;
      const entered = rip !== expected || found.get(rip)?.entered === true;
      expected = rip + length;
      const leaves = (decode(bytes, 0) & ENDS_BLOCK) !== 0;
      found.set(rip, {
        address: rip,
        length,
        text: parse(mnemonic, operands),
        place: placeIn(image, rip),
        leaves,
        entered,
      });
    }
  };
  add(save);
  if (restore !== undefined) add(restore);
  return [...found.values()].sort((a, b) => a.address - b.address);
}

/** Instructions that follow each other without a gap; nobody comes into the middle of such a run. */
export function straightRuns(instructions: readonly SwitchInstruction[]): SwitchInstruction[][] {
  const runs: SwitchInstruction[][] = [];
  for (const one of instructions) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    const follows = last !== undefined && last.address + last.length === one.address;
    if (run !== undefined && follows && !one.entered && !last.leaves) run.push(one);
    else runs.push([one]);
  }
  return runs;
}
