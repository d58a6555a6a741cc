import { type Capstone, type CapstoneInstruction, type CapstoneModule, loadCapstone } from './capstone.js';

/** The text of one instruction, in AT&T syntax as Capstone writes it: operand sizes as suffixes, numbers above 9 in hex. */
export interface Disassembly {
  /** Mnemonic and operands: `movq 8(%rax), %rbp`. */
  readonly text: string;
  /** With its prefixes and suffix: `movq`, `rep movsb`. */
  readonly mnemonic: string;
  /** Source first, destination last; branch targets are absolute addresses; empty if there are none. */
  readonly operands: string;
  /** In bytes, 1 to 15. */
  readonly length: number;
}

interface CacheEntry {
  readonly bytes: Uint8Array;
  readonly disassembly: Disassembly;
}

const MAX_LENGTH = 15;

/**
 * Writes machine code of 64-bit mode as text, one instruction at a time. Close it after use: it holds memory in the WASM
 * module, which no garbage collector sees.
 */
export class Disassembler {
  readonly #module: CapstoneModule;
  readonly #capstone: Capstone;
  readonly #cache = new Map<bigint, CacheEntry>();
  #closed = false;

  private constructor(module: CapstoneModule) {
    this.#module = module;
    this.#capstone = new module.Capstone(module.ARCH_X86, module.MODE_64);
    this.#capstone.option(module.OPT_SYNTAX, module.OPT_SYNTAX_ATT);
  }

  /**
   * Loads Capstone when first called (its WASM is 3.3 MB, so that runs without disassembly never do); all disassemblers
   * share the one module.
   *
   * @param wasmUrl where `capstone.wasm` is, for pages whose bundler moves it; only the first call's counts.
   * @throws Error if the module does not load; the next call tries again.
   */
  static async load(wasmUrl?: string): Promise<Disassembler> {
    return new Disassembler(await loadCapstone(wasmUrl));
  }

  /**
   * The instruction that `bytes` begins with, as if it lay at `address` (unsigned, 64 bits); `undefined` if they are no
   * instruction or too few. The latest text of each address is kept while its bytes stay the same.
   *
   * Under prefix 66, Capstone gives near branches Intel's 32-bit displacement where `decode` takes AMD's 16-bit one.
   *
   * @throws Error after `close`, and if Capstone fails for another reason than the bytes.
   */
  disassemble(bytes: Uint8Array, address: bigint): Disassembly | undefined {
    if (this.#closed) throw new Error('this disassembler is closed');
    const cached = this.#cache.get(address);
    if (cached !== undefined && startsWith(bytes, cached.bytes)) return cached.disassembly;

    const instruction = this.#first(bytes.subarray(0, MAX_LENGTH), address);
    if (instruction === undefined) return undefined;
    const { mnemonic, size: length } = instruction;
    const operands = hexadecimal(instruction.op_str);
    const disassembly = { text: operands === '' ? mnemonic : `${mnemonic} ${operands}`, mnemonic, operands, length };
    this.#cache.set(address, { bytes: bytes.slice(0, length), disassembly });
    return disassembly;
  }

  /** Frees what this disassembler holds; a second call does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cache.clear();
    this.#capstone.close();
  }

  #first(bytes: Uint8Array, address: bigint): CapstoneInstruction | undefined {
    try {
      return this.#capstone.disasm(bytes, address, 1)[0];
    } catch (error) {
      // Capstone counts bytes that are no instruction as success with nothing decoded.
      if (this.#capstone.errno() === this.#module.ERR_OK) return undefined;
      throw new Error('Capstone could not disassemble', { cause: error });
    }
  }
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return prefix.every((byte, i) => bytes[i] === byte);
}

/** Capstone writes 64-bit immediates above 2^63 in decimal, every other number above 9 in hex. */
function hexadecimal(operands: string): string {
  return operands.replace(/\$(\d{19,})/, (_, decimal: string) => `$0x${BigInt(decimal).toString(16)}`);
}
