/** A range of memory; the size is in bytes. */
export interface Piece {
  readonly address: number;
  readonly size: number;
}

export function overlaps(a: Piece, b: Piece): boolean {
  return a.address < b.address + b.size && b.address < a.address + a.size;
}

/** Whether an address is among so many bytes below and above another. */
export function isAround(address: number, place: number, { below, above }: { below: number; above: number }): boolean {
  return address >= place - below && address < place + above;
}

const WORD = 8;

/**
 * Accesses in their order, with the words that one instruction copies byte by byte (`rep movsb`, a loop) made one piece
 * each: a byte alone does not show whose it is, and a copied stack would be thousands of pieces to try.
 */
export function withWords(accesses: readonly (Piece & { readonly rip: number })[]): Piece[] {
  const found: (Piece & { readonly rip: number; readonly isCopied?: boolean })[] = [];
  for (const access of accesses) {
    const last = found.at(-1);
    const isNext = last?.rip === access.rip && last.address + last.size === access.address && access.size === 1;
    if (last !== undefined && isNext && (last.isCopied || last.size === 1) && access.address % WORD !== 0) {
      found[found.length - 1] = { ...last, size: last.size + 1, isCopied: true };
    } else {
      found.push(access);
    }
  }
  return found;
}

/** Ranges that were written one after another, as ranges that do not overlap: where they do, the later one counts. */
export function settled(writes: readonly Piece[]): Piece[] {
  let found: Piece[] = [];
  for (const { address, size } of writes) {
    const end = address + size;
    found = found.flatMap((piece) => {
      const before = { address: piece.address, size: Math.min(piece.size, address - piece.address) };
      const start = Math.max(piece.address, end);
      const behind = { address: start, size: piece.address + piece.size - start };
      return [before, behind].filter((rest) => rest.size > 0);
    });
    found.push({ address, size });
  }
  return found.sort((a, b) => a.address - b.address);
}
