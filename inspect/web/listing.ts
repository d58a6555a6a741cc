import type { Disassembly } from '../../emu/disassembler.js';
import type { Listed } from '../lesson/lesson.js';

let lists: readonly (readonly Listed[])[] = [];

/** Says what the next {@link Disassembler} knows. */
export function provide(...all: readonly (readonly Listed[])[]): void {
  lists = all;
}

/** Stands for emu/disassembler.ts where instructions were disassembled when the site was built. */
export class Disassembler {
  readonly #known = new Map<bigint, Disassembly>();

  static async load(): Promise<Disassembler> {
    const one = new Disassembler();
    for (const [address, length, text] of lists.flat()) {
      // As Capstone divides it: a prefix belongs to the mnemonic.
      const [, mnemonic = text, operands = ''] =
        /^((?:(?:rep|repe|repne|lock|notrack|bnd) )*\S+)(?: (.*))?$/.exec(text) ?? [];
      one.#known.set(BigInt(address), { text, mnemonic, operands, length });
    }
    return one;
  }

  /** The instruction that was at an address, if one was. */
  disassemble(_bytes: Uint8Array, address: bigint): Disassembly | undefined {
    return this.#known.get(address);
  }

  /** Nothing is to be freed. */
  close(): void {}
}
