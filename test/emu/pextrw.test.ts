import { describe, expect, it } from 'vitest';
import { GENERAL_REGISTERS, type RegisterName } from '../../emu/registers.js';
import { CODE, END, openText, plainAndStepped } from './guest.js';

const VALUE = 0xfedc_ba98_7654_3210_0123_4567_89ab_cdefn;
/** The words of VALUE, from the lowest. */
const WORDS = [0xcdefn, 0x89abn, 0x4567n, 0x0123n, 0x3210n, 0x7654n, 0xba98n, 0xfedcn];

/** Intel SDM, volume 2: 66 [REX.RB] 0F C5 /r ib, the target in reg and the source in rm. */
function encode(target: number, source: number, word: number): number[] {
  const rex = 0x40 | ((target >> 3) << 2) | (source >> 3);
  return [0x66, ...(rex === 0x40 ? [] : [rex]), 0x0f, 0xc5, 0xc0 | ((target & 7) << 3) | (source & 7), word];
}

const text = (bytes: readonly number[]): string => `.byte ${bytes.join(', ')}\n`;

describe('pextrw, which the engine cannot execute', () => {
  it('puts each word of each vector register into each general register, and zeros above it', async () => {
    for (let target = 0; target < 16; target++) {
      const source = (target * 7 + 3) % 16;
      for (let word = 0; word < 8; word++) {
        const bytes = encode(target, source, word);
        const cpu = await openText(`${text(bytes)}${END}`);
        const name = GENERAL_REGISTERS[target];
        for (const other of GENERAL_REGISTERS) cpu.write(other, 0xaaaa_bbbb_cccc_ddddn);
        for (let n = 0; n < 16; n++) cpu.write(`xmm${n}` as RegisterName, BigInt(n));
        cpu.write(`xmm${source}` as RegisterName, VALUE);
        const before = cpu.readAll();
        expect(cpu.step()).toEqual({ kind: 'limit' });
        expect(cpu.readAll()).toEqual({ ...before, [name]: WORDS[word], rip: BigInt(CODE + bytes.length) });
        expect(cpu.moment).toBe(1);
        cpu.close();
      }
    }
  });

  it('is the same in a plain run, in the middle of a block and in a loop, flags untouched', async () => {
    const extract = text(encode(1, 0, 1));
    const body = `mov $0x12345678, %eax\nmovd %eax, %xmm0\nmov $3, %edx\nagain: ${extract}add %rcx, %rbx\ndec %edx\n${extract}jnz again\n`;
    const { plain, stepped } = await plainAndStepped(`${body}${END}`);
    expect(plain).toEqual(stepped);
    // Three before the loop, five in each of three rounds, two to end.
    expect(plain.moment).toBe(3 + 5 * 3 + 2);
    expect([plain.registers.rbx, plain.registers.rcx]).toEqual([3n * 0x1234n, 0x1234n]);
  });

  it('can be stopped in front of and behind', async () => {
    const cpu = await openText(`inc %rax\n${text(encode(1, 0, 0))}inc %rax\n${END}`);
    const seen: number[] = [];
    for (let limit = 1; limit <= 3; limit++) {
      expect(cpu.run(limit)).toEqual({ kind: 'limit' });
      seen.push(Number(cpu.read('rip')) - CODE);
    }
    expect(seen).toEqual([3, 8, 11]);
  });
});
