import { encode, type Instruction } from './encoder.js';
import { type Effect, NONE } from './flags.js';
import type { Known } from './known-differences.js';

/** An instruction of a sequence at its address. */
export interface Placed {
  readonly address: number;
  readonly bytes: Uint8Array;
  /** The flags that are undefined in front of it. */
  readonly tainted: number;
}

const INT3: Instruction = { opcode: [0xcc] };
/** `cmp $1, %al`, which defines all status flags. */
const COMPARE: Instruction = { opcode: [0x3c], immediate: Uint8Array.of(1) };

/**
 * Lays instructions out one behind the other, and keeps account of which flags are undefined: where one is about to be
 * read, a comparison is put in between.
 */
export class Layout {
  readonly placed: Placed[] = [];
  readonly start: number;
  /** As last set. */
  mxcsr: number;
  /** What operands in memory have for their address, where that is to be a bad one. */
  target: number | undefined;
  readonly #avoided: ReadonlySet<Known>;
  #at: number;
  #tainted = 0;

  /**
   * @param avoided what the sequence must not come upon
   * @param mxcsr that it starts with
   */
  constructor(address: number, avoided: ReadonlySet<Known>, mxcsr: number) {
    this.mxcsr = mxcsr;
    this.start = address;
    this.#avoided = avoided;
    this.#at = address;
  }

  /** Where the next instruction comes, if it reads no flags. */
  get at(): number {
    return this.#at;
  }

  add(instruction: Instruction, { reads = 0, defines = 0, undefines = 0 }: Effect = NONE): void {
    if ((this.#tainted & reads) !== 0) {
      this.#place(COMPARE);
      this.#tainted = 0;
    }
    this.#place(instruction);
    this.#tainted = (this.#tainted & ~defines) | undefines;
  }

  avoids(known: Known): boolean {
    return this.#avoided.has(known);
  }

  /** Ends the sequence. @returns its machine code */
  finish(): Uint8Array {
    this.#place(INT3);
    return Uint8Array.from(this.placed.flatMap(({ bytes }) => [...bytes]));
  }

  /** The flags that are undefined in front of the instruction at `address`; if there is none, any that ever are. */
  taintedAt(address: bigint): number {
    return (
      this.placed.find((one) => BigInt(one.address) === address)?.tainted ??
      this.placed.reduce((all, { tainted }) => all | tainted, 0)
    );
  }

  #place(instruction: Instruction): void {
    const bytes = encode(instruction, this.#at);
    this.placed.push({ address: this.#at, bytes, tainted: this.#tainted });
    this.#at += bytes.length;
  }
}
