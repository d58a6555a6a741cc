import { Disassembler } from '../../emu/disassembler.js';
import type { Process } from '../../runtime/process.js';

/** An instruction of the program. */
export interface Listed {
  /** Its bytes in hexadecimal. */
  readonly bytes: string;
  readonly text: string;
  /** Function, offset, file and line, as far as they are known. */
  readonly place: string;
}

/** Instructions as text. Close it after use. */
export class Listing {
  readonly #process: Process;
  readonly #disassembler: Disassembler;

  private constructor(process: Process, disassembler: Disassembler) {
    this.#process = process;
    this.#disassembler = disassembler;
  }

  static async of(process: Process): Promise<Listing> {
    return new Listing(process, await Disassembler.load());
  }

  /** The instruction of so many bytes at an address, which holds one. */
  at(address: number, size: number): Listed {
    const bytes = this.#process.cpu.memory.read(address, size);
    const text = this.#disassembler.disassemble(bytes, BigInt(address))?.text ?? '(not known to Capstone)';
    return { bytes: Buffer.from(bytes).toString('hex'), text, place: this.#process.describe(BigInt(address)) };
  }

  close(): void {
    this.#disassembler.close();
  }
}
