/** Bytes that come one at a time, a byte of the host's each: a guest may have them come by the hundred million. */
export class Bytes {
  #room = new Uint8Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** All so far; valid until the next is added. */
  get all(): Uint8Array {
    return this.#room.subarray(0, this.#length);
  }

  add(byte: number): void {
    if (this.#length === this.#room.length) {
      const larger = new Uint8Array(2 * this.#length);
      larger.set(this.#room);
      this.#room = larger;
    }
    this.#room[this.#length++] = byte;
  }
}
