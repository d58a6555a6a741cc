import { assemble } from '../../asm/assembler.js';
import type { Image } from '../../asm/image.js';
import type { Cpu } from '../../emu/cpu.js';
import { PAGE_SIZE } from '../../emu/memory.js';
import { openCpu } from '../../emu/open.js';
import { GENERAL_INDEX, GENERAL_REGISTERS, VECTOR_REGISTERS } from '../../emu/registers.js';

/*
 * A guest that carries out a piece of straight code from many states, one after another: it loads all registers from a
 * row of a table, executes the piece, whose memory is in that row too, and stores all registers to it. A state costs
 * some fifty instructions, and the host is asked only where one faults.
 */

/** Registers in a row, as offsets in bytes from where they begin. */
export const REGISTERS_AT = {
  general: 0,
  /** As lahf and sahf have them in ah (pushf and popf would be carried out one step at a time), above OF as 0 or 1. */
  flags: 128,
  /** Of results: where a string instruction has gone, for the direction flag. States have it clear, as calls do. */
  direction: 132,
  mxcsr: 136,
  fpcw: 140,
  vectors: 144,
  /** Of results: not 0 if the piece has come to its end. */
  done: 400,
  size: 416,
} as const;

/** A row: the registers before, those behind, and the memory. */
export const ROW = { before: 0, behind: REGISTERS_AT.size, memory: 2 * REGISTERS_AT.size } as const;

/** Bytes of code there is room for. */
const ROOM = 1024;
/** Of memory, in bytes, beside the table. */
const SPARE = 8 << 20;
const BASE = 0x400000n;
/** Instructions that a state takes at most. */
const STEPS = 1000;
const JUMP = 0xe9;
const JUMP_LENGTH = 5;

const FREE = GENERAL_REGISTERS.filter((name) => name !== 'rsp');
const before = (offset: number): string => `${ROW.before + offset}(%rsp)`;
const behind = (offset: number): string => `${ROW.behind + offset}(%rsp)`;
const general = (name: (typeof GENERAL_REGISTERS)[number]): number => REGISTERS_AT.general + 8 * GENERAL_INDEX[name];

/** Instructions with jumps to the next one among them: an engine cuts longer blocks in two, and those are slow. */
function inBlocks(instructions: readonly string[]): string {
  return instructions
    .map((one, index) => `        ${one}${index % 8 === 7 ? '\n        jmp     1f\n1:' : ''}`)
    .join('\n');
}

function text(size: number, vectors: boolean): string {
  const used = vectors ? VECTOR_REGISTERS.map((name, index) => [name, REGISTERS_AT.vectors + 16 * index] as const) : [];
  return `        .text
        .globl  main
main:   mov     row(%rip), %rsp
        cmp     end(%rip), %rsp
        je      over
        cmpb    $0, ${behind(REGISTERS_AT.done)}
        jne     next
        ldmxcsr ${before(REGISTERS_AT.mxcsr)}
        fldcw   ${before(REGISTERS_AT.fpcw)}
        mov     ${before(REGISTERS_AT.flags)}, %ax
        addb    $0x7f, %al
        sahf
${inBlocks(used.map(([name, at]) => `movdqu  ${before(at)}, %${name}`))}
${inBlocks(FREE.map((name) => `mov     ${before(general(name))}, %${name}`))}
        mov     ${before(general('rsp'))}, %rsp
        jmp     piece
after:  xchg    %rsp, row(%rip)
${inBlocks(FREE.map((name) => `mov     %${name}, ${behind(general(name))}`))}
        lahf
        seto    %al
        mov     %ax, ${behind(REGISTERS_AT.flags)}
        mov     row(%rip), %rax
        mov     %rax, ${behind(general('rsp'))}
        jmp     1f
1:      lea     64(%rsp), %rsi
        lodsb
        sub     %rsp, %rsi
        mov     %esi, ${behind(REGISTERS_AT.direction)}
        cld
        stmxcsr ${behind(REGISTERS_AT.mxcsr)}
        fnstcw  ${behind(REGISTERS_AT.fpcw)}
        movb    $1, ${behind(REGISTERS_AT.done)}
${inBlocks(used.map(([name, at]) => `movdqu  %${name}, ${behind(at)}`))}
        mov     %rsp, row(%rip)
next:   addq    $${size}, row(%rip)
        jmp     main
over:   syscall
        .balign 64
piece:  .zero   ${ROOM}
        .data
row:    .quad   0
end:    .quad   0
        .bss
        .balign 4096
table:`;
}

/** Carries out pieces of code from tables of states. The engine has to be loaded. */
export class Bench {
  /** Bytes of a row. */
  readonly size: number;
  readonly #image: Image;

  private constructor(image: Image, size: number) {
    this.size = size;
    this.#image = image;
  }

  /**
   * @param rows that a table has at most
   * @param memory bytes of memory that are part of a state, a multiple of 16
   * @param vectors whether pieces use SSE registers; without, they are left alone
   */
  static async make(rows: number, memory: number, vectors: boolean): Promise<Bench> {
    const size = ROW.memory + memory;
    const source = `${text(size, vectors)}  .zero   ${rows * size}\n`;
    return new Bench(await assemble([{ name: 'bench.s', text: source }], { base: BASE }), size);
  }

  #at(name: string): number {
    return Number(this.#image.symbol(name));
  }

  /** Address of the first row. */
  get table(): number {
    return this.#at('table');
  }

  /** Where a piece of code is while it is carried out. */
  get piece(): number {
    return this.#at('piece');
  }

  /**
   * Carries out code that has been made for {@link piece}, once for each row.
   * @param rows the registers before, and the memory, those behind being zeros; what is done already stays as it is
   * @returns the rows as they are then; in a state in which the code faults nothing says that it is done
   * @throws RangeError for too much code
   */
  run(code: Uint8Array, rows: Uint8Array): Uint8Array {
    const back = this.#at('after') - (this.piece + code.length + JUMP_LENGTH);
    const bytes = Uint8Array.from([...code, JUMP, ...new Uint8Array(Int32Array.of(back).buffer)]);
    if (bytes.length > ROOM) throw new RangeError(`a piece of ${code.length} bytes is too long`);
    const image = this.#image.patched([[this.piece, bytes]]);
    const end = Math.max(...image.sections.map(({ address, size }) => Number(address) + size));
    // A machine of its own, since an engine keeps what it has made of code that it has seen.
    const cpu = openCpu({ memory: Math.ceil((end + SPARE) / SPARE) * SPARE });
    try {
      for (const { name, address, size, bytes: content } of image.sections) {
        const whole = Math.ceil(size / PAGE_SIZE) * PAGE_SIZE;
        cpu.memory.reserve(Number(address), whole, name === '.text' ? 'r-x' : 'rw-');
        cpu.memory.load(Number(address), content);
      }
      return this.#run(cpu, rows);
    } finally {
      cpu.close();
    }
  }

  #run(cpu: Cpu, rows: Uint8Array): Uint8Array {
    const { memory } = cpu;
    memory.write(this.table, rows);
    memory.setPointer(this.#at('row'), this.table);
    memory.setPointer(this.#at('end'), this.table + rows.length);
    cpu.onHypercall = () => cpu.stop();
    cpu.write('fs_base', BigInt(this.table + ROW.memory));
    cpu.write('rip', this.#image.symbol('main'));
    const limit = (rows.length / this.size) * STEPS;
    while (cpu.run(limit).kind === 'fault') cpu.write('rip', this.#image.symbol('next'));
    return memory.read(this.table, rows.length);
  }
}
