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

/** What is used of `@alexaltea/capstone-js`, which ships no types. */
interface Capstone {
  option(option: number, value: number): void;
  /** Throws a string when the first bytes are no instruction. */
  disasm(bytes: Uint8Array, address: bigint, max: number): CapstoneInstruction[];
  errno(): number;
  close(): void;
}

interface CapstoneInstruction {
  readonly mnemonic: string;
  readonly op_str: string;
  readonly size: number;
}

interface CapstoneModule {
  readonly Capstone: new (arch: number, mode: number) => Capstone;
  readonly ARCH_X86: number;
  readonly MODE_64: number;
  readonly OPT_SYNTAX: number;
  readonly OPT_SYNTAX_ATT: number;
  readonly ERR_OK: number;
}

interface CapstonePackage {
  readonly default: (options: { locateFile?: () => string }) => Promise<CapstoneModule>;
}

interface CacheEntry {
  readonly bytes: Uint8Array;
  readonly disassembly: Disassembly;
}

const MAX_LENGTH = 15;

let started: Promise<CapstoneModule> | undefined;

async function start(wasmUrl: string | undefined): Promise<CapstoneModule> {
  // @ts-expect-error: no types come with the package; CapstonePackage holds what is used here.
  const { default: open }: CapstonePackage = await import('@alexaltea/capstone-js');
  return open(wasmUrl === undefined ? {} : { locateFile: () => wasmUrl });
}

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
    started ??= start(wasmUrl).catch((error: unknown) => {
      started = undefined;
      throw error;
    });
    return new Disassembler(await started);
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
