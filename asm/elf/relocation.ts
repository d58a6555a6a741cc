/** What the formulas of relocations are made of, named as in the AMD64 supplement of the System V ABI. All in bytes. */
export interface Terms {
  /** The symbol's address. */
  S: bigint;
  /** The addend. */
  A: bigint;
  /** The address of the place that changes. */
  P: bigint;
  /** Offset of the symbol's entry in the global offset table. */
  G: bigint;
  /** Address of the global offset table. */
  GOT: bigint;
  /** The symbol's size. */
  Z: bigint;
  /** What fs points to: the supplement's thread pointer. */
  TP: bigint;
}

/** What an entry of the global offset table holds. */
export type EntryKind = 'address' | 'thread offset' | 'thread pair' | 'module pair';

/** One type of relocation. */
export interface Relocation {
  readonly name: string;
  /** Bytes that change. */
  readonly width: 1 | 2 | 4 | 8;
  /** What fits; 'either' is signed or unsigned. */
  readonly range: 'signed' | 'unsigned' | 'either';
  readonly value: (terms: Terms) => bigint;
  /** The entry it needs. */
  readonly entry?: EntryKind;
  /** Whether the symbol has to be thread-local (true), must not be (false), or may be either (undefined). */
  readonly tls: boolean | undefined;
}

type Formula = Relocation['value'];
type Row = readonly [number, string, Relocation['width'], Relocation['range'], Formula, EntryKind?];

const absolute: Formula = ({ S, A }) => S + A;
const relative: Formula = ({ S, A, P }) => S + A - P;
const entryRelative: Formula = ({ G, GOT, A, P }) => G + GOT + A - P;
const entryOffset: Formula = ({ G, A }) => G + A;
const tableRelative: Formula = ({ GOT, A, P }) => GOT + A - P;
const fromTable: Formula = ({ S, A, GOT }) => S + A - GOT;
const size: Formula = ({ Z, A }) => Z + A;
// The dynamic models add what __tls_get_addr finds in the pair to the thread pointer, so module offsets count from it.
const threadOffset: Formula = ({ S, A, TP }) => S + A - TP;

// There is no procedure linkage table: everything is below 2 GiB, so a call reaches its function directly.
const PLAIN: readonly Row[] = [
  [1, 'R_X86_64_64', 8, 'either', absolute],
  [2, 'R_X86_64_PC32', 4, 'signed', relative],
  [3, 'R_X86_64_GOT32', 4, 'signed', entryOffset, 'address'],
  [4, 'R_X86_64_PLT32', 4, 'signed', relative],
  [9, 'R_X86_64_GOTPCREL', 4, 'signed', entryRelative, 'address'],
  [10, 'R_X86_64_32', 4, 'unsigned', absolute],
  [11, 'R_X86_64_32S', 4, 'signed', absolute],
  [12, 'R_X86_64_16', 2, 'either', absolute],
  [13, 'R_X86_64_PC16', 2, 'signed', relative],
  [14, 'R_X86_64_8', 1, 'either', absolute],
  [15, 'R_X86_64_PC8', 1, 'signed', relative],
  [24, 'R_X86_64_PC64', 8, 'either', relative],
  [25, 'R_X86_64_GOTOFF64', 8, 'either', fromTable],
  [26, 'R_X86_64_GOTPC32', 4, 'signed', tableRelative],
  [27, 'R_X86_64_GOT64', 8, 'either', entryOffset, 'address'],
  [28, 'R_X86_64_GOTPCREL64', 8, 'either', entryRelative, 'address'],
  [29, 'R_X86_64_GOTPC64', 8, 'either', tableRelative],
  [30, 'R_X86_64_GOTPLT64', 8, 'either', entryOffset, 'address'],
  [31, 'R_X86_64_PLTOFF64', 8, 'either', fromTable],
  [41, 'R_X86_64_GOTPCRELX', 4, 'signed', entryRelative, 'address'],
  [42, 'R_X86_64_REX_GOTPCRELX', 4, 'signed', entryRelative, 'address'],
];

