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
