/** What is used of the Keystone package: the module behind its wrapper. Pointers are numbers, C's uint64_t is a BigInt. */
declare module '@alexaltea/keystone-js' {
  export interface KeystoneModule {
    readonly ARCH_X86: number;
    readonly MODE_64: number;
    _malloc(size: number): number;
    _free(pointer: number): void;
    _ks_open(arch: number, mode: number, handle: number): number;
    _ks_asm(handle: number, text: number, address: bigint, bytes: number, size: number, count: number): number;
    _ks_errno(handle: number): number;
    _ks_free(pointer: number): void;
    setValue(pointer: number, value: bigint, type: 'i64'): void;
    getValue(pointer: number, type: 'i64'): bigint;
    getValue(pointer: number, type: 'i32'): number;
  }
  const load: (overrides: {
    print(text: string): void;
    printErr(text: string): void;
    locateFile?: () => string;
  }) => Promise<KeystoneModule>;
  export default load;
}
