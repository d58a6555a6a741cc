import type { Disassembly } from '../../emu/disassembler.js';
import type { Listed } from '../lesson/lesson.js';
import type { Instructions } from '../view/code.js';

/** Instructions that were disassembled when the site was built. */
export class Listing implements Instructions {
  readonly #known = new Map<bigint, Disassembly>();

  constructor(...lists: readonly (readonly Listed[])[]) {
    for (const [address, length, text] of lists.flat()) {
      // As Capstone divides it: a prefix belongs to the mnemonic.
      const [, mnemonic = text, operands = ''] =
        /^((?:(?:rep|repe|repne|lock|notrack|bnd) )*\S+)(?: (.*))?$/.exec(text) ?? [];
      this.#known.set(BigInt(address), { text, mnemonic, operands, length });
    }
  }

  /** The instruction that was at an address, if one was. */
  disassemble(_bytes: Uint8Array, address: bigint): Disassembly | undefined {
    return this.#known.get(address);
  }

  /** Nothing is to be freed. */
  close(): void {}
}
