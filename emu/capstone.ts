/** What is used of `@alexaltea/capstone-js`, which ships no types. */
export interface Capstone {
  option(option: number, value: number): void;
  /** Throws a string when the first bytes are no instruction. */
  disasm(bytes: Uint8Array, address: bigint, max: number): CapstoneInstruction[];
  /**
   * Hands over each instruction, as long as `tell` does not return false, and where it is in the module's memory; none
   * if the bytes are no instruction.
   */
  disasm_iter(
    bytes: Uint8Array,
    address: bigint,
    tell: (instruction: CapstoneInstruction, pointer: number) => boolean,
  ): number;
  /** Numbers of registers. Needs OPT_DETAIL. */
  regs_access(pointer: number): { readonly regs_read: readonly number[]; readonly regs_write: readonly number[] };
  reg_name(register: number): string;
  errno(): number;
  close(): void;
}

export interface CapstoneInstruction {
  readonly mnemonic: string;
  readonly op_str: string;
  readonly size: number;
}

export interface CapstoneModule {
  readonly Capstone: new (arch: number, mode: number) => Capstone;
  readonly ARCH_X86: number;
  readonly MODE_64: number;
  readonly OPT_DETAIL: number;
  readonly OPT_ON: number;
  readonly OPT_SYNTAX: number;
  readonly OPT_SYNTAX_ATT: number;
  readonly ERR_OK: number;
}

interface CapstonePackage {
  readonly default: (options: { locateFile?: () => string }) => Promise<CapstoneModule>;
}

let started: Promise<CapstoneModule> | undefined;

async function start(wasmUrl: string | undefined): Promise<CapstoneModule> {
  // @ts-expect-error: no types come with the package; CapstonePackage holds what is used here.
  const { default: open }: CapstonePackage = await import('@alexaltea/capstone-js');
  return open(wasmUrl === undefined ? {} : { locateFile: () => wasmUrl });
}

/**
 * Loads Capstone when first called (its WASM is 3.3 MB, so that runs without it never do); everybody shares the one
 * module.
 *
 * @param wasmUrl where `capstone.wasm` is, for pages whose bundler moves it; only the first call's counts.
 * @throws Error if the module does not load; the next call tries again.
 */
export function loadCapstone(wasmUrl?: string): Promise<CapstoneModule> {
  started ??= start(wasmUrl).catch((error: unknown) => {
    started = undefined;
    throw error;
  });
  return started;
}
