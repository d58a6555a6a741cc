import type { Memory } from '../../emu/memory.js';
import type { Symbols } from '../symbols.js';
import type { Host } from './host.js';

/** Fields of a FILE; asm/stdio.s has it. */
const FLAGS = 0;
/** Where the buffer is and ends, and how many bytes wait in it. Zeros are the buffer behind the FILE. */
const BUFFER = 56;
const BUFFER_END = 64;
const USED = 72;
/** The file descriptor; -1 when closed. */
const NUMBER = 112;
/** What ungetc has put back, plus one; 0 is nothing. */
const PUT_BACK = 116;
const FILE_SIZE = 216;
const OWN_BUFFER_SIZE = 1024;
/** Buffers below this keep nothing of what is too long for them. */
const SMALL_BUFFER = 128;

const UNBUFFERED = 2;
const AT_END = 0x10;
const FAILED = 0x20;
const BY_LINE = 0x200;

const EBADF = 9;
const NEWLINE = 10;

/** When bytes go out: at once, behind each line, or when the buffer is full. */
export type Buffering = 'none' | 'line' | 'full';

/**
 * A FILE in guest memory, with all its state. Output is as glibc's on a terminal; input is at its end from the start,
 * since a guest does not read what the host's standard input has.
 */
export class Stream {
  /** @param address of the FILE, whose fields are read when they are needed: a fault then is the guest's */
  constructor(
    private readonly host: Host,
    private readonly address: number,
  ) {}

  get number(): number {
    return this.host.memory.i32(this.address + NUMBER);
  }

  get atEnd(): boolean {
    return this.#has(AT_END);
  }

  get failed(): boolean {
    return this.#has(FAILED);
  }

  /** Forgets that the end was reached or that something failed. */
  clear(): void {
    this.#setFlags(0, AT_END | FAILED);
  }

  /** @returns false, with errno set, if it is not for output */
  write(bytes: Uint8Array): boolean {
    if (!this.#writable()) return false;
    if (this.#has(UNBUFFERED)) {
      this.#output(bytes);
      return true;
    }
    const rest = this.#overflow(bytes);
    const lines = this.#has(BY_LINE) ? rest.lastIndexOf(NEWLINE) + 1 : 0;
    this.#append(rest.subarray(0, lines));
    if (lines > 0) this.flush();
    this.#append(rest.subarray(lines));
    return true;
  }

  /** Hands on what waits in the buffer. */
  flush(): void {
    const used = this.#used;
    if (used === 0) return;
    this.#used = 0;
    this.#output(this.host.memory.read(this.#buffer().start, used));
  }

  /** @returns what was put back; -1 at the end, and also, with errno set, if it is not for input */
  read(): number {
    const { memory } = this.host;
    if (this.number !== 0) {
      this.#fail();
      return -1;
    }
    const back = memory.u32(this.address + PUT_BACK);
    memory.setU32(this.address + PUT_BACK, 0);
    if (back > 0) return back - 1;
    // A question is seen before its answer is waited for.
    if (!this.atEnd) standardStream(this.host, 'stdout').flushLine();
    this.#setFlags(AT_END, 0);
    return -1;
  }

  /** Makes a byte the next to be read. @returns whether there was room: there is for one */
  putBack(byte: number): boolean {
    const { memory } = this.host;
    if (this.number !== 0 || memory.u32(this.address + PUT_BACK) > 0) return false;
    memory.setU32(this.address + PUT_BACK, byte + 1);
    this.#setFlags(0, AT_END);
    return true;
  }

  /**
   * What waits goes out, as the stream was.
   * @param buffer given for later, of that size; 0 for the one it has
   */
  setBuffer(buffering: Buffering, buffer = 0, size = 0): void {
    const { memory } = this.host;
    if (buffer !== 0 || buffering === 'none') {
      this.flush();
      memory.setPointer(this.address + BUFFER, buffer);
      memory.setPointer(this.address + BUFFER_END, buffer === 0 ? 0 : buffer + size);
    }
    this.#setFlags(0, UNBUFFERED | BY_LINE);
    if (buffering === 'none') this.#setFlags(UNBUFFERED, 0);
    if (buffering === 'line') this.#setFlags(BY_LINE, 0);
  }

  /** Flushes it; nothing more can be written or read. */
  close(): void {
    this.flush();
    this.host.memory.setU32(this.address + NUMBER, -1);
  }

  /** Flushes it if it is buffered by line. */
  flushLine(): void {
    if (this.#has(BY_LINE)) this.flush();
  }

  /**
   * As glibc takes bytes that the buffer has no room for: it is filled and goes out, and so does what would fill it
   * again, or everything if it is small.
   * @returns those that are left, for which there is room
   */
  #overflow(bytes: Uint8Array): Uint8Array {
    const { size } = this.#buffer();
    const room = size - this.#used;
    if (bytes.length <= room) return bytes;
    const left = size < SMALL_BUFFER ? 0 : (bytes.length - room) % size;
    this.#append(bytes.subarray(0, room));
    this.flush();
    this.#output(bytes.subarray(room, bytes.length - left));
    return bytes.subarray(bytes.length - left);
  }

  #append(bytes: Uint8Array): void {
    const used = this.#used;
    this.host.memory.write(this.#buffer().start + used, bytes);
    this.#used = used + bytes.length;
  }

  get #used(): number {
    return this.host.memory.pointer(this.address + USED);
  }

  set #used(used: number) {
    this.host.memory.setPointer(this.address + USED, used);
  }

  #buffer(): { start: number; size: number } {
    const start = this.host.memory.pointer(this.address + BUFFER);
    if (start === 0) return { start: this.address + FILE_SIZE, size: OWN_BUFFER_SIZE };
    return { start, size: this.host.memory.pointer(this.address + BUFFER_END) - start };
  }

  #output(bytes: Uint8Array): void {
    if (bytes.length > 0) this.host.output(this.number === 2 ? 2 : 1, bytes);
  }

  #writable(): boolean {
    const { number } = this;
    if (number === 1 || number === 2) return true;
    this.#fail();
    return false;
  }

  #fail(): void {
    this.#setFlags(FAILED, 0);
    this.host.fail(EBADF);
  }

  #has(flag: number): boolean {
    return (this.host.memory.u32(this.address + FLAGS) & flag) !== 0;
  }

  #setFlags(set: number, clear: number): void {
    const { memory } = this.host;
    memory.setU32(this.address + FLAGS, (memory.u32(this.address + FLAGS) & ~clear) | set);
  }
}

/** What the guest's variable of that name points to. */
export function standardStream(host: Host, name: 'stdin' | 'stdout' | 'stderr'): Stream {
  return new Stream(host, host.memory.pointer(host.symbols(name)));
}

/** How many bytes a program has written to standard output that are still in its buffer. */
export function bufferedOutput(memory: Memory, symbols: Symbols): number {
  return memory.pointer(symbols('stdout_file') + USED);
}

/** What waits in all buffers goes out, as exit() has it. */
export function flushStreams(host: Host): void {
  for (const name of ['stderr_file', 'stdout_file']) new Stream(host, host.symbols(name)).flush();
}
