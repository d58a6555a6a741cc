import type { Image } from '../../asm/image.js';
import { Disassembler } from '../../emu/disassembler.js';

const LONGEST = 15;

/** An instruction as people are shown it. */
export interface ShownInstruction {
  /** File and line where that is known, `symbol+0x4` where not. */
  readonly place: string;
  /** `movq %rbx, (%rdx)` */
  readonly text: string;
}

/** Where an address is, as short as it can be said. */
export function placeIn(image: Image, address: number): string {
  const line = image.lineAt(BigInt(address));
  return line === undefined ? image.describe(BigInt(address)) : `${line.file}:${line.line}`;
}

/** Instructions of an image by their addresses. Loads Capstone; close it after use. */
export class Instructions {
  readonly #image: Image;
  readonly #disassembler: Disassembler;

  private constructor(image: Image, disassembler: Disassembler) {
    this.#image = image;
    this.#disassembler = disassembler;
  }

  static async open(image: Image): Promise<Instructions> {
    return new Instructions(image, await Disassembler.load());
  }

  /** What is at an address; its text is empty if that is no instruction of the image. */
  at(address: number): ShownInstruction {
    const section = this.#image.sectionAt(BigInt(address));
    const offset = address - Number(section?.address ?? 0n);
    const bytes = section?.bytes.subarray(offset, offset + LONGEST) ?? new Uint8Array();
    const text = this.#disassembler.disassemble(bytes, BigInt(address))?.text ?? '';
    return { place: placeIn(this.#image, address), text };
  }

  close(): void {
    this.#disassembler.close();
  }
}