const SIZES: readonly Row[] = [
  [32, 'R_X86_64_SIZE32', 4, 'unsigned', size],
  [33, 'R_X86_64_SIZE64', 8, 'either', size],
];

const THREAD_LOCAL: readonly Row[] = [
  [17, 'R_X86_64_DTPOFF64', 8, 'either', threadOffset],
  [18, 'R_X86_64_TPOFF64', 8, 'either', threadOffset],
  [19, 'R_X86_64_TLSGD', 4, 'signed', entryRelative, 'thread pair'],
  [21, 'R_X86_64_DTPOFF32', 4, 'signed', threadOffset],
  [22, 'R_X86_64_GOTTPOFF', 4, 'signed', entryRelative, 'thread offset'],
  [23, 'R_X86_64_TPOFF32', 4, 'signed', threadOffset],
];

const MODULE: readonly Row[] = [[20, 'R_X86_64_TLSLD', 4, 'signed', entryRelative, 'module pair']];

const rows = (tls: boolean | undefined, table: readonly Row[]) => {
  return table.map(([type, name, width, range, value, entry]): [number, Relocation] => {
    return [type, { name, width, range, value, tls, ...(entry ? { entry } : {}) }];
  });
};

/** The types of relocations by their numbers. Number 0, R_X86_64_NONE, asks for nothing and is not among them. */
export const RELOCATIONS: ReadonlyMap<number, Relocation> = new Map([
  ...rows(false, PLAIN),
  ...rows(undefined, SIZES),
  ...rows(true, THREAD_LOCAL),
  ...rows(undefined, MODULE),
]);

/** R_X86_64_NONE */
export const NO_RELOCATION = 0;

const DESCRIPTORS = 'TLS descriptors are not supported: compile with -mtls-dialect=gnu';
const DYNAMIC = 'it is for shared libraries and linked programs';

/** Why a type is refused. */
export function whyRefused(type: number): string {
  const known: Readonly<Record<number, string>> = {
    5: `R_X86_64_COPY: ${DYNAMIC}`,
    6: `R_X86_64_GLOB_DAT: ${DYNAMIC}`,
    7: `R_X86_64_JUMP_SLOT: ${DYNAMIC}`,
    8: `R_X86_64_RELATIVE: ${DYNAMIC}`,
    16: `R_X86_64_DTPMOD64: ${DYNAMIC}`,
    34: `R_X86_64_GOTPC32_TLSDESC: ${DESCRIPTORS}`,
    35: `R_X86_64_TLSDESC_CALL: ${DESCRIPTORS}`,
    36: `R_X86_64_TLSDESC: ${DESCRIPTORS}`,
    37: `R_X86_64_IRELATIVE: ${DYNAMIC}`,
    38: `R_X86_64_RELATIVE64: ${DYNAMIC}`,
  };
  return known[type] ?? `${type}: it is not known`;
}

/** Whether a value fits the place that a relocation changes. */
export function fits({ width, range }: Relocation, value: bigint): boolean {
  if (width === 8) return true;
  const bits = BigInt(8 * width);
  const least = range === 'unsigned' ? 0n : -(1n << (bits - 1n));
  const end = range === 'signed' ? 1n << (bits - 1n) : 1n << bits;
  return value >= least && value < end;
}

/** Writes a value's lowest bytes, little-endian. */
export function store(view: DataView, offset: number, width: number, value: bigint): void {
  if (width === 8) view.setBigUint64(offset, BigInt.asUintN(64, value), true);
  else if (width === 4) view.setInt32(offset, Number(BigInt.asIntN(32, value)), true);
  else if (width === 2) view.setInt16(offset, Number(BigInt.asIntN(16, value)), true);
  else view.setInt8(offset, Number(BigInt.asIntN(8, value)));
}
