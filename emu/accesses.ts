/**
 * What was done to memory: by an instruction, or, as `host write`, by the host in an instruction's place, which is a
 * hypercall.
 */
export type AccessKind = 'read' | 'write' | 'host write';

/** @param size in bytes, 8 at most for what the guest does: more than that comes in parts */
export type AccessCallback = (kind: AccessKind, address: number, size: number) => void;

interface Access {
  readonly kind: AccessKind;
  readonly address: number;
  readonly size: number;
}

/**
 * The accesses of one instruction, from the engine's first word of them until it is complete: a page fault that is put
 * right makes an instruction begin again, and what it had done by then was nothing.
 */
export class Accesses {
  /** Replaced, never changed, since a callback may take itself away. */
  #callbacks: readonly AccessCallback[] = [];
  #pending: Access[] = [];
  /** How many of them are of completed iterations of a `rep`. */
  #certain = 0;

  get wanted(): boolean {
    return this.#callbacks.length > 0;
  }

  /** @returns what ends that */
  add(callback: AccessCallback): () => void {
    const listener: AccessCallback = (kind, address, size) => callback(kind, address, size);
    this.#callbacks = [...this.#callbacks, listener];
    return () => {
      this.#callbacks = this.#callbacks.filter((one) => one !== listener);
    };
  }

  /** One more, of the instruction that is executing. */
  note(kind: AccessKind, address: number, size: number): void {
    this.#pending.push({ kind, address, size });
  }

  /** An iteration of a `rep` is complete. */
  iterated(): void {
    this.#certain = this.#pending.length;
  }

  /** The instruction could not be completed, and may be tried again. */
  undo(): void {
    this.#pending.length = this.#certain;
  }

  /** The instruction is complete, or will not be. */
  tell(): void {
    if (this.#pending.length === 0) return;
    const told = this.#pending;
    this.#pending = [];
    this.#certain = 0;
    for (const { kind, address, size } of told) for (const callback of this.#callbacks) callback(kind, address, size);
  }
}
