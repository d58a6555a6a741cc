const UTF8 = new TextDecoder();

/**
 * Reads little-endian numbers and strings from `position` to `end` (both in bytes), front to back. It never throws: a
 * read that would pass the end gives what is there, leaves the cursor at the end and sets `overrun`, so a loop over
 * `left` stops by itself.
 */
export class Cursor {
  /** Whether something was asked for that was not there; it stays set. */
  overrun = false;
  readonly end: number;

  constructor(
    readonly bytes: Uint8Array,
    public position = 0,
    end = bytes.length,
  ) {
    this.end = Math.min(end, bytes.length);
  }

  /** How many bytes there are still to read. */
  get left(): number {
    return this.end - this.position;
  }

  /** Goes to the end, as if something had not been there. */
  giveUp(): void {
    this.overrun = true;
    this.position = this.end;
  }

  skip(count: number): void {
    if (count > this.left) this.giveUp();
    else this.position += count;
  }

  byte(): number {
    if (this.position < this.end) return this.bytes[this.position++] ?? 0;
    this.overrun = true;
    return 0;
  }

  /** An unsigned number of `size` bytes. From 2^53 on it is rounded, so it is only good for noticing that it is large. */
  unsigned(size: number): number {
    let value = 0;
    for (let i = 0, scale = 1; i < size; i++, scale *= 0x100) value += this.byte() * scale;
    return value;
  }

  /** An unsigned LEB128 number, rounded from 2^53 on as in `unsigned`; bits from 2^70 on are left out. */
  uleb128(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      if (scale < 2 ** 70) value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  }

  /** The low 32 bits of a signed LEB128 number, as a signed number. */
  sleb128(): number {
    let value = 0;
    let shift = 0;
    for (;;) {
      const byte = this.byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      shift += 7;
      if (byte >= 0x80) continue;
      return byte & 0x40 && shift < 32 ? value | (-1 << shift) : value;
    }
  }

  /** The UTF-8 text up to the next zero byte, and goes behind that one; an empty text if there is none. */
  text(): string {
    const start = this.position;
    while (this.byte() !== 0);
    return this.overrun ? '' : UTF8.decode(this.bytes.subarray(start, this.position - 1));
  }
}
